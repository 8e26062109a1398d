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
//! the queue, an edge after an operation would have blocked, a one-shot when it is registered again.

use super::flags::Flags;
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
    /// A new registration, of a socket that has none and of which the kernel knows nothing.
    pub(crate) fn register(&mut self, wanted: Wanted) -> Order {
        debug_assert_eq!(self.phase, Phase::Idle);
        debug_assert!(self.registration.is_none());
        self.arm(wanted);
        self.submit()
    }

    /// Replaces the registration. `answered`: the answer to the last poll is on its way, and speaks of the past.
    pub(crate) fn reregister(&mut self, wanted: Wanted, answered: bool) -> Order {
        self.arm(wanted);
        match self.phase {
            Phase::Idle | Phase::Delivered => self.submit(),
            Phase::Cancelled => Order::Nothing,
            Phase::Pending(_) if answered => {
                self.phase = Phase::Cancelled;
                Order::Nothing
            }
            // What was not ready is not ready now.
            Phase::Pending(asked) if asked.contains(self.armed()) => Order::Nothing,
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

    /// An operation would have blocked. `true` if more is wanted than before.
    pub(crate) fn rearm(&mut self, direction: Direction) -> bool {
        let Some(registration) = &mut self.registration else {
            return false;
        };
        let Wanted {
            interest, trigger, ..
        } = registration.wanted;
        if !trigger.is_edge() || trigger.is_oneshot() {
            return false;
        }
        let before = registration.armed;
        let more = Flags::of(direction).common(Flags::requested(interest));
        registration.armed = before.and(more);
        registration.armed != before
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

    /// Whether an answer that may be old has to be checked before it is reported: a level that is over is silent.
    pub(crate) fn reports_states(&self) -> bool {
        let level = |registration: &Registration| {
            let trigger = registration.wanted.trigger;
            !trigger.is_edge() && !trigger.is_oneshot()
        };
        matches!(self.phase, Phase::Pending(_)) && self.registration.as_ref().is_some_and(level)
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
            return Outcome::Closed;
        }
        let reported = answer.common(registration.armed);
        if !counts || reported.is_empty() {
            return Outcome::Internal(self.submit());
        }
        Outcome::event(registration, reported, reported.disarmed())
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

    fn arm(&mut self, wanted: Wanted) {
        let armed = Flags::requested(wanted.interest);
        self.registration = Some(Registration { wanted, armed });
    }

    fn armed(&self) -> Flags {
        self.registration
            .as_ref()
            .map_or(Flags::default(), |it| it.armed)
    }

    fn submit(&mut self) -> Order {
        let armed = self.armed();
        if armed.is_empty() {
            return Order::Nothing;
        }
        self.phase = Phase::Pending(armed);
        Order::Submit(armed)
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
mod tests {
    use super::*;
    use crate::{Interest, Trigger};

    const R: Interest = Interest::READABLE;
    const W: Interest = Interest::WRITABLE;
    const RW: Interest = R.add(W);
    const TOKEN: Token = Token(usize::MAX);

    fn wanted(interest: Interest, trigger: Trigger) -> Wanted {
        Wanted {
            token: TOKEN,
            interest,
            trigger,
        }
    }

    fn registered(interest: Interest, trigger: Trigger) -> State {
        let mut state = State::default();
        let all = Flags::requested(interest);
        assert_eq!(
            state.register(wanted(interest, trigger)),
            Order::Submit(all)
        );
        state
    }

    fn event(flags: Flags, again: bool) -> Outcome {
        let token = TOKEN;
        Outcome::Event {
            token,
            flags,
            again,
        }
    }

    /// What is left of an edge for reading and writing when reading was reported.
    fn without_reading() -> Flags {
        Flags::requested(RW).without(Flags::RECEIVE.disarmed())
    }

    #[test]
    fn a_level_is_asked_for_again() {
        let mut state = registered(R, Trigger::Level);
        for _ in 0..3 {
            assert!(state.reports_states());
            assert_eq!(state.answer(Flags::RECEIVE), event(Flags::RECEIVE, true));
            assert!(!state.rearm(Direction::Read));
            assert!(state.is_due());
            assert_eq!(state.pursue(), Order::Submit(Flags::requested(R)));
            assert_eq!(state.pursue(), Order::Nothing);
        }
    }

    #[test]
    fn an_edge_is_armed_by_its_direction() {
        let mut state = registered(RW, Trigger::Edge);
        let both = Flags::RECEIVE.and(Flags::SEND);
        assert_eq!(state.answer(both), event(both, true));
        let ends = Flags::DISCONNECT.and(Flags::BROKEN);
        // Nothing has blocked yet, but the connection may still end.
        assert!(state.rearm(Direction::Read));
        assert!(!state.rearm(Direction::Read));
        let read = Flags::requested(R);
        assert_eq!(read.common(ends), ends);
        assert_eq!(state.pursue(), Order::Submit(read));
        // Writing blocks while the poll for reading is pending.
        assert!(state.rearm(Direction::Write));
        assert!(state.is_due());
        assert_eq!(state.pursue(), Order::Cancel);
        assert!(!state.is_due());
        let all = Outcome::Internal(Order::Submit(Flags::requested(RW)));
        assert_eq!(state.answer(Flags::default()), all);
    }

    #[test]
    fn the_end_is_an_edge_of_its_own() {
        let mut state = registered(RW, Trigger::Edge);
        assert_eq!(state.answer(Flags::RECEIVE), event(Flags::RECEIVE, true));
        assert_eq!(state.pursue(), Order::Submit(without_reading()));
        assert_eq!(
            state.answer(Flags::DISCONNECT),
            event(Flags::DISCONNECT, true)
        );
        let left = without_reading().without(Flags::DISCONNECT);
        assert_eq!(state.pursue(), Order::Submit(left));
        let broken = Flags::ABORT.event(RW);
        assert_eq!(state.answer(Flags::ABORT), event(broken, false));
        assert!(!state.is_due());
    }

    #[test]
    fn a_one_shot_waits_for_reregistration() {
        for trigger in [Trigger::Oneshot, Trigger::EdgeOneshot] {
            let mut state = registered(RW, trigger);
            assert_eq!(state.answer(Flags::SEND), event(Flags::SEND, false));
            for direction in [Direction::Read, Direction::Write, Direction::Unknown] {
                assert!(!state.rearm(direction));
            }
            assert!(!state.is_due());
            assert_eq!(state.pursue(), Order::Nothing);
            let again = state.reregister(wanted(R, trigger), true);
            assert_eq!(again, Order::Submit(Flags::requested(R)));
        }
    }

    #[test]
    fn reregistering_cancels_only_what_asks_for_too_little() {
        let mut state = registered(RW, Trigger::Edge);
        let less = wanted(R, Trigger::Level);
        assert_eq!(state.reregister(less, false), Order::Nothing);
        // The pending poll also asks for what nobody wants any more.
        let only_read = Outcome::Internal(Order::Submit(Flags::requested(R)));
        assert_eq!(state.answer(Flags::SEND), only_read);
        let more = wanted(RW, Trigger::Level);
        assert_eq!(state.reregister(more, false), Order::Cancel);
        assert_eq!(state.reregister(less, false), Order::Nothing);
        assert_eq!(state.answer(Flags::SEND), only_read);
    }

    #[test]
    fn an_answer_from_before_a_reregistration_is_void() {
        let mut state = registered(R, Trigger::Oneshot);
        let again = wanted(R, Trigger::Oneshot);
        assert_eq!(state.reregister(again, true), Order::Nothing);
        assert!(!state.reports_states());
        let anew = Outcome::Internal(Order::Submit(Flags::requested(R)));
        assert_eq!(state.answer(Flags::RECEIVE), anew);
        assert_eq!(state.answer(Flags::RECEIVE), event(Flags::RECEIVE, false));
    }

    #[test]
    fn nothing_comes_after_deregistration() {
        let answers = [Flags::default(), Flags::RECEIVE, Flags::LOCAL_CLOSE];
        for answer in answers {
            for answered in [false, true] {
                let mut state = registered(R, Trigger::Edge);
                let order = state.deregister(answered);
                let expected = [Order::Cancel, Order::Nothing][usize::from(answered)];
                assert_eq!(order, expected);
                assert!(!state.rearm(Direction::Read));
                assert!(!state.is_due());
                // Not before the kernel is done with it.
                assert_eq!(state.answer(answer), Outcome::Internal(Order::Release));
                let anew = state.register(wanted(W, Trigger::Edge));
                assert_eq!(anew, Order::Submit(Flags::requested(W)));
            }
        }
        let mut state = registered(R, Trigger::Edge);
        let _ = state.answer(Flags::RECEIVE);
        assert_eq!(state.deregister(false), Order::Release);
    }

    #[test]
    fn registered_again_before_the_cancelled_poll_is_back() {
        let mut state = registered(R, Trigger::Edge);
        assert_eq!(
            state.reregister(wanted(RW, Trigger::Edge), false),
            Order::Cancel
        );
        assert_eq!(state.deregister(false), Order::Nothing);
        let released = Outcome::Internal(Order::Release);
        assert_eq!(state.answer(Flags::RECEIVE), released);
    }

    #[test]
    fn polls_that_end_by_themselves_are_submitted_again() {
        // The thread that has asked is gone, for one.
        let mut state = registered(R, Trigger::Edge);
        let anew = Outcome::Internal(Order::Submit(Flags::requested(R)));
        assert_eq!(state.answer(Flags::default()), anew);
        assert_eq!(state.answer(Flags::RECEIVE), event(Flags::RECEIVE, true));
    }

    #[test]
    fn a_socket_that_others_have_closed_is_silent() {
        let mut state = registered(RW, Trigger::Level);
        let answer = Flags::LOCAL_CLOSE.and(Flags::RECEIVE);
        assert_eq!(state.answer(answer), Outcome::Closed);
        assert!(!state.is_due());
        assert_eq!(state.pursue(), Order::Nothing);
        assert_eq!(state.deregister(true), Order::Release);
    }

    #[test]
    fn a_failure_is_an_event_to_try() {
        let mut state = registered(RW, Trigger::Edge);
        assert_eq!(state.fail(), event(Flags::to_try(RW), false));
        assert!(state.rearm(Direction::Read));
        assert_eq!(state.pursue(), Order::Submit(Flags::requested(R)));
        // Refused at once: the packet that says so is posted.
        state.refused();
        state.answered_by_refusal();
        assert_eq!(state.fail(), event(Flags::to_try(RW), false));

        let mut state = registered(R, Trigger::Level);
        assert_eq!(state.fail(), event(Flags::to_try(R), true));
        assert_eq!(state.deregister(true), Order::Release);
    }
}
