//! The family tree of a mod's generations: which of them lends a body for a slot that another lacks.

use crate::GenerationId;

/// The order in which other generations lend bodies for slots that `generation` lacks: nearest along its lineage first.
///
/// `bases[i]` is the generation that generation `i + 1` replaced when it was linked, `None` for the first. Distance is
/// counted in steps of that tree (up to a common ancestor and down again); at equal distance an ancestor comes before a
/// descendant, and of two others the newer. The result names every generation but `generation` itself once.
pub fn lenders(bases: &[Option<GenerationId>], generation: GenerationId) -> Vec<GenerationId> {
    let own = path_to_root(bases, generation);
    let mut others: Vec<(usize, bool, std::cmp::Reverse<GenerationId>)> = Vec::with_capacity(bases.len());
    for index in 0..bases.len() {
        let other = GenerationId::new(index as u32 + 1);
        if other == generation {
            continue;
        }
        let theirs = path_to_root(bases, other);
        // Both paths end at the root; what they share at the end is common ancestry.
        let shared = own.iter().rev().zip(theirs.iter().rev()).take_while(|(a, b)| a == b).count();
        let distance = if shared == 0 { usize::MAX } else { own.len() + theirs.len() - 2 * shared };
        let is_ancestor = own.contains(&other);
        others.push((distance, !is_ancestor, std::cmp::Reverse(other)));
    }
    others.sort();
    others.into_iter().map(|(_, _, std::cmp::Reverse(other))| other).collect()
}

fn path_to_root(bases: &[Option<GenerationId>], start: GenerationId) -> Vec<GenerationId> {
    let mut path = vec![start];
    let mut current = start;
    while let Some(Some(base)) = bases.get(current.index()) {
        // A base is always older; anything else would be a circle.
        if *base >= current {
            break;
        }
        path.push(*base);
        current = *base;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn g(number: u32) -> GenerationId {
        GenerationId::new(number)
    }

    #[test]
    fn a_line_lends_from_the_nearest_ancestor_first() {
        let bases = [None, Some(g(1)), Some(g(2)), Some(g(3))];
        assert_eq!(lenders(&bases, g(4)), [g(3), g(2), g(1)]);
        assert_eq!(lenders(&bases, g(2)), [g(1), g(3), g(4)]);
    }

    #[test]
    fn a_branch_prefers_its_own_line_to_a_sibling() {
        // g2 was rolled back; g3 is based on g1 again.
        let bases = [None, Some(g(1)), Some(g(1)), Some(g(3))];
        assert_eq!(lenders(&bases, g(4)), [g(3), g(1), g(2)]);
        assert_eq!(lenders(&bases, g(2)), [g(1), g(3), g(4)]);
    }

    #[test]
    fn a_base_that_is_not_older_ends_the_path_instead_of_looping() {
        let bases = [Some(g(2)), Some(g(1))];
        assert_eq!(lenders(&bases, g(1)), [g(2)]);
    }
}
