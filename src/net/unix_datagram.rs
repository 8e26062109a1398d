//! [`UnixDatagram`].

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

use crate::io_source::IoSource;
use crate::sys::socket::{self, local};
use crate::sys::{lend, AsHandle as _, Lent, OwnedHandle};

/// A datagram socket of the Unix domain. Datagrams arrive whole, in order, and are not lost: a full receiver makes the
/// sender wait.
///
/// # Examples
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use mio::{net::UnixDatagram, Events, Interest, Poll, Token};
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let (left, mut right) = UnixDatagram::pair()?;
/// poll.registry().register(&mut right, Token(0), Interest::READABLE)?;
///
/// left.send(b"hello")?;
/// poll.poll(&mut events, None)?;
/// let mut buffer = [0; 16];
/// assert_eq!(right.recv(&mut buffer)?, 5);
/// # Ok(())
/// # }
/// ```
pub struct UnixDatagram {
    inner: IoSource<OwnedHandle>,
}

impl UnixDatagram {
    /// Makes a socket with a new file at `path`. An empty path gets a name that the system picks, on Linux.
    ///
    /// # Errors
    ///
    /// As [`UnixListener::bind`](super::UnixListener::bind).
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        local::datagram(Some(&local::path_address(path.as_ref())?)).map(UnixDatagram::from)
    }

    /// Makes a socket with the given address, which can be an abstract one on Linux.
    ///
    /// # Errors
    ///
    /// As [`bind`](UnixDatagram::bind).
    pub fn bind_addr(address: &SocketAddr) -> io::Result<UnixDatagram> {
        local::datagram(Some(&local::address(address)?)).map(UnixDatagram::from)
    }

    /// Makes a socket without an address. It can send, and receives from whom it is connected to.
    ///
    /// # Errors
    ///
    /// Too many open files.
    pub fn unbound() -> io::Result<UnixDatagram> {
        local::datagram(None).map(UnixDatagram::from)
    }

    /// Makes two sockets that are connected to each other: `socketpair(2)`.
    ///
    /// # Errors
    ///
    /// Too many open files.
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (left, right) = local::datagram_pair()?;
        Ok((UnixDatagram::from(left), UnixDatagram::from(right)))
    }

    /// Takes over a socket of the standard library, which must be in
    /// [non-blocking mode](net::UnixDatagram::set_nonblocking) already.
    #[must_use]
    pub fn from_std(socket: net::UnixDatagram) -> UnixDatagram {
        UnixDatagram {
            inner: IoSource::new(socket.into()),
        }
    }

    /// Sets the address for [`send`](UnixDatagram::send), and refuses datagrams from all others.
    ///
    /// # Errors
    ///
    /// As [`UnixStream::connect`](super::UnixStream::connect).
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        local::connect(self.inner.as_handle(), &local::path_address(path.as_ref())?)
    }

    /// The address of this socket.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.std().local_addr()
    }

    /// The address that the socket is connected to.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if it is not.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.std().peer_addr()
    }

    /// Receives a datagram, and tells its length and its sender. What does not fit into `buffer` is lost.
    ///
    /// A sender that is bound to a path of exactly 108 bytes (Linux) is reported as unnamed: the standard library's address
    /// has no room for it.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is none.
    #[inline(always)]
    pub fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let result = local::recv_from(self.inner.as_handle(), buffer);
        self.inner.after_read(result)
    }

    /// Receives a datagram. What does not fit into `buffer` is lost.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is none.
    #[inline]
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner
            .do_read(|inner| socket::recv(inner.as_handle(), buffer))
    }

    /// Sends a datagram to the socket at `path`.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when the receiver's queue is full,
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) when nobody has the file open,
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for a path that is too long or has a zero byte in it.
    pub fn send_to<P: AsRef<Path>>(&self, datagram: &[u8], path: P) -> io::Result<usize> {
        let address = local::path_address(path.as_ref())?;
        self.inner
            .do_write(|inner| local::send_to(inner.as_handle(), datagram, &address))
    }

    /// Sends a datagram to the peer that the socket is connected to.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when the receiver's queue is full,
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) when the receiver is gone.
    #[inline]
    pub fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.inner
            .do_write(|inner| socket::send(inner.as_handle(), datagram))
    }

    /// Takes the pending error of the socket: `SO_ERROR`.
    ///
    /// # Errors
    ///
    /// The system's, if it cannot be asked.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.std().take_error()
    }

    /// Shuts down one direction or both.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if there is no peer.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.std().shutdown(how)
    }

    /// Runs an operation on the socket that this type has no method for, and notes if it would have blocked: see
    /// [`TcpStream::try_io`](super::TcpStream::try_io).
    ///
    /// # Errors
    ///
    /// Those of `operation`.
    #[inline]
    pub fn try_io<F, T>(&self, operation: F) -> io::Result<T>
    where
        F: FnOnce() -> io::Result<T>,
    {
        self.inner.do_io(|_| operation())
    }

    /// The standard library's view of the socket.
    fn std(&self) -> Lent<'_, net::UnixDatagram> {
        lend(self.inner.as_handle())
    }
}

crate::source::forward_source!(UnixDatagram);
crate::handles::socket_handles!(UnixDatagram, net::UnixDatagram);

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.std().fmt(f)
    }
}
