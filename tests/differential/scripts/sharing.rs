//! What sources, wakers and threads share: tokens, room, and the queue itself.

use mio::Trigger::{Edge, Level, Oneshot};

use super::run;
use crate::script::End::{A, B};
#[cfg(feature = "os-ext")]
use crate::script::Flavor::Bare;
use crate::script::Flavor::{Own, Wrapped};
use crate::script::How::Reading;
use crate::script::Kind::{Datagram, Pipe, Unix};
use crate::script::Name::{Fresh, Odd, Shared};
use crate::script::Step::*;
use crate::script::Wish::{R, RW, W};

#[test]
fn registered_twice_or_not_at_all() {
    let [register, reregister] = [Register, Reregister].map(|make| make(A(0), W, Level, Fresh));
    let early = [Make(0, Unix, Own), reregister, Deregister(A(0)), Poll(8)];
    let twice = [register, register, Poll(8), Deregister(A(0)), Poll(8)];
    let late = [Deregister(A(0)), reregister, Poll(8), register];
    run(&[&early, &twice, &late], 1);
}

#[test]
fn a_token_that_is_everywhere() {
    let make = [Make(0, Unix, Own), Make(1, Pipe, Wrapped)];
    let wakers = [MakeWaker(0, Shared(0)), MakeWaker(1, Odd(1))];
    let register = [
        Register(A(0), RW, Edge, Shared(0)),
        Register(B(0), RW, Level, Shared(0)),
        Register(A(1), W, Oneshot, Odd(1)),
    ];
    let some = [Wake(0), Poll(8), Write(A(0), 1), Wake(1), Poll(2), Poll(8)];
    let more = [
        Drain(B(0)),
        Wake(0),
        Poll(1),
        Deregister(B(0)),
        DropWaker(1),
    ];
    run(&[&make, &wakers, &register, &some, &more, &[Poll(8)]], 1);
}

#[test]
fn a_small_room_serves_everybody_in_turn() {
    for trigger in [Level, Edge, Oneshot] {
        for room in [1, 2, 3] {
            let mut steps = vec![MakeWaker(0, Fresh), MakeWaker(1, Fresh)];
            for slot in 0..3 {
                let register = |end| Register(end, RW, trigger, Fresh);
                steps.extend([Make(slot, Unix, Own), register(A(slot))]);
                steps.push(register(B(slot)));
            }
            for wakers in [[0, 0], [0, 1]] {
                let turn = wakers.map(|waker| [Wake(waker), Poll(room)]).concat();
                steps.extend(turn.repeat(6));
            }
            run(&[&steps], room);
        }
    }
}

/// The last source has to wait, and then one of those that were served is replaced.
#[test]
fn a_place_in_the_queue_while_others_leave() {
    let make = [Make(0, Unix, Own), Make(1, Unix, Own)];
    let served = Register(A(0), W, Edge, Fresh);
    let register = [Register(A(1), W, Level, Fresh), served];
    let last = [Register(B(0), W, Edge, Fresh), Poll(2)];
    let replace = [Deregister(A(0)), served, Poll(2)];
    run(&[&make, &register, &last, &replace], 1);
}

#[test]
fn wakes_are_neither_lost_nor_invented() {
    let make = [MakeWaker(0, Fresh), MakeWaker(1, Fresh), Poll(8)];
    let little = [
        Wake(0),
        Wake(0),
        Wake(1),
        Poll(1),
        Wait(1),
        Wake(0),
        Poll(1),
    ];
    let mixed = [
        Wake(1),
        Poll(8),
        Poll(8),
        Wake(1),
        Poll(8),
        Wake(1),
        Wait(8),
    ];
    let dropped = [Wake(0), Wake(1), DropWaker(0), Wait(8)];
    let again = [MakeWaker(0, Fresh), Poll(8), Wake(0), Wait(1)];
    run(&[&make, &little, &mixed, &dropped, &again], 1);
}

#[test]
fn a_poll_that_runs_learns_of_changes() {
    let make = [Make(0, Unix, Own), Make(1, Pipe, Own), MakeWaker(0, Fresh)];
    let register = Register(B(0), R, Edge, Fresh);
    for change in [
        Register(A(0), W, Edge, Fresh),
        Register(A(1), W, Level, Fresh),
        Reregister(B(0), RW, Oneshot, Fresh),
        Reregister(B(0), W, Level, Fresh),
        Deregister(B(0)),
        Write(A(0), 1),
        Close(A(0)),
        Close(B(0)),
        Make(0, Datagram, Own),
        Shutdown(B(0), Reading),
        Wake(0),
    ] {
        for micros in [0, 200] {
            let overlap = [register, Meanwhile(1, micros), change];
            run(&[&make, &overlap, &[Poll(8), Write(A(0), 1), Poll(8)]], 1);
        }
    }
}

#[test]
fn a_poll_learns_of_each_change() {
    let late = |slot| {
        let register = Register(A(slot), W, Level, Fresh);
        [
            Make(slot, Unix, Own),
            Meanwhile(8, 200),
            register,
            Poll(8),
            Deregister(A(slot)),
        ]
    };
    run(&[&late(0), &late(1), &late(2)], 1);
}

/// What is known of two sources that have gone may take as much room as two events.
#[cfg(feature = "os-ext")]
#[test]
fn room_for_who_is_gone() {
    let begin = [
        Make(0, Unix, Bare),
        Make(1, Unix, Own),
        Register(A(0), W, Edge, Fresh),
        Register(B(0), W, Edge, Fresh),
        MakeWaker(1, Fresh),
        Poll(1),
    ];
    let woken = [Wake(1), Register(A(1), W, Edge, Fresh), Poll(2)];
    let again = [Make(0, Unix, Own), Wake(1), Wait(2), Wait(2)];
    run(&[&begin, &woken, &again], 1);
}
