//! Names that hold across generations: numbered items are matched with those of residents, or get names of their own.
//!
//! A closure's number shifts when another is inserted before it, so numbers are no names. A group of numbered items is
//! taken over from a resident only if the parent has the same sequence of them: same numbers, kinds, signatures and
//! environments. What is taken over carries the tag of the generation that introduced it, anything else that of the
//! candidate, and every name that mentions a tagged item follows it.

use crate::GenerationId;
use crate::image::Body;
use crate::image::ModImage;
use crate::image::debug::Name;
use crate::image::name::{NameResolver, NumberedItem};
use crate::image::name_table::{Member, tagged, without_tags};
use crate::residents::{CanonicalGroups, CanonicalKey, ResidentMember, Residents};
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
}

/// Names every symbol of `image` against all residents, those in `order` first to last.
pub(crate) fn identify(image: &ModImage, residents: &Residents, order: &[GenerationId]) -> Identities {
    let mut forced = BTreeSet::new();
    loop {
        let mut tagger = Tagger {
            image,
            residents,
            order,
            next: residents.next_generation(),
            forced: &forced,
            found: Identities {
                symbols: Vec::new(),
                groups: HashMap::new(),
                unmatched: BTreeMap::new(),
                changed_coroutines: BTreeSet::new(),
            },
            renewed_environments: BTreeSet::new(),
        };
        let symbols = image.symbols.iter().enumerate();
        let symbols = symbols.map(|(index, symbol)| image.names.render(index, symbol, &mut tagger)).collect();
        let (renewed, mut found) = (tagger.renewed_environments, tagger.found);
        found.symbols = symbols;
        // A suspended coroutine may sit inside another closure's or coroutine's environment, whose code resumes it
        // directly: that code has to stay the old one too, and whatever holds *it*.
        let more = holders(image, &renewed, &forced);
        if more.is_empty() {
            return found;
        }
        forced.extend(more);
    }
}

/// Environments whose type mentions one of `renewed` and that are not forced to be new yet.
fn holders(image: &ModImage, renewed: &BTreeSet<Name>, forced: &BTreeSet<Name>) -> BTreeSet<Name> {
    if renewed.is_empty() {
        return BTreeSet::new();
    }
    let members = image.names.groups.values().flat_map(BTreeMap::values);
    members
        .filter_map(|member| member.environment.clone())
        .filter(|name| !forced.contains(name) && !renewed.contains(name))
        .filter(|name| {
            image.debug.types.get(name).is_some_and(|layouts| {
                let text = format!("{layouts:?}");
                renewed.iter().chain(forced).any(|environment| text.contains(&**environment))
            })
        })
        .collect()
}

struct Tagger<'a> {
    image: &'a ModImage,
    residents: &'a Residents,
    order: &'a [GenerationId],
    next: GenerationId,
    /// Environments that must count as changed because of what they hold.
    forced: &'a BTreeSet<Name>,
    found: Identities,
    /// Environments of coroutines that residents have and that were not taken over.
    renewed_environments: BTreeSet<Name>,
}

impl NameResolver for Tagger<'_> {
    fn keep_crate_hash(&mut self, name: &str, _hash: &str) -> bool {
        self.image.names.is_ambiguous(name)
    }

    fn item(&mut self, parent: &str, item: &NumberedItem<'_>) -> String {
        let provisional = (Arc::from(&*without_tags(parent)), item.namespace, Arc::from(&*item.name));
        let Some(group) = self.image.names.groups.get(&provisional) else { return item.text_as_is() };
        let key: CanonicalKey = (Arc::from(parent), item.namespace, Arc::from(&*item.name));
        if !self.found.groups.contains_key(&key) {
            let matched = self.match_group(&key, group);
            self.found.groups.insert(key.clone(), matched);
        }
        let introduced = self.found.groups.get(&key).and_then(|members| members.get(&item.disambiguator));
        let introduced = introduced.map_or(self.next, |member| member.introduced);
        tagged(item, introduced)
    }
}

impl Tagger<'_> {
    fn match_group(&mut self, key: &CanonicalKey, group: &BTreeMap<u64, Member>) -> BTreeMap<u64, ResidentMember> {
        let image = self.image;
        let own = |introduced: &dyn Fn(u64) -> GenerationId| {
            let members = group.iter().map(|(number, member)| {
                let bodies = bodies_of(image, member);
                let member = ResidentMember { member: member.clone(), bodies, introduced: introduced(*number) };
                (*number, member)
            });
            members.collect::<BTreeMap<_, _>>()
        };
        let fresh = own(&|_| self.next);
        let mut known = false;
        for generation in self.order {
            let Some(theirs) = self.residents.resident(*generation).and_then(|r| r.groups.get(key)) else { continue };
            known = true;
            if !same_sequence(theirs, group) || !self.statics_are_bound(*generation, key, group) {
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
            let parent = Arc::from(format!("{}", without_tags(&key.0)));
            *self.found.unmatched.entry(parent).or_default() += group.len();
            for member in group.values() {
                self.note_renewed(key, member);
            }
        }
        fresh
    }

    fn note_renewed(&mut self, key: &CanonicalKey, member: &Member) {
        if member.is_coroutine || member.environment.as_ref().is_some_and(|name| self.forced.contains(name)) {
            self.found.changed_coroutines.insert(Arc::from(&*without_tags(&key.0)));
            self.renewed_environments.extend(member.environment.clone());
        }
    }

    /// Same-named statics in one scope are told apart by nothing but order, so they are taken over only where the
    /// enclosing body did not change.
    fn statics_are_bound(&self, generation: GenerationId, key: &CanonicalKey, group: &BTreeMap<u64, Member>) -> bool {
        if group.len() < 2 || !group.values().any(|member| member.is_static) {
            return true;
        }
        let theirs = self.residents.resident(generation).and_then(|resident| resident.functions.get(&key.0));
        let parent = without_tags(&key.0);
        let ours: BTreeSet<Body> = self
            .image
            .function_symbols()
            .filter(|(index, _, _)| self.image.provisional[*index].as_deref() == Some(&*parent))
            .filter_map(|(_, _, function)| self.image.body(function).copied())
            .collect();
        // A scope that was inlined away has no body to compare.
        theirs.is_some_and(|theirs| {
            let code = |bodies: &BTreeSet<Body>| bodies.iter().map(|body| body.code).collect::<BTreeSet<_>>();
            !ours.is_empty() && code(theirs) == code(&ours)
        })
    }

    /// Members that must not be taken over although the sequence is the same.
    fn renewed(
        &self,
        key: &CanonicalKey,
        theirs: &BTreeMap<u64, ResidentMember>,
        ours: &BTreeMap<u64, ResidentMember>,
    ) -> BTreeSet<u64> {
        let code = |member: &ResidentMember| member.bodies.iter().map(|body| body.code).collect::<BTreeSet<_>>();
        let mut renewed = BTreeSet::new();
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
            if unchanged || old_code.is_empty() {
                continue;
            }
            // The old body now stands at another number: two closures changed places.
            for (other, candidate) in ours {
                if other != number && code(candidate) == old_code {
                    renewed.extend([*number, *other]);
                }
            }
        }
        renewed
    }

    /// Whether some resident knows this very item as something else. The one it is matched with may have had no code of
    /// its own to compare.
    fn is_another_elsewhere(&self, key: &CanonicalKey, number: u64, introduced: GenerationId, own: &Member) -> bool {
        let residents = self.residents.generations.iter();
        let mut same_item = residents.filter_map(|resident| resident.groups.get(key)?.get(&number));
        has_code(own)
            && same_item.any(|known| {
                known.introduced == introduced && has_code(&known.member) && known.member.description != own.description
            })
    }
}

/// Same numbers, and nothing that is known of a member on both sides differs. A member without code of its own, inlined
/// wherever it is called, has no slot that live state could hold, and debug information says little of it.
fn same_sequence(theirs: &BTreeMap<u64, ResidentMember>, ours: &BTreeMap<u64, Member>) -> bool {
    theirs.len() == ours.len()
        && theirs.iter().zip(ours).all(|((their_number, their), (our_number, our))| {
            let their = &their.member;
            their_number == our_number
                && (!has_code(their)
                    || !has_code(our)
                    || (their.description == our.description
                        && their.is_coroutine == our.is_coroutine
                        && their.is_static == our.is_static))
        })
}

fn has_code(member: &Member) -> bool {
    !member.functions.is_empty() || member.is_static
}

fn bodies_of(image: &ModImage, member: &Member) -> BTreeSet<Body> {
    member.functions.iter().filter_map(|function| image.body(*function).copied()).collect()
}
