//! Types that mention closures or coroutines: generic over their environments, or declared inside their bodies.
//!
//! Such a type has no lasting name, since the items that it mentions have numbers. What does last is its name together with
//! the generations that introduced those items: while a closure is taken over, so is the code of everything that is generic
//! over it, and that code reads live values.

use super::identity::Identities;
use crate::GenerationId;
use crate::image::ModImage;
use crate::image::debug::{TypeLayout, is_transient};
use crate::image::name_table::{TAG_CLOSE, TAG_OPEN};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What the compiler puts into the name of an environment, and of the scope of the body that goes with it.
const ENVIRONMENT: &str = "_env#";
const SCOPE: &str = "#";

/// Layouts of all types that mention an environment known to live code, environments themselves excepted.
pub(super) fn types(image: &ModImage, identities: &Identities) -> BTreeMap<Arc<str>, BTreeSet<TypeLayout>> {
    let mentions = Mentions::new(identities);
    let transient = image.debug.types.iter().filter(|(name, _)| is_transient(name));
    transient.filter_map(|(name, layouts)| Some((mentions.lasting_name(name)?, layouts.clone()))).collect()
}

/// Paths of environments and of the scopes of their bodies, by their last segment, with the generations that introduced them.
struct Mentions(HashMap<String, BTreeMap<String, BTreeSet<GenerationId>>>);

impl Mentions {
    fn new(identities: &Identities) -> Self {
        let mut mentions: HashMap<String, BTreeMap<String, BTreeSet<GenerationId>>> = HashMap::new();
        for (name, introduced) in identities.environments() {
            // Generic arguments of the enclosing function may follow.
            let Some(end) = name.rfind('}') else { continue };
            let environment = &name[..=end];
            for path in [environment.to_owned(), environment.replace(ENVIRONMENT, SCOPE)] {
                let last = path[path.rfind('{').unwrap_or(0)..].to_owned();
                mentions.entry(last).or_default().entry(path).or_default().insert(introduced);
            }
        }
        Self(mentions)
    }

    /// The name with the generations behind every item that it mentions; `None` for an environment itself, and where it
    /// mentions nothing that code in the module belongs to.
    fn lasting_name(&self, name: &str) -> Option<Arc<str>> {
        let mut lasting = String::with_capacity(name.len() + 16);
        let mut done = 0;
        for (end, _) in name.match_indices('}') {
            let upto = &name[..=end];
            let Some(open) = upto.rfind('{') else { continue };
            let paths = self.0.get(&upto[open..]);
            let Some((path, introduced)) = paths.and_then(|paths| paths.iter().find(|(path, _)| mentions(upto, path)))
            else {
                continue;
            };
            if path.len() == upto.len() && upto[open..].contains(ENVIRONMENT) {
                return None;
            }
            let introduced = introduced.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            lasting.push_str(&format!("{}{TAG_OPEN}{introduced}{TAG_CLOSE}", &name[done..=end]));
            done = end + 1;
        }
        lasting.push_str(&name[done..]);
        (done > 0).then(|| Arc::from(lasting))
    }
}

/// Whether the text ends with the whole path, not with the end of a longer one.
fn mentions(text: &str, path: &str) -> bool {
    let before = text.strip_suffix(path);
    before.is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'))
}
