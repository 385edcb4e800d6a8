//! Names that hold across generations: numbered items are matched with those of residents, or get names of their own.
//!
//! A closure's number shifts when another is inserted before it, so numbers are no names. A group of numbered items is
//! taken over from a resident only if the parent has the same sequence of them: same numbers, kinds, signatures and
//! environments. What is taken over carries the tag of the generation that introduced it, anything else that of the
//! candidate, and every name that mentions a tagged item follows it.

use super::callsites::CallSites;
use super::environment::{asks_for_parameters, may_ask_for_type_ids};
use super::evidence::{self, Witness};
use super::work::Work;
use crate::GenerationId;
use crate::image::Body;
use crate::image::ModImage;
use crate::image::debug::{Name, TypeKind, TypeLayout, is_transient};
use crate::image::name::{NameResolver, NumberedItem, SymbolName, parse};
use crate::image::name_table::{GroupKey, Member, TAG_OPEN, tagged, without_tags};
use crate::limits::IDENTITY_ROUNDS;
use crate::residents::{CanonicalGroups, CanonicalKey, Evidence, Resident, ResidentMember, Residents};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Names of all symbols of a candidate as they are known in this process.
pub(crate) struct Identities {
    /// For every symbol; `None` for anonymous data.
    pub(crate) symbols: Vec<Option<Arc<str>>>,
    pub(crate) groups: CanonicalGroups,
    /// Groups that some resident has under the same parent but that could not be taken over, with their size.
    pub(crate) unmatched: BTreeMap<Arc<str>, usize>,
    /// Coroutines that a resident has but whose body is another.
    pub(crate) changed_coroutines: BTreeSet<Arc<str>>,
    /// By resident: types of and around environments that the image lays out otherwise, and what holds them.
    pub(crate) outgrown: Vec<BTreeSet<Name>>,
    /// Numbered items whose type identity is asked for: names as numbered here, and as known in this process.
    pub(crate) identified: BTreeMap<Arc<str>, Arc<str>>,
}

/// Names every symbol of `image` against all residents, those in `order` first to last.
pub(super) fn identify(
    image: &ModImage,
    residents: &Residents,
    order: &[GenerationId],
    call_sites: &CallSites,
    work: &Work,
) -> Identities {
    let mut forced = BTreeSet::new();
    let witness = Witness::new(image, call_sites);
    let groups = image.names.groups.iter();
    let evidence: HashMap<&GroupKey, _> = groups.map(|(key, group)| (key, witness.of_group(group, work))).collect();
    let held_by = HeldBy::new(image);
    let outgrown: Vec<Outgrown<'_>> =
        residents.generations.iter().map(|resident| outgrown(resident, &held_by)).collect();
    let mut round = 0;
    loop {
        round += 1;
        let mut tagger = Tagger {
            image,
            residents,
            order,
            next: residents.next_generation(),
            forced: &forced,
            evidence: &evidence,
            outgrown: &outgrown,
            work,
            found: Identities {
                symbols: Vec::new(),
                groups: HashMap::new(),
                unmatched: BTreeMap::new(),
                changed_coroutines: BTreeSet::new(),
                outgrown: Vec::new(),
                identified: BTreeMap::new(),
            },
            renewed_environments: BTreeSet::new(),
        };
        let symbols = image.symbols.iter().enumerate();
        let mut symbols: Vec<_> =
            symbols.map(|(index, symbol)| image.names.render(index, symbol, &mut tagger)).collect();
        call_sites.name(&mut symbols);
        let identified = identified(image, &mut tagger);
        let (renewed, mut found) = (tagger.renewed_environments, tagger.found);
        found.identified = identified;
        found.symbols = symbols;
        // A suspended coroutine may sit inside another closure's or coroutine's environment, whose code resumes it
        // directly: that code has to stay the old one too, and whatever holds *it*.
        let more = match round {
            IDENTITY_ROUNDS.. => environments(image).filter(|name| !forced.contains(name)).collect(),
            _ => holders(image, &held_by, &renewed, &forced, work),
        };
        if more.is_empty() {
            let names = |one: Outgrown<'_>| one.all.into_iter().cloned().collect();
            found.outgrown = outgrown.into_iter().map(names).collect();
            return found;
        }
        forced.extend(more);
    }
}

/// Types of and around environments that the image lays out otherwise than a resident did, and what holds them.
struct Outgrown<'a> {
    all: Vec<&'a Name>,
    transient: Vec<&'a Name>,
}

fn outgrown<'a>(resident: &Resident, held_by: &HeldBy<'a>) -> Outgrown<'a> {
    let types = held_by.types.iter().zip(0..);
    let changed =
        types.filter(|((name, layouts), _)| resident.transient_types.get(*name).is_some_and(|was| **was != **layouts));
    let all = held_by.holders(changed.map(|(_, index)| index).collect());
    let transient = all.iter().copied().filter(|name| is_transient(name)).collect();
    Outgrown { all, transient }
}

/// Every environment of a numbered item.
fn environments(image: &ModImage) -> impl Iterator<Item = Name> {
    image.names.groups.values().flat_map(BTreeMap::values).filter_map(|member| member.environment.clone())
}

/// Numbered items whose type identity is asked for, by the functions that ask.
fn identified(image: &ModImage, tagger: &mut Tagger<'_>) -> BTreeMap<Arc<str>, Arc<str>> {
    let symbols = image.symbols.iter().map(|symbol| symbol.name.as_str());
    let all = symbols.chain(image.debug.functions.keys().map(|symbol| &**symbol));
    let mut found = BTreeMap::new();
    for symbol in all.filter(|symbol| may_ask_for_type_ids(symbol)) {
        let SymbolName::V0(name) = parse(symbol) else { continue };
        let known = name.render(tagger);
        if known.contains(TAG_OPEN) && asks_for_parameters(&known) {
            found.insert(Arc::from(&*without_tags(&known)), Arc::from(known));
        }
    }
    found
}

/// For every type the types that hold or point to it.
struct HeldBy<'a> {
    types: Vec<(&'a Name, &'a BTreeSet<TypeLayout>)>,
    /// By position among the types, positions of those that hold it.
    holders: Vec<Vec<u32>>,
}

impl<'a> HeldBy<'a> {
    fn new(image: &'a ModImage) -> Self {
        let types: Vec<_> = image.debug.types.iter().collect();
        let by_name: HashMap<&str, u32> = types.iter().map(|(name, _)| &***name).zip(0..).collect();
        let mut holders = vec![Vec::new(); types.len()];
        for (layout, holder) in types.iter().zip(0..).flat_map(|((_, all), at)| all.iter().map(move |one| (one, at))) {
            let target = match &layout.kind {
                TypeKind::Pointer(target) | TypeKind::Enumeration(target) | TypeKind::Other(_, target) => {
                    target.as_ref()
                }
                TypeKind::Array(element, _) => Some(element),
                TypeKind::Struct | TypeKind::Union | TypeKind::Base(_) => None,
            };
            let contents = layout.variants.iter().filter_map(|variant| variant.content.as_ref());
            for part in layout.fields.iter().chain(contents).map(|field| &field.type_name).chain(target) {
                let Some(known) = by_name.get(&**part).and_then(|part| holders.get_mut(*part as usize)) else {
                    continue;
                };
                // All fields of one holder come together.
                if known.last() != Some(&holder) {
                    known.push(holder);
                }
            }
        }
        Self { types, holders }
    }

    /// `types` and all that holds them, at whatever depth, by name.
    fn holders(&self, types: Vec<u32>) -> Vec<&'a Name> {
        let mut reached = vec![false; self.types.len()];
        let mut waiting = types;
        waiting.iter().for_each(|index| reached[*index as usize] = true);
        while let Some(part) = waiting.pop() {
            for holder in &self.holders[part as usize] {
                if !std::mem::replace(&mut reached[*holder as usize], true) {
                    waiting.push(*holder);
                }
            }
        }
        self.types.iter().zip(reached).filter(|(_, reached)| *reached).map(|((name, _), _)| *name).collect()
    }
}

/// Environments that hold one of `renewed`, at whatever depth, and that are not forced to be new yet.
fn holders(
    image: &ModImage,
    held_by: &HeldBy<'_>,
    renewed: &BTreeSet<Name>,
    forced: &BTreeSet<Name>,
    work: &Work,
) -> BTreeSet<Name> {
    if renewed.is_empty() {
        return BTreeSet::new();
    }
    let mentions = |name: &Name| renewed.iter().any(|environment| work.contains(name, environment));
    let transient = held_by.types.iter().zip(0..).filter(|((name, _), _)| is_transient(name) && mentions(name));
    let reached: HashSet<&Name> = held_by.holders(transient.map(|(_, index)| index).collect()).into_iter().collect();
    environments(image)
        .filter(|name| !forced.contains(name) && !renewed.contains(name) && reached.contains(name))
        .collect()
}

struct Tagger<'a> {
    image: &'a ModImage,
    residents: &'a Residents,
    order: &'a [GenerationId],
    next: GenerationId,
    /// Environments that must count as changed because of what they hold.
    forced: &'a BTreeSet<Name>,
    evidence: &'a HashMap<&'a GroupKey, BTreeMap<u64, Arc<Evidence>>>,
    /// By resident: types of and around environments that this image lays out otherwise, and what holds them.
    outgrown: &'a [Outgrown<'a>],
    work: &'a Work,
    found: Identities,
    /// Environments that residents have and that were not taken over.
    renewed_environments: BTreeSet<Name>,
}

impl NameResolver for Tagger<'_> {
    fn keep_crate_hash(&mut self, name: &str, _hash: &str) -> bool {
        self.image.names.is_ambiguous(name)
    }

    fn item(&mut self, parent: &str, item: &NumberedItem<'_>) -> String {
        if !self.image.names.may_be_grouped(item) {
            return item.text_as_is();
        }
        let provisional = (Arc::from(&*without_tags(parent)), item.namespace, Arc::from(&*item.name));
        let Some((provisional, group)) = self.image.names.groups.get_key_value(&provisional) else {
            return item.text_as_is();
        };
        let key: CanonicalKey = (Arc::from(parent), item.namespace, Arc::from(&*item.name));
        if !self.found.groups.contains_key(&key) {
            let matched = self.match_group(&key, provisional, group);
            self.found.groups.insert(key.clone(), matched);
        }
        let introduced = self.found.groups.get(&key).and_then(|members| members.get(&item.disambiguator));
        let introduced = introduced.map_or(self.next, |member| member.introduced);
        tagged(item, introduced)
    }
}

impl Tagger<'_> {
    fn match_group(
        &mut self,
        key: &CanonicalKey,
        provisional: &GroupKey,
        group: &BTreeMap<u64, Member>,
    ) -> BTreeMap<u64, ResidentMember> {
        let image = self.image;
        let evidence = self.evidence.get(provisional);
        let evidence_of = |number: u64| evidence.and_then(|all| all.get(&number)).cloned().unwrap_or_default();
        let own = |introduced: &dyn Fn(u64) -> GenerationId| {
            let members = group.iter().map(|(number, member)| {
                let bodies = bodies_of(image, member);
                let (evidence, introduced) = (evidence_of(*number), introduced(*number));
                (*number, ResidentMember { member: member.clone(), bodies, evidence, introduced })
            });
            members.collect::<BTreeMap<_, _>>()
        };
        let fresh = own(&|_| self.next);
        let mut known = false;
        for generation in self.order {
            let Some(theirs) = self.residents.resident(*generation).and_then(|r| r.groups.get(key)) else { continue };
            known = true;
            if !same_sequence(theirs, group) || !self.contents_are_the_same(key, theirs, &fresh) {
                continue;
            }
            let renewed = self.renewed(key, theirs, &fresh);
            for number in &renewed {
                self.note_renewed(key, &fresh[number].member);
            }
            let next = self.next;
            let introduced = |number: u64| match theirs.get(&number) {
                Some(member) if !renewed.contains(&number) => member.introduced,
                _ => next,
            };
            return own(&introduced);
        }
        if known {
            for member in group.values() {
                self.note_renewed(key, member);
            }
        }
        fresh
    }

    fn note_renewed(&mut self, key: &CanonicalKey, member: &Member) {
        self.renewed_environments.extend(member.environment.clone());
        let parent = Arc::from(&*without_tags(&key.0));
        if member.is_coroutine {
            self.found.changed_coroutines.insert(parent);
        } else if !member.is_static {
            // What became of statics is told of each by itself.
            *self.found.unmatched.entry(parent).or_default() += 1;
        }
    }

    /// Whether what is inside the members of a group is the same. Order says little of types and blocks: nothing is known
    /// of them themselves, so the code that is named after them has to be what it was.
    fn contents_are_the_same(
        &self,
        key: &CanonicalKey,
        theirs: &BTreeMap<u64, ResidentMember>,
        ours: &BTreeMap<u64, ResidentMember>,
    ) -> bool {
        if ours.len() < 2 {
            return true;
        }
        let is_described = key.1 == 'C' || ours.values().all(|own| !own.member.description.is_empty());
        let same_relatives =
            || theirs.values().zip(ours.values()).all(|(a, b)| a.evidence.relatives == b.evidence.relatives);
        let all =
            |members: &BTreeMap<u64, ResidentMember>| members.values().map(|m| m.evidence.clone()).collect::<Vec<_>>();
        (is_described || same_relatives()) && evidence::statics_are_the_same(&all(theirs), &all(ours))
    }

    /// Members that must not be taken over although the sequence is the same.
    fn renewed(
        &self,
        key: &CanonicalKey,
        theirs: &BTreeMap<u64, ResidentMember>,
        ours: &BTreeMap<u64, ResidentMember>,
    ) -> BTreeSet<u64> {
        let code = |member: &ResidentMember| member.bodies.iter().map(|body| body.code).collect::<BTreeSet<_>>();
        let evidence = |members: &BTreeMap<u64, ResidentMember>| {
            members.iter().map(|(number, member)| (*number, member.evidence.clone())).collect::<BTreeMap<_, _>>()
        };
        // The old code now stands at another number: two closures changed places.
        let mut renewed = evidence::moved(&evidence(theirs), &evidence(ours));
        for (number, own) in ours {
            let Some(old) = theirs.get(number) else { continue };
            let (old_code, own_code) = (code(old), code(own));
            let unchanged = !old_code.is_empty() && old_code == own_code;
            // A coroutine may be suspended inside its body. Where no body is left to compare, that proves nothing.
            if own.member.is_coroutine && !unchanged {
                renewed.insert(*number);
            }
            if own.member.environment.as_ref().is_some_and(|name| self.forced.contains(name)) {
                renewed.insert(*number);
            }
            if self.is_another_elsewhere(key, *number, old.introduced, &own.member) {
                renewed.insert(*number);
            }
            if self.is_outgrown(key, *number, old.introduced, &own.member) {
                renewed.insert(*number);
            }
        }
        renewed
    }

    /// Whether live state may hold the item's environment inside a type that is laid out otherwise now, such as a generic
    /// struct that gained a field, whose methods are named after the item and follow it; or whether the environment holds
    /// such a type, as that of a closure that was inlined into this one.
    fn is_outgrown(&self, key: &CanonicalKey, number: u64, introduced: GenerationId, own: &Member) -> bool {
        let Some(environment) = &own.environment else { return false };
        self.residents.generations.iter().zip(self.outgrown).any(|(resident, outgrown)| {
            resident.groups.get(key).and_then(|group| group.get(&number)).is_some_and(|m| m.introduced == introduced)
                && outgrown.transient.iter().any(|name| self.work.contains(name, environment))
        })
    }

    /// Whether some resident knows this very item as something else. The one it is matched with may have had no code of
    /// its own to compare.
    fn is_another_elsewhere(&self, key: &CanonicalKey, number: u64, introduced: GenerationId, own: &Member) -> bool {
        let residents = self.residents.generations.iter();
        let mut same_item = residents.filter_map(|resident| resident.groups.get(key)?.get(&number));
        same_item.any(|known| known.introduced == introduced && !same_member(&known.member, own))
    }
}

/// Same numbers, and nothing that is known of a member on both sides differs.
fn same_sequence(theirs: &BTreeMap<u64, ResidentMember>, ours: &BTreeMap<u64, Member>) -> bool {
    theirs.len() == ours.len()
        && theirs.iter().zip(ours).all(|((their_number, their), (our_number, our))| {
            their_number == our_number && same_member(&their.member, our)
        })
}

/// A member without code of its own, inlined wherever it is called, has no signature, and one that no function is named
/// after has no slot that live state could hold. (The code of a closure that is called once is inlined into the function
/// that its vtable holds, which is named after it.)
fn same_member(their: &Member, our: &Member) -> bool {
    let has_code = |member: &Member| !member.functions.is_empty() || member.is_static;
    let is_mentioned = |member: &Member| has_code(member) || !member.relatives.is_empty() || !member.data.is_empty();
    let same_self = their.description == our.description
        && their.is_coroutine == our.is_coroutine
        && their.is_static == our.is_static;
    (!has_code(their) || !has_code(our) || same_self)
        && (!is_mentioned(their) || !is_mentioned(our) || their.captures == our.captures)
}

fn bodies_of(image: &ModImage, member: &Member) -> BTreeSet<Body> {
    member.functions.iter().filter_map(|function| image.body(*function).copied()).collect()
}
