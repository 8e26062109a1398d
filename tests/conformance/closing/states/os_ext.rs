//! Pipes.

use super::{feed, feed_and_hang_up, Kind};
use crate::links::{named, Link};
use crate::system::PollFlags;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        source: "`pipe::Receiver`",
        begin: || named("pipe::Receiver"),
        states: &[
            ("data", feed, PollFlags::IN),
            ("the sender closes", Link::hang_up, PollFlags::HUP),
            (
                "data, and the sender closes",
                feed_and_hang_up,
                PollFlags::HUP,
            ),
        ],
    },
    Kind {
        source: "`pipe::Sender`",
        begin: || named("pipe::Sender"),
        states: &[
            ("the receiver closes", Link::hang_up, PollFlags::ERR),
            (
                "full, and the receiver closes",
                fill_and_hang_up,
                PollFlags::ERR,
            ),
        ],
    },
];

fn fill_and_hang_up(link: &mut Link) {
    link.fill();
    link.hang_up();
}
