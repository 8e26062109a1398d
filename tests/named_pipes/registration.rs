//! Registering, and dropping in any order.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::OwnedHandle;
use std::thread;

use mio::event::Event;
use mio::windows::NamedPipe;
use mio::{Interest, Poll, Token, Trigger};
use windows_sys::Win32::Storage::FileSystem::FILE_FLAG_OVERLAPPED;

use crate::bed::{cancel, ends, name, open, pattern, Bed, BOTH, CLIENT, SERVER, SILENCE};

#[test]
fn registered_twice() {
    let bed = Bed::new();
    let mut server = NamedPipe::new(name()).unwrap();
    let registry = bed.registry();
    registry.register(&mut server, SERVER, BOTH).unwrap();
    let error = registry.register(&mut server, SERVER, BOTH).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    registry.deregister(&mut server).unwrap();
    let error = registry.deregister(&mut server).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = registry.reregister(&mut server, SERVER, BOTH).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    registry.register(&mut server, SERVER, BOTH).unwrap();
}

#[test]
fn another_queue_is_an_error() {
    let (first, second) = (Bed::new(), Bed::new());
    let mut server = NamedPipe::new(name()).unwrap();
    let registry = first.registry();
    registry.register(&mut server, SERVER, BOTH).unwrap();
    let other = second.registry();
    let error = other.register(&mut server, SERVER, BOTH).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    for error in [
        other.reregister(&mut server, SERVER, BOTH).unwrap_err(),
        other.deregister(&mut server).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    // The completion port is for good.
    registry.deregister(&mut server).unwrap();
    let error = other.register(&mut server, SERVER, BOTH).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
}

#[test]
fn what_knows_no_overlapped_operations_is_an_error() {
    let bed = Bed::new();
    let file = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
    let mut pipe = NamedPipe::from(OwnedHandle::from(file));
    for _ in 0..2 {
        bed.registry()
            .register(&mut pipe, SERVER, BOTH)
            .unwrap_err();
    }
    assert_eq!(
        pipe.read(&mut [0; 1]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
}

/// Serial ports are used this way. A file does as well: it is read and written at its beginning.
#[test]
fn what_is_no_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let mut bed = Bed::new();
    for text in ["first", "other"] {
        let open = |write: bool| {
            let file = OpenOptions::new()
                .read(!write)
                .write(write)
                .create(write)
                .custom_flags(FILE_FLAG_OVERLAPPED)
                .open(&path)
                .unwrap();
            NamedPipe::from(OwnedHandle::from(file))
        };
        let mut writer = open(true);
        bed.registry()
            .register(&mut writer, SERVER, Interest::WRITABLE)
            .unwrap();
        bed.expect(SERVER, Event::is_writable);
        assert_eq!(writer.write(text.as_bytes()).unwrap(), 5);
        // Of a write that is over there is an event.
        bed.expect(SERVER, Event::is_writable);
        assert_eq!(std::fs::read(&path).unwrap(), text.as_bytes());

        let mut reader = open(false);
        bed.registry()
            .register(&mut reader, CLIENT, Interest::READABLE)
            .unwrap();
        bed.expect(CLIENT, Event::is_readable);
        let mut received = [0; 5];
        reader.read_exact(&mut received).unwrap();
        assert_eq!(received, text.as_bytes());
    }
}

#[test]
fn silence_after_deregistering() {
    for trigger in [Trigger::Edge, Trigger::Level, Trigger::Oneshot] {
        let mut bed = Bed::new();
        let (mut server, mut client) = bed.pair(trigger);
        bed.write_all(&client, b"x");
        bed.registry().deregister(&mut server).unwrap();
        bed.registry().deregister(&mut client).unwrap();
        bed.expect_silence();
        bed.expect_silence();
        // It can be used all the same, and registered again under another name.
        let registry = bed.registry().with_trigger(trigger);
        registry
            .register(&mut server, Token(77), Interest::READABLE)
            .unwrap();
        bed.expect(Token(77), Event::is_readable);
        assert_eq!(server.read(&mut [0; 4]).unwrap(), 1);
    }
}

#[test]
fn reregistering_reports_again_under_the_new_token() {
    for trigger in crate::bed::TRIGGERS {
        let mut bed = Bed::new();
        let (mut server, _client) = bed.pair(trigger);
        let registry = bed.registry().with_trigger(trigger);
        bed.expect(SERVER, Event::is_writable);
        for n in 10..15 {
            registry.reregister(&mut server, Token(n), BOTH).unwrap();
            bed.expect(Token(n), Event::is_writable);
        }
    }
}

#[test]
fn dropped_in_any_order() {
    for order in 0..6 {
        let mut bed = Bed::new();
        let (server, client) = bed.pair(Trigger::Level);
        let _ = (&server).read(&mut [0; 1]);
        let _ = (&client).read(&mut [0; 1]);
        while (&client).write(&[1; 50_000]).is_ok() {}
        let registry = bed.registry().try_clone().unwrap();
        match order {
            0 => drop((bed, registry, server, client)),
            1 => drop((server, bed, client, registry)),
            2 => drop((client, server, registry, bed)),
            3 => drop((registry, client, bed, server)),
            4 => drop((bed, client, server, registry)),
            _ => drop((registry, bed, client, server)),
        }
    }
}

/// With its queue gone a pipe does nothing any more, and says so in the way it always does.
#[test]
fn used_without_its_poll() {
    let bed = Bed::new();
    let (mut server, mut client) = ends();
    bed.registry().register(&mut server, SERVER, BOTH).unwrap();
    bed.registry().register(&mut client, CLIENT, BOTH).unwrap();
    drop(bed);
    let _ = client.write(b"x");
    assert_eq!(
        client.read(&mut [0; 4]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    let poll = Poll::new().unwrap();
    poll.registry()
        .register(&mut server, SERVER, BOTH)
        .unwrap_err();
}

/// What a thread has started goes on when the thread ends.
#[test]
fn the_thread_that_started_it_may_end() {
    let mut bed = Bed::new();
    let (mut server, mut client) = ends();
    let registry = bed.registry().try_clone().unwrap();
    let (server, client) = thread::spawn(move || {
        registry.register(&mut server, SERVER, BOTH).unwrap();
        registry.register(&mut client, CLIENT, BOTH).unwrap();
        assert!(server.connect().is_ok());
        assert!(server.read(&mut [0; 4]).is_err());
        while client.write(&[7; 50_000]).is_ok() {}
        (server, client)
    })
    .join()
    .unwrap();
    bed.expect(SERVER, Event::is_readable);
    bed.read_exact(&server, 60_000);
    bed.expect(CLIENT, Event::is_writable);
    drop(client);
}

/// `CancelIoEx` on the pipe, by somebody who knows nothing of what is in flight.
#[test]
fn what_others_cancel_begins_anew() {
    let mut bed = Bed::new();
    let name = name();
    let mut server = NamedPipe::new(&name).unwrap();
    bed.registry().register(&mut server, SERVER, BOTH).unwrap();
    assert_eq!(server.connect().unwrap_err().kind(), ErrorKind::WouldBlock);
    cancel(&server);
    bed.turn(SILENCE);
    assert!(server.take_error().unwrap().is_none());
    let mut client = open(&name).unwrap();
    bed.registry().register(&mut client, CLIENT, BOTH).unwrap();
    bed.until(|| server.connect()).unwrap();

    let waits = server.read(&mut [0; 4]).unwrap_err();
    assert_eq!(waits.kind(), ErrorKind::WouldBlock);
    cancel(&server);
    bed.turn(SILENCE);
    bed.write_all(&client, b"data");
    bed.expect(SERVER, Event::is_readable);
    assert_eq!(bed.read_exact(&server, 4), b"data");

    let (chunk, mut sent) = (pattern(50_000), 0);
    while let Ok(n) = client.write(&chunk) {
        sent += n;
    }
    cancel(&client);
    bed.turn(SILENCE);
    let received = bed.read_exact(&server, sent);
    assert!(received
        .chunks(chunk.len())
        .all(|it| it == &chunk[..it.len()]));
    bed.expect(CLIENT, Event::is_writable);
}

#[test]
fn registered_during_a_poll() {
    let mut bed = Bed::new();
    let registry = bed.registry().try_clone().unwrap();
    let thread = thread::spawn(move || {
        let (mut server, client) = ends();
        registry.register(&mut server, SERVER, BOTH).unwrap();
        server.connect().unwrap();
        (server, client)
    });
    bed.expect(SERVER, Event::is_writable);
    drop(thread.join().unwrap());
}
