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
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// use mio::net::UnixDatagram;
    ///
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// client.send_to(b"hello", &path)?;
    /// let mut buffer = [0; 16];
    /// assert_eq!(server.recv(&mut buffer)?, 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        local::datagram(Some(&local::path_address(path.as_ref())?)).map(UnixDatagram::from)
    }

    /// Makes a socket with the given address, which can be an abstract one on Linux.
    ///
    /// # Errors
    ///
    /// As [`bind`](UnixDatagram::bind).
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// use mio::net::UnixDatagram;
    /// use std::os::unix::net::SocketAddr;
    ///
    /// let socket = UnixDatagram::bind_addr(&SocketAddr::from_pathname(&path)?)?;
    /// assert_eq!(socket.local_addr()?.as_pathname(), Some(&*path));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind_addr(address: &SocketAddr) -> io::Result<UnixDatagram> {
        local::datagram(Some(&local::address(address)?)).map(UnixDatagram::from)
    }

    /// Makes a socket without an address. It can send, and receives from whom it is connected to.
    ///
    /// # Errors
    ///
    /// Too many open files.
    ///
    /// # Examples
    ///
    /// There is one at [`bind`](UnixDatagram::bind).
    pub fn unbound() -> io::Result<UnixDatagram> {
        local::datagram(None).map(UnixDatagram::from)
    }

    /// Makes two sockets that are connected to each other: `socketpair(2)`.
    ///
    /// # Errors
    ///
    /// Too many open files.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UnixDatagram;
    /// use std::io::ErrorKind;
    ///
    /// let (left, right) = UnixDatagram::pair()?;
    /// let mut buffer = [0; 16];
    /// assert_eq!(right.recv(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// left.send(b"hello")?;
    /// assert_eq!(right.recv(&mut buffer)?, 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (left, right) = local::datagram_pair()?;
        Ok((UnixDatagram::from(left), UnixDatagram::from(right)))
    }

    /// Takes over a socket of the standard library, which must be in
    /// [non-blocking mode](net::UnixDatagram::set_nonblocking) already.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UnixDatagram;
    ///
    /// let socket = std::os::unix::net::UnixDatagram::unbound()?;
    /// socket.set_nonblocking(true)?;
    /// let socket = UnixDatagram::from_std(socket);
    /// # drop(socket);
    /// # Ok::<(), std::io::Error>(())
    /// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// use mio::net::UnixDatagram;
    ///
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// client.connect(&path)?;
    /// client.send(b"hello")?;
    /// assert_eq!(client.peer_addr()?.as_pathname(), Some(&*path));
    /// # drop(server);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        local::connect(self.inner.as_handle(), &local::path_address(path.as_ref())?)
    }

    /// The address of this socket.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// There is one at [`bind_addr`](UnixDatagram::bind_addr).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        local::local_addr(self.inner.as_handle())
    }

    /// The address that the socket is connected to.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if it is not.
    ///
    /// # Examples
    ///
    /// There is one at [`connect`](UnixDatagram::connect).
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        local::peer_addr(self.inner.as_handle())
    }

    /// Receives a datagram, and tells its length and its sender. What does not fit into `buffer` is lost.
    ///
    /// A sender that is bound to a path of exactly 108 bytes (Linux) is reported as unnamed: the standard library's address
    /// has no room for it.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is none.
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// use mio::net::UnixDatagram;
    ///
    /// let server = UnixDatagram::bind(&path)?;
    /// # let other = folder.path().join("other");
    /// let client = UnixDatagram::bind(&other)?;
    /// client.send_to(b"hello", &path)?;
    ///
    /// let mut buffer = [0; 16];
    /// let (n, from) = server.recv_from(&mut buffer)?;
    /// assert_eq!((n, from.as_pathname()), (5, Some(&*other)));
    /// # Ok::<(), std::io::Error>(())
    /// ```
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
    ///
    /// # Examples
    ///
    /// There is one at [`pair`](UnixDatagram::pair).
    #[inline(always)]
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
    ///
    /// # Examples
    ///
    /// There is one at [`bind`](UnixDatagram::bind).
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
    ///
    /// # Examples
    ///
    /// There is one at [`pair`](UnixDatagram::pair).
    #[inline(always)]
    pub fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.inner
            .do_write(|inner| socket::send(inner.as_handle(), datagram))
    }

    /// Takes the pending error of the socket: `SO_ERROR`.
    ///
    /// # Errors
    ///
    /// The system's, if it cannot be asked.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UnixDatagram;
    ///
    /// let (left, _right) = UnixDatagram::pair()?;
    /// assert!(left.take_error()?.is_none());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.std().take_error()
    }

    /// Shuts down one direction or both.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if there is no peer.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UnixDatagram;
    /// use std::io::ErrorKind;
    /// use std::net::Shutdown;
    ///
    /// let (left, _right) = UnixDatagram::pair()?;
    /// left.shutdown(Shutdown::Write)?;
    /// assert_eq!(left.send(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.std().shutdown(how)
    }

    /// Runs an operation on the socket that this type has no method for, and notes if it would have blocked: see
    /// [`TcpStream::try_io`](super::TcpStream::try_io).
    ///
    /// # Errors
    ///
    /// Those of `operation`.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UnixDatagram;
    /// use rustix::net::{recv, RecvFlags};
    ///
    /// let (_left, right) = UnixDatagram::pair()?;
    /// let mut buffer = [0; 16];
    /// let received = right.try_io(|| Ok(recv(&right, &mut buffer, RecvFlags::TRUNC)?));
    /// assert_eq!(received.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    /// # Ok::<(), std::io::Error>(())
    /// ```
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
        local::show("UnixDatagram", self.inner.as_handle(), f)
    }
}
