//! What a queue reports when a source is closed on one side or both, or fails: [`TABLE`], row by row.
//!
//! A backend passes on what its system says, so it may differ from the others here. The table in `PLATFORMS.md` is this
//! one.

use std::time::Duration;

use mio::{Backend, Token, Trigger};
use rustix::event::PollFlags;
use rustix::net::{shutdown, Shutdown};

use crate::bed::{during, Bed, PATIENCE, SILENCE};
use crate::links::{links, wait_for, Link};
use crate::ready::{Ready, Seen};

const SOURCE: Token = Token(61);

/// One way to end a source.
struct Row {
    source: fn() -> Link,
    happens: &'static str,
    /// Makes it happen. `None` if it is how the source begins.
    act: Option<fn(&mut Link)>,
    /// What the system says once it has happened.
    settled: PollFlags,
    epoll: Said,
    poll: Said,
}

/// What the events say.
struct Said {
    /// When it happens to a source that is registered, edge-triggered, for all that it can do; whose first events were
    /// taken; and which was read until it would block.
    meanwhile: &'static [Ready],
    /// When it has happened before the source is registered.
    before: &'static [Ready],
}

const R: Ready = Ready::READABLE;
const W: Ready = Ready::WRITABLE;
const RC: Ready = Ready::READ_CLOSED;
const WC: Ready = Ready::WRITE_CLOSED;
const E: Ready = Ready::ERROR;

const fn said(meanwhile: &'static [Ready], before: &'static [Ready]) -> Said {
    Said { meanwhile, before }
}

const TABLE: &[Row] = &[
    #[cfg(feature = "net")]
    Row {
        source: tcp,
        happens: "the peer shuts down writing",
        act: Some(|link| shutdown(link.far(), Shutdown::Write).unwrap()),
        settled: PollFlags::RDHUP,
        epoll: said(&[R, W, RC], &[R, W, RC]),
        poll: said(&[R, RC], &[R, W, RC]),
    },
    #[cfg(feature = "net")]
    Row {
        source: tcp,
        happens: "the peer shuts down reading",
        act: Some(|link| shutdown(link.far(), Shutdown::Read).unwrap()),
        settled: PollFlags::OUT,
        epoll: said(&[], &[W]),
        poll: said(&[], &[W]),
    },
    #[cfg(feature = "net")]
    Row {
        source: tcp,
        happens: "this end shuts down reading",
        act: Some(|link| shutdown(link.near.fd(), Shutdown::Read).unwrap()),
        settled: PollFlags::RDHUP,
        epoll: said(&[R, W, RC], &[R, W, RC]),
        poll: said(&[R, RC], &[R, W, RC]),
    },
    #[cfg(feature = "net")]
    Row {
        source: tcp,
        happens: "this end shuts down writing",
        act: Some(|link| shutdown(link.near.fd(), Shutdown::Write).unwrap()),
        settled: PollFlags::OUT,
        epoll: said(&[W], &[W]),
        poll: said(&[], &[W]),
    },
    #[cfg(feature = "net")]
    Row {
        source: tcp,
        happens: "this end shuts down both",
        act: Some(|link| shutdown(link.near.fd(), Shutdown::Both).unwrap()),
        settled: PollFlags::HUP,
        epoll: said(&[R, W, RC, WC], &[R, W, RC, WC]),
        poll: said(&[R, RC, WC], &[R, W, RC, WC]),
    },
    #[cfg(feature = "net")]
    Row {
        source: tcp,
        happens: "both ends shut down writing",
        act: Some(shut_down_both_ends),
        settled: PollFlags::HUP,
        epoll: said(&[R, W, RC, WC], &[R, W, RC, WC]),
        poll: said(&[R, RC, WC], &[R, W, RC, WC]),
    },
    #[cfg(feature = "net")]
    Row {
        source: tcp,
        happens: "the peer closes",
        act: Some(Link::hang_up),
        settled: PollFlags::RDHUP,
        epoll: said(&[R, W, RC], &[R, W, RC]),
        poll: said(&[R, RC], &[R, W, RC]),
    },
    #[cfg(feature = "net")]
    Row {
        source: tcp,
        happens: "the peer resets: it closes without having read everything",
        act: Some(reset),
        settled: PollFlags::HUP,
        epoll: said(&[R, W, RC, WC, E], &[R, W, RC, WC, E]),
        poll: said(&[R, RC, WC, E], &[R, W, RC, WC, E]),
    },
    #[cfg(feature = "net")]
    Row {
        source: refused,
        happens: "the connection is refused",
        act: None,
        settled: PollFlags::ERR,
        epoll: said(&[], &[R, W, RC, WC, E]),
        poll: said(&[], &[R, W, RC, WC, E]),
    },
    Row {
        source: Link::new,
        happens: "the peer shuts down writing",
        act: Some(|link| shutdown(link.far(), Shutdown::Write).unwrap()),
        settled: PollFlags::RDHUP,
        epoll: said(&[R, W, RC], &[R, W, RC]),
        poll: said(&[R, RC], &[R, W, RC]),
    },
    Row {
        source: Link::new,
        happens: "the peer shuts down reading",
        act: Some(|link| shutdown(link.far(), Shutdown::Read).unwrap()),
        settled: PollFlags::OUT,
        epoll: said(&[W], &[W]),
        poll: said(&[], &[W]),
    },
    Row {
        source: Link::new,
        happens: "this end shuts down reading",
        act: Some(|link| shutdown(link.near.fd(), Shutdown::Read).unwrap()),
        settled: PollFlags::RDHUP,
        epoll: said(&[R, W, RC], &[R, W, RC]),
        poll: said(&[R, RC], &[R, W, RC]),
    },
    Row {
        source: Link::new,
        happens: "this end shuts down writing",
        act: Some(|link| shutdown(link.near.fd(), Shutdown::Write).unwrap()),
        settled: PollFlags::OUT,
        epoll: said(&[W], &[W]),
        poll: said(&[], &[W]),
    },
    Row {
        source: Link::new,
        happens: "both ends shut down writing",
        act: Some(shut_down_both_ends),
        settled: PollFlags::HUP,
        epoll: said(&[R, W, RC, WC], &[R, W, RC, WC]),
        poll: said(&[R, RC, WC], &[R, W, RC, WC]),
    },
    Row {
        source: Link::new,
        happens: "either end shuts down both",
        act: Some(|link| shutdown(link.far(), Shutdown::Both).unwrap()),
        settled: PollFlags::HUP,
        epoll: said(&[R, W, RC, WC], &[R, W, RC, WC]),
        poll: said(&[R, RC, WC], &[R, W, RC, WC]),
    },
    Row {
        source: Link::new,
        happens: "the peer closes",
        act: Some(Link::hang_up),
        settled: PollFlags::HUP,
        epoll: said(&[R, W, RC, WC], &[R, W, RC, WC]),
        poll: said(&[R, RC, WC], &[R, W, RC, WC]),
    },
    Row {
        source: Link::new,
        happens: "the peer closes without having read everything",
        act: Some(reset),
        settled: PollFlags::HUP,
        epoll: said(&[R, W, RC, WC, E], &[R, W, RC, WC, E]),
        poll: said(&[R, RC, WC, E], &[R, W, RC, WC, E]),
    },
    #[cfg(feature = "os-ext")]
    Row {
        source: pipe_receiver,
        happens: "the sender closes",
        act: Some(Link::hang_up),
        settled: PollFlags::HUP,
        epoll: said(&[RC, WC], &[RC, WC]),
        poll: said(&[R, RC, WC], &[R, RC, WC]),
    },
    #[cfg(feature = "os-ext")]
    Row {
        source: pipe_receiver,
        happens: "the sender closes, and something is left to read",
        act: Some(feed_and_hang_up),
        settled: PollFlags::HUP,
        epoll: said(&[R, RC, WC], &[R, RC, WC]),
        poll: said(&[R, RC, WC], &[R, RC, WC]),
    },
    #[cfg(feature = "os-ext")]
    Row {
        source: pipe_sender,
        happens: "the receiver closes",
        act: Some(Link::hang_up),
        settled: PollFlags::ERR,
        epoll: said(&[W, WC, E], &[W, WC, E]),
        poll: said(&[WC, E], &[W, WC, E]),
    },
    #[cfg(feature = "os-ext")]
    Row {
        source: pipe_sender,
        happens: "the receiver closes, and the pipe is full",
        act: Some(fill_and_hang_up),
        settled: PollFlags::ERR,
        epoll: said(&[WC, E], &[WC, E]),
        poll: said(&[W, WC, E], &[W, WC, E]),
    },
    #[cfg(feature = "net")]
    Row {
        source: udp,
        happens: "nobody listens where it sends to",
        act: Some(send_to_nobody),
        settled: PollFlags::ERR,
        epoll: said(&[W, WC, E], &[W, WC, E]),
        poll: said(&[R, E], &[R, W, WC, E]),
    },
];

fn expected(row: &Row, backend: Backend) -> &Said {
    match backend {
        Backend::Poll => &row.poll,
        _ => &row.epoll,
    }
}

/// The source is registered, and idle, when it happens.
pub(crate) fn it_happens_while_registered(backend: Backend) {
    for row in TABLE {
        let Some(act) = row.act else { continue };
        let mut link = (row.source)();
        let _during = during((link.name, row.happens));
        let mut bed = Bed::new(backend);
        let interest = link.interest;
        bed.registry()
            .register(link.source(), SOURCE, interest)
            .unwrap();
        if interest.is_writable() {
            bed.expect(SOURCE, Ready::WRITABLE);
        }
        if interest.is_readable() {
            link.drain();
        }
        act(&mut link);
        wait_for(link.near.fd(), row.settled);
        assert_says(&mut bed, expected(row, backend).meanwhile);
    }
}

/// The end is an edge of its own: it is reported to whoever was told of all directions, and has read what there was, no
/// more and no less.
pub(crate) fn the_end_needs_no_would_block(backend: Backend) {
    for row in TABLE {
        let ends = union(expected(row, backend).meanwhile.iter().copied()).ends();
        let Some(act) = row.act else { continue };
        let mut link = (row.source)();
        let _during = during((link.name, row.happens));
        let mut bed = Bed::new(backend);
        let interest = link.interest;
        if interest.is_readable() {
            link.feed(3);
        }
        bed.registry()
            .register(link.source(), SOURCE, interest)
            .unwrap();
        bed.expect(SOURCE, interest);
        if interest.is_readable() {
            assert_eq!(link.near.read(&mut [0; 3]).unwrap(), 3);
        }
        act(&mut link);
        wait_for(link.near.fd(), row.settled);
        if ends != Ready::ANY {
            bed.expect(SOURCE, ends);
        }
    }
}

/// It has happened when the source is registered.
pub(crate) fn it_happened_before_registering(backend: Backend) {
    for row in TABLE {
        let mut link = ended(row);
        let _during = during((link.name, row.happens));
        let mut bed = Bed::new(backend);
        let interest = link.interest;
        bed.registry()
            .register(link.source(), SOURCE, interest)
            .unwrap();
        assert_says(&mut bed, expected(row, backend).before);
    }
}

/// The source of a row, at its end.
#[track_caller]
fn ended(row: &Row) -> Link {
    let mut link = (row.source)();
    if let Some(act) = row.act {
        act(&mut link);
    }
    wait_for(link.near.fd(), row.settled);
    link
}

/// The events until there are no more say just this.
#[track_caller]
fn assert_says(bed: &mut Bed, expected: &[Ready]) {
    let expected = union(expected.iter().copied());
    let mut seen = bed.gather(&expected, |seen| said_by(seen).has(expected));
    seen.extend(bed.turn(Some(SILENCE)));
    assert_eq!(said_by(&seen), expected);
}

/// The other triggers need no edges, so nothing is read into what the system says: a level says it in each poll, a
/// one-shot once.
pub(crate) fn other_triggers_say_what_the_system_says(backend: Backend) {
    for trigger in [Trigger::Level, Trigger::Oneshot, Trigger::EdgeOneshot] {
        for row in TABLE {
            let mut link = ended(row);
            let _during = during((link.name, row.happens, trigger));
            let mut bed = Bed::new(backend);
            let interest = link.interest;
            bed.with(trigger)
                .register(link.source(), SOURCE, interest)
                .unwrap();
            for turn in 0..3 {
                if turn > 0 && trigger.is_oneshot() {
                    assert_eq!(bed.turn(Some(Duration::from_millis(1))), []);
                } else {
                    let said = said_by(&bed.turn(Some(PATIENCE)));
                    assert_eq!(said, union(row.epoll.before.iter().copied()));
                }
            }
        }
    }
}

/// An error of a datagram socket is not its end: what comes after it is reported like anything else.
#[cfg(feature = "net")]
pub(crate) fn life_goes_on_after_an_error(backend: Backend) {
    use std::io::ErrorKind;

    for trigger in [Trigger::Edge, Trigger::Level] {
        let _during = during(trigger);
        let mut bed = Bed::new(backend);
        let (mut near, far) = crate::links::udp_pair();
        let address = far.local_addr().unwrap();
        let drain = |near: &mio::net::UdpSocket| loop {
            match near.recv(&mut [0; 16]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
                Ok(n) => assert_eq!(n, 4),
            }
        };
        bed.with(trigger)
            .register(&mut near, SOURCE, crate::bed::BOTH)
            .unwrap();
        for _ in 0..3 {
            drain(&near);
            let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            near.connect(nobody.local_addr().unwrap()).unwrap();
            drop(nobody);
            near.send(b"lost").unwrap();
            bed.expect(SOURCE, Ready::ERROR);

            drain(&near);
            near.connect(address).unwrap();
            far.send(b"data").unwrap();
            bed.expect(SOURCE, Ready::READABLE);
        }
    }
}

fn said_by(seen: &[Seen]) -> Ready {
    union(seen.iter().map(|seen| seen.ready))
}

fn union(all: impl Iterator<Item = Ready>) -> Ready {
    all.fold(Ready::ANY, |all, one| all | one)
}

fn shut_down_both_ends(link: &mut Link) {
    shutdown(link.near.fd(), Shutdown::Write).unwrap();
    shutdown(link.far(), Shutdown::Write).unwrap();
}

fn reset(link: &mut Link) {
    link.near.write(b"unread").unwrap();
    wait_for(link.far(), PollFlags::IN);
    link.hang_up();
}

#[cfg(feature = "os-ext")]
fn feed_and_hang_up(link: &mut Link) {
    link.feed(1);
    link.hang_up();
}

#[cfg(feature = "os-ext")]
fn fill_and_hang_up(link: &mut Link) {
    link.fill();
    link.hang_up();
}

#[cfg(feature = "net")]
fn send_to_nobody(link: &mut Link) {
    link.hang_up();
    link.near.write(b"x").unwrap();
}

/// The link of this name.
#[allow(dead_code)] // not without features
fn named(name: &str) -> Link {
    let mut links = links();
    links.retain(|link| link.name == name);
    links.remove(0)
}

#[cfg(feature = "net")]
fn tcp() -> Link {
    named("TcpStream")
}

#[cfg(feature = "net")]
fn udp() -> Link {
    named("UdpSocket")
}

#[cfg(feature = "os-ext")]
fn pipe_receiver() -> Link {
    named("pipe::Receiver")
}

#[cfg(feature = "os-ext")]
fn pipe_sender() -> Link {
    named("pipe::Sender")
}

/// A connection to a port that is taken, so that nobody else can have it, but not listened on.
#[cfg(feature = "net")]
fn refused() -> Link {
    use rustix::net::{bind, getsockname, socket, AddressFamily, SocketType};
    use std::net::SocketAddr;

    let port = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    bind(&port, &any).unwrap();
    let address = SocketAddr::try_from(getsockname(&port).unwrap()).unwrap();
    let stream = mio::net::TcpStream::connect(address).unwrap();
    Link::of("a TcpStream that connects", crate::bed::BOTH, stream, port)
}
