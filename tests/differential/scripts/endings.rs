//! Ends of streams, errors, and what becomes of those who are closed.

use mio::Trigger::{Edge, Level, Oneshot};

use super::{run, KINDS};
use crate::script::End::{A, B};
use crate::script::Flavor::Own;
use crate::script::How::{Both, Reading, Writing};
use crate::script::Kind::{Datagram, Pipe, Tcp, Udp, Unix};
use crate::script::Name::Fresh;
use crate::script::Step::*;
use crate::script::Wish::{All, P, R, RW, W};

#[test]
fn an_end_is_reported_although_everything_was() {
    let ends = [
        Close(A(0)),
        Shutdown(A(0), Writing),
        Shutdown(A(0), Both),
        Shutdown(B(0), Both),
    ];
    for kind in KINDS {
        for end in ends {
            let begin = [Make(0, kind, Own), Register(B(0), RW, Edge, Fresh)];
            let data = [Write(A(0), 9), Wait(8)];
            run(&[&begin, &data, &[end, Poll(8), Drain(B(0)), Poll(8)]], 1);
            run(&[&begin, &data, &[Read(B(0), 9), end, Poll(8), Poll(8)]], 1);
        }
    }
}

#[test]
fn an_end_is_no_level() {
    for trigger in [Edge, Oneshot] {
        for wish in [R, W, RW, P, All] {
            let begin = [Make(0, Unix, Own), Register(A(0), wish, trigger, Fresh)];
            let end = [Poll(8), Close(B(0)), Poll(8), Poll(8)];
            run(&[&begin, &end, &[Drain(A(0)), Fill(A(0)), Poll(8)]], 1);
        }
    }
}

#[test]
fn a_pipe_without_a_reader() {
    for trigger in [Edge, Level] {
        let begin = [Make(0, Pipe, Own), Register(A(0), W, trigger, Fresh)];
        let full = [Poll(8), Fill(A(0)), Poll(8)];
        let gone = [Close(B(0)), Poll(8), Write(A(0), 1), Poll(8)];
        run(&[&begin, &full, &gone], 1);
        run(&[&begin, &gone], 1);
    }
}

#[test]
fn a_datagram_socket_with_an_error_is_used_on() {
    for wish in [R, RW, P, All] {
        let begin = [Make(0, Udp, Own), Register(A(0), wish, Edge, Fresh)];
        let gone = [Wait(8), Close(B(0))];
        let error = [Write(A(0), 1), Wait(8), Drain(A(0)), Poll(8)];
        let taken = [Drain(A(0)), Drain(A(0))];
        run(&[&begin, &gone, &error, &taken, &error], 1);
    }
}

/// Each read would block, and still the socket is ready.
#[test]
fn a_datagram_socket_that_is_shut_down() {
    for how in [Reading, Both] {
        let begin = [Make(0, Datagram, Own), Register(B(0), R, Edge, Fresh)];
        let read = [Drain(B(0)), Poll(8), Poll(8)];
        run(&[&begin, &[Shutdown(B(0), how), Poll(8)], &read, &read], 1);
    }
}

/// The last byte arms, and the reset that is read behind it is gone when the event is polled.
#[test]
fn an_error_behind_the_last_byte() {
    let begin = [Make(0, Tcp, Own), Register(B(0), R, Edge, Fresh)];
    let reset = [Fill(B(0)), Write(A(0), 1), Close(A(0)), Poll(1)];
    // Whether the event comes into the queue before the reset is read is a matter of chance.
    for _ in 0..50 {
        run(&[&begin, &reset, &[Drain(B(0))]], 1);
    }
}

#[test]
fn a_number_that_is_used_again() {
    for kind in KINDS {
        let old = [Make(0, kind, Own), Register(A(0), W, Edge, Fresh)];
        let new = [Make(0, kind, Own), Poll(8), Register(A(0), W, Level, Fresh)];
        run(&[&old, &new, &[Wait(8), Close(A(0)), Poll(8)]], 1);
    }
}

#[test]
fn a_duplicate_outlives_its_source() {
    for forget in [Poll(8), Deregister(A(0))] {
        let begin = [Make(0, Unix, Own), Register(A(0), R, Edge, Fresh)];
        let close = [Dup(A(0)), Write(B(0), 1), forget, Close(A(0))];
        let new = [Make(1, Unix, Own), Register(A(1), W, Edge, Fresh), Poll(8)];
        let end = [Write(B(0), 1), Poll(8), CloseDups(A(0)), Write(B(0), 1)];
        run(&[&begin, &close, &new, &end], 1);
    }
}

#[test]
fn a_duplicate_that_is_closed_changes_nothing() {
    let begin = [Make(0, Unix, Own), Register(A(0), R, Edge, Fresh)];
    run(&[&begin, &[Dup(A(0)), CloseDups(A(0)), Write(B(0), 1)]], 1);
}
