use std::time::{Duration, Instant};

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
        state.register(wanted(interest, trigger), false),
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
        assert!(state.is_doubtful(true) && !state.is_doubtful(false));
        assert_eq!(state.answer(Flags::RECEIVE), event(Flags::RECEIVE, true));
        state.rearm(Direction::Read);
        assert!(state.is_due());
        assert_eq!(state.pursue(), Order::Submit(Flags::requested(R)));
        state.rearm(Direction::Read);
        assert!(!state.is_due());
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
    state.rearm(Direction::Read);
    let read = Flags::requested(R);
    assert_eq!(read.common(ends), ends);
    assert_eq!(state.pursue(), Order::Submit(read));
    state.rearm(Direction::Read);
    assert!(!state.is_due());
    // Writing blocks while the poll for reading is pending.
    state.rearm(Direction::Write);
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
            state.rearm(direction);
            assert!(!state.is_due());
        }
        assert_eq!(state.pursue(), Order::Nothing);
        let again = state.reregister(wanted(R, trigger), false, true);
        assert_eq!(again, Order::Submit(Flags::requested(R)));
    }
}

#[test]
fn reregistering_cancels_only_what_asks_for_too_little() {
    let mut state = registered(RW, Trigger::Edge);
    let less = wanted(R, Trigger::Level);
    assert_eq!(state.reregister(less, false, false), Order::Nothing);
    // The pending poll also asks for what nobody wants any more.
    let only_read = Outcome::Internal(Order::Submit(Flags::requested(R)));
    assert_eq!(state.answer(Flags::SEND), only_read);
    let more = wanted(RW, Trigger::Level);
    assert_eq!(state.reregister(more, false, false), Order::Cancel);
    assert_eq!(state.reregister(less, false, false), Order::Nothing);
    assert_eq!(state.answer(Flags::SEND), only_read);
}

#[test]
fn an_answer_from_before_a_reregistration_is_void() {
    let mut state = registered(R, Trigger::Oneshot);
    let again = wanted(R, Trigger::Oneshot);
    assert_eq!(state.reregister(again, false, true), Order::Nothing);
    assert!(!state.is_doubtful(true));
    let anew = Outcome::Internal(Order::Submit(Flags::requested(R)));
    assert_eq!(state.answer(Flags::RECEIVE), anew);
    assert_eq!(state.answer(Flags::RECEIVE), event(Flags::RECEIVE, false));
}

/// The kernel may have found something before the reregistration, and not have written so yet.
#[test]
fn an_answer_to_an_older_registration_is_doubted() {
    let mut state = registered(R, Trigger::Oneshot);
    assert!(!state.is_doubtful(true));
    let again = wanted(R, Trigger::Oneshot);
    assert_eq!(state.reregister(again, false, false), Order::Nothing);
    assert!(state.is_doubtful(false));
    // It is over.
    let anew = Outcome::Internal(Order::Submit(Flags::requested(R)));
    assert_eq!(state.answer(Flags::default()), anew);
    assert!(!state.is_doubtful(true));
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
            state.rearm(Direction::Read);
            assert!(!state.is_due());
            // Not before the kernel is done with it.
            assert_eq!(state.answer(answer), Outcome::Internal(Order::Release));
            let anew = state.register(wanted(W, Trigger::Edge), false);
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
        state.reregister(wanted(RW, Trigger::Edge), false, false),
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
    assert!(!state.is_closed());
    assert_eq!(state.answer(answer), Outcome::Closed);
    assert!(state.is_closed());
    assert!(!state.is_due());
    assert_eq!(state.pursue(), Order::Nothing);
    assert_eq!(state.deregister(true), Order::Release);
    assert!(!state.is_closed());
}

/// The number of a bare socket may be another one's by the time at which a pause would end.
#[test]
fn a_bare_socket_that_others_have_closed_has_no_pauses() {
    let now = Instant::now();
    let mut state = State::default();
    let _ = state.register(wanted(RW, Trigger::Edge), true);
    assert_eq!(state.answer(Flags::SEND), event(Flags::SEND, true));
    assert!(state.pause(Flags::SEND, now));
    let _ = state.pursue();
    assert_eq!(state.answer(Flags::LOCAL_CLOSE), Outcome::Closed);
    assert_eq!(state.pause_ends(now), None);
    state.resume(now + Duration::from_secs(1), |_| panic!("nobody asked"));
    assert_eq!(state.pursue(), Order::Nothing);

    // Registered anew, it is another socket.
    let again = state.reregister(wanted(R, Trigger::Level), true, true);
    assert_eq!(again, Order::Submit(Flags::requested(R)));
    assert!(!state.is_closed());
}

/// Neither the question nor the packet that would say so: an operation that would block asks once more.
#[test]
fn what_was_refused_without_a_packet_is_due() {
    let mut state = registered(RW, Trigger::Edge);
    assert_eq!(state.answer(Flags::RECEIVE), event(Flags::RECEIVE, true));
    state.rearm(Direction::Read);
    assert_eq!(state.pursue(), Order::Submit(Flags::requested(RW)));
    state.refused();
    state.rearm(Direction::Read);
    assert!(state.is_due());
    assert_eq!(state.pursue(), Order::Submit(Flags::requested(RW)));
}

#[test]
fn a_failure_is_an_event_to_try() {
    let mut state = registered(RW, Trigger::Edge);
    assert_eq!(state.fail(), event(Flags::to_try(RW), false));
    state.rearm(Direction::Read);
    assert_eq!(state.pursue(), Order::Submit(Flags::requested(R)));
    // Refused at once: the packet that says so is posted.
    state.refused();
    state.answered_by_refusal();
    assert_eq!(state.fail(), event(Flags::to_try(RW), false));

    let mut state = registered(R, Trigger::Level);
    assert_eq!(state.fail(), event(Flags::to_try(R), true));
    assert_eq!(state.deregister(true), Order::Release);
}

#[test]
fn the_directions_of_a_bare_socket_have_their_own_pace() {
    let start = Instant::now();
    let after = |millis| start + Duration::from_millis(millis);
    let mut state = State::default();
    let all = Flags::requested(RW);
    let order = state.register(wanted(RW, Trigger::Edge), true);
    assert_eq!(order, Order::Submit(all));
    assert_eq!(state.pause_ends(start), None);

    // Always writable: at once, then after 1, 2, 4 and 4 ms. Reading is asked for all the time.
    for (now, pause) in [(0, 0), (0, 1), (1, 2), (3, 4), (7, 4)] {
        assert_eq!(state.answer(Flags::SEND), event(Flags::SEND, true));
        assert!(state.pause(Flags::SEND, after(now)));
        assert_eq!(state.pursue(), Order::Submit(all.without(Flags::SEND)));
        assert_eq!(state.pause_ends(after(now)), Some(after(now + pause)));
        if pause > 0 {
            state.resume(after(now + pause - 1), |_| unreachable!());
        }
        state.resume(after(now + pause), |due| {
            assert_eq!(due, Flags::requested(W));
            Flags::SEND
        });
        assert_eq!(state.pause_ends(after(now)), None);
        assert_eq!(state.pursue(), Order::Cancel);
        let anew = Outcome::Internal(Order::Submit(all));
        assert_eq!(state.answer(Flags::default()), anew);
    }

    // Seen full: the next report is followed by another look at once.
    let _ = state.answer(Flags::SEND);
    assert!(state.pause(Flags::SEND, after(20)));
    state.resume(after(24), |_| Flags::default());
    assert_eq!(state.pursue(), Order::Submit(all));
    let _ = state.answer(Flags::SEND);
    assert!(state.pause(Flags::SEND, after(30)));
    assert_eq!(state.pause_ends(after(30)), Some(after(30)));
}

#[test]
fn only_edges_of_bare_sockets_pause() {
    for (trigger, bare) in [
        (Trigger::Edge, false),
        (Trigger::Level, true),
        (Trigger::Oneshot, true),
        (Trigger::EdgeOneshot, true),
    ] {
        let mut state = State::default();
        let _ = state.register(wanted(R, trigger), bare);
        let _ = state.answer(Flags::RECEIVE);
        assert!(!state.pause(Flags::RECEIVE, Instant::now()));
        assert_eq!(state.pause_ends(Instant::now()), None);
    }
}

/// What is not registered, or is no bare socket, has no pauses and no doubts.
#[test]
fn there_is_nothing_to_know_of_others() {
    let now = Instant::now();
    let look = |_| panic!("nobody asked");
    let mut idle = State::default();
    assert!(!idle.is_doubtful(true));
    assert_eq!(idle.pause_ends(now), None);
    idle.resume(now, look);
    assert_eq!(idle.pursue(), Order::Nothing);

    let mut edge = registered(R, Trigger::Edge);
    edge.resume(now, look);
    assert_eq!(edge.pause_ends(now), None);
    assert_eq!(edge.answer(Flags::RECEIVE), event(Flags::RECEIVE, true));
}

/// The kernel fails to answer a question that was void already.
#[test]
fn a_failure_of_what_is_gone_is_nobody_s() {
    let mut state = registered(R, Trigger::Edge);
    assert_eq!(state.deregister(false), Order::Cancel);
    assert_eq!(state.fail(), Outcome::Internal(Order::Release));

    // It was registered anew meanwhile: that is asked for as if the answer had come.
    let mut state = registered(R, Trigger::Edge);
    assert_eq!(
        state.reregister(wanted(W, Trigger::Edge), false, false),
        Order::Cancel
    );
    let again = Order::Submit(Flags::requested(W));
    assert_eq!(state.fail(), Outcome::Internal(again));
}
