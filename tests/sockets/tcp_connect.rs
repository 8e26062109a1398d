//! `TcpStream::connect`, and how its documentation says that it goes on.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use mio::net::{TcpListener, TcpStream};
use mio::Interest;
use socket2::{Domain, Socket, Type};

use crate::util::{each_family, on_each_backend, os_error, refused, Loop, TELLS_ERRORS};

/// Waits for the end of an attempt: `take_error` first, then `peer_addr`.
fn finish(queue: &mut Loop, stream: &TcpStream) -> io::Result<SocketAddr> {
    loop {
        queue.expect(1, |event| event.is_writable());
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        match stream.peer_addr() {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
            result => return result,
        }
    }
}

/// A port that nobody listens on, and nobody else can take as long as the socket is there.
fn closed_port(address: SocketAddr) -> (Socket, SocketAddr) {
    let holder = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    holder.bind(&address.into()).unwrap();
    let address = holder.local_addr().unwrap().as_socket().unwrap();
    (holder, address)
}

#[test]
fn to_a_listener() {
    on_each_backend(|queue| {
        for address in each_family() {
            let listener = TcpListener::bind(address).unwrap();
            let address = listener.local_addr().unwrap();
            let mut stream = TcpStream::connect(address).unwrap();
            queue.register(&mut stream, 1, Interest::WRITABLE);
            assert_eq!(finish(queue, &stream).unwrap(), address);
            assert!(stream.take_error().unwrap().is_none());

            let (peer, from) = listener.accept().unwrap();
            assert_eq!(from, stream.local_addr().unwrap());
            assert_eq!(peer.peer_addr().unwrap(), from);
        }
    });
}

#[test]
fn refused_by_the_peer() {
    on_each_backend(|queue| {
        for address in each_family() {
            let (_holder, address) = closed_port(address);
            let mut stream = TcpStream::connect(address).unwrap();
            queue.register(&mut stream, 1, Interest::WRITABLE);
            queue.expect(1, |event| {
                event.is_writable() && event.is_error() == TELLS_ERRORS
            });

            let error = stream.take_error().unwrap().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
            // It is taken (Wine leaves it there), and there is no peer.
            if cfg!(unix) {
                assert!(stream.take_error().unwrap().is_none());
            }
            refused(stream.peer_addr(), io::ErrorKind::NotConnected);
        }
    });
}

/// Who does not ask `take_error` gets the reason from the first operation. (On Windows it is only told that there is no
/// connection.)
#[cfg(unix)]
#[test]
fn refused_and_written_to() {
    use std::io::Write;

    on_each_backend(|queue| {
        let (_holder, address) = closed_port(crate::util::any_v4());
        let mut stream = TcpStream::connect(address).unwrap();
        queue.register(&mut stream, 1, Interest::WRITABLE);
        queue.expect(1, |event| event.is_writable());
        refused(stream.write(b"x"), io::ErrorKind::ConnectionRefused);
    });
}

/// Linux takes the unspecified address for its own.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn to_the_unspecified_address() {
    on_each_backend(|queue| {
        for address in each_family() {
            let listener = TcpListener::bind(address).unwrap();
            let port = listener.local_addr().unwrap().port();
            let unspecified = match address {
                SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
                SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
            };
            let mut stream = TcpStream::connect(SocketAddr::new(unspecified, port)).unwrap();
            queue.register(&mut stream, 1, Interest::WRITABLE);
            assert_eq!(finish(queue, &stream).unwrap().port(), port);
            listener.accept().unwrap();
        }
    });
}

/// A group of hosts cannot be connected to; the kernel knows that without sending anything.
#[test]
fn to_an_address_that_cannot_be_reached() {
    let all_hosts = SocketAddr::new(Ipv4Addr::BROADCAST.into(), 9);
    os_error(TcpStream::connect(all_hosts), crate::util::Code::NETUNREACH);
    let all_nodes = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    assert!(TcpStream::connect(SocketAddr::new(all_nodes.into(), 9)).is_err());
}

#[test]
fn to_port_zero() {
    on_each_backend(|queue| {
        let nowhere = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
        // Some systems know at once, others ask the network.
        if let Ok(mut stream) = TcpStream::connect(nowhere) {
            queue.register(&mut stream, 1, Interest::WRITABLE);
            finish(queue, &stream).unwrap_err();
        }
    });
}

/// A listener whose backlog holds a single connection, and streams that fill it.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn full_listener() -> (std::net::TcpListener, SocketAddr, Vec<std::net::TcpStream>) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&crate::util::any_v4().into()).unwrap();
    socket.listen(0).unwrap();
    let listener = std::net::TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    // The kernel takes one more than it was told.
    let waiting = vec![std::net::TcpStream::connect(address).unwrap()];
    (listener, address, waiting)
}

/// The attempt goes on until there is room: the kernel asks again after a second.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn while_the_backlog_is_full() {
    use crate::util::would_block;
    use std::io::{Read, Write};

    on_each_backend(|queue| {
        let (listener, address, waiting) = full_listener();
        let mut stream = TcpStream::connect(address).unwrap();
        queue.register(&mut stream, 1, crate::util::BOTH);
        assert!(!queue.has_now(1, |event| event.is_writable()));
        assert!(stream.take_error().unwrap().is_none());
        refused(stream.peer_addr(), io::ErrorKind::NotConnected);
        would_block(stream.write(b"x"));
        would_block(stream.read(&mut [0]));
        would_block(stream.peek(&mut [0]));

        for _ in waiting {
            listener.accept().unwrap();
        }
        assert_eq!(finish(queue, &stream).unwrap(), address);
        assert_eq!(stream.write(b"x").unwrap(), 1);
    });
}

/// Giving up is no more than dropping the stream: later polls know nothing of it.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn and_give_up() {
    on_each_backend(|queue| {
        let (_listener, address, _waiting) = full_listener();
        let mut stream = TcpStream::connect(address).unwrap();
        queue.register(&mut stream, 1, Interest::WRITABLE);
        drop(stream);
        assert!(!queue.has_now(1, |_| true));
    });
}
