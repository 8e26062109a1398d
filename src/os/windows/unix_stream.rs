//! [`UnixStream`].

use std::fmt;
use std::io;
use std::net::{self, Shutdown};
use std::os::windows::io::AsRawSocket as _;
use std::path::Path;

use super::UnixAddr;
use crate::io_source::IoSource;
use crate::sys::socket::local::{self, Name};
use crate::sys::{lend, AsHandle as _, Lent, OwnedHandle};

/// A connection of the Unix domain, on Windows.
///
/// The counterpart of `mio::net::UnixStream`, with an [address](UnixAddr) of its own, for the standard library has none on
/// Windows.
///
/// # Support
///
/// | system | |
/// | --- | --- |
/// | Windows 10, build 17134 (version 1803), or later | streams whose names are paths |
/// | earlier ones | error: [`Unsupported`](io::ErrorKind::Unsupported) |
/// | Wine 8 | the same error |
///
/// There are no datagrams, no socket pairs and no abstract names.
///
/// # Examples
///
/// ```
/// # #[cfg(windows)]
/// # fn main() -> std::io::Result<()> {
/// use mio::windows::{UnixListener, UnixStream};
/// use std::io::ErrorKind;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("socket");
/// match UnixListener::bind(&path) {
///     Ok(listener) => {
///         let client = UnixStream::connect(&path)?;
///         assert_eq!(client.peer_addr()?, listener.local_addr()?);
///     }
///     Err(error) if error.kind() == ErrorKind::Unsupported => println!("{error}"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// # #[cfg(not(windows))]
/// # fn main() {}
/// ```
pub struct UnixStream {
    inner: IoSource<OwnedHandle>,
}

impl UnixStream {
    /// Starts to connect to the socket at `path`. As with [`TcpStream`](crate::net::TcpStream#connecting), the stream
    /// becomes writable when the attempt has ended.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](io::ErrorKind::Unsupported) where the system has no Unix sockets;
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) if nobody listens there, also through
    /// [`take_error`](UnixStream::take_error); [`InvalidInput`](io::ErrorKind::InvalidInput) for a path that is empty, is
    /// not Unicode, has more than 107 bytes in UTF-8, or a zero byte in it.
    ///
    /// # Examples
    ///
    /// There is one at the [type](UnixStream).
    pub fn connect<P: AsRef<Path>>(path: P) -> io::Result<UnixStream> {
        local::connect(&Name::of(path.as_ref())?).map(UnixStream::from)
    }

    /// The address of this end: unnamed, unless it was accepted.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// There is one at [`UnixAddr`].
    pub fn local_addr(&self) -> io::Result<UnixAddr> {
        local::local_name(self.inner.as_handle()).map(UnixAddr)
    }

    /// The address of the peer: the one that was connected to, or unnamed.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if there is no peer.
    ///
    /// # Examples
    ///
    /// There is one at the [type](UnixStream).
    pub fn peer_addr(&self) -> io::Result<UnixAddr> {
        local::peer_name(self.inner.as_handle()).map(UnixAddr)
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
    /// use mio::windows::{UnixListener, UnixStream};
    /// use std::io::ErrorKind;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let listener = match UnixListener::bind(&path) {
    ///     Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(()),
    ///     result => result?,
    /// };
    /// let client = UnixStream::connect(&path)?;
    /// if let Some(error) = client.take_error()? {
    ///     println!("the attempt to connect has failed: {error}");
    /// }
    /// # drop(listener);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.std().take_error()
    }

    /// Shuts down one direction or both. The peer sees the end of the stream.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if there is no peer.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::windows::{UnixListener, UnixStream};
    /// use std::io::ErrorKind;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let listener = match UnixListener::bind(&path) {
    ///     Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(()),
    ///     result => result?,
    /// };
    /// let client = UnixStream::connect(&path)?;
    /// match client.shutdown(std::net::Shutdown::Write) {
    ///     Err(error) if error.kind() == ErrorKind::NotConnected => { /* not yet */ }
    ///     result => result?,
    /// }
    /// # drop(listener);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.std().shutdown(how)
    }

    /// Runs an operation on the socket that this type has no method for, and notes if it would have blocked: see
    /// [`TcpStream::try_io`](crate::net::TcpStream::try_io).
    ///
    /// # Errors
    ///
    /// Those of `operation`.
    ///
    /// # Examples
    ///
    /// There is one at [`TcpStream::try_io`](crate::net::TcpStream::try_io).
    #[inline]
    pub fn try_io<F, T>(&self, operation: F) -> io::Result<T>
    where
        F: FnOnce() -> io::Result<T>,
    {
        self.inner.do_io(|_| operation())
    }

    /// A view of the socket for what does not depend on its family.
    fn std(&self) -> Lent<'_, net::TcpStream> {
        lend(self.inner.as_handle())
    }
}

crate::net::stream::read_and_write!(UnixStream);
crate::net::stream::read_and_write!(&UnixStream);
crate::source::forward_source!(UnixStream);
crate::handles::winsock_handles!(UnixStream);

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixStream")
            .field("local", &self.local_addr().ok())
            .field("peer", &self.peer_addr().ok())
            .field("socket", &self.as_raw_socket())
            .finish()
    }
}
