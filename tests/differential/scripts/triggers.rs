//! Levels and one-shots.

use mio::Trigger::{EdgeOneshot, Level, Oneshot};

use super::{run, KINDS};
use crate::script::End::{A, B};
use crate::script::Flavor::Own;
use crate::script::Kind::Unix;
use crate::script::Name::Fresh;
use crate::script::Step::*;
use crate::script::Wish::{R, RW, W};

#[test]
fn a_one_shot_is_silent_in_both_directions() {
    for trigger in [Oneshot, EdgeOneshot] {
        let begin = [Make(0, Unix, Own), Register(A(0), RW, trigger, Fresh)];
        let reading = [Poll(8), Write(B(0), 1), Poll(8), Drain(A(0)), Poll(8)];
        let writing = [Fill(A(0)), Drain(B(0)), Poll(8), Write(B(0), 1), Poll(8)];
        let end = [Close(B(0)), Poll(8), Reregister(A(0), RW, trigger, Fresh)];
        run(&[&begin, &reading, &writing, &end], 1);
    }
}

#[test]
fn a_one_shot_waits_for_its_only_event() {
    for trigger in [Oneshot, EdgeOneshot] {
        let begin = [Make(0, Unix, Own), Fill(A(0))];
        let late = [Register(A(0), W, trigger, Fresh), Poll(8), Drain(B(0))];
        run(&[&begin, &late], 1);
    }
}

#[test]
fn a_level_lasts_as_long_as_its_cause() {
    for kind in KINDS {
        let begin = [Make(0, kind, Own), Register(B(0), R, Level, Fresh)];
        let some = [Write(A(0), 9), Wait(8), Read(B(0), 4), Poll(8), Poll(8)];
        run(&[&begin, &some, &[Drain(B(0)), Poll(8)]], 1);
    }
}
