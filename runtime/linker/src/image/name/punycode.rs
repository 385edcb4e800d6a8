//! Decodes the punycode (RFC 3492) of identifiers with letters outside ASCII. Nothing is encoded here.

const BASE: usize = 36;
const T_MIN: usize = 1;
const T_MAX: usize = 26;
const SKEW: usize = 38;
const INITIAL_DAMP: usize = 700;
const INITIAL_BIAS: usize = 72;
const INITIAL_CODE: usize = 0x80;

/// Decodes `text` as v0 writes it: ASCII letters, `_` instead of `-`, then the insertions. `None` if it is not
/// well-formed, or could as well have been written another way, so that different texts never decode to the same.
pub(super) fn decode(text: &str) -> Option<String> {
    let (ascii, insertions) = match text.rsplit_once('_') {
        Some(("", _)) => return None,
        Some(parts) => parts,
        None => ("", text),
    };
    if insertions.is_empty() {
        return None;
    }
    let mut output: Vec<char> = ascii.chars().collect();
    let mut bytes = insertions.bytes();
    let (mut position, mut code, mut damp, mut bias) = (0usize, INITIAL_CODE, INITIAL_DAMP, INITIAL_BIAS);
    while bytes.len() > 0 {
        let delta = read_delta(&mut bytes, bias)?;
        let length = output.len() + 1;
        position = position.checked_add(delta)?;
        code = code.checked_add(position / length)?;
        position %= length;
        let character = char::from_u32(u32::try_from(code).ok()?)?;
        output.insert(position, character);
        position += 1;
        bias = adapt(delta / damp, length);
        damp = 2;
    }
    Some(output.into_iter().collect())
}

/// One variable-length number.
fn read_delta(bytes: &mut std::str::Bytes<'_>, bias: usize) -> Option<usize> {
    let (mut delta, mut weight, mut k) = (0usize, 1usize, 0usize);
    loop {
        k += BASE;
        let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
        let digit = match bytes.next()? {
            byte @ b'a'..=b'z' => byte - b'a',
            byte @ b'0'..=b'9' => byte - b'0' + 26,
            _ => return None,
        };
        let digit = usize::from(digit);
        delta = delta.checked_add(digit.checked_mul(weight)?)?;
        if digit < threshold {
            return Some(delta);
        }
        weight = weight.checked_mul(BASE - threshold)?;
    }
}

fn adapt(delta: usize, length: usize) -> usize {
    let mut delta = delta + delta / length;
    let mut k = 0;
    while delta > ((BASE - T_MIN) * T_MAX) / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + ((BASE - T_MIN + 1) * delta) / (delta + SKEW)
}

#[cfg(test)]
mod tests {
    #[test]
    fn letters_outside_ascii_are_decoded() {
        assert_eq!(super::decode("gdel_5qa").as_deref(), Some("gödel"));
        assert_eq!(super::decode("_5qa"), None);
        assert_eq!(super::decode("gdel_"), None);
        assert_eq!(super::decode("ABC"), None);
    }
}
