//! What tells the members of a group of numbered items apart besides their order: the code that is named after them,
//! and the functions that use the statics inside them.

use super::callsites::CallSites;
use super::work::{ENTRY, Work};
use crate::image::module::SymbolTarget;
use crate::image::name::SymbolName;
use crate::image::name_table::Member;
use crate::image::{Fingerprint, ModImage};
use crate::residents::{Evidence, StaticUser};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// What taking down one user of a static costs, its memory included.
const USER_STEPS: usize = 4 * ENTRY;

/// Looks evidence up in one image.
pub(super) struct Witness<'a> {
    image: &'a ModImage,
    call_sites: &'a CallSites,
    names: HashMap<u32, Vec<Arc<str>>>,
    /// Functions whose code refers to a piece of data.
    users: HashMap<u32, BTreeSet<u32>>,
}

impl<'a> Witness<'a> {
    pub(super) fn new(image: &'a ModImage, call_sites: &'a CallSites) -> Self {
        let mut names: HashMap<u32, Vec<Arc<str>>> = HashMap::new();
        for (index, _, function) in image.function_symbols() {
            names.entry(function).or_default().extend(image.provisional[index].clone());
        }
        let mut users: HashMap<u32, BTreeSet<u32>> = HashMap::new();
        let mut function = 0;
        for relocation in image.code_relocations.iter().filter(|relocation| relocation.kind.is_memory_address()) {
            while image.functions.get(function).is_some_and(|f| f.body.end <= relocation.at) {
                function += 1;
            }
            if let Some((piece, _)) = image.symbol_pieces[relocation.symbol as usize]
                && image.pieces[piece as usize].mutable
            {
                users.entry(piece).or_default().insert(image.import_count() + function as u32);
            }
        }
        Self { image, call_sites, names, users }
    }

    /// What is known of the members of a group.
    pub(super) fn of_group(&self, group: &BTreeMap<u64, Member>, work: &Work) -> BTreeMap<u64, Arc<Evidence>> {
        let inside: HashSet<u32> = group.values().flat_map(|member| member.relatives.iter().copied()).collect();
        group.iter().map(|(number, member)| (*number, Arc::new(self.of(&inside, member, work)))).collect()
    }

    /// What is known of one member of a group; `inside` are the functions whose name mentions any of them.
    fn of(&self, inside: &HashSet<u32>, member: &Member, work: &Work) -> Evidence {
        let mut relatives: BTreeMap<Arc<str>, BTreeSet<Fingerprint>> = BTreeMap::new();
        for function in &member.relatives {
            let code = self.image.body(*function).map(|body| body.code);
            for name in self.names.get(function).into_iter().flatten() {
                relatives.entry(name.clone()).or_default().extend(code);
            }
        }
        let mut statics: BTreeMap<Arc<str>, BTreeSet<StaticUser>> = BTreeMap::new();
        for symbol in &member.data {
            let (Some((piece, _)), Some(name)) =
                (self.image.symbol_pieces[*symbol as usize], &self.image.provisional[*symbol as usize])
            else {
                continue;
            };
            if !self.image.pieces[piece as usize].mutable || self.is_known_otherwise(*symbol) {
                continue;
            }
            let users = statics.entry(name.clone()).or_default();
            for function in self.users.get(&piece).into_iter().flatten() {
                // Several symbols may name one piece.
                if !work.spend(USER_STEPS) {
                    break;
                }
                let is_inside = inside.contains(function);
                let code = self.image.body(*function).map(|body| body.code);
                let names = self.names.get(function).into_iter().flatten();
                users.extend(names.map(|name| StaticUser { name: name.clone(), code, is_inside }));
            }
        }
        Evidence { relatives, statics }
    }

    /// Statics of crates without debug information are compared by their whole symbol, crate hash included, and call sites
    /// by their content.
    fn is_known_otherwise(&self, symbol: u32) -> bool {
        debug_assert!(matches!(self.image.symbols[symbol as usize].target, SymbolTarget::Data { .. }));
        if self.call_sites.contains(symbol) {
            return true;
        }
        match self.image.names.parsed(symbol as usize) {
            Some(SymbolName::V0(_)) => super::statics::is_opaque(self.image, symbol as usize),
            _ => false,
        }
    }
}

/// Whether the statics inside the members are the same ones. Statics of one name are told apart by nothing but order, so
/// other functions have to show it: those that use a static are the same as before, and either they use no other of the
/// group, or their code did not change.
pub(super) fn statics_are_the_same(theirs: &[Arc<Evidence>], ours: &[Arc<Evidence>]) -> bool {
    let names = |users: &BTreeSet<StaticUser>| {
        let mut names: Vec<Arc<str>> = users.iter().map(|user| user.name.clone()).collect();
        names.dedup();
        names
    };
    // By the functions that use it: one static, and whether there is another.
    let mut used_by: HashMap<Vec<Arc<str>>, (&Arc<str>, bool)> = HashMap::new();
    for (name, users) in ours.iter().flat_map(|evidence| &evidence.statics) {
        let known = used_by.entry(names(users)).or_insert((name, false));
        known.1 |= known.0 != name;
    }
    theirs.iter().zip(ours).all(|(their, our)| {
        our.statics.iter().all(|(name, users)| {
            let Some(known) = their.statics.get(name) else { return true };
            if users.is_empty() {
                return false;
            }
            let is_alone = || {
                let own = names(users);
                users.iter().all(|user| !user.is_inside)
                    && own == names(known)
                    && used_by.get(&own).is_some_and(|(_, has_others)| !has_others)
            };
            users == known || is_alone()
        })
    })
}

/// Code that stood under one member and now stands under another: they changed places.
pub(super) fn moved(theirs: &BTreeMap<u64, Arc<Evidence>>, ours: &BTreeMap<u64, Arc<Evidence>>) -> BTreeSet<u64> {
    type Holders = BTreeMap<Fingerprint, BTreeSet<u64>>;
    let holders = |all: &BTreeMap<u64, Arc<Evidence>>| {
        let mut holders = Holders::new();
        for (number, evidence) in all {
            for body in evidence.relatives.values().flatten() {
                holders.entry(*body).or_default().insert(*number);
            }
        }
        holders
    };
    let (were, are) = (holders(theirs), holders(ours));
    let mut moved = BTreeSet::new();
    for (body, old) in &were {
        let Some(new) = are.get(body) else { continue };
        let left: Vec<u64> = old.difference(new).copied().filter(|number| ours.contains_key(number)).collect();
        let came: Vec<u64> = new.difference(old).copied().collect();
        if !left.is_empty() && !came.is_empty() {
            moved.extend(left);
            moved.extend(came);
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::bodies::Fingerprinter;

    fn body(number: i64) -> Fingerprint {
        let mut all = Fingerprinter::new();
        all.add_number(number);
        all.finish()
    }

    /// Members by number, each with the bodies that are named after it.
    fn group(members: &[(u64, &[i64])]) -> BTreeMap<u64, Arc<Evidence>> {
        let evidence = |bodies: &[i64]| Evidence {
            relatives: BTreeMap::from([("f".into(), bodies.iter().map(|n| body(*n)).collect())]),
            statics: BTreeMap::new(),
        };
        members.iter().map(|(number, bodies)| (*number, Arc::new(evidence(bodies)))).collect()
    }

    fn with_statics(statics: &[(&str, &[&str])]) -> Vec<Arc<Evidence>> {
        let user = |name: &&str| StaticUser { name: (*name).into(), code: None, is_inside: false };
        let of = |users: &[&str]| users.iter().map(user).collect();
        let one = |(name, users): &(&str, &[&str])| {
            let statics = BTreeMap::from([(Arc::from(*name), of(users))]);
            Arc::new(Evidence { relatives: BTreeMap::new(), statics })
        };
        statics.iter().map(one).collect()
    }

    #[test]
    fn code_that_changed_places_is_found() {
        let were = group(&[(0, &[10, 99]), (1, &[11, 99]), (2, &[12])]);
        assert_eq!(moved(&were, &were), BTreeSet::new());
        assert_eq!(moved(&were, &group(&[(0, &[11, 99]), (1, &[10, 99]), (2, &[12])])), BTreeSet::from([0, 1]));
        assert_eq!(moved(&were, &group(&[(0, &[20, 99]), (1, &[11, 99]), (2, &[12])])), BTreeSet::new());
        // It may be in several now; where it still stands nothing moved.
        assert_eq!(moved(&were, &group(&[(0, &[10]), (1, &[11, 10]), (2, &[12])])), BTreeSet::new());
        assert_eq!(moved(&were, &group(&[(0, &[10]), (1, &[11]), (2, &[12, 99])])), BTreeSet::from([0, 1, 2]));
        assert_eq!(moved(&were, &group(&[(1, &[11, 99]), (2, &[12, 10])])), BTreeSet::new(), "its number is gone");
    }

    #[test]
    fn statics_are_told_apart_by_users_of_their_own() {
        let same = |theirs: &[(&str, &[&str])], ours: &[(&str, &[&str])]| {
            statics_are_the_same(&with_statics(theirs), &with_statics(ours))
        };
        assert!(same(&[("a", &["f"]), ("b", &["g"])], &[("a", &["f"]), ("b", &["g"])]));
        assert!(!same(&[("a", &["f"]), ("b", &["g"])], &[("a", &["g"]), ("b", &["f"])]));
        assert!(!same(&[("a", &[])], &[("a", &[])]), "nothing shows it");
        let mut changed = with_statics(&[("a", &["f"]), ("b", &["f"])]);
        assert!(statics_are_the_same(&changed, &changed), "code that did not change");
        let old = changed.clone();
        for evidence in &mut changed {
            let users = Arc::make_mut(evidence).statics.values_mut();
            users.for_each(|users| {
                *users = users.iter().map(|user| StaticUser { code: Some(body(1)), ..user.clone() }).collect();
            });
        }
        assert!(!statics_are_the_same(&old, &changed), "one function, another now, uses both");
    }
}
