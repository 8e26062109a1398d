//! Events of writes, above all of those that are over at once: who waits for one after each write must not wait for
//! ever.

use std::io::Write;

use mio::event::Event;
use mio::windows::NamedPipe;
use mio::{Interest, Token, Trigger};

use crate::bed::{ends, message_server, name, open, Bed, BOTH, CLIENT, PATIENCE, SERVER, SILENCE};

const WRITER: Token = Token(3);
const RENAMED: Token = Token(4);

/// The server's end and the client's end of a pipe of bytes, each with the other one. That is not registered, so what
/// comes is the writer's.
fn byte_writers() -> [(NamedPipe, NamedPipe); 2] {
    [ends(), turned(ends())]
}

/// The same of a pipe of messages.
fn message_writers() -> [(NamedPipe, NamedPipe); 2] {
    let ends = || {
        let name = name();
        (message_server(&name), open(&name).unwrap())
    };
    [ends(), turned(ends())]
}

fn turned<A, B>((a, b): (A, B)) -> (B, A) {
    (b, a)
}

/// The next poll has one event, of the writer, which is writable and nothing else.
#[track_caller]
fn expect_writable(bed: &mut Bed, token: Token) {
    let events = bed.turn(PATIENCE);
    assert_eq!(events.len(), 1, "{events:?}");
    let event = &events[0];
    assert!(event.token() == token && event.is_writable(), "{event:?}");
    let more = event.is_readable() || event.is_write_closed() || event.is_error();
    assert!(!more, "{event:?}");
}

#[test]
fn each_write_is_an_edge() {
    for (mut writer, _reader) in byte_writers().into_iter().chain(message_writers()) {
        let mut bed = Bed::new();
        let registry = bed.registry().try_clone().unwrap();
        registry.register(&mut writer, WRITER, BOTH).unwrap();
        expect_writable(&mut bed, WRITER);
        for interest in [BOTH, Interest::WRITABLE] {
            registry.reregister(&mut writer, WRITER, interest).unwrap();
            expect_writable(&mut bed, WRITER);
            for _ in 0..20 {
                assert_eq!(writer.write(b"data").unwrap(), 4);
                expect_writable(&mut bed, WRITER);
            }
            bed.expect_silence();
        }
        let readable = Interest::READABLE;
        registry.reregister(&mut writer, WRITER, readable).unwrap();
        assert_eq!(writer.write(b"data").unwrap(), 4);
        bed.expect_silence();
    }
}

/// The next write needs no event, and what came before a poll is one.
#[test]
fn several_writes_are_one_edge() {
    for (mut writer, mut reader) in byte_writers() {
        let mut bed = Bed::new();
        let registry = bed.registry().try_clone().unwrap();
        registry.register(&mut writer, WRITER, BOTH).unwrap();
        for _ in 0..3 {
            for piece in ["one", "", "three"] {
                assert_eq!(writer.write(piece.as_bytes()).unwrap(), piece.len());
            }
            expect_writable(&mut bed, WRITER);
            bed.expect_silence();
        }
        // No bytes are written at once, too.
        assert_eq!(writer.write(b"").unwrap(), 0);
        expect_writable(&mut bed, WRITER);
        bed.expect_silence();

        registry.deregister(&mut writer).unwrap();
        registry
            .register(&mut reader, CLIENT, Interest::READABLE)
            .unwrap();
        assert_eq!(bed.read_exact(&reader, 24), b"onethree".repeat(3));
    }
}

#[test]
fn levels_and_oneshots_keep_their_meaning() {
    for (mut writer, _reader) in byte_writers().into_iter().chain(message_writers()) {
        let mut bed = Bed::new();
        let registry = bed.registry().with_trigger(Trigger::Level);
        registry.register(&mut writer, WRITER, BOTH).unwrap();
        for _ in 0..5 {
            expect_writable(&mut bed, WRITER);
            assert_eq!(writer.write(b"data").unwrap(), 4);
        }
        for trigger in [Trigger::Oneshot, Trigger::EdgeOneshot] {
            let registry = bed.registry().with_trigger(trigger);
            registry.reregister(&mut writer, WRITER, BOTH).unwrap();
            expect_writable(&mut bed, WRITER);
            assert_eq!(writer.write(b"data").unwrap(), 4);
            bed.expect_silence();
            registry.reregister(&mut writer, WRITER, BOTH).unwrap();
            expect_writable(&mut bed, WRITER);
        }
    }
}

/// The token of a registration that has ended is not seen again, though its event was on the way.
#[test]
fn what_ends_after_a_write_is_silent() {
    for (mut writer, _reader) in byte_writers().into_iter().chain(message_writers()) {
        let mut bed = Bed::new();
        let registry = bed.registry().try_clone().unwrap();
        registry.register(&mut writer, WRITER, BOTH).unwrap();
        expect_writable(&mut bed, WRITER);

        assert_eq!(writer.write(b"data").unwrap(), 4);
        registry.reregister(&mut writer, RENAMED, BOTH).unwrap();
        expect_writable(&mut bed, RENAMED);
        bed.expect_silence();

        assert_eq!(writer.write(b"data").unwrap(), 4);
        registry.deregister(&mut writer).unwrap();
        bed.expect_silence();
        registry.register(&mut writer, WRITER, BOTH).unwrap();
        expect_writable(&mut bed, WRITER);

        assert_eq!(writer.write(b"data").unwrap(), 4);
        drop(writer);
        bed.expect_silence();
    }
}

/// A write in progress is one event when it is over, not one when it begins.
#[test]
fn a_write_that_goes_on_is_an_edge_when_it_is_over() {
    for (mut writer, mut reader) in byte_writers() {
        let mut bed = Bed::new();
        let registry = bed.registry().try_clone().unwrap();
        registry
            .register(&mut writer, WRITER, Interest::WRITABLE)
            .unwrap();
        let mut written = 0;
        while let Ok(n) = writer.write(&[1; 50_000]) {
            written += n;
            assert!(written < 100 << 20, "it is never full");
        }
        // Of those before the last one there may be an event.
        bed.turn(SILENCE);
        bed.expect_silence();
        writer.write(b"more").unwrap_err();
        registry
            .register(&mut reader, CLIENT, Interest::READABLE)
            .unwrap();
        bed.read_exact(&reader, written);
        bed.expect(WRITER, Event::is_writable);
        assert_eq!(writer.write(b"more").unwrap(), 4);
        assert_eq!(bed.read_exact(&reader, 4), b"more");
    }
}

/// A server that never calls `connect`, and speaks first.
#[test]
fn a_write_finds_a_client() {
    for trigger in [Trigger::Edge, Trigger::Level] {
        for (messages, interest) in [
            (false, BOTH),
            (true, BOTH),
            (false, Interest::READABLE),
            (true, Interest::READABLE),
        ] {
            let mut bed = Bed::new();
            let name = name();
            let mut server = match messages {
                true => message_server(&name),
                false => NamedPipe::new(&name).unwrap(),
            };
            let registry = bed.registry().with_trigger(trigger);
            registry.register(&mut server, SERVER, interest).unwrap();
            server.write(b"x").unwrap_err();
            bed.expect_silence();

            let mut client = open(&name).unwrap();
            assert_eq!(server.write(b"hello").unwrap(), 5);
            if interest.is_writable() {
                expect_writable(&mut bed, SERVER);
            } else {
                bed.expect_silence();
            }
            registry
                .register(&mut client, CLIENT, Interest::READABLE)
                .unwrap();
            assert_eq!(bed.read_exact(&client, 5), b"hello");
            assert_eq!(client.write(b"data").unwrap(), 4);
            // Nobody has tried to read there yet.
            bed.expect(SERVER, Event::is_readable);
            assert_eq!(bed.read_exact(&server, 4), b"data");
        }
    }
}
