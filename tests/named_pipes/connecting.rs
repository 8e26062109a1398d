//! Waiting for clients, one after the other.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};

use mio::event::Event;
use mio::windows::NamedPipe;
use mio::{Interest, Trigger};

use windows_sys::Win32::Storage::FileSystem::{PIPE_ACCESS_INBOUND, PIPE_ACCESS_OUTBOUND};

use crate::bed::{name, open, server, Bed, BOTH, CLIENT, SERVER, TRIGGERS};

fn kind<T: std::fmt::Debug>(result: std::io::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn unregistered_everything_would_block() {
    let name = name();
    let mut server = NamedPipe::new(&name).unwrap();
    assert_eq!(kind(server.connect()), ErrorKind::WouldBlock);
    assert_eq!(kind(server.read(&mut [0; 8])), ErrorKind::WouldBlock);
    assert_eq!(kind(server.write(b"x")), ErrorKind::WouldBlock);
    assert!(server.take_error().unwrap().is_none());
    server.flush().unwrap();
}

#[test]
fn a_client_comes_later() {
    for trigger in TRIGGERS {
        let mut bed = Bed::new();
        let name = name();
        let mut server = NamedPipe::new(&name).unwrap();
        let registry = bed.registry().with_trigger(trigger);
        registry.register(&mut server, SERVER, BOTH).unwrap();
        assert_eq!(kind(server.connect()), ErrorKind::WouldBlock);
        assert_eq!(kind(server.connect()), ErrorKind::WouldBlock);
        assert_eq!(kind(server.read(&mut [0; 8])), ErrorKind::WouldBlock);
        bed.expect_silence();

        let _client = open(&name).unwrap();
        let event = bed.expect(SERVER, Event::is_writable);
        assert!(!event.is_error() && !event.is_readable());
        server.connect().unwrap();
    }
}

#[test]
fn a_client_is_there_already() {
    for trigger in TRIGGERS {
        let mut bed = Bed::new();
        let name = name();
        let mut server = NamedPipe::new(&name).unwrap();
        let registry = bed.registry().with_trigger(trigger);
        registry.register(&mut server, SERVER, BOTH).unwrap();
        let mut client = open(&name).unwrap();
        registry.register(&mut client, CLIENT, BOTH).unwrap();
        server.connect().unwrap();
        // Neither of them has tried to write, so both have to be told that they may.
        bed.expect(SERVER, Event::is_writable);
        let registry = bed.registry().with_trigger(trigger);
        registry.reregister(&mut client, CLIENT, BOTH).unwrap();
        bed.expect(CLIENT, Event::is_writable);
    }
}

#[test]
fn data_wakes_a_server_that_has_not_read_yet() {
    let mut bed = Bed::new();
    let (server, client) = bed.pair(Trigger::Edge);
    bed.write_all(&client, b"hello");
    bed.expect(SERVER, Event::is_readable);
    assert_eq!(bed.read_exact(&server, 5), b"hello");
}

#[test]
fn clients_one_after_the_other() {
    for trigger in [Trigger::Edge, Trigger::Level] {
        let mut bed = Bed::new();
        let name = name();
        let mut server = NamedPipe::new(&name).unwrap();
        let registry = bed.registry().with_trigger(trigger);
        registry.register(&mut server, SERVER, BOTH).unwrap();
        for round in 0..20_u8 {
            assert_eq!(kind(server.connect()), ErrorKind::WouldBlock);
            let mut client = open(&name).unwrap();
            let registry = bed.registry().with_trigger(trigger);
            registry.register(&mut client, CLIENT, BOTH).unwrap();
            bed.until(|| server.connect()).unwrap();
            bed.write_all(&client, &[round; 100]);
            assert_eq!(bed.read_exact(&server, 100), [round; 100]);
            bed.write_all(&server, &[round; 50]);
            assert_eq!(bed.read_exact(&client, 50), [round; 50]);
            assert_eq!(kind(server.read(&mut [0; 8])), ErrorKind::WouldBlock);
            // What nobody reads is not for the next one.
            bed.write_all(&client, b"rest");
            if round % 2 == 0 {
                bed.expect(SERVER, Event::is_readable);
            }
            server.disconnect().unwrap();
        }
    }
}

/// A client that has come and gone is a client: the server reads what it has left, and has to let it go.
#[test]
fn a_client_that_has_gone_must_be_disconnected() {
    for left in ["", "goodbye"] {
        let mut bed = Bed::new();
        let name = name();
        let mut server = NamedPipe::new(&name).unwrap();
        bed.registry().register(&mut server, SERVER, BOTH).unwrap();
        // One that waits: it is gone before it could be registered.
        let mut client = File::options().read(true).write(true).open(&name).unwrap();
        client.write_all(left.as_bytes()).unwrap();
        drop(client);
        for _ in 0..2 {
            server.connect().unwrap();
        }
        bed.expect(SERVER, Event::is_readable);
        let mut received = Vec::new();
        bed.until(|| server.read_to_end(&mut received)).unwrap();
        assert_eq!(received, left.as_bytes());
        server.disconnect().unwrap();
        assert_eq!(kind(server.connect()), ErrorKind::WouldBlock);
        let _client = open(&name).unwrap();
        bed.until(|| server.connect()).unwrap();
    }
}

/// A pipe of one direction is registered for both, like any other, and carries what it can.
#[test]
fn one_way() {
    for access in [PIPE_ACCESS_INBOUND, PIPE_ACCESS_OUTBOUND] {
        let mut bed = Bed::new();
        let name = name();
        let mut server = server(&name, access);
        bed.registry().register(&mut server, SERVER, BOTH).unwrap();
        assert_eq!(kind(server.connect()), ErrorKind::WouldBlock);
        let mut client = File::options()
            .read(access == PIPE_ACCESS_OUTBOUND)
            .write(access == PIPE_ACCESS_INBOUND)
            .open(&name)
            .unwrap();
        bed.until(|| server.connect()).unwrap();
        let mut received = [0; 5];
        if access == PIPE_ACCESS_INBOUND {
            client.write_all(b"there").unwrap();
            bed.until(|| server.read_exact(&mut received)).unwrap();
            assert_eq!(&received, b"there");
        } else {
            bed.until(|| server.write_all(b"hello")).unwrap();
            client.read_exact(&mut received).unwrap();
            assert_eq!(&received, b"hello");
        }
    }
}

/// The attempt that was given up is not taken for the next one. (Wine refuses to give it up: `ERROR_PIPE_LISTENING`. Then
/// it is still the first one that succeeds.)
#[test]
fn disconnecting_while_waiting() {
    let mut bed = Bed::new();
    let name = name();
    let mut server = NamedPipe::new(&name).unwrap();
    bed.registry().register(&mut server, SERVER, BOTH).unwrap();
    for _ in 0..10 {
        assert_eq!(kind(server.connect()), ErrorKind::WouldBlock);
        if let Err(error) = server.disconnect() {
            assert_eq!(error.raw_os_error(), Some(536), "{error}");
        }
    }
    assert_eq!(kind(server.connect()), ErrorKind::WouldBlock);
    bed.turn(crate::bed::SILENCE);
    assert!(server.take_error().unwrap().is_none());
    let _client = open(&name).unwrap();
    bed.until(|| server.connect()).unwrap();
    assert!(server.take_error().unwrap().is_none());
}

#[test]
fn clients_cannot_wait_or_disconnect() {
    let mut bed = Bed::new();
    let (_server, client) = bed.pair(Trigger::Edge);
    client.disconnect().unwrap_err();
    client.connect().unwrap_err();
}

#[test]
fn several_instances() {
    let mut bed = Bed::new();
    let name = name();
    let mut servers: Vec<NamedPipe> = (0..4).map(|_| NamedPipe::new(&name).unwrap()).collect();
    for server in &mut servers {
        bed.registry()
            .register(server, SERVER, Interest::WRITABLE)
            .unwrap();
        assert_eq!(kind(server.connect()), ErrorKind::WouldBlock);
    }
    let clients: Vec<NamedPipe> = (0..4).map(|_| open(&name).unwrap()).collect();
    for server in &servers {
        bed.until(|| server.connect()).unwrap();
    }
    open(&name).unwrap_err();
    drop(clients);
}

#[test]
fn names_are_checked() {
    assert_eq!(
        kind(NamedPipe::new("\\\\.\\pipe\\mio-\0-nul")),
        ErrorKind::InvalidInput
    );
    NamedPipe::new("no pipe at all").unwrap_err();
    NamedPipe::new("").unwrap_err();
}
