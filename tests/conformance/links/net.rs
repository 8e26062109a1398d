//! The sockets of `mio::net`.

use std::io::{Read, Write};

use mio::net::{TcpStream, UdpSocket};
#[cfg(unix)]
use mio::net::{UnixDatagram, UnixStream};

use super::{near, Link};
use crate::bed::BOTH;
#[cfg(unix)]
use crate::facts::FULL_RECEIVERS_BLOCK;
use crate::system::{PollFlags, PEER_WROTE_ALL};

pub(super) fn links() -> Vec<Link> {
    let (near, far) = tcp_pair();
    let mut tcp = Link::of("TcpStream", BOTH, near, far).stream();
    // This end may still send.
    tcp.hung_up = PEER_WROTE_ALL;

    let (near, far) = udp_pair();
    let mut udp = Link::of("UdpSocket", BOTH, near, far);
    // What was sent over the loopback is no longer this socket's.
    udp.fills = false;
    udp.hung_up = PollFlags::empty();

    [tcp, udp].into_iter().chain(local_links()).collect()
}

#[cfg(unix)]
fn local_links() -> [Link; 2] {
    let (near, far) = UnixStream::pair().unwrap();
    let stream = Link::of("UnixStream", BOTH, near, far).stream();

    let (near, far) = UnixDatagram::pair().unwrap();
    let mut datagram = Link::of("UnixDatagram", BOTH, near, far);
    datagram.hung_up = PollFlags::empty();
    // Elsewhere contents as long as those that fill are an error, too.
    datagram.fills = FULL_RECEIVERS_BLOCK;
    [stream, datagram]
}

#[cfg(not(unix))]
fn local_links() -> [Link; 0] {
    []
}

/// Both ends of a connection.
pub(crate) fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let near = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    for end in [&near, &far] {
        end.set_nonblocking(true).unwrap();
        end.set_nodelay(true).unwrap();
    }
    (TcpStream::from_std(near), TcpStream::from_std(far))
}

/// Two sockets that are connected to each other.
pub(crate) fn udp_pair() -> (UdpSocket, UdpSocket) {
    let [near, far] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0".parse().unwrap()).unwrap());
    near.connect(far.local_addr().unwrap()).unwrap();
    far.connect(near.local_addr().unwrap()).unwrap();
    (near, far)
}

near!(
    TcpStream,
    |mut stream, buffer| Read::read(&mut stream, buffer),
    |mut stream, bytes| Write::write(&mut stream, bytes)
);
#[cfg(unix)]
near!(
    UnixStream,
    |mut stream, buffer| Read::read(&mut stream, buffer),
    |mut stream, bytes| Write::write(&mut stream, bytes)
);
near!(UdpSocket, UdpSocket::recv, UdpSocket::send);
#[cfg(unix)]
near!(UnixDatagram, UnixDatagram::recv, UnixDatagram::send);
