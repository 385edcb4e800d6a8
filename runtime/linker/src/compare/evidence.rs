//! What tells the members of a group of numbered items apart besides their order: the code that is named after them,
//! and the functions that use the statics inside them.

use super::callsites::CallSites;
use crate::image::module::SymbolTarget;
use crate::image::name::SymbolName;
use crate::image::name_table::Member;
use crate::image::{Fingerprint, ModImage};
use crate::residents::{Evidence, StaticUser};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

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

    /// What is known of a member of `group`.
    pub(super) fn of(&self, group: &BTreeMap<u64, Member>, member: &Member) -> Evidence {
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
                let is_inside = group.values().any(|member| member.relatives.contains(function));
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
    let names = |users: &BTreeSet<StaticUser>| users.iter().map(|user| user.name.clone()).collect::<BTreeSet<_>>();
    let all: Vec<_> = ours.iter().flat_map(|evidence| &evidence.statics).collect();
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
                    && all.iter().all(|(other, others)| *other == name || names(others) != own)
            };
            users == known || is_alone()
        })
    })
}

/// Code that stood under one member and now stands under another: they changed places.
pub(super) fn moved(theirs: &BTreeMap<u64, Arc<Evidence>>, ours: &BTreeMap<u64, Arc<Evidence>>) -> BTreeSet<u64> {
    let code = |evidence: &Evidence| evidence.relatives.values().flatten().copied().collect::<BTreeSet<_>>();
    let theirs: BTreeMap<u64, _> = theirs.iter().map(|(number, evidence)| (*number, code(evidence))).collect();
    let ours: BTreeMap<u64, _> = ours.iter().map(|(number, evidence)| (*number, code(evidence))).collect();
    let none = BTreeSet::new();
    let mut moved = BTreeSet::new();
    for (number, old) in &theirs {
        for body in old.iter().filter(|body| ours.get(number).is_some_and(|own| !own.contains(*body))) {
            for (other, new) in &ours {
                if other != number && new.contains(body) && !theirs.get(other).unwrap_or(&none).contains(body) {
                    moved.extend([*number, *other]);
                }
            }
        }
    }
    moved
}
