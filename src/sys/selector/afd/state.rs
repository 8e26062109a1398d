//! What a queue knows of one socket, and what follows from everything that can happen to it.
//!
//! Nothing here makes a system call, so it is tested on every host. Whoever calls does what the returned [`Order`] says,
//! under the same lock.
//!
//! A poll of AFD is answered once. The socket is in one of four phases:
//!
//! | phase | the kernel | the registration |
//! | --- | --- | --- |
//! | idle | knows nothing | there is none |
//! | pending | has a poll, whose answer counts | is there |
//! | cancelled | has a poll, whose answer is void | is there, and will be asked for after that; or is gone |
//! | delivered | knows nothing | is there; the last answer has become an event |
//!
//! A socket leaves *pending* and *cancelled* by the answer alone, for until then the kernel may write to the memory of the
//! poll. What takes it from *delivered* to *pending* depends on the trigger: a level is asked for again by the next poll of
//! the queue, an edge after an operation has shown that the socket is drained or full, a one-shot when it is registered
//! again.
//!
//! Nobody tells of the operations on a bare socket. So its edges are asked for again in the next poll. A direction that
//! is still ready then is reported in case, with growing pauses; one that is not starts afresh.

use std::time::Instant;

use super::flags::Flags;
use crate::sys::pace::Pace;
use crate::sys::selector::{Direction, Wanted};
use crate::Token;

#[derive(Debug, Default)]
pub(crate) struct State {
    phase: Phase,
    registration: Option<Registration>,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Idle,
    /// With what the kernel was asked for.
    Pending(Flags),
    Cancelled,
    Delivered,
}

#[derive(Debug)]
struct Registration {
    wanted: Wanted,
    /// What the user has still to be told of.
    armed: Flags,
    /// The poll that is pending was submitted for the registration before this one.
    inherits: bool,
    /// For a bare socket with an edge trigger: the pace of reading and of writing.
    paces: Option<[Pace; 2]>,
    /// Somebody else has closed the socket.
    closed: bool,
}

/// What has to be done now.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Order {
    Nothing,
    /// Ask AFD for this.
    Submit(Flags),
    /// Have the poll end: its answer is void.
    Cancel,
    /// Nothing belongs to the socket any more, neither in the kernel nor in the queue.
    Release,
}

/// What an answer has come to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Outcome {
    /// Nobody is to be told.
    Internal(Order),
    /// Nobody is to be told, and nothing will come any more: somebody else has closed the socket.
    Closed,
    /// An event. `again`: there is something to ask for in the next poll of the queue.
    Event {
        token: Token,
        flags: Flags,
        again: bool,
    },
}

impl State {
    /// A new registration, of a socket that has none and of which the kernel knows nothing. `bare`: nobody tells of its
    /// operations.
    pub(crate) fn register(&mut self, wanted: Wanted, bare: bool) -> Order {
        debug_assert_eq!(self.phase, Phase::Idle);
        debug_assert!(self.registration.is_none());
        self.arm(wanted, bare);
        self.submit()
    }

    /// Replaces the registration. `answered`: the answer to the last poll is on its way, and speaks of the past.
    pub(crate) fn reregister(&mut self, wanted: Wanted, bare: bool, answered: bool) -> Order {
        self.arm(wanted, bare);
        match self.phase {
            Phase::Idle | Phase::Delivered => self.submit(),
            Phase::Cancelled => Order::Nothing,
            Phase::Pending(_) if answered => {
                self.phase = Phase::Cancelled;
                Order::Nothing
            }
            // What was not ready is not ready now; unless the answer is about to be written.
            Phase::Pending(asked) if asked.contains(self.armed()) => {
                if let Some(registration) = &mut self.registration {
                    registration.inherits = true;
                }
                Order::Nothing
            }
            Phase::Pending(_) => {
                self.phase = Phase::Cancelled;
                Order::Cancel
            }
        }
    }

    /// Ends the registration.
    pub(crate) fn deregister(&mut self, answered: bool) -> Order {
        self.registration = None;
        match self.phase {
            Phase::Idle | Phase::Delivered => {
                self.phase = Phase::Idle;
                Order::Release
            }
            Phase::Cancelled => Order::Nothing,
            Phase::Pending(_) => {
                self.phase = Phase::Cancelled;
                if answered {
                    Order::Nothing
                } else {
                    Order::Cancel
                }
            }
        }
    }

    /// An operation would have blocked, or has moved less than it was asked for.
    pub(crate) fn rearm(&mut self, direction: Direction) {
        let Some(registration) = &mut self.registration else {
            return;
        };
        let Wanted {
            interest, trigger, ..
        } = registration.wanted;
        if trigger.is_edge() && !trigger.is_oneshot() {
            let more = Flags::of(direction).common(Flags::requested(interest));
            registration.armed = registration.armed.and(more);
        }
    }

    /// Whether the kernel is to be asked for something that it was not asked for.
    pub(crate) fn is_due(&self) -> bool {
        match self.phase {
            Phase::Idle | Phase::Cancelled => false,
            Phase::Delivered => !self.armed().is_empty(),
            Phase::Pending(asked) => !asked.contains(self.armed()),
        }
    }

    /// What [`is_due`](State::is_due) leads to.
    pub(crate) fn pursue(&mut self) -> Order {
        match self.phase {
            Phase::Delivered => self.submit(),
            Phase::Pending(_) if self.is_due() => {
                self.phase = Phase::Cancelled;
                Order::Cancel
            }
            _ => Order::Nothing,
        }
    }

    /// Notes when the edges of a bare socket were reported. `true` if they have to be [resumed](State::resume).
    pub(crate) fn pause(&mut self, reported: Flags, now: Instant) -> bool {
        let Some(Registration {
            paces: Some(paces), ..
        }) = &mut self.registration
        else {
            return false;
        };
        for (pace, flags) in paces.iter_mut().zip(Flags::DIRECTIONS) {
            if reported.intersects(flags) {
                pace.reported(now);
            }
        }
        true
    }

    /// When the first pause ends, if there is one.
    pub(crate) fn pause_ends(&self, now: Instant) -> Option<Instant> {
        self.paused().map(|pace| pace.until.unwrap_or(now)).min()
    }

    /// Arms the directions of a bare socket whose pauses have ended. `is_ready` tells what is true of them now.
    pub(crate) fn resume(&mut self, now: Instant, is_ready: impl FnOnce(Flags) -> Flags) {
        let Some(registration) = &mut self.registration else {
            return;
        };
        let requested = Flags::requested(registration.wanted.interest);
        let Some(paces) = &mut registration.paces else {
            return;
        };
        let over = |pace: &Pace| pace.until.map_or(true, |until| until <= now);
        let missing = requested.without(registration.armed);
        let due = paces
            .iter()
            .zip(Flags::DIRECTIONS)
            .filter(|(pace, flags)| over(pace) && missing.intersects(*flags))
            .fold(Flags::default(), |all, (_, flags)| all.and(flags))
            .common(requested);
        if due.is_empty() {
            return;
        }
        let ready = is_ready(due);
        for (pace, flags) in paces.iter_mut().zip(Flags::DIRECTIONS) {
            if due.intersects(flags.without(Flags::BROKEN)) && !ready.intersects(flags) {
                *pace = Pace::default();
            }
        }
        registration.armed = registration.armed.and(due);
    }

    fn paused(&self) -> impl Iterator<Item = &Pace> {
        self.registration.iter().flat_map(|registration| {
            let requested = Flags::requested(registration.wanted.interest);
            let missing = requested.without(registration.armed);
            let paces = registration.paces.iter().flatten();
            paces
                .zip(Flags::DIRECTIONS)
                .filter(move |(_, flags)| missing.intersects(*flags))
                .map(|(pace, _)| pace)
        })
    }

    /// Whether the answer may be old, so that it has to be checked before it is reported: a level that is over is silent,
    /// and so is what was over when the registration was made. `early`: the kernel was asked before this poll of the queue.
    pub(crate) fn is_doubtful(&self, early: bool) -> bool {
        let Some(registration) = &self.registration else {
            return false;
        };
        let trigger = registration.wanted.trigger;
        let level = !trigger.is_edge() && !trigger.is_oneshot();
        matches!(self.phase, Phase::Pending(_)) && (registration.inherits || level && early)
    }

    /// The answer to the poll has come. Empty if there is none: the poll was cancelled.
    pub(crate) fn answer(&mut self, answer: Flags) -> Outcome {
        let counts = matches!(self.phase, Phase::Pending(_));
        let Some(registration) = &mut self.registration else {
            self.phase = Phase::Idle;
            return Outcome::Internal(Order::Release);
        };
        self.phase = Phase::Delivered;
        if counts && answer.intersects(Flags::LOCAL_CLOSE) {
            // Closed by somebody else, without a word to us. There is nothing left to tell of it.
            registration.armed = Flags::default();
            registration.paces = None;
            registration.closed = true;
            return Outcome::Closed;
        }
        let reported = answer.common(registration.armed);
        if !counts || reported.is_empty() {
            return Outcome::Internal(self.submit());
        }
        Outcome::event(registration, reported, reported.disarmed())
    }

    /// Whether [`answer`](State::answer) has come to [`Outcome::Closed`], and there was no registration since.
    pub(crate) fn is_closed(&self) -> bool {
        self.registration.as_ref().is_some_and(|it| it.closed)
    }

    /// The kernel could not answer. The user is told to try: the operation brings data, or an error, or asks anew.
    pub(crate) fn fail(&mut self) -> Outcome {
        let counts = matches!(self.phase, Phase::Pending(_));
        match &mut self.registration {
            Some(registration) if counts => {
                self.phase = Phase::Delivered;
                Outcome::event(registration, Flags::default(), Flags::ALL)
            }
            _ => self.answer(Flags::default()),
        }
    }

    /// The kernel has refused what [`Order::Submit`] said.
    pub(crate) fn refused(&mut self) {
        self.phase = Phase::Delivered;
    }

    /// After [`refused`](State::refused): a packet will come all the same, and say so.
    pub(crate) fn answered_by_refusal(&mut self) {
        self.phase = Phase::Pending(self.armed());
    }

    fn arm(&mut self, wanted: Wanted, bare: bool) {
        let edges = wanted.trigger.is_edge() && !wanted.trigger.is_oneshot();
        self.registration = Some(Registration {
            wanted,
            armed: Flags::requested(wanted.interest),
            inherits: false,
            paces: (bare && edges).then(<[Pace; 2]>::default),
            closed: false,
        });
    }

    fn armed(&self) -> Flags {
        self.registration
            .as_ref()
            .map_or(Flags::default(), |it| it.armed)
    }

    fn submit(&mut self) -> Order {
        let Some(registration) = &mut self.registration else {
            return Order::Nothing;
        };
        if registration.armed.is_empty() {
            return Order::Nothing;
        }
        registration.inherits = false;
        self.phase = Phase::Pending(registration.armed);
        Order::Submit(registration.armed)
    }
}

impl Outcome {
    fn event(registration: &mut Registration, reported: Flags, disarmed: Flags) -> Outcome {
        let Wanted {
            token,
            interest,
            trigger,
        } = registration.wanted;
        if trigger.is_oneshot() {
            registration.armed = Flags::default();
        } else if trigger.is_edge() {
            registration.armed = registration.armed.without(disarmed);
        }
        let flags = if reported.is_empty() {
            Flags::to_try(interest)
        } else {
            reported.event(interest)
        };
        Outcome::Event {
            token,
            flags,
            again: !registration.armed.is_empty(),
        }
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
