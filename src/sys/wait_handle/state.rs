//! What becomes of a waitable handle: which waits are wanted, and what their answers lead to. Nothing here makes a system
//! call, so it is tested on every host.
//!
//! A wait is answered by a packet in the port of the queue. It may be pending, or its packet be on the way; of the two only
//! cancelling tells. A wait that has succeeded may have taken something: the signal of an auto-reset event, one count of a
//! semaphore. So each success is handed out exactly once: as an event, or, if the registration has ended meanwhile, by
//! [`State::take_kept`].

use crate::sys::selector::Wanted;

#[derive(Debug)]
pub(super) struct State {
    registered: Option<Wanted>,
    /// Whether the registration may report.
    armed: bool,
    phase: Phase,
    /// A wait has succeeded whose event came too late.
    kept: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// No packet will come.
    Idle,
    /// The system waits, or has done so: its packet will come.
    Waiting,
    /// A packet was posted that stands for a wait that has succeeded.
    Posted,
    /// A packet was posted that says that the system has refused to wait.
    Refused,
    /// A packet will be posted when the next poll begins: to look at a level again.
    Due,
    /// The packet that will come means nothing any more.
    Void,
}

/// What is to be done now.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Nothing,
    /// Look whether the object is signalled. If it is: [`posted`](State::posted), and post a packet. If not:
    /// [`waits`](State::waits), and begin to wait.
    Look,
    /// Post a packet.
    Post,
    /// Cancel the wait, and say so: [`cancelled`](State::cancelled).
    Cancel,
}

/// What a packet has led to.
#[derive(Copy, Clone, Debug)]
pub(super) enum Outcome {
    Nothing,
    /// As [`Order::Look`]. But if the object is signalled: [`report`](State::report), for this is the poll.
    Look,
    /// The event of a wait that has succeeded, to be made by [`report`](State::report).
    Event,
    /// The event that says that the system refuses to wait.
    Refused(Wanted),
}

/// Why a change was refused.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    AlreadyRegistered,
    NotRegistered,
}

/// A registration as it was, for a change that fails.
#[derive(Copy, Clone, Debug)]
pub(super) struct Before(Option<Wanted>, bool);

impl State {
    /// `kept` says that a success is at hand.
    pub(super) fn new(kept: bool) -> State {
        State {
            registered: None,
            armed: false,
            phase: Phase::Idle,
            kept,
        }
    }

    pub(super) fn register(&mut self, wanted: Wanted) -> Result<(Before, Order), Mistake> {
        match self.registered {
            Some(_) => Err(Mistake::AlreadyRegistered),
            None => Ok(self.aim(wanted)),
        }
    }

    /// A packet that is on its way counts for the new registration.
    pub(super) fn reregister(&mut self, wanted: Wanted) -> Result<(Before, Order), Mistake> {
        match self.registered {
            Some(_) => Ok(self.aim(wanted)),
            None => Err(Mistake::NotRegistered),
        }
    }

    /// What a change was to lead to has failed.
    pub(super) fn restore(&mut self, before: Before) {
        (self.registered, self.armed) = (before.0, before.1);
    }

    pub(super) fn deregister(&mut self) -> Result<Order, Mistake> {
        if self.registered.take().is_none() {
            return Err(Mistake::NotRegistered);
        }
        self.armed = false;
        match self.phase {
            Phase::Waiting => return Ok(Order::Cancel),
            Phase::Posted => {
                self.kept = true;
                self.phase = Phase::Void;
            }
            Phase::Refused | Phase::Due => self.phase = Phase::Void,
            Phase::Idle | Phase::Void => {}
        }
        Ok(Order::Nothing)
    }

    /// A wait was cancelled: in time, or it has succeeded before.
    pub(super) fn cancelled(&mut self, in_time: bool) {
        self.kept |= !in_time;
        self.phase = if in_time { Phase::Idle } else { Phase::Void };
    }

    /// The user has found the object not signalled, so more is wanted, unless a one-shot has reported. Whether to begin to
    /// wait.
    #[must_use]
    pub(super) fn rearm(&mut self) -> bool {
        match self.registered {
            Some(wanted) => self.armed |= !wanted.trigger.is_oneshot(),
            None => return false,
        }
        self.armed && self.phase == Phase::Idle
    }

    /// A success whose event came too late, once.
    pub(super) fn take_kept(&mut self) -> bool {
        std::mem::take(&mut self.kept)
    }

    /// A packet was posted for a success.
    pub(super) fn posted(&mut self) {
        self.phase = Phase::Posted;
    }

    /// A success could not be posted.
    pub(super) fn keep(&mut self) {
        self.phase = Phase::Idle;
        self.kept = true;
    }

    /// The system has begun to wait.
    pub(super) fn waits(&mut self) {
        self.phase = Phase::Waiting;
    }

    /// The system has refused to wait, and a packet was posted that says so.
    pub(super) fn refused(&mut self) {
        self.phase = Phase::Refused;
    }

    /// Whether a packet will come that means nothing.
    pub(super) fn is_void(&self) -> bool {
        self.phase == Phase::Void
    }

    /// A packet has come.
    pub(super) fn answered(&mut self) -> Outcome {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        match (self.registered, phase) {
            // Without a registration, a packet that stands for something was voided.
            (None, _) => Outcome::Nothing,
            (Some(_), Phase::Waiting | Phase::Posted) => Outcome::Event,
            (Some(wanted), Phase::Refused) => {
                self.armed = false;
                Outcome::Refused(wanted)
            }
            (Some(_), Phase::Due | Phase::Void | Phase::Idle) if self.armed => Outcome::Look,
            (Some(_), _) => Outcome::Nothing,
        }
    }

    /// An event is made of a success. The registration, and whether it is to be looked at again in the next poll.
    pub(super) fn report(&mut self) -> Option<(Wanted, bool)> {
        let wanted = self.registered?;
        let again = !wanted.trigger.is_edge() && !wanted.trigger.is_oneshot();
        self.armed = again;
        self.phase = if again { Phase::Due } else { Phase::Idle };
        Some((wanted, again))
    }

    fn aim(&mut self, wanted: Wanted) -> (Before, Order) {
        let before = Before(self.registered.replace(wanted), self.armed);
        self.armed = true;
        let order = match self.phase {
            Phase::Idle if self.kept => {
                self.kept = false;
                self.phase = Phase::Posted;
                Order::Post
            }
            Phase::Idle => Order::Look,
            Phase::Void if self.kept => {
                self.kept = false;
                self.phase = Phase::Posted;
                Order::Nothing
            }
            // When its packet comes, the object is looked at.
            _ => Order::Nothing,
        };
        (before, order)
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
