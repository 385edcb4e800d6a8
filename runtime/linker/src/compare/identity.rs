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
use crate::residents::{ResidentMember, Residents};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

type CanonicalKey = (Arc<str>, char, Arc<str>);
pub(crate) type CanonicalGroups = HashMap<CanonicalKey, BTreeMap<u64, ResidentMember>>;

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

impl Identities {
    /// The environment types of closures and coroutines, each with the generation that introduced it.
    pub(crate) fn environments(&self) -> impl Iterator<Item = (&Name, GenerationId)> {
        let members = self.groups.values().flat_map(BTreeMap::values);
        members.filter_map(|member| member.member.environment.as_ref().map(|name| (name, member.introduced)))
    }
}

/// Names every symbol of `image` against all residents, those in `order` first to last.
pub(crate) fn identify(image: &ModImage, residents: &Residents, order: &[GenerationId]) -> Identities {
    let mut forced = BTreeSet::new();
    let referrers = referrers(image);
    loop {
        let mut tagger = Tagger {
            image,
            referrers: &referrers,
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
        // A suspended coroutine or a closure may sit inside another's environment, whose code resumes or calls it directly:
        // that code has to stay the old one too, and whatever holds *it*.
        let more = holders(image, &renewed, &forced);
        if more.is_empty() {
            return found;
        }
        forced.extend(more);
    }
}

/// For every static among numbered items, by its data symbol, the functions that name it.
fn referrers(image: &ModImage) -> HashMap<u32, BTreeSet<u32>> {
    let members = image.names.groups.values().flat_map(BTreeMap::values);
    let mut referrers: HashMap<u32, BTreeSet<u32>> =
        members.flat_map(|member| &member.data).map(|symbol| (*symbol, BTreeSet::new())).collect();
    if referrers.is_empty() {
        return referrers;
    }
    let imported = image.import_count();
    for relocation in image.code_relocations.iter().filter(|relocation| relocation.kind.is_memory_address()) {
        if let Some(functions) = referrers.get_mut(&relocation.symbol) {
            let defined = image.functions.partition_point(|function| function.body.end <= relocation.at);
            functions.insert(imported + defined as u32);
        }
    }
    referrers
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
    referrers: &'a HashMap<u32, BTreeSet<u32>>,
    residents: &'a Residents,
    order: &'a [GenerationId],
    next: GenerationId,
    /// Environments that must count as changed because of what they hold.
    forced: &'a BTreeSet<Name>,
    found: Identities,
    /// Environments that residents have and that were not taken over.
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
        let bodies: Vec<BTreeSet<Body>> = group.values().map(|member| self.bodies_of(member)).collect();
        let own = |introduced: &dyn Fn(u64) -> GenerationId| {
            let members = group.iter().zip(&bodies).map(|((number, member), bodies)| {
                let bodies = bodies.clone();
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
            if !same_sequence(theirs, group) || !self.statics_are_bound(theirs, group) {
                continue;
            }
            let renewed = self.renewed(theirs, &fresh);
            for number in &renewed {
                let member = &fresh[number].member;
                self.note_renewed(key, member);
                if !member.is_coroutine {
                    *self.found.unmatched.entry(Arc::from(&*without_tags(&key.0))).or_default() += 1;
                }
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

    /// Notes what is not taken over, so that whatever holds its environment by value is not either.
    fn note_renewed(&mut self, key: &CanonicalKey, member: &Member) {
        if member.is_coroutine {
            self.found.changed_coroutines.insert(Arc::from(&*without_tags(&key.0)));
        }
        self.renewed_environments.extend(member.environment.clone());
    }

    /// Same-named statics in one scope are told apart by nothing but order, so they are taken over only where each is named
    /// by some function whose body did not change. That is the enclosing one, or where it was inlined, what it went into:
    /// bodies are compared with the numbers of what they name, so an unchanged one shows that the numbers still mean the
    /// same.
    fn statics_are_bound(&self, theirs: &BTreeMap<u64, ResidentMember>, group: &BTreeMap<u64, Member>) -> bool {
        if group.len() < 2 {
            return true;
        }
        let mut statics = group.iter().filter(|(_, member)| member.is_static);
        statics.all(|(number, member)| {
            let ours = self.bodies_of(member);
            theirs
                .get(number)
                .is_some_and(|theirs| theirs.bodies.iter().any(|old| ours.iter().any(|own| own.code == old.code)))
        })
    }

    /// The bodies that a member is known by: its own, or for a static those that name it.
    fn bodies_of(&self, member: &Member) -> BTreeSet<Body> {
        let naming = member.data.iter().filter_map(|symbol| self.referrers.get(symbol)).flatten();
        member.functions.iter().chain(naming).filter_map(|function| self.image.body(*function).copied()).collect()
    }

    /// Members that must not be taken over although the sequence is the same.
    fn renewed(&self, theirs: &BTreeMap<u64, ResidentMember>, ours: &BTreeMap<u64, ResidentMember>) -> BTreeSet<u64> {
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
}

fn same_sequence(theirs: &BTreeMap<u64, ResidentMember>, ours: &BTreeMap<u64, Member>) -> bool {
    theirs.len() == ours.len()
        && theirs.iter().zip(ours).all(|((their_number, their), (our_number, our))| {
            their_number == our_number
                && their.member.description == our.description
                && their.member.is_coroutine == our.is_coroutine
                && their.member.is_static == our.is_static
        })
}
