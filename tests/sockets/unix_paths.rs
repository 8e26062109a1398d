//! Paths of Unix sockets: which ones the kernel takes, and how they come back.
//!
//! `sun_path` has 108 bytes on Linux, and the kernel needs no zero byte at the end. So the longest path has 108 bytes,
//! though the standard library's address has room for 107.

#![cfg(any(target_os = "linux", target_os = "android"))]

#[cfg(target_os = "android")]
use std::os::android::net::SocketAddrExt;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt;

use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

use mio::net::{UnixDatagram, UnixListener, UnixStream};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use tempfile::{tempdir, TempDir};

use crate::util::{os_error, refused, undisturbed};

/// The longest path that the kernel takes.
const LONGEST: usize = 108;

/// Paths that fit easily, one that fills the standard library's address, and one that is too long for it.
const LENGTHS: [usize; 5] = [104, 105, 106, 107, LONGEST];

/// A path in `folder` of `length` bytes.
fn path_of(folder: &TempDir, length: usize, letter: char) -> PathBuf {
    let start = folder.path().as_os_str().len() + 1;
    assert!(start < length, "the temporary folder has a long name");
    let name: String = std::iter::repeat(letter).take(length - start).collect();
    let path = folder.path().join(name);
    assert_eq!(path.as_os_str().len(), length);
    path
}

/// A socket that is bound to a path of any length that the kernel takes, which the standard library cannot make.
fn bound(kind: SocketType, path: &Path) -> OwnedFd {
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).unwrap();
    let address = SocketAddrUnix::new(path).unwrap();
    rustix::net::bind(&socket, &address).unwrap();
    socket
}

/// The path that comes back for one of `length` bytes: what does not fit is no panic, and no other path.
fn reported(path: &Path) -> Option<&Path> {
    (path.as_os_str().len() < LONGEST).then_some(path)
}

#[test]
fn of_listeners() {
    for length in LENGTHS {
        let folder = tempdir().unwrap();
        let path = path_of(&folder, length, 's');
        let listener = UnixListener::bind(&path).unwrap();
        // Whatever the standard library makes of it.
        if let Ok(address) = listener.local_addr() {
            assert!(address.as_pathname().map_or(true, |named| named == path));
        }
        assert!(!format!("{listener:?}").is_empty());

        let mut client = UnixStream::connect(&path).unwrap();
        if let Ok(address) = client.peer_addr() {
            assert!(address.as_pathname().map_or(true, |named| named == path));
        }
        assert!(!format!("{client:?}").is_empty());
        let (mut server, from) = listener.accept().unwrap();
        assert!(from.is_unnamed());
        server.write_all(b"x").unwrap();
        client.read_exact(&mut [0]).unwrap();
    }
}

#[test]
fn of_clients() {
    for length in LENGTHS {
        let folder = tempdir().unwrap();
        let server = folder.path().join("server");
        let listener = UnixListener::bind(&server).unwrap();
        let path = path_of(&folder, length, 'c');
        let client = bound(SocketType::STREAM, &path);
        rustix::net::connect(&client, &SocketAddrUnix::new(&server).unwrap()).unwrap();

        let (mut stream, from) = listener.accept().unwrap();
        assert_eq!(from.as_pathname(), reported(&path), "{length} bytes");
        assert_eq!(from.is_unnamed(), length == LONGEST);
        stream.write_all(b"x").unwrap();
        assert_eq!(rustix::io::read(&client, &mut [0; 2]).unwrap(), 1);
        if let Ok(address) = stream.peer_addr() {
            assert!(address.as_pathname().map_or(true, |named| named == path));
        }
    }
}

#[test]
fn of_senders() {
    for length in LENGTHS {
        let folder = tempdir().unwrap();
        let server = folder.path().join("server");
        let receiver = UnixDatagram::bind(&server).unwrap();
        let path = path_of(&folder, length, 'c');
        let sender = UnixDatagram::from(bound(SocketType::DGRAM, &path));
        sender.send_to(b"hello", &server).unwrap();
        let mut buffer = [0; 8];
        let (n, from) = receiver.recv_from(&mut buffer).unwrap();
        assert_eq!(n, 5);
        assert_eq!(from.as_pathname(), reported(&path), "{length} bytes");
        assert_eq!(from.is_unnamed(), length == LONGEST);
    }
}

#[test]
fn of_receivers() {
    for length in LENGTHS {
        let folder = tempdir().unwrap();
        let path = path_of(&folder, length, 'r');
        let receiver = UnixDatagram::bind(&path).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        sender.send_to(b"one", &path).unwrap();
        sender.connect(&path).unwrap();
        sender.send(b"two").unwrap();
        let mut buffer = [0; 8];
        assert_eq!(receiver.recv(&mut buffer).unwrap(), 3);
        assert_eq!(receiver.recv(&mut buffer).unwrap(), 3);
    }
}

/// Each way in which a path comes into the crate.
#[track_caller]
fn each_refuses(path: &Path, kind: ErrorKind) {
    refused(UnixListener::bind(path), kind);
    refused(UnixStream::connect(path), kind);
    refused(UnixDatagram::bind(path), kind);
    let socket = UnixDatagram::unbound().unwrap();
    refused(socket.connect(path), kind);
    refused(socket.send_to(b"x", path), kind);
}

#[test]
fn that_are_too_long() {
    let folder = tempdir().unwrap();
    for length in [LONGEST + 1, 200, 255, 256, 257] {
        each_refuses(&path_of(&folder, length, 's'), ErrorKind::InvalidInput);
    }
    each_refuses(Path::new(&"x/".repeat(3000)), ErrorKind::InvalidInput);
}

#[test]
fn with_a_zero_byte() {
    let folder = tempdir().unwrap();
    for name in [&b"\0"[..], b"\0name", b"so\0cket", b"socket\0"] {
        each_refuses(Path::new(OsStr::from_bytes(name)), ErrorKind::InvalidInput);
        each_refuses(
            &folder.path().join(OsStr::from_bytes(name)),
            ErrorKind::InvalidInput,
        );
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

/// The kernel picks an abstract name.
#[test]
fn that_are_empty() {
    let listener = UnixListener::bind("").unwrap();
    let address = listener.local_addr().unwrap();
    assert!(!address.as_abstract_name().unwrap().is_empty());
    let mut client = UnixStream::connect_addr(&address).unwrap();
    let (server, _) = listener.accept().unwrap();
    (&server).write_all(b"x").unwrap();
    client.read_exact(&mut [0]).unwrap();

    let receiver = UnixDatagram::bind("").unwrap();
    let address = receiver.local_addr().unwrap();
    assert!(!address.as_abstract_name().unwrap().is_empty());

    // There is nobody without a name.
    assert!(UnixStream::connect("").is_err());
    let socket = UnixDatagram::unbound().unwrap();
    assert!(socket.connect("").is_err());
    assert!(socket.send_to(b"x", "").is_err());
}

#[test]
fn of_unnamed_addresses() {
    let unnamed = SocketAddr::from_pathname("").unwrap();
    assert!(unnamed.is_unnamed());
    // As an empty path.
    let listener = UnixListener::bind_addr(&unnamed).unwrap();
    assert!(!listener.local_addr().unwrap().is_unnamed());
    let socket = UnixDatagram::bind_addr(&unnamed).unwrap();
    assert!(!socket.local_addr().unwrap().is_unnamed());
    assert!(UnixStream::connect_addr(&unnamed).is_err());
}

#[test]
fn of_sockets_that_are_gone() {
    undisturbed("unix_paths::of_sockets_that_are_gone", || {
        let folder = tempdir().unwrap();
        let path = folder.path().join("stale");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "the file stays behind");
        refused(UnixListener::bind(&path), ErrorKind::AddrInUse);
        refused(UnixDatagram::bind(&path), ErrorKind::AddrInUse);
        refused(UnixStream::connect(&path), ErrorKind::ConnectionRefused);
        let socket = UnixDatagram::unbound().unwrap();
        refused(socket.connect(&path), ErrorKind::ConnectionRefused);
        refused(socket.send_to(b"x", &path), ErrorKind::ConnectionRefused);

        std::fs::remove_file(&path).unwrap();
        each_connect_refuses(&path, ErrorKind::NotFound);
        UnixListener::bind(&path).unwrap();
    });
}

#[track_caller]
fn each_connect_refuses(path: &Path, kind: ErrorKind) {
    refused(UnixStream::connect(path), kind);
    let socket = UnixDatagram::unbound().unwrap();
    refused(socket.connect(path), kind);
    refused(socket.send_to(b"x", path), kind);
}

#[test]
fn of_something_else() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "no socket").unwrap();
    each_connect_refuses(&path, ErrorKind::ConnectionRefused);
    refused(UnixListener::bind(&path), ErrorKind::AddrInUse);

    let path = folder.path().join("datagrams");
    let _socket = UnixDatagram::bind(&path).unwrap();
    os_error(UnixStream::connect(&path), rustix::io::Errno::PROTOTYPE);

    let path = folder.path().join("no such folder").join("socket");
    refused(UnixListener::bind(&path), ErrorKind::NotFound);
    refused(UnixDatagram::bind(&path), ErrorKind::NotFound);
}
