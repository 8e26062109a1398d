//! Abstract names, which Linux has beside paths: any bytes, and gone with the socket.

#[cfg(target_os = "android")]
use std::os::android::net::SocketAddrExt;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt;

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::SocketAddr;

use mio::net::{UnixDatagram, UnixListener, UnixStream};

use crate::util::{on_each_backend, refused, undisturbed};

/// A name that nobody else on this machine has.
fn name(of: &str) -> Vec<u8> {
    format!("mio-test/{}/{of}", std::process::id()).into_bytes()
}

fn address(name: &[u8]) -> SocketAddr {
    SocketAddr::from_abstract_name(name).unwrap()
}

#[test]
fn streams() {
    undisturbed("unix_abstract::streams", || {
        on_each_backend(|queue| {
            let name = name("streams");
            let mut listener = UnixListener::bind_addr(&address(&name)).unwrap();
            let local = listener.local_addr().unwrap();
            assert_eq!(local.as_abstract_name(), Some(&name[..]));
            queue.register(&mut listener, 1, mio::Interest::READABLE);
            refused(
                UnixListener::bind_addr(&address(&name)),
                ErrorKind::AddrInUse,
            );

            let mut client = UnixStream::connect_addr(&address(&name)).unwrap();
            let peer = client.peer_addr().unwrap();
            assert_eq!(peer.as_abstract_name(), Some(&name[..]));
            let (mut server, from) = queue.finish(|| listener.accept()).unwrap();
            assert!(from.is_unnamed());
            server.write_all(b"x").unwrap();
            client.read_exact(&mut [0]).unwrap();

            drop(listener);
            refused(
                UnixStream::connect_addr(&address(&name)),
                ErrorKind::ConnectionRefused,
            );
        });
    });
}

#[test]
fn datagrams() {
    let (here, there) = (name("here"), name("there"));
    let sender = UnixDatagram::bind_addr(&address(&here)).unwrap();
    let receiver = UnixDatagram::bind_addr(&address(&there)).unwrap();
    refused(
        UnixDatagram::bind_addr(&address(&there)),
        ErrorKind::AddrInUse,
    );
    // There is no method to send to an address, so this is the way of the standard library.
    let sender = std::os::unix::net::UnixDatagram::from(sender);
    sender.send_to_addr(b"hello", &address(&there)).unwrap();
    let mut buffer = [0; 8];
    let (n, from) = receiver.recv_from(&mut buffer).unwrap();
    assert_eq!(n, 5);
    assert_eq!(from.as_abstract_name(), Some(&here[..]));
}

/// A stream that is bound before it connects.
#[test]
fn clients() {
    let listener = UnixListener::bind_addr(&address(&name("listener"))).unwrap();
    let here = name("client");
    let client = rustix::net::socket_with(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::STREAM,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )
    .unwrap();
    let of = |name: &[u8]| rustix::net::SocketAddrUnix::new_abstract_name(name).unwrap();
    rustix::net::bind(&client, &of(&here)).unwrap();
    rustix::net::connect(&client, &of(&name("listener"))).unwrap();
    let (stream, from) = listener.accept().unwrap();
    assert_eq!(from.as_abstract_name(), Some(&here[..]));
    let peer = stream.peer_addr().unwrap();
    assert_eq!(peer.as_abstract_name(), Some(&here[..]));
}

/// Zero bytes are as good as others, in front, inside and behind; and 107 is the most there is room for.
#[test]
fn of_any_bytes() {
    let mut longest = name("longest");
    longest.resize(107, 0xff);
    let mut zeros = name("zeros");
    zeros.extend_from_slice(b"\0\0between\0");
    let mut zero_first = b"\0".to_vec();
    zero_first.extend(name("zero first"));
    for name in [longest, zeros, zero_first] {
        let listener = UnixListener::bind_addr(&address(&name)).unwrap();
        let local = listener.local_addr().unwrap();
        assert_eq!(local.as_abstract_name(), Some(&name[..]));
        let _client = UnixStream::connect_addr(&address(&name)).unwrap();
        listener.accept().unwrap();

        let socket = UnixDatagram::bind_addr(&address(&name)).unwrap();
        let other = std::os::unix::net::UnixDatagram::unbound().unwrap();
        other.connect_addr(&address(&name)).unwrap();
        other.send(b"x").unwrap();
        let (n, from) = socket.recv_from(&mut [0; 4]).unwrap();
        assert_eq!(n, 1);
        assert!(from.is_unnamed());
    }
}

/// No bytes at all are a name, too, and not the same as no name.
#[test]
fn of_no_bytes() {
    let empty = address(b"");
    let Ok(listener) = UnixListener::bind_addr(&empty) else {
        println!("skipped: somebody else on this machine has the empty name");
        return;
    };
    let local = listener.local_addr().unwrap();
    assert_eq!(local.as_abstract_name(), Some(&b""[..]));
    let _client = UnixStream::connect_addr(&empty).unwrap();
    listener.accept().unwrap();
}
