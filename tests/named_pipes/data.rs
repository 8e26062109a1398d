//! Reading and writing.

use std::io::{ErrorKind, Read, Write};

use mio::event::Event;
use mio::{Interest, Trigger};

use crate::bed::{message_server, name, open, pattern, Bed, BOTH, CLIENT, SERVER, TRIGGERS};

#[test]
fn a_mebibyte_each_way() {
    for trigger in [Trigger::Edge, Trigger::Level] {
        let mut bed = Bed::new();
        let (server, client) = bed.pair(trigger);
        let sent = pattern(1 << 20);
        for (from, to) in [(&server, &client), (&client, &server)] {
            let (mut written, mut received) = (0, Vec::new());
            let mut buffer = [0; 5000];
            while received.len() < sent.len() {
                let mut idle = true;
                if written < sent.len() {
                    match (&mut &*from).write(&sent[written..]) {
                        Ok(n) => {
                            written += n;
                            idle = false;
                        }
                        Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                    }
                }
                match (&mut &*to).read(&mut buffer) {
                    Ok(n) => {
                        assert_ne!(n, 0);
                        received.extend_from_slice(&buffer[..n]);
                        idle = false;
                    }
                    Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                }
                if idle {
                    bed.turn(crate::bed::PATIENCE);
                }
            }
            assert_eq!(received, sent);
        }
    }
}

#[test]
fn reading_in_small_pieces() {
    let mut bed = Bed::new();
    let (server, client) = bed.pair(Trigger::Edge);
    let sent = pattern(10_000);
    bed.write_all(&client, &sent);
    let mut received = Vec::new();
    while received.len() < sent.len() {
        let mut byte = [0; 3];
        let n = bed.until(|| (&server).read(&mut byte)).unwrap();
        received.extend_from_slice(&byte[..n]);
    }
    assert_eq!(received, sent);
    assert_eq!(
        (&server).read(&mut [0; 1]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
}

/// A write that the other end does not read goes on, and the next one has to wait.
#[test]
fn a_write_in_progress_blocks_the_next() {
    let mut bed = Bed::new();
    let (server, client) = bed.pair(Trigger::Edge);
    let mut written = 0;
    let chunk = pattern(50_000);
    loop {
        match (&client).write(&chunk) {
            Ok(n) => written += n,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                break;
            }
        }
        assert!(written < 100 << 20, "it is never full");
    }
    bed.turn(crate::bed::SILENCE);
    assert_eq!(
        (&client).write(&chunk).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    bed.read_exact(&server, written);
    bed.expect(CLIENT, Event::is_writable);
    bed.write_all(&client, b"more");
    assert_eq!(bed.read_exact(&server, 4), b"more");
}

#[test]
fn edges_come_again_and_again() {
    let mut bed = Bed::new();
    let (server, client) = bed.pair(Trigger::Edge);
    for round in 0..50_u8 {
        assert_eq!(
            (&server).read(&mut [0; 16]).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
        bed.write_all(&client, &[round]);
        bed.expect(SERVER, Event::is_readable);
        let mut buffer = [0; 16];
        assert_eq!((&server).read(&mut buffer).unwrap(), 1);
        assert_eq!(buffer[0], round);
    }
}

/// What is read to its end is waited for again, also if nobody has asked once more and been told that it would block.
#[test]
fn a_read_for_each_event_is_enough() {
    let mut bed = Bed::new();
    let (server, client) = bed.pair(Trigger::Edge);
    bed.turn(crate::bed::SILENCE);
    let mut buffer = [0; 4096];
    for round in 0..50_u8 {
        let sent = pattern(1 + usize::from(round) * 80);
        let times = 1 + usize::from(round % 2);
        for _ in 0..times {
            // What comes while the rest is read is an event as well.
            bed.write_all(&client, &sent);
        }
        let mut received = Vec::new();
        while received.len() < sent.len() * times {
            bed.expect(SERVER, Event::is_readable);
            let n = (&server).read(&mut buffer).unwrap();
            received.extend_from_slice(&buffer[..n]);
        }
        assert_eq!(received, sent.repeat(times));
    }
}

#[test]
fn levels_last_as_long_as_there_is_data() {
    let mut bed = Bed::new();
    let (mut server, client) = bed.pair(Trigger::Level);
    let level = bed.registry().with_trigger(Trigger::Level);
    level
        .reregister(&mut server, SERVER, Interest::READABLE)
        .unwrap();
    bed.write_all(&client, &pattern(10_000));
    for _ in 0..5 {
        let event = bed.expect(SERVER, Event::is_readable);
        assert!(!event.is_writable());
    }
    // Some of it is left, in the buffer and in the system.
    bed.read_exact(&server, 1_000);
    bed.expect(SERVER, Event::is_readable);
    bed.expect(SERVER, Event::is_readable);
    bed.read_exact(&server, 9_000);
    for _ in 0..5 {
        for event in bed.turn(crate::bed::SILENCE) {
            assert_ne!(event.token(), SERVER, "{event:?}");
        }
    }
    bed.write_all(&client, b"x");
    bed.expect(SERVER, Event::is_readable);
}

#[test]
fn levels_of_writing() {
    let mut bed = Bed::new();
    let (_server, mut client) = bed.pair(Trigger::Level);
    let level = bed.registry().with_trigger(Trigger::Level);
    level
        .reregister(&mut client, CLIENT, Interest::WRITABLE)
        .unwrap();
    for _ in 0..5 {
        let event = bed.expect(CLIENT, Event::is_writable);
        assert!(!event.is_readable());
    }
    while (&client).write(&[0; 50_000]).is_ok() {}
    for _ in 0..5 {
        for event in bed.turn(crate::bed::SILENCE) {
            assert_ne!(event.token(), CLIENT, "{event:?}");
        }
    }
}

#[test]
fn oneshots_report_once() {
    for trigger in [Trigger::Oneshot, Trigger::EdgeOneshot] {
        let mut bed = Bed::new();
        let (mut server, mut client) = bed.pair(trigger);
        bed.registry().deregister(&mut client).unwrap();
        bed.turn(crate::bed::SILENCE);
        let registry = bed.registry().with_trigger(trigger);
        for round in 0..5 {
            registry
                .reregister(&mut server, SERVER, Interest::READABLE)
                .unwrap();
            bed.expect_silence();
            bed.write_all(&client, b"1");
            let event = bed.expect(SERVER, Event::is_readable);
            assert!(!event.is_writable());
            if round % 2 == 0 {
                // Still there: it is reported to the next registration, and to that only.
                registry
                    .reregister(&mut server, SERVER, Interest::READABLE)
                    .unwrap();
                bed.expect(SERVER, Event::is_readable);
            }
            bed.read_exact(&server, 1);
            assert_eq!(
                (&server).read(&mut [0; 4]).unwrap_err().kind(),
                ErrorKind::WouldBlock
            );
            bed.write_all(&client, b"2");
            bed.expect_silence();
            bed.read_exact(&server, 1);
        }
    }
}

#[test]
fn interests_are_kept() {
    for trigger in TRIGGERS {
        let mut bed = Bed::new();
        let (mut server, client) = bed.pair(trigger);
        let registry = bed.registry().with_trigger(trigger);
        bed.write_all(&client, b"data");
        registry
            .reregister(&mut server, SERVER, Interest::WRITABLE)
            .unwrap();
        let event = bed.expect(SERVER, Event::is_writable);
        assert!(!event.is_readable());
        registry
            .reregister(&mut server, SERVER, Interest::READABLE)
            .unwrap();
        let event = bed.expect(SERVER, Event::is_readable);
        assert!(!event.is_writable());
    }
}

#[test]
fn messages_stay_apart() {
    for trigger in [Trigger::Edge, Trigger::Level] {
        let mut bed = Bed::new();
        let name = name();
        let mut server = message_server(&name);
        let mut client = open(&name).unwrap();
        let registry = bed.registry().with_trigger(trigger);
        registry.register(&mut server, SERVER, BOTH).unwrap();
        registry.register(&mut client, CLIENT, BOTH).unwrap();
        server.connect().unwrap();
        for n in [1, 17, 4096, 1, 100] {
            bed.write_all(&client, &pattern(n));
        }
        for n in [1, 17, 4096, 1, 100] {
            let mut buffer = [0; 8192];
            let read = bed.until(|| (&server).read(&mut buffer)).unwrap();
            assert_eq!(&buffer[..read], pattern(n), "{trigger:?}");
        }
    }
}

/// `ERROR_MORE_DATA`: the rest comes with the next reads.
#[test]
fn messages_longer_than_the_buffers() {
    let mut bed = Bed::new();
    let name = name();
    let mut server = message_server(&name);
    let mut client = open(&name).unwrap();
    bed.registry().register(&mut server, SERVER, BOTH).unwrap();
    bed.registry().register(&mut client, CLIENT, BOTH).unwrap();
    server.connect().unwrap();
    for n in [4_097, 10_000, 200_000, 300_000] {
        let sent = pattern(n);
        let mut write = Some(&sent[..]);
        let mut received = Vec::new();
        let mut buffer = [0; 3_000];
        while received.len() < n {
            if let Some(message) = write {
                match (&client).write(message) {
                    // A message is never split.
                    Ok(written) => {
                        assert_eq!(written, n);
                        write = None;
                    }
                    Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                }
            }
            let read = bed.until(|| (&server).read(&mut buffer)).unwrap();
            received.extend_from_slice(&buffer[..read]);
        }
        assert_eq!(received, sent);
    }
    bed.write_all(&client, b"next");
    let mut buffer = [0; 16];
    let read = bed.until(|| (&server).read(&mut buffer)).unwrap();
    assert_eq!(&buffer[..read], b"next");
}

#[test]
fn empty_reads_and_writes() {
    let mut bed = Bed::new();
    let (server, client) = bed.pair(Trigger::Edge);
    assert_eq!((&client).write(b"").unwrap(), 0);
    assert_eq!((&server).read(&mut []).unwrap(), 0);
    bed.write_all(&client, b"x");
    assert_eq!(bed.read_exact(&server, 1), b"x");
}
