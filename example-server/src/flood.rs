//! How much one client may say. Reads no clock: the present moment is given to it.

use std::time::{Duration, Instant};

use crate::limits::MESSAGES_PER_SECOND_MAX;

/// Counts messages second by second.
#[derive(Clone, Debug)]
pub(crate) struct FloodGate {
    second_began: Instant,
    messages: u32,
}

impl FloodGate {
    pub(crate) fn new(now: Instant) -> Self {
        Self { second_began: now, messages: 0 }
    }

    /// One more message. False if it is one too many for its second.
    pub(crate) fn admits(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.second_began) >= Duration::from_secs(1) {
            *self = Self::new(now);
        }
        self.messages += 1;
        self.messages <= MESSAGES_PER_SECOND_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_seen_and_a_steady_client_is_not_taken_for_one() {
        let start = Instant::now();
        let mut gate = FloodGate::new(start);
        let admitted = (0..MESSAGES_PER_SECOND_MAX + 10).filter(|_| gate.admits(start)).count();
        assert_eq!(admitted, MESSAGES_PER_SECOND_MAX as usize);
        let mut gate = FloodGate::new(start);
        let steady = (0..6000).all(|message| gate.admits(start + message * Duration::from_millis(10)));
        assert!(steady);
    }
}
