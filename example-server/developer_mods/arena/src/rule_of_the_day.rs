//! The rule of the day: a text, a damage rule and a little arithmetic. `example-server soak` writes this file anew for each
//! of its candidates, in a copy of this workspace; what differs between candidates stands here and nowhere else.

use crate::DamageRule;

/// Tells one day's rule from another's.
pub(crate) const NUMBER: u32 = 0;

/// What players are told when the rule comes into force.
pub(crate) fn announcement() -> String {
    String::from("Rule of the day: hits count as they are")
}

/// Joins the damage rules when it comes into force.
pub(crate) fn rule() -> DamageRule {
    Box::new(|_, damage| damage)
}

/// Is called in every update, with the number of fighters. Here it does nothing; the soak's faulty candidates break in it.
pub(crate) fn in_each_update(_updates: u64, _fighters: usize) {}

/// Added to the damage of every hit.
pub(crate) fn bonus(updates: u64) -> u32 {
    (updates % 2) as u32
}
