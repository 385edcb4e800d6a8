//! One player's place in a world, seen from both ends: the session puts inputs in, the world's thread takes them out.
//!
//! **Invariant:** an input that was put in is taken out exactly once, in order, also after the session has ended. A full seat
//! makes the session wait, and with it the client's socket; the world's thread never waits.

use std::sync::Arc;

use arena_api::{Input, PlayerId};
use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError, bounded};
use tokio::sync::Notify;

use crate::limits::INPUTS_QUEUED_MAX;

/// A seat's two ends.
pub(crate) fn seat(player: PlayerId) -> (SeatInputs, Seat) {
    let (sender, receiver) = bounded(INPUTS_QUEUED_MAX);
    let room = Arc::new(Notify::new());
    let inputs = SeatInputs { sender, room: Arc::clone(&room) };
    let seat = Seat { player, inputs: receiver, room };
    (inputs, seat)
}

/// The session's end. Dropping it means that the player leaves, once what is queued has been applied.
#[derive(Debug)]
pub(crate) struct SeatInputs {
    sender: Sender<Input>,
    room: Arc<Notify>,
}

/// The world's end.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) player: PlayerId,
    inputs: Receiver<Input>,
    room: Arc<Notify>,
}

/// The world has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WorldEnded;

impl SeatInputs {
    /// Puts an input in, waiting for room.
    pub(crate) async fn put(&self, input: Input) -> Result<(), WorldEnded> {
        loop {
            match self.sender.try_send(input) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(_)) => return Err(WorldEnded),
                // A permit is kept for who comes late, so room made between these two lines is not missed.
                Err(TrySendError::Full(_)) => self.room.notified().await,
            }
        }
    }
}

impl Seat {
    /// Takes up to `count` inputs out. False if the player has left and nothing is queued any more.
    pub(crate) fn take(&self, count: usize, mut each: impl FnMut(Input)) -> bool {
        let (mut is_here, mut made_room) = (true, false);
        for _ in 0..count {
            match self.inputs.try_recv() {
                Ok(input) => {
                    made_room = true;
                    each(input);
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    is_here = false;
                    break;
                }
            }
        }
        // Also when it was not full at the start: it may have been in between.
        if made_room {
            self.room.notify_one();
        }
        is_here
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // A session that waits for room learns that there is no world any more: the channel closes right after this.
        self.inputs = crossbeam_channel::never();
        self.room.notify_one();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    fn numbered(sequence: u64) -> Input {
        Input { sequence, ..Input::default() }
    }

    #[test]
    fn every_input_comes_out_once_and_in_order_under_back_pressure() {
        let (inputs, seat) = seat(PlayerId(1));
        let world = std::thread::spawn(move || {
            let mut taken = Vec::new();
            while seat.take(3, |input| taken.push(input.sequence)) {
                std::thread::yield_now();
            }
            taken
        });
        runtime().block_on(async {
            for sequence in 1..=10_000 {
                inputs.put(numbered(sequence)).await.unwrap();
            }
        });
        drop(inputs);
        assert_eq!(world.join().unwrap(), (1..=10_000).collect::<Vec<u64>>());
    }

    #[test]
    fn what_is_queued_is_applied_before_the_player_leaves() {
        let (inputs, seat) = seat(PlayerId(1));
        runtime().block_on(async {
            inputs.put(numbered(1)).await.unwrap();
            inputs.put(numbered(2)).await.unwrap();
        });
        drop(inputs);
        let mut taken = Vec::new();
        assert!(seat.take(1, |input| taken.push(input.sequence)));
        assert!(!seat.take(8, |input| taken.push(input.sequence)));
        assert_eq!(taken, [1, 2]);
    }

    #[test]
    fn a_session_that_waits_learns_that_the_world_ended() {
        let (inputs, seat) = seat(PlayerId(1));
        runtime().block_on(async {
            for sequence in 1..=INPUTS_QUEUED_MAX as u64 {
                inputs.put(numbered(sequence)).await.unwrap();
            }
            let waiting = inputs.put(numbered(0));
            let ending = async { drop(seat) };
            assert_eq!(tokio::join!(waiting, ending).0, Err(WorldEnded));
        });
    }
}
