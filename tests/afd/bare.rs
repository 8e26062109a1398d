//! Sockets that the queue knows by their number alone.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::os::windows::io::{AsRawSocket, RawSocket};
use std::time::{Duration, Instant};

use mio::windows::SourceSocket;
use mio::{Events, Interest, Poll, Registry, Token, Trigger};

use super::{BOTH, PATIENCE};

const TOKEN: Token = Token(5);
/// Twice as long as the longest pause.
const QUIET: Duration = Duration::from_millis(8);

fn socket() -> (UdpSocket, RawSocket) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(socket.local_addr().unwrap()).unwrap();
    socket.set_nonblocking(true).unwrap();
    let raw = socket.as_raw_socket();
    (socket, raw)
}

fn register(registry: &Registry, raw: RawSocket, interest: Interest) {
    registry
        .register(&mut SourceSocket(&raw), TOKEN, interest)
        .unwrap();
}

/// Polls until there is a readable event.
fn await_readable(poll: &mut Poll, events: &mut Events) {
    let end = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < end, "no event");
        poll.poll(events, Some(PATIENCE)).unwrap();
        assert!(events.iter().all(|event| event.token() == TOKEN));
        if events.iter().any(|event| event.is_readable()) {
            return;
        }
    }
}

fn drain(socket: &UdpSocket) -> usize {
    let datagrams = std::iter::from_fn(|| socket.recv(&mut [0; 8]).ok());
    datagrams.count()
}

#[test]
fn edges_come_again_and_again() {
    for interest in [Interest::READABLE, BOTH] {
        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(8);
        let (socket, raw) = socket();
        register(poll.registry(), raw, interest);
        for _ in 0..100 {
            socket.send(b"x").unwrap();
            await_readable(&mut poll, &mut events);
            assert_eq!(drain(&socket), 1);
        }
    }
}

/// What was not drained is said again; how often is limited.
#[test]
fn an_idle_socket_does_not_spin() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    let (_socket, raw) = socket();
    register(poll.registry(), raw, Interest::WRITABLE);
    let start = Instant::now();
    let mut reports = 0;
    while reports < 5 || start.elapsed() < Duration::from_millis(200) {
        assert!(start.elapsed() < PATIENCE, "{reports}");
        poll.poll(&mut events, Some(Duration::from_millis(50)))
            .unwrap();
        reports += events.iter().count();
    }
    // One at once, one more, then after 1, 2, and every 4 ms; fewer if the machine has much else to do.
    assert!(reports <= 60, "{reports}");
}

/// A socket that was seen empty does not wait for the end of a pause.
#[test]
fn a_new_edge_is_not_late() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    let (socket, raw) = socket();
    register(poll.registry(), raw, Interest::READABLE);
    // A pause would hold up every attempt; other work of the machine does not.
    let deadline = Instant::now() + PATIENCE;
    let mut best = Duration::MAX;
    while best >= Duration::from_millis(1) {
        assert!(Instant::now() < deadline, "{best:?} at best");
        // Grows the pause, then lets it be seen empty.
        socket.send(b"x").unwrap();
        for _ in 0..4 {
            await_readable(&mut poll, &mut events);
        }
        drain(&socket);
        while {
            poll.poll(&mut events, Some(QUIET)).unwrap();
            !events.is_empty()
        } {}
        let start = Instant::now();
        socket.send(b"x").unwrap();
        await_readable(&mut poll, &mut events);
        best = best.min(start.elapsed());
        drain(&socket);
    }
}

#[test]
fn other_triggers_are_exact() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    let (socket, raw) = socket();
    for trigger in [Trigger::Level, Trigger::Oneshot, Trigger::EdgeOneshot] {
        let registry = poll.registry().with_trigger(trigger);
        register(&registry, raw, Interest::READABLE);
        for _ in 0..3 {
            socket.send(b"x").unwrap();
            await_readable(&mut poll, &mut events);
            if trigger == Trigger::Level {
                await_readable(&mut poll, &mut events);
            } else {
                poll.poll(&mut events, Some(QUIET)).unwrap();
                assert!(events.is_empty(), "{trigger:?}: {events:?}");
            }
            assert_eq!(drain(&socket), 1);
            poll.poll(&mut events, Some(QUIET)).unwrap();
            assert!(events.is_empty(), "{trigger:?}: {events:?}");
            registry
                .reregister(&mut SourceSocket(&raw), TOKEN, Interest::READABLE)
                .unwrap();
        }
        registry.deregister(&mut SourceSocket(&raw)).unwrap();
    }
}

#[test]
fn silent_after_deregistration() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    let (socket, raw) = socket();
    for round in 0..20 {
        register(poll.registry(), raw, BOTH);
        if round % 2 == 0 {
            socket.send(b"x").unwrap();
            await_readable(&mut poll, &mut events);
        }
        poll.registry().deregister(&mut SourceSocket(&raw)).unwrap();
        poll.poll(&mut events, Some(QUIET)).unwrap();
        assert!(events.is_empty(), "{events:?}");
    }
}

#[test]
fn mistakes_are_errors() {
    let poll = Poll::new().unwrap();
    let registry = poll.registry();
    let (socket, raw) = socket();
    let source = &mut SourceSocket(&raw);
    let kind = |result: std::io::Result<()>| result.unwrap_err().kind();
    let unknown = registry.reregister(source, TOKEN, BOTH);
    assert_eq!(kind(unknown), ErrorKind::NotFound);
    assert_eq!(kind(registry.deregister(source)), ErrorKind::NotFound);
    registry.register(source, TOKEN, BOTH).unwrap();
    let again = registry.register(source, TOKEN, BOTH);
    assert_eq!(kind(again), ErrorKind::AlreadyExists);
    registry.deregister(source).unwrap();
    drop(socket);
    for number in [raw, 0, 3, RawSocket::MAX] {
        let closed = registry.register(&mut SourceSocket(&number), TOKEN, BOTH);
        assert_eq!(closed.unwrap_err().raw_os_error(), Some(10038), "{number}");
    }
}

/// The number is another socket's by the time at which the queue learns that the old one was closed.
#[test]
fn a_socket_is_not_taken_for_the_next_one_of_its_number() {
    let mut events = Events::with_capacity(8);
    let mut same = 0;
    for _ in 0..50 {
        for trigger in [Trigger::Edge, Trigger::Level] {
            let mut poll = Poll::new().unwrap();
            let registry = poll.registry().with_trigger(trigger);
            let (old, raw) = socket();
            register(&registry, raw, Interest::READABLE);
            poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
            assert!(events.is_empty(), "{events:?}");
            drop(old);
            let (next, number) = socket();
            next.send(b"x").unwrap();
            poll.poll(&mut events, Some(Duration::from_millis(2)))
                .unwrap();
            assert!(events.is_empty(), "{trigger:?}: {events:?}");
            // Nothing is left of the old one.
            register(&registry, number, Interest::READABLE);
            await_readable(&mut poll, &mut events);
            same += usize::from(number == raw);
        }
    }
    assert!(same > 0, "no number was used again");
}

/// Closed without a word: no token comes any more, and the number can be used again.
#[test]
fn closed_without_deregistering() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    for _ in 0..50 {
        let (socket, raw) = socket();
        register(poll.registry(), raw, Interest::READABLE);
        drop(socket);
        poll.poll(&mut events, Some(Duration::from_millis(2)))
            .unwrap();
        assert!(events.is_empty(), "{events:?}");
    }
}
