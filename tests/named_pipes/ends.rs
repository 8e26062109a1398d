//! The other end goes away.

use std::io::{ErrorKind, Read, Write};

use mio::event::Event;
use mio::{Interest, Trigger};

use crate::bed::{ends, pattern, Bed, BOTH, CLIENT, SERVER, TRIGGERS};

#[test]
fn the_end_comes_after_what_was_sent() {
    for trigger in [Trigger::Edge, Trigger::Level] {
        let mut bed = Bed::new();
        let (server, client) = bed.pair(trigger);
        bed.write_all(&client, b"last words");
        drop(client);
        assert_eq!(bed.read_exact(&server, 10), b"last words");
        for _ in 0..3 {
            let n = bed.until(|| (&server).read(&mut [0; 16])).unwrap();
            assert_eq!(n, 0);
        }
    }
}

#[test]
fn the_end_is_an_event() {
    for trigger in TRIGGERS {
        for server_goes in [true, false] {
            let mut bed = Bed::new();
            let (mut server, mut client) = bed.pair(trigger);
            let (near, far, token) = match server_goes {
                true => (&mut client, server, CLIENT),
                false => (&mut server, client, SERVER),
            };
            let interest = Interest::READABLE;
            let registry = bed.registry().with_trigger(trigger);
            registry.reregister(near, token, interest).unwrap();
            drop(far);
            bed.expect(token, |event| event.is_read_closed() && event.is_readable());
            assert_eq!(near.read(&mut [0; 1]).unwrap(), 0);
        }
    }
}

#[test]
fn writing_to_nobody_fails() {
    for trigger in TRIGGERS {
        let mut bed = Bed::new();
        let (server, client) = bed.pair(trigger);
        drop(client);
        let error = bed.until(|| (&server).write(b"x")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}");
    }
}

/// The error of a write that was in progress is returned by the next one, and is an event.
#[test]
fn the_other_end_dies_during_a_write() {
    let mut bed = Bed::new();
    let (server, client) = bed.pair(Trigger::Edge);
    while (&client).write(&pattern(50_000)).is_ok() {}
    drop(server);
    bed.expect(CLIENT, |event| {
        event.is_writable() && event.is_write_closed()
    });
    let error = (&client).write(b"x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}");
}

/// What a write has taken arrives, though its pipe was dropped.
#[test]
fn dropping_lets_a_write_end() {
    let mut bed = Bed::new();
    let (server, client) = bed.pair(Trigger::Edge);
    let chunk = pattern(50_000);
    let mut sent = Vec::new();
    while let Ok(n) = (&client).write(&chunk) {
        sent.extend_from_slice(&chunk[..n]);
    }
    drop(client);
    let received = bed.read_exact(&server, sent.len());
    assert_eq!(received, sent);
    assert_eq!(bed.until(|| (&server).read(&mut [0; 1])).unwrap(), 0);
}

/// Nobody waits for a pipe that was dropped: the other end notices without a poll.
#[test]
fn dropping_closes_at_once() {
    let mut bed = Bed::new();
    let (mut server, mut client) = ends();
    let other = Bed::new();
    other
        .registry()
        .register(&mut server, SERVER, BOTH)
        .unwrap();
    bed.registry().register(&mut client, CLIENT, BOTH).unwrap();
    assert_eq!(
        server.read(&mut [0; 1]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    drop(server);
    // Only the client's queue is polled.
    assert_eq!(bed.until(|| (&client).read(&mut [0; 1])).unwrap(), 0);
}

#[test]
fn a_disconnected_client_notices() {
    let mut bed = Bed::new();
    let (server, client) = bed.pair(Trigger::Edge);
    bed.write_all(&server, b"unread");
    server.disconnect().unwrap();
    let end = bed.until(|| {
        let mut buffer = [0; 16];
        match (&client).read(&mut buffer) {
            // A read that was in flight may have had it.
            Ok(6) => Err(ErrorKind::WouldBlock.into()),
            other => other,
        }
    });
    // `ERROR_PIPE_NOT_CONNECTED`
    assert_eq!(end.unwrap_err().raw_os_error(), Some(233));
    (&client).write(b"x").unwrap_err();
    // The server's own end says the same.
    assert_eq!(
        bed.until(|| (&server).read(&mut [0; 1]))
            .unwrap_err()
            .raw_os_error(),
        Some(233)
    );
}

/// A client that begins to read when its server has let it go already.
#[test]
fn a_client_that_comes_too_late_notices() {
    for trigger in TRIGGERS {
        for registered_before in [false, true] {
            let mut bed = Bed::new();
            let (server, mut client) = ends();
            let registry = bed.registry().with_trigger(trigger);
            if registered_before {
                registry
                    .register(&mut client, CLIENT, Interest::WRITABLE)
                    .unwrap();
                server.disconnect().unwrap();
                registry
                    .reregister(&mut client, CLIENT, Interest::READABLE)
                    .unwrap();
            } else {
                server.disconnect().unwrap();
                registry
                    .register(&mut client, CLIENT, Interest::READABLE)
                    .unwrap();
            }
            bed.expect(CLIENT, Event::is_readable);
            let error = client.read(&mut [0; 1]).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(233), "{error}");
        }
    }
}
