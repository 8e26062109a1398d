//! What is particular to AFD: polls that the kernel still has when their sources or their queue go, and packets that are
//! no events.

#![cfg(all(windows, feature = "net"))]

#[cfg(feature = "os-ext")]
mod bare;
mod handles;
#[cfg(feature = "os-ext")]
mod unix;

use std::io::{ErrorKind, Read, Write};
use std::net::{self, Shutdown};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream, UdpSocket};
use mio::{Events, Interest, Poll, Token, Trigger, Waker};

const PATIENCE: Duration = Duration::from_secs(30);
const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

fn pair() -> (TcpStream, net::TcpStream) {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let (peer, _) = listener.accept().unwrap();
    (TcpStream::from_std(stream), peer)
}

fn udp() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0".parse().unwrap()).unwrap()
}

/// A server and a client in one loop, with edges, until everything has come back.
#[test]
fn echo() {
    const LISTENER: Token = Token(0);
    const SERVER: Token = Token(1);
    const CLIENT: Token = Token(usize::MAX);
    const AMOUNT: usize = 3_000_000;

    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(16);
    let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)
        .unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    poll.registry().register(&mut client, CLIENT, BOTH).unwrap();

    let mut server: Option<TcpStream> = None;
    let mut held = Vec::new();
    let (mut sent, mut received) = (0, 0);
    let mut buffer = vec![0; 1 << 16];
    while received < AMOUNT {
        poll.poll(&mut events, Some(PATIENCE)).unwrap();
        assert!(!events.is_empty(), "{sent} sent, {received} received");
        for event in &events {
            match event.token() {
                LISTENER => {
                    let (mut stream, _) = listener.accept().unwrap();
                    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
                    poll.registry().register(&mut stream, SERVER, BOTH).unwrap();
                    server = Some(stream);
                }
                SERVER => {
                    let server = server.as_mut().unwrap();
                    loop {
                        if held.is_empty() {
                            match server.read(&mut buffer) {
                                Ok(n) => held.extend_from_slice(&buffer[..n]),
                                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                                Err(error) => panic!("{error}"),
                            }
                        }
                        match server.write(&held) {
                            Ok(n) => drop(held.drain(..n)),
                            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
                CLIENT => {
                    while sent < AMOUNT {
                        let end = (sent + buffer.len()).min(AMOUNT);
                        let bytes: Vec<u8> = (sent..end).map(|at| at as u8).collect();
                        match client.write(&bytes) {
                            Ok(n) => sent += n,
                            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                            // Not connected yet.
                            Err(error) if error.kind() == ErrorKind::NotConnected => break,
                            Err(error) => panic!("{error}"),
                        }
                    }
                    loop {
                        match client.read(&mut buffer) {
                            Ok(n) => {
                                for (at, byte) in buffer[..n].iter().enumerate() {
                                    assert_eq!(*byte, (received + at) as u8);
                                }
                                received += n;
                            }
                            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                            Err(error) if error.kind() == ErrorKind::NotConnected => break,
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(received, AMOUNT);
}

#[test]
fn a_waker_ends_a_poll() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    let waker = Arc::new(Waker::new(poll.registry(), Token(7)).unwrap());
    for _ in 0..1_000 {
        let waker = Arc::clone(&waker);
        let thread = thread::spawn(move || waker.wake().unwrap());
        poll.poll(&mut events, Some(PATIENCE)).unwrap();
        let tokens: Vec<Token> = events.iter().map(|event| event.token()).collect();
        assert_eq!(tokens, [Token(7)]);
        thread.join().unwrap();
    }
}

/// The packet of a waker that is gone cannot be taken back, and must mean nothing.
#[test]
fn a_wake_goes_with_its_waker() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    let waker = Waker::new(poll.registry(), Token(1)).unwrap();
    waker.wake().unwrap();
    drop(waker);
    let other = Waker::new(poll.registry(), Token(2)).unwrap();
    let start = Instant::now();
    poll.poll(&mut events, Some(Duration::from_millis(20)))
        .unwrap();
    assert!(events.is_empty());
    assert!(start.elapsed() >= Duration::from_millis(20));
    other.wake().unwrap();
    poll.poll(&mut events, Some(PATIENCE)).unwrap();
    assert_eq!(events.iter().next().unwrap().token(), Token(2));
}

/// Packets of polls that were cancelled keep coming while a poll of the queue waits.
#[test]
fn packets_that_are_no_events_do_not_end_a_poll() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    let over = Arc::new(AtomicBool::new(false));
    let churn = {
        let registry = poll.registry().try_clone().unwrap();
        let over = Arc::clone(&over);
        thread::spawn(move || {
            let mut socket = udp();
            let mut rounds = 0;
            while !over.load(Ordering::Relaxed) {
                registry
                    .register(&mut socket, Token(3), Interest::READABLE)
                    .unwrap();
                registry.deregister(&mut socket).unwrap();
                rounds += 1;
            }
            rounds
        })
    };
    for timeout in [1, 30, 100] {
        let timeout = Duration::from_millis(timeout);
        let start = Instant::now();
        poll.poll(&mut events, Some(timeout)).unwrap();
        assert!(events.is_empty(), "{events:?}");
        assert!(start.elapsed() >= timeout);
    }
    over.store(true, Ordering::Relaxed);
    assert!(churn.join().unwrap() > 0);
}

/// Thousands of sources go while the kernel has a poll of theirs, on several threads, with another one polling.
#[test]
fn sources_dropped_in_flight() {
    const ROUNDS: usize = 2_500;
    const THREADS: usize = 4;

    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(64);
    let waker = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
    let threads: Vec<_> = (1..=THREADS)
        .map(|token| {
            let registry = poll.registry().try_clone().unwrap();
            thread::spawn(move || {
                for round in 0..ROUNDS {
                    let mut socket = udp();
                    let interest = [Interest::READABLE, Interest::WRITABLE, BOTH][round % 3];
                    registry
                        .register(&mut socket, Token(token), interest)
                        .unwrap();
                    if round % 2 == 0 {
                        socket.send_to(b"x", socket.local_addr().unwrap()).unwrap();
                    }
                    if round % 5 == 0 {
                        registry.deregister(&mut socket).unwrap();
                    }
                }
            })
        })
        .collect();
    let watcher = {
        let waker = Arc::clone(&waker);
        thread::spawn(move || {
            threads.into_iter().for_each(|it| it.join().unwrap());
            waker.wake().unwrap();
        })
    };
    'polling: loop {
        poll.poll(&mut events, Some(PATIENCE)).unwrap();
        for event in &events {
            assert!(event.token().0 <= THREADS);
            if event.token() == Token(0) {
                break 'polling;
            }
        }
    }
    watcher.join().unwrap();
    for _ in 0..3 {
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
    }
    assert!(events.is_empty(), "{events:?}");
}

/// The queue goes first, with polls in the kernel. Then its sources go, or are used with another one.
#[test]
fn queue_dropped_in_flight() {
    for round in 0..200 {
        let mut sockets: Vec<UdpSocket> = (0..40).map(|_| udp()).collect();
        let poll = Poll::new().unwrap();
        for (token, socket) in sockets.iter_mut().enumerate() {
            poll.registry()
                .register(socket, Token(token), Interest::READABLE)
                .unwrap();
        }
        let registry = (round % 2 == 0).then(|| poll.registry().try_clone().unwrap());
        drop(poll);
        if round % 3 == 0 {
            sockets.truncate(20);
        }
        drop(registry);

        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(64);
        let socket = &mut sockets[0];
        assert_eq!(
            socket.recv(&mut [0]).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
        poll.registry()
            .register(socket, Token(99), Interest::READABLE)
            .unwrap();
        socket.send_to(b"x", socket.local_addr().unwrap()).unwrap();
        poll.poll(&mut events, Some(PATIENCE)).unwrap();
        assert_eq!(events.iter().next().unwrap().token(), Token(99));
    }
}

/// Blocking in one direction does not ask for the other one, also if both block before the next poll.
#[test]
fn directions_are_asked_for_by_themselves() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    let (mut stream, mut peer) = pair();
    poll.registry()
        .register(&mut stream, Token(1), BOTH)
        .unwrap();
    poll.poll(&mut events, Some(PATIENCE)).unwrap();
    assert!(events.iter().next().unwrap().is_writable());

    for _ in 0..3 {
        let blocked = stream.read(&mut [0]).unwrap_err();
        assert_eq!(blocked.kind(), ErrorKind::WouldBlock);
        peer.write_all(b"x").unwrap();
        poll.poll(&mut events, Some(PATIENCE)).unwrap();
        let event = events.iter().next().unwrap();
        assert!(event.is_readable() && !event.is_writable(), "{event:?}");
        assert_eq!(stream.read(&mut [0; 2]).unwrap(), 1);
    }
    let _ = stream.read(&mut [0]).unwrap_err();
    while stream.write(&[0; 1 << 16]).is_ok() {}
    poll.poll(&mut events, Some(Duration::from_millis(20)))
        .unwrap();
    assert!(events.is_empty(), "{events:?}");
    peer.write_all(b"x").unwrap();
    poll.poll(&mut events, Some(PATIENCE)).unwrap();
    assert!(events.iter().next().unwrap().is_readable());
    let reader = thread::spawn(move || std::io::copy(&mut peer, &mut std::io::sink()).unwrap());
    poll.poll(&mut events, Some(PATIENCE)).unwrap();
    assert!(events.iter().next().unwrap().is_writable());
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(reader.join().unwrap() > 0);
}

/// An answer that lay about for a while is no level any more.
#[test]
fn a_level_that_is_over_is_silent() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    let mut socket = udp();
    let address = socket.local_addr().unwrap();
    poll.registry()
        .with_trigger(Trigger::Level)
        .register(&mut socket, Token(1), Interest::READABLE)
        .unwrap();
    for _ in 0..10 {
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty(), "{events:?}");
        socket.send_to(b"x", address).unwrap();
        // The kernel has answered by now, or will before it matters.
        while socket.recv(&mut [0]).is_err() {}
        poll.poll(&mut events, Some(Duration::from_millis(5)))
            .unwrap();
        assert!(events.is_empty(), "{events:?}");
    }
}
