//! Edges: when they come, and when they come again.

use mio::Trigger::{Edge, EdgeOneshot, Level, Oneshot};

use super::{run, KINDS};
use crate::script::End::{A, B};
use crate::script::Flavor::{Own, Wrapped};
use crate::script::How::Writing;
use crate::script::Kind::{Datagram, Pipe, Tcp, Udp, Unix};
use crate::script::Name::Fresh;
use crate::script::Step::*;
use crate::script::Wish::{All, P, R, RW, W};

#[test]
fn ready_when_registered() {
    for trigger in [Edge, Level, Oneshot, EdgeOneshot] {
        let register = Register(B(0), R, trigger, Fresh);
        for kind in KINDS {
            for ready in [Write(A(0), 1), Shutdown(A(0), Writing)] {
                for flavor in [Own, Wrapped] {
                    run(&[&[Make(0, kind, flavor), ready, register, Wait(8)]], 1);
                }
            }
        }
    }
}

#[test]
fn drained_and_refilled_between_two_polls() {
    for kind in KINDS {
        let begin = [Make(0, kind, Own), Register(B(0), RW, Edge, Fresh)];
        let refill = [Write(A(0), 9), Wait(8), Drain(B(0)), Write(A(0), 9)];
        run(&[&begin, &refill, &[Drain(B(0))], &refill], 1);
    }
}

#[test]
fn full_and_writable_again_between_two_polls() {
    for kind in KINDS {
        let begin = [Make(0, kind, Own), Register(A(0), W, Edge, Fresh)];
        let empty = [Wait(8), Fill(A(0)), Drain(B(0)), Wait(8)];
        let late = [Fill(A(0)), Poll(8), Drain(B(0)), Wait(8)];
        run(&[&begin, &empty, &late, &empty], 1);
    }
}

#[test]
fn short_read_and_one_more_byte() {
    let begin = [Make(0, Unix, Own), Register(A(0), RW, Edge, Fresh)];
    let part = [Write(B(0), 9), Poll(8), Read(A(0), 4), Poll(8)];
    let rest = [Write(B(0), 1), Poll(8), Read(A(0), 6), Poll(8)];
    run(&[&begin, &part, &rest, &[Write(B(0), 1)]], 1);
}

/// A read that is short arms, one that is not does not, and closures do not tell.
#[test]
fn short_read_and_no_read_that_blocks() {
    for kind in [Unix, Tcp, Pipe] {
        for flavor in [Own, Wrapped] {
            let begin = [Make(0, kind, flavor), Register(B(0), R, Edge, Fresh)];
            let turn = [Write(A(0), 9), Wait(8), Read(B(0), 10), Poll(8)];
            let exact = [Write(A(0), 9), Wait(8), Read(B(0), 9), Poll(8)];
            run(&[&begin, &turn, &turn, &exact, &turn], 1);
            run(&[&begin, &turn, &[Close(A(0)), Wait(8), Drain(B(0))]], 1);
            run(&[&begin, &turn[..3], &[Close(A(0)), Drain(B(0))]], 1);
        }
    }
}

#[test]
fn an_operation_that_would_block_is_about_its_direction() {
    let begin = [Make(0, Unix, Own), Register(A(0), RW, Edge, Fresh)];
    let read = [Write(B(0), 9), Poll(8), Read(A(0), 9)];
    for blocked in [Drain(A(0)), Fill(A(0)), Peek(A(0)), TryRead(A(0))] {
        let after = [blocked, Poll(8), Write(B(0), 1), Poll(8), Drain(B(0))];
        run(&[&begin, &read, &after], 1);
    }
}

#[test]
fn a_peek_that_would_block_rearms() {
    for kind in [Unix, Tcp, Udp, Datagram] {
        for flavor in [Own, Wrapped] {
            let begin = [Make(0, kind, flavor), Register(A(0), R, Edge, Fresh)];
            let read = [Write(B(0), 1), Wait(8), Read(A(0), 8)];
            run(&[&begin, &read, &[Peek(A(0)), Write(B(0), 1)]], 1);
        }
    }
}

#[test]
fn the_last_interest_counts() {
    let begin = [Make(0, Unix, Own), Register(A(0), RW, Edge, Fresh)];
    let [read, write] = [R, W].map(|wish| Reregister(A(0), wish, Edge, Fresh));
    let byte = Write(B(0), 1);
    run(&[&begin, &[read, write, read, Poll(8), byte]], 1);
    run(&[&begin, &[byte, write, Poll(8), read, Poll(8)]], 1);
}

#[test]
fn reregistering_reports_again_what_is_ready() {
    for from in [Edge, Oneshot, EdgeOneshot, Level] {
        for to in [Edge, Oneshot, EdgeOneshot, Level] {
            let begin = [Make(0, Unix, Own), Register(A(0), W, from, Fresh)];
            let again = [Poll(8), Poll(8), Reregister(A(0), W, to, Fresh)];
            run(&[&begin, &again, &[Poll(8), Poll(8)]], 1);
        }
    }
}

#[test]
fn priority_comes_and_comes_again() {
    for kind in [Unix, Tcp] {
        for wish in [P, All] {
            let begin = [Make(0, kind, Own), Register(A(0), wish, Edge, Fresh)];
            let urgent = [Write(B(0), 3), Oob(B(0)), Wait(8), Drain(A(0)), Poll(8)];
            run(&[&begin, &urgent, &urgent, &urgent], 1);
        }
    }
}
