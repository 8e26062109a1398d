//! Unix sockets, where the system has them.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::path::Path;

use mio::windows::{UnixListener, UnixStream};
use mio::{Events, Interest, Poll, Token};

use super::{BOTH, PATIENCE};

const LISTENER: Token = Token(0);
const CLIENT: Token = Token(1);
const SERVER: Token = Token(2);

/// Listens at a new path; `None` if the system has no Unix sockets, and says so.
fn listen(path: &Path) -> Option<UnixListener> {
    match UnixListener::bind(path) {
        Ok(listener) => Some(listener),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            assert!(error.to_string().contains("no Unix sockets"), "{error}");
            let connecting = UnixStream::connect(path).unwrap_err();
            assert_eq!(connecting.kind(), ErrorKind::Unsupported);
            println!("skipped: {error}");
            None
        }
    }
}

#[test]
fn streams() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let Some(mut listener) = listen(&path) else {
        return;
    };
    let again = UnixListener::bind(&path).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AddrInUse);
    assert_eq!(
        listener.local_addr().unwrap().as_pathname(),
        Some(path.as_path())
    );
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);

    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    let registry = poll.registry().try_clone().unwrap();
    registry
        .register(&mut listener, LISTENER, Interest::READABLE)
        .unwrap();
    let mut client = UnixStream::connect(&path).unwrap();
    registry.register(&mut client, CLIENT, BOTH).unwrap();
    let mut server: Option<UnixStream> = None;
    let (mut sent, mut answer) = (false, Vec::new());
    while answer != b"hello" {
        poll.poll(&mut events, Some(PATIENCE)).unwrap();
        assert!(!events.is_empty());
        for event in &events {
            match event.token() {
                LISTENER => {
                    let (mut stream, address) = listener.accept().unwrap();
                    assert!(address.is_unnamed());
                    registry.register(&mut stream, SERVER, BOTH).unwrap();
                    server = Some(stream);
                }
                CLIENT if event.is_writable() && !sent => {
                    assert!(client.take_error().unwrap().is_none());
                    let peer = client.peer_addr().unwrap();
                    assert_eq!(peer.as_pathname(), Some(path.as_path()));
                    client.write_all(b"hello").unwrap();
                    sent = true;
                }
                CLIENT => match client.read_to_end(&mut answer) {
                    Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                    Ok(_) => panic!("the stream has ended"),
                },
                _ => {
                    let server = server.as_mut().unwrap();
                    let mut buffer = [0; 16];
                    match server.read(&mut buffer) {
                        Ok(n) => server.write_all(&buffer[..n]).unwrap(),
                        Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                    }
                }
            }
        }
    }
    client.shutdown(Shutdown::Write).unwrap();
    let server = server.as_mut().unwrap();
    while !matches!(server.read(&mut [0]), Ok(0)) {
        poll.poll(&mut events, Some(PATIENCE)).unwrap();
    }
}

#[test]
fn nobody_listens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let Some(listener) = listen(&path) else {
        return;
    };
    drop(listener);
    match UnixStream::connect(&path) {
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
        Ok(mut stream) => {
            let mut poll = Poll::new().unwrap();
            let mut events = Events::with_capacity(8);
            poll.registry().register(&mut stream, CLIENT, BOTH).unwrap();
            poll.poll(&mut events, Some(PATIENCE)).unwrap();
            let error = stream.take_error().unwrap().unwrap();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        }
    }
}

#[test]
fn paths_that_cannot_be() {
    for path in ["", "a\0b", &"x".repeat(108)] {
        let bound = UnixListener::bind(path).unwrap_err();
        let connected = UnixStream::connect(path).unwrap_err();
        for error in [bound, connected] {
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{path:?}");
        }
    }
}
