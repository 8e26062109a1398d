//! TCP and datagram sockets.

use std::net::SocketAddr;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::Interest;
use socket2::{Domain, SockRef, Socket, Type};

use super::{
    both_writing, far_reading, far_writing, feed, feed_and_hang_up, near_both, near_reading,
    near_writing, nothing, reset, Kind,
};
use crate::bed::BOTH;
use crate::links::{is_ready, named, near, wait_for, Link};
use crate::system::{
    OwnedFd, PollFlags, PEER_WROTE_ALL, SHUT_FOR_BOTH, SHUT_FOR_READING, UNCONNECTED,
};

const STREAM: &str = "`TcpStream`";
const UDP: &str = "`UdpSocket`";

pub(super) const KINDS: &[Kind] = &[
    Kind {
        source: STREAM,
        begin: unconnected,
        states: &[("not connected, no attempt", nothing, UNCONNECTED)],
    },
    Kind {
        source: STREAM,
        begin: refused,
        states: &[("the connection is refused", nothing, PollFlags::ERR)],
    },
    Kind {
        source: STREAM,
        begin: tcp,
        states: &[
            ("connected", nothing, PollFlags::OUT),
            ("data", feed, PollFlags::IN),
            ("the peer shuts down writing", far_writing, PEER_WROTE_ALL),
            ("the peer shuts down reading", far_reading, PollFlags::OUT),
            ("shut down for reading", near_reading, SHUT_FOR_READING),
            ("shut down for writing", near_writing, PollFlags::OUT),
            ("shut down for both", near_both, SHUT_FOR_BOTH),
            ("both ends shut down writing", both_writing, PollFlags::HUP),
            ("the peer closes", Link::hang_up, PEER_WROTE_ALL),
            (
                "data, and the peer closes",
                feed_and_hang_up,
                PEER_WROTE_ALL,
            ),
            ("reset by the peer", reset, PollFlags::HUP),
            (
                "reset by the peer, error taken",
                reset_and_take,
                PollFlags::HUP,
            ),
            (
                "an out-of-band byte, priority not asked for",
                urge,
                PollFlags::PRI,
            ),
        ],
    },
    Kind {
        source: STREAM,
        begin: || tcp().asking(Interest::READABLE),
        states: &[(
            "reset by the peer; asked for reading",
            reset,
            PollFlags::HUP,
        )],
    },
    Kind {
        source: STREAM,
        begin: || tcp().asking(Interest::WRITABLE),
        states: &[
            (
                "reset by the peer; asked for writing",
                reset,
                PollFlags::HUP,
            ),
            (
                "the peer shuts down writing; asked for writing",
                far_writing,
                PEER_WROTE_ALL,
            ),
        ],
    },
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Kind {
        source: STREAM,
        begin: || tcp().asking(BOTH.add(Interest::PRIORITY)),
        states: &[(
            "an out-of-band byte; asked for all three",
            urge,
            PollFlags::PRI,
        )],
    },
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Kind {
        source: STREAM,
        begin: || tcp().asking(Interest::PRIORITY),
        states: &[(
            "an out-of-band byte; asked for priority",
            urge,
            PollFlags::PRI,
        )],
    },
    Kind {
        source: "`TcpListener`",
        begin: listener,
        states: &[("a connection to accept", nothing, PollFlags::IN)],
    },
    Kind {
        source: UDP,
        begin: || named("UdpSocket"),
        states: &[
            ("a datagram", feed, PollFlags::IN),
            (
                "nobody listens where it has sent to",
                send_to_nobody,
                PollFlags::ERR,
            ),
            (
                "the same, error taken",
                send_to_nobody_and_take,
                PollFlags::OUT,
            ),
        ],
    },
    Kind {
        source: UDP,
        begin: || named("UdpSocket").asking(Interest::READABLE),
        states: &[(
            "the same; asked for reading",
            send_to_nobody,
            PollFlags::ERR,
        )],
    },
    Kind {
        source: "`UnixDatagram`",
        begin: || named("UnixDatagram"),
        states: &[
            ("the peer closes", Link::hang_up, PollFlags::OUT),
            ("the peer shuts down writing", far_writing, PollFlags::OUT),
        ],
    },
    Kind {
        source: STREAM,
        begin: connecting,
        states: &[("connecting", nothing, PollFlags::empty())],
    },
];

fn tcp() -> Link {
    named("TcpStream")
}

/// A socket that was neither bound nor connected.
fn unconnected() -> Link {
    let stream = socket_of_tcp();
    let far = stream.try_clone().unwrap();
    Link::of(
        "a TcpStream without a connection",
        BOTH,
        from_fd(stream),
        far,
    )
}

/// A connection to a port that is taken, so that nobody else can have it, but not listened on.
fn refused() -> Link {
    let port = socket_of_tcp();
    let stream = TcpStream::connect(bound(&port)).unwrap();
    Link::of("a TcpStream that is refused", BOTH, stream, port)
}

/// An attempt to connect that nobody answers: the listener's queue is full.
fn connecting() -> Link {
    let port = socket_of_tcp();
    let address = bound(&port);
    SockRef::from(&port).listen(0).unwrap();
    let mut waiting = Vec::new();
    loop {
        let stream = TcpStream::connect(address).unwrap();
        if !is_ready(&stream, PollFlags::OUT, Duration::from_millis(20)) {
            // As long as the port is open, those before keep their places in the queue, open or not.
            return Link::of("a TcpStream that connects", BOTH, stream, port);
        }
        waiting.push(stream);
        assert!(waiting.len() < 100, "the queue does not become full");
    }
}

fn listener() -> Link {
    let listener = TcpListener::bind(SocketAddr::from(LOOPBACK)).unwrap();
    let peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    Link::of("a TcpListener", Interest::READABLE, listener, peer)
}

const LOOPBACK: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

fn socket_of_tcp() -> OwnedFd {
    Socket::new(Domain::IPV4, Type::STREAM, None)
        .unwrap()
        .into()
}

/// Binds a socket to a port of its own.
fn bound(socket: &OwnedFd) -> SocketAddr {
    let socket = SockRef::from(socket);
    socket.bind(&SocketAddr::from(LOOPBACK).into()).unwrap();
    socket.local_addr().unwrap().as_socket().unwrap()
}

fn from_fd(socket: OwnedFd) -> TcpStream {
    let stream = std::net::TcpStream::from(socket);
    stream.set_nonblocking(true).unwrap();
    TcpStream::from_std(stream)
}

fn reset_and_take(link: &mut Link) {
    reset(link);
    take_error(link);
}

/// The peer turns to itself, and hears nobody else. If it were closed, its port could be somebody else's by then, and a
/// process that another case has started may have a copy of it.
fn send_to_nobody(link: &mut Link) {
    let far = link.far();
    let far = SockRef::from(&far);
    far.connect(&far.local_addr().unwrap()).unwrap();
    link.near.write(b"x").unwrap();
}

fn send_to_nobody_and_take(link: &mut Link) {
    send_to_nobody(link);
    wait_for(link.near.fd(), PollFlags::ERR);
    take_error(link);
}

fn take_error(link: &Link) {
    let error = SockRef::from(&link.near.fd()).take_error().unwrap();
    error.expect("there is one");
}

/// Sends TCP's out-of-band byte.
fn urge(link: &mut Link) {
    SockRef::from(&link.far()).send_out_of_band(b"!").unwrap();
}

near!(
    TcpListener,
    |_, _| panic!("nobody reads from a listener"),
    |_, _| panic!("nobody writes to a listener")
);
