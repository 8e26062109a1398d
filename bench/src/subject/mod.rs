//! What is compared, behind one trait, so that an operation is written once for all.
//!
//! The trait asks for what a program that uses the library would write. Everything is inlined into the operation, so the
//! machine code that is timed is that of such a program.

pub(crate) mod bare;
pub(crate) mod mio;
pub(crate) mod polling;

use std::io;
use std::net;
use std::os::fd::RawFd;
use std::os::unix;
use std::time::Duration;

/// What a registration asks for.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Want {
    Read,
    ReadWrite,
}

/// A queue, and the sockets that go with it.
pub(crate) trait Subject: Sized + 'static {
    const NAME: &'static str;

    type Tcp: Stream + Source<Self>;
    type Unix: Stream + Source<Self>;
    type Listener: Listener<Stream = Self::Tcp> + Source<Self>;
    type Udp: Datagrams + Source<Self>;
    /// Any descriptor, which somebody else owns.
    type Fd: Source<Self>;
    type Waker: Wake;

    /// Opens a queue with room for `capacity` events.
    fn open(capacity: usize) -> Self;

    /// Waits, and tells the number of events.
    fn poll(&mut self, timeout: Option<Duration>) -> usize;

    /// Calls `visit` with the key of each event that says "readable".
    fn readable(&self, visit: impl FnMut(usize));

    fn fd(fd: RawFd) -> Self::Fd;

    fn waker(&mut self, key: usize) -> Self::Waker;

    fn tcp(stream: net::TcpStream) -> Self::Tcp;
    fn unix(stream: unix::net::UnixStream) -> Self::Unix;
    fn udp(socket: net::UdpSocket) -> Self::Udp;
    fn listener(listener: net::TcpListener) -> Self::Listener;
}

/// What can be registered with a queue; with edges.
pub(crate) trait Source<Q> {
    fn register(&mut self, queue: &Q, key: usize, want: Want);
    fn reregister(&mut self, queue: &Q, key: usize, want: Want);
    fn deregister(&mut self, queue: &Q);
}

pub(crate) trait Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
}

pub(crate) trait Listener {
    type Stream;

    /// Accepts a connection that is closed on `exec` and does not block, and learns its peer.
    fn accept(&mut self) -> io::Result<Self::Stream>;
}

pub(crate) trait Datagrams {
    /// An address as it is received and sent to.
    type Address: Copy;

    fn address(address: net::SocketAddr) -> Self::Address;
    fn send_to(&mut self, bytes: &[u8], to: &Self::Address) -> io::Result<usize>;
    fn recv_from(&mut self, buffer: &mut [u8]) -> io::Result<(usize, Self::Address)>;
}

pub(crate) trait Wake: Send + 'static {
    fn wake(&self);
}
