//! What becomes of finished files: said in the terminal, with the time since they were saved.

use std::{collections::HashMap, sync::Arc, time::Instant};

use parking_lot::Mutex;
use tickswap::{Control, PreparedMod, SubmissionId, SubmissionState, SwapRecord, WatchReport};

use super::{
    journey::{Journey, Journeys, Times},
    news::News,
};

/// Hears what the watcher of finished files says.
pub(super) struct Submissions {
    control: Control,
    news: News,
    journeys: Arc<Mutex<Journeys>>,
    open: HashMap<SubmissionId, Open>,
}

struct Open {
    journeys: Vec<Journey>,
    submitted: Instant,
}

impl Submissions {
    pub(super) fn new(control: Control, news: News, journeys: Arc<Mutex<Journeys>>) -> Self {
        Self { control, news, journeys, open: HashMap::new() }
    }

    pub(super) fn hear(&mut self, report: WatchReport) {
        match report {
            WatchReport::Submitted { id, mods } => {
                let submitted = Instant::now();
                let mut known = self.journeys.lock();
                let journeys: Vec<Journey> = mods.iter().filter_map(|name| known.remove(name.as_str())).collect();
                if let Some(saved) = journeys.iter().map(|journey| journey.saved).max() {
                    self.news.bulletin().saved(id, saved);
                }
                self.open.insert(id, Open { journeys, submitted });
            }
            WatchReport::Ended { id, state, .. } => self.ended(id, &state),
            WatchReport::AwaitingApproval { id, state, .. } => {
                self.news.say(&format!(
                    "{state}\n{id}: `approve {}` lets it go live, `reject {} REASON` drops it",
                    id.0, id.0
                ));
            }
            WatchReport::Same { mod_name } => {
                self.journeys.lock().remove(mod_name.as_str());
                self.news.say(&format!("{mod_name} is what it was: nothing to load"));
            }
            WatchReport::NoFolder { .. }
            | WatchReport::Unreadable { .. }
            | WatchReport::NotAMod { .. }
            | WatchReport::NotTaken { .. } => self.news.failed(&report.to_string()),
            other => self.news.say(&other.to_string()),
        }
    }

    fn ended(&mut self, id: SubmissionId, state: &SubmissionState) {
        let Some(open) = self.open.remove(&id) else {
            return;
        };
        match state {
            SubmissionState::Done { worlds, mods } => self.done(id, &open, *worlds, mods),
            SubmissionState::Identical => self.news.say("no code was changed: nothing to load"),
            // Clients hear of it from whoever follows all submissions.
            other => self.news.failed(&other.to_string()),
        }
    }

    fn done(&self, id: SubmissionId, open: &Open, worlds: usize, mods: &[PreparedMod]) {
        let swaps: Vec<SwapRecord> = self.control.log().into_iter().filter(|swap| swap.submission == id).collect();
        let names = mods.iter().map(|prepared| format!("{} {}", prepared.mod_name, prepared.generation));
        let names = names.collect::<Vec<_>>().join(", ");
        let where_to = if worlds == 1 { "1 world".to_owned() } else { format!("{worlds} worlds") };
        let times = Times::of(&open.journeys, open.submitted, Instant::now(), mods, &swaps);
        let mut text = match &times {
            Some(times) => format!("{names} {}, in {where_to}", times.headline()),
            None => format!("{names} live in {where_to}"),
        };
        for prepared in mods.iter().filter(|prepared| prepared.base.is_some()) {
            text += &format!("\n  {}", changes(prepared));
        }
        if let Some(times) = times {
            let pause_ns = swaps.iter().map(|swap| swap.pause_ns).max().unwrap_or(0);
            text += &format!("\n  {}", times.steps(pause_ns));
        }
        self.news.say(&text);
    }
}

/// The functions that are others now, the first of them by name.
fn changes(prepared: &PreparedMod) -> String {
    const LISTED_MAX: usize = 3;
    let changed = &prepared.changed_functions;
    let listed = changed.iter().take(LISTED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match changed.len() {
        0 => format!("{}: no function changed", prepared.mod_name),
        1 => format!("changed: {listed}"),
        2..=LISTED_MAX => format!("{} functions changed: {listed}", changed.len()),
        more => format!("{more} functions changed: {listed} and {} more", more - LISTED_MAX),
    }
}
