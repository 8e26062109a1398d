//! [`UnixListener`].

use std::fmt;
use std::io;
use std::net;
use std::os::windows::io::AsRawSocket as _;
use std::path::Path;

use super::{UnixAddr, UnixStream};
use crate::io_source::IoSource;
use crate::sys::socket::local::{self, Name};
use crate::sys::{lend, AsHandle as _, Lent, OwnedHandle};

/// A socket of the Unix domain that accepts connections, on Windows.
///
/// See [`UnixStream`](UnixStream#support) for where it is to be had. Dropping it leaves its file behind; remove that before
/// binding to the same path again.
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
/// use mio::{Events, Interest, Poll, Token};
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let mut listener = listener;
/// poll.registry().register(&mut listener, Token(0), Interest::READABLE)?;
///
/// let client = UnixStream::connect(&path)?;
/// poll.poll(&mut events, None)?;
/// let (server, _address) = listener.accept()?;
/// # drop((client, server));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UnixListener {
    inner: IoSource<OwnedHandle>,
}

impl UnixListener {
    /// Listens on a new socket file at `path`.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](io::ErrorKind::Unsupported) where the system has no Unix sockets;
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) if the file exists, be it in use or stale;
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for a path that is empty, is not Unicode, has more than 107 bytes in
    /// UTF-8, or a zero byte in it; the errors of creating a file.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::windows::UnixListener;
    /// use std::io::ErrorKind;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let listener = match UnixListener::bind(&path) {
    ///     Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(()),
    ///     result => result?,
    /// };
    /// println!("listening on {:?}", listener.local_addr()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        local::listen(&Name::of(path.as_ref())?).map(UnixListener::from)
    }

    /// Accepts a connection, if there is one. The stream is non-blocking, and not registered yet.
    ///
    /// # Errors
    ///
    /// As [`TcpListener::accept`](crate::net::TcpListener::accept).
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::windows::UnixListener;
    /// use std::io::ErrorKind;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let listener = match UnixListener::bind(&path) {
    ///     Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(()),
    ///     result => result?,
    /// };
    /// // Nobody has come. The queue tells when somebody does.
    /// assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn accept(&self) -> io::Result<(UnixStream, UnixAddr)> {
        let (stream, name) = self
            .inner
            .do_read(|inner| local::accept(inner.as_handle()))?;
        Ok((UnixStream::from(stream), UnixAddr(name)))
    }

    /// The address that it listens on.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// There is one at [`UnixAddr::as_pathname`].
    pub fn local_addr(&self) -> io::Result<UnixAddr> {
        local::local_name(self.inner.as_handle()).map(UnixAddr)
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
    /// use mio::windows::UnixListener;
    /// use std::io::ErrorKind;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let listener = match UnixListener::bind(&path) {
    ///     Err(error) if error.kind() == ErrorKind::Unsupported => return Ok(()),
    ///     result => result?,
    /// };
    /// assert!(listener.take_error()?.is_none());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.std().take_error()
    }

    /// A view of the socket for what does not depend on its family.
    fn std(&self) -> Lent<'_, net::TcpListener> {
        lend(self.inner.as_handle())
    }
}

crate::source::forward_source!(UnixListener);
crate::handles::winsock_handles!(UnixListener);

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixListener")
            .field("addr", &self.local_addr().ok())
            .field("socket", &self.as_raw_socket())
            .finish()
    }
}
