//! Sets a candidate against the version it would replace, for the report, and against every resident, for safety.
//!
//! Comparing gives facts. What they mean for a live world is decided in `verify`, and carried out in `link`.

mod callsites;
mod causes;
mod contract;
mod coroutines;
mod difference;
mod environment;
mod evidence;
mod functions;
mod hashers;
mod identity;
mod keyed;
mod keys;
mod linkage;
mod reliance;
mod statics;
mod types;
mod vtables;
mod work;

pub use difference::{Cause, Difference, Reliance, SourcePosition, TypeChange};
pub(crate) use functions::positions;

use crate::image::{Fingerprint, Fingerprinter, ModImage};
use crate::residents::{CanonicalGroups, Coroutines, Relied, Residents, StaticFacts, VtableShape};
use crate::{GenerationId, image::Body};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A candidate with everything that sets it apart from what is known.
#[derive(Debug)]
pub struct Comparison {
    pub(crate) image: ModImage,
    pub(crate) base: Option<GenerationId>,
    pub(crate) facts: CandidateFacts,
    pub(crate) differences: Vec<Difference>,
    pub(crate) identical: bool,
}

impl Comparison {
    /// Everything that differs, in the order in which a reader wants it: most far-reaching kinds last.
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// Whether the file is, byte for byte, that of the version it would replace.
    pub fn is_identical(&self) -> bool {
        self.identical
    }

    /// The candidate itself.
    pub fn image(&self) -> &ModImage {
        &self.image
    }
}

/// What is known of a candidate under the names of this process.
#[derive(Debug)]
pub(crate) struct CandidateFacts {
    /// For every symbol its name; `None` for anonymous data.
    pub(crate) names: Vec<Option<Arc<str>>>,
    /// For every function symbol its slot identity: name and source signature.
    pub(crate) slot_names: Vec<Option<Arc<str>>>,
    pub(crate) groups: CanonicalGroups,
    pub(crate) functions: BTreeMap<Arc<str>, BTreeSet<Body>>,
    /// Mutable statics by name, with the index of their piece.
    pub(crate) statics: BTreeMap<Arc<str>, (u32, StaticFacts)>,
    pub(crate) read_only: BTreeMap<Arc<str>, Fingerprint>,
    pub(crate) vtables: Vec<vtables::Vtable>,
    pub(crate) allocator: Vec<(Arc<str>, BTreeSet<Fingerprint>)>,
    /// Functions of crates without debug information of their own.
    pub(crate) libraries: BTreeSet<Arc<str>>,
    pub(crate) relied: Relied,
    pub(crate) coroutines: Coroutines,
    /// Numbered items whose type identity is asked for, and how they are known.
    pub(crate) identified: BTreeMap<Arc<str>, Arc<str>>,
    pub(crate) uses_type_ids: bool,
    /// Types that state may be found by.
    pub(crate) keyed: BTreeSet<Arc<str>>,
    /// Types with an `impl Drop`.
    pub(crate) drops: BTreeMap<Arc<str>, Option<SourcePosition>>,
    pub(crate) file: Fingerprint,
}

impl CandidateFacts {
    pub(crate) fn vtable_shapes(&self) -> impl Iterator<Item = ((Arc<str>, Arc<str>), Arc<VtableShape>)> {
        self.vtables.iter().map(|v| ((v.concrete.clone(), v.trait_name.clone()), v.shape.clone()))
    }
}

/// Compares `next` with `base`, the generation it would replace, and with every resident.
///
/// `base` is `None` for the first generation of a mod; where there are residents all the same, the newest stands in. Nothing is changed in `residents`.
pub fn compare(residents: &Residents, base: Option<GenerationId>, next: ModImage) -> Comparison {
    let mut differences = Vec::new();
    // A mod whose first generation never ran, because it failed to start, say, still has residents: nothing skips them.
    let newest = residents.generation_count().checked_sub(1).map(|index| GenerationId::new(index + 1));
    let base = base.or(newest);
    let mut order: Vec<GenerationId> = base.into_iter().collect();
    order.extend((1..=residents.generation_count()).rev().map(GenerationId::new).filter(|g| Some(*g) != base));
    let work = work::Work::for_file(next.file_bytes());
    let linkage = linkage::Linkage::new(&next);
    let call_sites = callsites::CallSites::new(&next);
    let identities = identity::identify(&next, residents, &order, &call_sites, &work);
    let names = identities.symbols;
    let slot_names = functions::slot_names(&next, &names);
    let mut whole = Fingerprinter::new();
    whole.add(&next.bytes);
    let (statics, positions) = statics::facts(&next, &names, &call_sites, &mut differences);
    let graph = reliance::Graph::new(&next);
    let facts = CandidateFacts {
        functions: functions::bodies(&next, &names),
        statics,
        read_only: statics::read_only(&next, &names, &call_sites),
        vtables: vtables::read(&next, &slot_names, &mut differences),
        allocator: environment::allocator(&next, &graph, &names, &work),
        libraries: causes::libraries(&next, &names),
        relied: reliance::facts(&next, &graph, &linkage, &work),
        coroutines: coroutines::facts(&next, &graph, &linkage, &names, &work),
        identified: identities.identified,
        uses_type_ids: environment::uses_type_ids(&next),
        keyed: keyed::types(&next),
        drops: environment::drops(&next),
        names,
        slot_names,
        groups: identities.groups,
        file: whole.finish(),
    };
    environment::proof(&next, &facts, &mut differences);
    contract::undeclared_imports(&next, &mut differences);
    functions::ambiguous(&next, &mut differences);
    let resident = base.and_then(|base| residents.resident(base));
    if let (Some(base), None) = (base, resident) {
        differences.push(Difference::UnknownBase { base });
    }
    let mut identical = false;
    if let Some(resident) = resident {
        identical = resident.file == Some(facts.file);
        functions::compare(&next, &facts, resident, &linkage, &work, &mut differences);
        for (parent, count) in &identities.unmatched {
            differences.push(Difference::NumberedItemsUnmatched { item: parent.to_string(), count: *count });
        }
        for parent in &identities.changed_coroutines {
            let at = linkage.position(parent);
            differences.push(Difference::CoroutineChanged { item: parent.to_string(), at });
        }
        statics::compare(&facts, &positions, resident, residents, &mut differences);
        environment::compare(&next, &facts, resident, residents, &mut differences);
    }
    if let (Some(base), Some(resident)) = (base, resident) {
        functions::signatures(&next, &facts, residents, &mut differences);
        reliance::compare(&facts.relied, base, residents, &linkage, &work, &mut differences);
        keyed::compare(&next, &facts.keyed, resident, &mut differences);
        environment::compare_drops(&next, &facts, resident, residents, &mut differences);
        environment::compare_identified(&next, &facts, residents, &mut differences);
        coroutines::compare(&next, &facts, residents, &identities.outgrown, &mut differences);
    }
    if residents.generation_count() > 0 {
        types::compare(&next, residents, &mut differences);
        vtables::compare(&next, &facts, residents, &work, &mut differences);
    }
    if let Some(base) = base {
        hashers::compare(&next, &facts, residents, base, &work, &mut differences);
    }
    differences.extend(work.difference());
    Comparison { image: next, base, facts, differences, identical }
}
