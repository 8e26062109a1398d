//! [`UnixListener`].

use std::fmt;
use std::io;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

use super::UnixStream;
use crate::io_source::IoSource;
use crate::sys::{lend, socket::local, AsHandle as _, Lent, OwnedHandle};

/// A socket of the Unix domain that accepts connections.
///
/// Dropping it leaves its file behind; remove that before binding to the same path again.
///
/// # Examples
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("socket");
/// use mio::{net::{UnixListener, UnixStream}, Events, Interest, Poll, Token};
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let mut listener = UnixListener::bind(&path)?;
/// poll.registry().register(&mut listener, Token(0), Interest::READABLE)?;
///
/// let client = UnixStream::connect(&path)?;
/// poll.poll(&mut events, None)?;
/// let (server, _address) = listener.accept()?;
/// # drop((client, server));
/// # Ok(())
/// # }
/// ```
pub struct UnixListener {
    inner: IoSource<OwnedHandle>,
}

impl UnixListener {
    /// Listens on a new socket file at `path`. An empty path gets a name that the system picks, on Linux.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) if the file exists, be it in use or stale;
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for a path that is too long (more than 108 bytes on Linux, 104 on BSD
    /// and Apple systems) or has a zero byte in it; the errors of creating a file.
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// use mio::net::UnixListener;
    /// use std::io::ErrorKind;
    ///
    /// let listener = UnixListener::bind(&path)?;
    /// drop(listener);
    /// // The file is still there.
    /// assert_eq!(UnixListener::bind(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
    /// std::fs::remove_file(&path)?;
    /// let listener = UnixListener::bind(&path)?;
    /// # drop(listener);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        local::listen(&local::path_address(path.as_ref())?).map(UnixListener::from)
    }

    /// Listens on `address`, which can be an abstract one on Linux.
    ///
    /// # Errors
    ///
    /// As [`bind`](UnixListener::bind).
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// use mio::net::UnixListener;
    /// use std::os::unix::net::SocketAddr;
    ///
    /// let listener = UnixListener::bind_addr(&SocketAddr::from_pathname(&path)?)?;
    /// assert_eq!(listener.local_addr()?.as_pathname(), Some(&*path));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind_addr(address: &SocketAddr) -> io::Result<UnixListener> {
        local::listen(&local::address(address)?).map(UnixListener::from)
    }

    /// Takes over a listener of the standard library, which must be in
    /// [non-blocking mode](net::UnixListener::set_nonblocking) already.
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// use mio::net::UnixListener;
    ///
    /// let listener = std::os::unix::net::UnixListener::bind(&path)?;
    /// listener.set_nonblocking(true)?;
    /// let listener = UnixListener::from_std(listener);
    /// # drop(listener);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn from_std(listener: net::UnixListener) -> UnixListener {
        UnixListener {
            inner: IoSource::new(listener.into()),
        }
    }

    /// Accepts a connection, if there is one. The stream is non-blocking, and not registered yet.
    ///
    /// A peer that is bound to a path of exactly 108 bytes (Linux) is reported as unnamed: the standard library's address
    /// has no room for it.
    ///
    /// # Errors
    ///
    /// As [`TcpListener::accept`](super::TcpListener::accept).
    ///
    /// # Examples
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// use mio::net::UnixListener;
    /// use std::io::ErrorKind;
    ///
    /// let listener = UnixListener::bind(&path)?;
    /// // Nobody has come. The queue tells when somebody does.
    /// assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline(always)]
    pub fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let result = local::accept(self.inner.as_handle());
        let (stream, address) = self.inner.after_read(result)?;
        Ok((UnixStream::from(stream), address))
    }

    /// The address that it listens on.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// There is one at [`bind_addr`](UnixListener::bind_addr).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        local::local_addr(self.inner.as_handle())
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
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// use mio::net::UnixListener;
    ///
    /// let listener = UnixListener::bind(&path)?;
    /// assert!(listener.take_error()?.is_none());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.std().take_error()
    }

    /// The standard library's view of the socket.
    fn std(&self) -> Lent<'_, net::UnixListener> {
        lend(self.inner.as_handle())
    }
}

crate::source::forward_source!(UnixListener);
crate::handles::socket_handles!(UnixListener, net::UnixListener);

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        local::show("UnixListener", self.inner.as_handle(), f)
    }
}
