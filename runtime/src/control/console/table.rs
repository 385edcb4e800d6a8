//! Text for a terminal: aligned columns, durations and sizes in words, and names that cannot command the terminal.

use std::fmt;

use unicode_width::UnicodeWidthStr;

/// Rows under a header, each column as wide as its widest cell.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    /// Columns of numbers, which stand at the right.
    right: &'static [usize],
}

impl Table {
    pub(super) fn new(header: &[&str], right: &'static [usize]) -> Self {
        Self { rows: vec![header.iter().map(|&cell| cell.to_owned()).collect()], right }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| plain(&cell)).collect());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        for (index, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let padding = " ".repeat(widths.get(column).copied().unwrap_or(0).saturating_sub(cell.width()));
                match self.right.contains(&column) {
                    true => line.extend([padding.as_str(), cell]),
                    false => line.extend([cell.as_str(), &padding]),
                }
                line.push_str("  ");
            }
            let end = if index + 1 < self.rows.len() { "\n" } else { "" };
            write!(formatter, "{}{end}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A text without anything that a terminal would obey, or that would turn the direction of writing. Players and mods choose
/// what is printed here.
pub(super) fn plain(text: &str) -> String {
    let is_obeyed = |character: char| {
        character.is_control()
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|character| if is_obeyed(character) { '\u{fffd}' } else { character }).collect()
}

/// The same for texts of several lines.
pub(super) fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// A duration with two or three digits that count.
pub(super) fn duration(nanoseconds: u64) -> String {
    let value = nanoseconds as f64;
    let (value, unit) = match nanoseconds {
        0..1_000 => return format!("{nanoseconds} ns"),
        1_000..1_000_000 => (value / 1e3, "us"),
        1_000_000..1_000_000_000 => (value / 1e6, "ms"),
        _ => (value / 1e9, "s"),
    };
    if value < 9.95 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

/// A size with two or three digits that count.
pub(super) fn bytes(count: u64) -> String {
    let value = count as f64;
    let (value, unit) = match count {
        0..1_024 => return format!("{count} B"),
        1_024..1_048_576 => (value / 1024.0, "KiB"),
        1_048_576..1_073_741_824 => (value / 1_048_576.0, "MiB"),
        _ => (value / 1_073_741_824.0, "GiB"),
    };
    if value < 9.95 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

/// `1 world`, `2 worlds`.
pub(super) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_are_seen() {
        let mut table = Table::new(&["name", "ticks", "note"], &[1]);
        table.row(["日本".to_owned(), "7".to_owned(), String::new()]);
        table.row(["eu-1".to_owned(), "1234567".to_owned(), "busy".to_owned()]);
        assert_eq!(table.to_string(), "name    ticks  note\n日本        7\neu-1  1234567  busy");
    }

    #[test]
    fn nothing_commands_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\n\u{202e}c\t"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c\u{fffd}");
        assert_eq!(plain_lines("one\ntwo\r\nthree\u{7}"), "one\ntwo\nthree\u{fffd}");
    }

    #[test]
    fn numbers_have_units() {
        let durations = [0, 999, 1500, 144_000, 9_949_999, 25_000_000, 1_900_000_000, 300_000_000_000].map(duration);
        assert_eq!(durations, ["0 ns", "999 ns", "1.5 us", "144 us", "9.9 ms", "25 ms", "1.9 s", "300 s"]);
        assert_eq!([0, 1024, 2_763_755, 3 << 30].map(bytes), ["0 B", "1.0 KiB", "2.6 MiB", "3.0 GiB"]);
        assert_eq!((count(1, "world"), count(0, "mod")), ("1 world".to_owned(), "0 mods".to_owned()));
    }
}
