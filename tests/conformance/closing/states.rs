//! How to bring a source into each state that the tables of `PLATFORMS.md` name.

#[cfg(feature = "net")]
mod net;
#[cfg(all(unix, feature = "os-ext"))]
mod os_ext;

use std::net::Shutdown;

use crate::links::{wait_for, Link};
use crate::system::{shutdown, PollFlags, PEER_WROTE_ALL, SHUT_FOR_BOTH, SHUT_FOR_READING};

/// A state, and the way to it.
#[derive(Copy, Clone)]
pub(super) struct State {
    /// The two of them name a row.
    pub(super) source: &'static str,
    pub(super) state: &'static str,
    begin: fn() -> Link,
    act: Act,
    /// What the system says once it has happened, if anything.
    settled: PollFlags,
}

impl State {
    /// The source as it is before.
    pub(super) fn begin(&self) -> Link {
        (self.begin)()
    }

    /// Makes it happen, and waits until it has.
    #[track_caller]
    pub(super) fn reach(&self, link: &mut Link) {
        (self.act)(link);
        if !self.settled.is_empty() {
            wait_for(link.near.fd(), self.settled);
        }
    }
}

/// What makes something happen to a source.
type Act = fn(&mut Link);

/// What can become of a source.
#[derive(Copy, Clone)]
struct Kind {
    source: &'static str,
    begin: fn() -> Link,
    states: &'static [(&'static str, Act, PollFlags)],
}

/// The states of all sources that this build has.
pub(super) fn states() -> Vec<State> {
    let kinds = [SOCKET_PAIR].into_iter();
    #[cfg(feature = "net")]
    let kinds = kinds.chain(net::KINDS.iter().copied());
    #[cfg(all(unix, feature = "os-ext"))]
    let kinds = kinds.chain(os_ext::KINDS.iter().copied());
    let of_kind = |kind: Kind| {
        let state = move |&(state, act, settled)| State {
            source: kind.source,
            state,
            begin: kind.begin,
            act,
            settled,
        };
        kind.states.iter().map(state)
    };
    kinds.flat_map(of_kind).collect()
}

const SOCKET_PAIR: Kind = Kind {
    source: "Unix stream",
    begin: Link::new,
    states: &[
        ("data", feed, PollFlags::IN),
        ("the peer shuts down writing", far_writing, PEER_WROTE_ALL),
        ("the peer shuts down reading", far_reading, PollFlags::OUT),
        ("shut down for reading", near_reading, SHUT_FOR_READING),
        ("shut down for writing", near_writing, PollFlags::OUT),
        ("shut down for both", near_both, SHUT_FOR_BOTH),
        ("both ends shut down writing", both_writing, PollFlags::HUP),
        ("the peer shuts down both", far_both, PollFlags::HUP),
        ("the peer closes", Link::hang_up, PollFlags::HUP),
        (
            "data, and the peer closes",
            feed_and_hang_up,
            PollFlags::HUP,
        ),
        ("the peer closes with unread data", reset, PollFlags::HUP),
    ],
};

/// It is so from the beginning.
#[cfg(feature = "net")]
fn nothing(_: &mut Link) {}

fn feed(link: &mut Link) {
    link.feed(1);
}

fn feed_and_hang_up(link: &mut Link) {
    link.feed(1);
    link.hang_up();
}

fn far_writing(link: &mut Link) {
    shutdown(link.far(), Shutdown::Write);
}

fn far_reading(link: &mut Link) {
    shutdown(link.far(), Shutdown::Read);
}

fn far_both(link: &mut Link) {
    shutdown(link.far(), Shutdown::Both);
}

fn near_reading(link: &mut Link) {
    shutdown(link.near.fd(), Shutdown::Read);
}

fn near_writing(link: &mut Link) {
    shutdown(link.near.fd(), Shutdown::Write);
}

fn near_both(link: &mut Link) {
    shutdown(link.near.fd(), Shutdown::Both);
}

fn both_writing(link: &mut Link) {
    near_writing(link);
    far_writing(link);
}

/// The peer closes without having read everything: it resets the connection.
fn reset(link: &mut Link) {
    link.near.write(b"unread").unwrap();
    wait_for(link.far(), PollFlags::IN);
    link.hang_up();
}
