//! No descriptor is left while connections wait: the error surfaces, nothing spins, and the loop goes on when there are
//! descriptors again.
//!
//! Rests on accept(2): `EMFILE` leaves the connection in the backlog.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::TcpStream as Client;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream, UdpSocket, UnixStream};
use mio::{Events, Interest, Poll, Token, Trigger, Waker};
use rustix::io::{fcntl_dupfd_cloexec, Errno};

use crate::common::{in_child, limit_descriptors, on_each_backend, open, PATIENCE};

const LIMIT: u64 = 64;

/// Connections that wait.
const WAITING: usize = 8;

#[test]
fn of_descriptors_during_accept() {
    in_child("exhaustion::of_descriptors_during_accept", || {
        limit_descriptors(LIMIT);
        on_each_backend(|mut poll| {
            for trigger in [Trigger::Edge, Trigger::Level] {
                scenario(&mut poll, trigger);
            }
        });
    });
}

fn scenario(poll: &mut Poll, trigger: Trigger) {
    let mut events = Events::with_capacity(4);
    let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let registry = poll.registry().with_trigger(trigger);
    registry
        .register(&mut listener, Token(1), Interest::READABLE)
        .unwrap();
    let clients: Vec<Client> = (0..WAITING)
        .map(|_| Client::connect(address).unwrap())
        .collect();
    let hoard = hoard();

    await_token(poll, &mut events, Token(1));
    for _ in 0..3 {
        no_descriptor(listener.accept());
    }
    others_fail_alike(poll);
    quiet(poll, &mut events, trigger);

    // One comes back: one connection is accepted, then there is none again.
    let mut hoard = hoard.into_iter();
    drop(hoard.next());
    let first = listener.accept().unwrap();
    no_descriptor(listener.accept());
    quiet(poll, &mut events, trigger);

    // All come back. There was no new edge, but who has seen the error knows that there is more.
    drop(hoard);
    let mut accepted = vec![first];
    loop {
        match listener.accept() {
            Ok(connection) => accepted.push(connection),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(accepted.len(), WAITING);
    drop((accepted, clients));

    // It is an ordinary listener again.
    let _client = Client::connect(address).unwrap();
    await_token(poll, &mut events, Token(1));
    listener.accept().unwrap();
}

/// Takes all descriptors that are left.
fn hoard() -> Vec<OwnedFd> {
    let null = File::open("/dev/null").unwrap();
    let mut hoard = Vec::new();
    loop {
        match fcntl_dupfd_cloexec(&null, 0) {
            Ok(fd) => hoard.push(fd),
            Err(error) => {
                assert_eq!(error, Errno::MFILE);
                hoard.push(null.into());
                return hoard;
            }
        }
    }
}

#[track_caller]
fn no_descriptor<T>(result: io::Result<T>) {
    let error = result.map(drop).unwrap_err();
    let code = Some(Errno::MFILE.raw_os_error());
    assert_eq!(error.raw_os_error(), code, "{error:?}");
}

/// Whatever needs a descriptor says that there is none.
fn others_fail_alike(poll: &Poll) {
    no_descriptor(Poll::builder().backend(poll.backend()).build());
    no_descriptor(TcpStream::connect("127.0.0.1:1".parse().unwrap()));
    no_descriptor(TcpListener::bind("127.0.0.1:0".parse().unwrap()));
    no_descriptor(UdpSocket::bind("127.0.0.1:0".parse().unwrap()));
    no_descriptor(UnixStream::pair());
    #[cfg(feature = "os-ext")]
    no_descriptor(mio::unix::pipe::new());
    // With epoll a waker is a descriptor, and there it fails.
    if let Err(error) = Waker::new(poll.registry(), Token(9)) {
        no_descriptor::<()>(Err(error));
    }
}

/// Edges are silent about connections that wait already. A level says so in each poll, as it must.
fn quiet(poll: &mut Poll, events: &mut Events, trigger: Trigger) {
    let start = Instant::now();
    poll.poll(events, Some(Duration::from_millis(20))).unwrap();
    if trigger.is_edge() {
        assert!(events.is_empty(), "it spins: {events:?}");
        assert!(start.elapsed() >= Duration::from_millis(20), "too early");
    } else {
        assert!(!events.is_empty(), "the level still holds");
    }
}

#[track_caller]
fn await_token(poll: &mut Poll, events: &mut Events, token: Token) {
    poll.poll(events, Some(PATIENCE)).unwrap();
    let tokens: Vec<Token> = events.iter().map(|event| event.token()).collect();
    assert_eq!(tokens, [token]);
}

/// The queue that was opened before still works when none can be opened any more, wakers included.
#[test]
fn of_descriptors_does_not_concern_wakers() {
    in_child("exhaustion::of_descriptors_does_not_concern_wakers", || {
        limit_descriptors(LIMIT);
        on_each_backend(|poll| {
            let mut poll = open(poll.backend());
            let mut events = Events::with_capacity(4);
            let waker = Waker::new(poll.registry(), Token(1)).unwrap();
            let _hoard = hoard();
            for _ in 0..3 {
                waker.wake().unwrap();
                await_token(&mut poll, &mut events, Token(1));
            }
        });
    });
}
