//! Descriptors of whose operations a queue learns nothing.

use mio::Trigger::{Edge, Level};

use super::{run, KINDS};
use crate::script::End::{A, B};
use crate::script::Flavor::Bare;
use crate::script::Kind::Unix;
use crate::script::Name::Fresh;
use crate::script::Step::*;
use crate::script::Wish::{R, RW, W};

#[test]
fn edges_come_again() {
    for kind in KINDS {
        let reading = [Make(0, kind, Bare), Register(B(0), R, Edge, Fresh)];
        let refill = [
            Write(A(0), 1),
            Wait(8),
            Drain(B(0)),
            Write(A(0), 1),
            Wait(8),
        ];
        run(&[&reading, &refill, &refill, &refill, &refill], 1);
        let writing = [Make(0, kind, Bare), Register(A(0), W, Edge, Fresh)];
        let empty = [Wait(8), Fill(A(0)), Drain(B(0))];
        run(&[&writing, &empty, &empty, &empty, &empty], 1);
    }
}

#[test]
fn who_stays_ready_is_paced() {
    for wish in [R, W, RW] {
        let begin = [Make(0, Unix, Bare), Register(A(0), wish, Edge, Fresh)];
        let stays = [Poll(8); 50];
        // So does its end.
        run(
            &[&begin, &[Write(B(0), 1)], &stays, &[Close(B(0))], &stays],
            1,
        );
    }
}

#[test]
fn who_was_found_unready_is_not_paced() {
    let begin = [Make(0, Unix, Bare), Register(A(0), R, Edge, Fresh)];
    let ready = [Write(B(0), 1), Poll(8), Drain(A(0)), Poll(8)];
    run(
        &[&begin, &ready, &[Write(B(0), 1), Poll(8), Poll(8), Poll(8)]],
        1,
    );
}

#[test]
fn levels_are_not_paced() {
    let begin = [Make(0, Unix, Bare), Register(A(0), RW, Level, Fresh)];
    run(&[&begin, &[Poll(8); 10], &[Close(B(0))], &[Poll(8); 10]], 1);
}
