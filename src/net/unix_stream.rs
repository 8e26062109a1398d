//! [`UnixStream`].

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

use crate::io_source::IoSource;
use crate::sys::{lend, socket::local, AsHandle as _, Lent, OwnedHandle};

/// A connection of the Unix domain.
///
/// # Examples
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use mio::{net::UnixStream, Events, Interest, Poll, Token};
/// use std::io::{Read, Write};
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let (mut left, mut right) = UnixStream::pair()?;
/// poll.registry().register(&mut right, Token(0), Interest::READABLE)?;
///
/// left.write_all(b"hello")?;
/// poll.poll(&mut events, None)?;
/// let mut buffer = [0; 16];
/// assert_eq!(right.read(&mut buffer)?, 5);
/// # Ok(())
/// # }
/// ```
pub struct UnixStream {
    inner: IoSource<OwnedHandle>,
}

impl UnixStream {
    /// Connects to the socket at `path`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound), [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) for a socket file that
    /// nobody listens on, [`InvalidInput`](io::ErrorKind::InvalidInput) for a path that is too long (more than 108 bytes
    /// on Linux, 104 on BSD and Apple systems) or has a zero byte in it. When the backlog is full there is no stream, and no event
    /// will tell when to try again: [`WouldBlock`](io::ErrorKind::WouldBlock) on Linux, `ConnectionRefused` elsewhere.
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// use mio::net::{UnixListener, UnixStream};
    /// use std::io::ErrorKind;
    ///
    /// assert_eq!(UnixStream::connect(&path).unwrap_err().kind(), ErrorKind::NotFound);
    /// let listener = UnixListener::bind(&path)?;
    /// let stream = UnixStream::connect(&path)?;
    /// assert_eq!(stream.peer_addr()?.as_pathname(), Some(&*path));
    /// # drop(listener);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect<P: AsRef<Path>>(path: P) -> io::Result<UnixStream> {
        local::stream_connect(&local::path_address(path.as_ref())?).map(UnixStream::from)
    }

    /// Connects to `address`, which can be an abstract one on Linux.
    ///
    /// # Errors
    ///
    /// As [`connect`](UnixStream::connect).
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// use mio::net::{UnixListener, UnixStream};
    ///
    /// let listener = UnixListener::bind(&path)?;
    /// let stream = UnixStream::connect_addr(&listener.local_addr()?)?;
    /// assert!(stream.local_addr()?.is_unnamed());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect_addr(address: &SocketAddr) -> io::Result<UnixStream> {
        local::stream_connect(&local::address(address)?).map(UnixStream::from)
    }

    /// Takes over a stream of the standard library, which must be in
    /// [non-blocking mode](net::UnixStream::set_nonblocking) already.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UnixStream;
    ///
    /// let (left, _right) = std::os::unix::net::UnixStream::pair()?;
    /// left.set_nonblocking(true)?;
    /// let left = UnixStream::from_std(left);
    /// # drop(left);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn from_std(stream: net::UnixStream) -> UnixStream {
        UnixStream {
            inner: IoSource::new(stream.into()),
        }
    }

    /// Makes two streams that are connected to each other: `socketpair(2)`.
    ///
    /// # Errors
    ///
    /// Too many open files.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UnixStream;
    /// use std::io::{ErrorKind, Read, Write};
    ///
    /// let (mut left, mut right) = UnixStream::pair()?;
    /// let mut buffer = [0; 16];
    /// assert_eq!(right.read(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// left.write_all(b"hello")?;
    /// assert_eq!(right.read(&mut buffer)?, 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (left, right) = local::stream_pair()?;
        Ok((UnixStream::from(left), UnixStream::from(right)))
    }

    /// The address of this end: unnamed, unless it was accepted or bound.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// There is one at [`connect_addr`](UnixStream::connect_addr).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        local::local_addr(self.inner.as_handle())
    }

    /// The address of the peer: the one that was connected to, or unnamed.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if there is no peer.
    ///
    /// # Examples
    ///
    /// There is one at [`connect`](UnixStream::connect).
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        local::peer_addr(self.inner.as_handle())
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
    /// use mio::net::UnixStream;
    ///
    /// let (left, _right) = UnixStream::pair()?;
    /// assert!(left.take_error()?.is_none());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.std().take_error()
    }

    /// Shuts down one direction or both. The peer sees the end of the stream, and this end gets events for it, too.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if there is no peer. Linux lets that pass.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UnixStream;
    /// use std::io::Read;
    /// use std::net::Shutdown;
    ///
    /// let (left, mut right) = UnixStream::pair()?;
    /// left.shutdown(Shutdown::Write)?;
    /// assert_eq!(right.read(&mut [0; 16])?, 0);
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
    /// use mio::net::UnixStream;
    /// use rustix::net::{recv, RecvFlags};
    ///
    /// let (_left, right) = UnixStream::pair()?;
    /// let mut buffer = [0; 16];
    /// let received = right.try_io(|| Ok(recv(&right, &mut buffer, RecvFlags::WAITALL)?));
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
    fn std(&self) -> Lent<'_, net::UnixStream> {
        lend(self.inner.as_handle())
    }
}

super::stream::read_and_write!(UnixStream);
super::stream::read_and_write!(&UnixStream);
crate::source::forward_source!(UnixStream);
crate::handles::socket_handles!(UnixStream, net::UnixStream);

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        local::show("UnixStream", self.inner.as_handle(), f)
    }
}
