//! `UdpSocket`: datagrams, addresses, errors that come back, options.

use std::io::{self, ErrorKind};
use std::net::{self, SocketAddr};

#[cfg(unix)]
use mio::event::Event;
use mio::net::UdpSocket;
#[cfg(unix)]
use mio::Backend;
use mio::Interest;

#[cfg(unix)]
use crate::util::TELLS_ERRORS;
use crate::util::{
    any_v4, any_v6, deaf, each_family, on_each_backend, os_error, refused, would_block, Code, Loop,
};

fn bind(address: SocketAddr) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind(address).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// A sender, and a receiver that is registered under token 1.
fn registered(queue: &Loop, any: SocketAddr) -> (UdpSocket, UdpSocket) {
    let (sender, _) = bind(any);
    let (mut receiver, _) = bind(any);
    queue.register(&mut receiver, 1, Interest::READABLE);
    (sender, receiver)
}

#[test]
fn datagrams_arrive_with_their_sender() {
    on_each_backend(|queue| {
        for any in each_family() {
            let (sender, receiver) = registered(queue, any);
            let to = receiver.local_addr().unwrap();
            let mut buffer = [0; 16];
            would_block(receiver.recv_from(&mut buffer));
            for text in [&b"one"[..], b"three", b"two"] {
                assert_eq!(sender.send_to(text, to).unwrap(), text.len());
                let (n, from) = queue.finish(|| receiver.recv_from(&mut buffer)).unwrap();
                assert_eq!(&buffer[..n], text);
                assert_eq!(from, sender.local_addr().unwrap());
            }
            would_block(receiver.recv_from(&mut buffer));
        }
    });
}

#[test]
fn one_event_for_many_datagrams() {
    on_each_backend(|queue| {
        let (sender, receiver) = registered(queue, any_v4());
        let to = receiver.local_addr().unwrap();
        for n in 0..5 {
            sender.send_to(&[n], to).unwrap();
        }
        queue.expect(1, |event| event.is_readable());
        for n in 0..5 {
            let mut buffer = [0; 4];
            assert_eq!(receiver.recv_from(&mut buffer).unwrap().0, 1);
            assert_eq!(buffer[0], n);
        }
    });
}

/// A datagram that was cut off after `n` bytes. Windows says so with an error.
#[track_caller]
fn cut(result: io::Result<(usize, SocketAddr)>, n: usize) {
    if cfg!(windows) {
        os_error(result, Code::MSGSIZE);
    } else {
        assert_eq!(result.unwrap().0, n);
    }
}

#[test]
fn what_does_not_fit_is_lost() {
    on_each_backend(|queue| {
        let (sender, receiver) = registered(queue, any_v4());
        let to = receiver.local_addr().unwrap();
        let mut small = [0; 3];
        for text in [b"hello", b"world"] {
            sender.send_to(text, to).unwrap();
        }
        cut(queue.finish(|| receiver.recv_from(&mut small)), 3);
        assert_eq!(&small, b"hel");
        cut(receiver.peek_from(&mut small), 3);
        // Peeking has cut off nothing.
        let mut large = [0; 8];
        assert_eq!(receiver.recv_from(&mut large).unwrap().0, 5);
        assert_eq!(&large[..5], b"world");
        would_block(receiver.recv_from(&mut large));
    });
}

#[test]
fn peeking_takes_nothing() {
    on_each_backend(|queue| {
        let (sender, receiver) = registered(queue, any_v4());
        let from = sender.local_addr().unwrap();
        let mut buffer = [0; 8];
        would_block(receiver.peek_from(&mut buffer));
        would_block(receiver.peek(&mut buffer));
        sender
            .send_to(b"hello", receiver.local_addr().unwrap())
            .unwrap();
        queue.expect(1, |event| event.is_readable());
        for _ in 0..2 {
            assert_eq!(receiver.peek_from(&mut buffer).unwrap(), (5, from));
            cut(receiver.peek(&mut buffer[..2]).map(|n| (n, from)), 2);
        }
        assert_eq!(receiver.recv(&mut buffer).unwrap(), 5);
        would_block(receiver.peek(&mut buffer));
    });
}

#[test]
fn a_datagram_may_be_empty() {
    on_each_backend(|queue| {
        let (sender, receiver) = registered(queue, any_v4());
        let to = receiver.local_addr().unwrap();
        assert_eq!(sender.send_to(&[], to).unwrap(), 0);
        let mut buffer = [7; 4];
        let (n, from) = queue.finish(|| receiver.recv_from(&mut buffer)).unwrap();
        assert_eq!((n, from), (0, sender.local_addr().unwrap()));
        assert_eq!(buffer, [7; 4]);

        // And so may a buffer: it takes a datagram, none of which fits.
        sender.send_to(b"gone", to).unwrap();
        cut(queue.finish(|| receiver.recv_from(&mut [])), 0);
        would_block(receiver.recv_from(&mut buffer));
    });
}

#[test]
fn connected_sockets_hear_their_peer_alone() {
    on_each_backend(|queue| {
        for any in each_family() {
            let (peer, peer_address) = bind(any);
            let (stranger, _) = bind(any);
            let (mut socket, address) = bind(any);
            refused(socket.peer_addr(), ErrorKind::NotConnected);
            queue.register(&mut socket, 1, Interest::READABLE);
            socket.connect(peer_address).unwrap();
            assert_eq!(socket.peer_addr().unwrap(), peer_address);

            stranger.send_to(b"stranger", address).unwrap();
            peer.send_to(b"peer", address).unwrap();
            let mut buffer = [0; 16];
            assert_eq!(queue.finish(|| socket.recv(&mut buffer)).unwrap(), 4);
            assert_eq!(&buffer[..4], b"peer");
            would_block(socket.recv(&mut buffer));

            assert_eq!(socket.send(b"answer").unwrap(), 6);
            assert_eq!(socket.send(&[]).unwrap(), 0);
            // Another peer from now on.
            socket.connect(stranger.local_addr().unwrap()).unwrap();
            socket.send(b"you now").unwrap();
            stranger.connect(address).unwrap();
            let mut wait_for = |receiver: &UdpSocket| {
                // Loopback delivers before the send returns.
                receiver.recv(&mut buffer).unwrap()
            };
            assert_eq!(wait_for(&peer), 6);
            assert_eq!(wait_for(&peer), 0);
            assert_eq!(wait_for(&stranger), 7);
        }
    });
}

#[test]
fn sending_without_a_destination() {
    let (socket, _) = bind(any_v4());
    #[cfg(unix)]
    os_error(socket.send(b"x"), Code::DESTADDRREQ);
    // `WSAENOTCONN` on Windows, `WSAEINVAL` on Wine 8.
    #[cfg(windows)]
    socket.send(b"x").unwrap_err();
}

/// Windows has no such state: a later read fails with `WSAECONNRESET`. What Wine makes of it depends on its version.
#[cfg(unix)]
#[test]
fn nobody_is_there() {
    on_each_backend(|queue| {
        for any in each_family() {
            let (_deaf, nowhere) = deaf(any);
            let (mut socket, address) = bind(any);
            queue.register(&mut socket, 1, Interest::READABLE);
            socket.connect(nowhere).unwrap();
            assert_eq!(socket.send(b"anybody?").unwrap(), 8);
            // Not readable as well: epoll reports an error of a datagram socket alone. kqueue has no word for it, and
            // says that there is something to read. So do illumos and Solaris.
            let is_told = if TELLS_ERRORS && queue.poll.backend() != Backend::Kqueue {
                Event::is_error
            } else {
                Event::is_readable
            };
            queue.expect(1, is_told);
            refused(socket.recv(&mut [0; 8]), ErrorKind::ConnectionRefused);
            would_block(socket.recv(&mut [0; 8]));

            // The same by `take_error`, and by the next send, which does not go out then.
            socket.send(b"anybody?").unwrap();
            queue.expect(1, is_told);
            let error = socket.take_error().unwrap().unwrap();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            assert!(socket.take_error().unwrap().is_none());
            socket.send(b"anybody?").unwrap();
            refused(socket.send(b"anybody?"), ErrorKind::ConnectionRefused);

            // The socket is none the worse for it.
            would_block(socket.recv(&mut [0; 8]));
            let (friend, friend_address) = bind(any);
            socket.connect(friend_address).unwrap();
            friend.send_to(b"here", address).unwrap();
            assert_eq!(queue.finish(|| socket.recv(&mut [0; 8])).unwrap(), 4);
        }
    });
}

/// An unconnected socket may have many destinations: what became of one datagram is no concern of the others.
#[test]
fn nobody_is_there_for_a_socket_that_is_not_connected() {
    let (_deaf, nowhere) = deaf(any_v4());
    let (socket, _) = bind(any_v4());
    for _ in 0..3 {
        assert_eq!(socket.send_to(b"anybody?", nowhere).unwrap(), 8);
    }
    would_block(socket.recv_from(&mut [0; 8]));
    assert!(socket.take_error().unwrap().is_none());
}

#[test]
fn a_datagram_that_is_too_large() {
    let (socket, address) = bind(any_v4());
    os_error(socket.send_to(&[0; 65_508], address), Code::MSGSIZE);
    // The longest that the header can tell of.
    assert_eq!(socket.send_to(&[0; 65_507], address).unwrap(), 65_507);
}

#[test]
fn an_address_of_another_family() {
    let (socket, _) = bind(any_v4());
    if let Some(v6) = any_v6() {
        let (_, address) = bind(v6);
        assert!(socket.send_to(b"x", address).is_err());
        assert!(socket.connect(address).is_err());
    }
}

#[test]
fn an_address_in_use() {
    for any in each_family() {
        let (_socket, address) = bind(any);
        refused(UdpSocket::bind(address), ErrorKind::AddrInUse);
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn broadcasts_are_denied_until_allowed() {
    let receiver = UdpSocket::bind("0.0.0.0:0".parse().unwrap()).unwrap();
    let (sender, _) = bind(any_v4());
    assert!(!sender.broadcast().unwrap());
    // The broadcast address of the loopback interface: nothing leaves this machine.
    let everybody = SocketAddr::new(
        [127, 255, 255, 255].into(),
        receiver.local_addr().unwrap().port(),
    );
    refused(
        sender.send_to(b"hey", everybody),
        ErrorKind::PermissionDenied,
    );
    refused(sender.connect(everybody), ErrorKind::PermissionDenied);
    sender.set_broadcast(true).unwrap();
    assert!(sender.broadcast().unwrap());
    assert_eq!(sender.send_to(b"hey", everybody).unwrap(), 3);
    assert_eq!(receiver.recv_from(&mut [0; 8]).unwrap().0, 3);
    sender.set_broadcast(false).unwrap();
    refused(
        sender.send_to(b"hey", everybody),
        ErrorKind::PermissionDenied,
    );
}

#[test]
fn options() {
    for any in each_family() {
        let (socket, _) = bind(any);
        for ttl in [1, 64, 255] {
            socket.set_ttl(ttl).unwrap();
            assert_eq!(socket.ttl().unwrap(), ttl);
        }
        for wrong in [0, 256, u32::MAX - 1] {
            refused(socket.set_ttl(wrong), ErrorKind::InvalidInput);
        }
        assert!(socket.take_error().unwrap().is_none());
    }
}

#[test]
fn for_one_family_alone() {
    let (socket, _) = bind(any_v4());
    assert!(socket.only_v6().is_err(), "not a question for IPv4");
    if any_v6().is_none() {
        return;
    }
    for only in [true, false] {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV6, socket2::Type::DGRAM, None).unwrap();
        socket.set_only_v6(only).unwrap();
        // A socket with an address of one family would be for that one anyway.
        let all: SocketAddr = "[::]:0".parse().unwrap();
        socket.bind(&all.into()).unwrap();
        let socket = UdpSocket::from_std(socket.into());
        assert_eq!(socket.only_v6().unwrap(), only);
    }
}

/// The standard library hands the flow information of an address through as it is, in the order of the wire. What is
/// sent to and connected to here has to be the same address.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn flow_information_keeps_the_order_of_its_bytes() {
    use std::os::fd::AsFd;

    let Some(any) = any_v6() else { return };
    let receiver = net::UdpSocket::bind(any).unwrap();
    receiver
        .set_read_timeout(Some(crate::util::PATIENCE))
        .unwrap();
    let SocketAddr::V6(mut to) = receiver.local_addr().unwrap() else {
        panic!("{any} is no address of IPv6");
    };
    let (sender, _) = bind(any);
    let fd = sender.as_fd();
    crate::raw::set_option(fd, libc::IPPROTO_IPV6, crate::raw::IPV6_FLOWINFO_SEND, 1);
    // A traffic class. The other way round it would be a flow label, mostly.
    to.set_flowinfo(u32::from_ne_bytes([0x0a, 0xb0, 0, 0]));
    assert_eq!(sender.send_to(b"sent to", to.into()).unwrap(), 7);
    sender.connect(to.into()).unwrap();
    assert_eq!(sender.peer_addr().unwrap(), to.into());
    assert_eq!(sender.send(b"connected").unwrap(), 9);
    let mut buffer = [0; 16];
    assert_eq!(receiver.recv(&mut buffer).unwrap(), 7);
    assert_eq!(receiver.recv(&mut buffer).unwrap(), 9);
}

#[test]
fn try_io() {
    use std::io::Read;

    use socket2::SockRef;

    on_each_backend(|queue| {
        let (sender, receiver) = registered(queue, any_v4());
        let to = receiver.local_addr().unwrap();
        let mut buffer = [0; 8];
        for _ in 0..3 {
            let mut receive = || (&*SockRef::from(&receiver)).read(&mut buffer);
            would_block(receiver.try_io(&mut receive));
            sender.send_to(b"abc", to).unwrap();
            assert_eq!(queue.finish(|| receiver.try_io(&mut receive)).unwrap(), 3);
        }
        let other = || Err::<(), _>(io::Error::from(ErrorKind::TimedOut));
        refused(receiver.try_io(other), ErrorKind::TimedOut);
    });
}

#[test]
fn shows_its_address() {
    let (socket, address) = bind(any_v4());
    let shown = format!("{socket:?}");
    assert!(shown.starts_with("UdpSocket"), "{shown}");
    assert!(shown.contains(&address.to_string()), "{shown}");
}

#[test]
fn from_and_into_the_standard_library_s() {
    let (socket, address) = bind(any_v4());
    let socket = net::UdpSocket::from(socket);
    assert_eq!(socket.local_addr().unwrap(), address);
    would_block(socket.recv_from(&mut [0]));
    let socket = UdpSocket::from_std(socket);
    assert_eq!(socket.local_addr().unwrap(), address);
    would_block(socket.recv_from(&mut [0]));
}
