//! [`TcpListener`].

use std::fmt;
use std::io;
use std::net::{self, SocketAddr};

use super::TcpStream;
use crate::io_source::IoSource;
use crate::sys::{lend, socket, AsHandle as _, Lent, OwnedHandle};

/// A TCP socket that accepts connections.
///
/// # Examples
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use mio::{net::TcpListener, Events, Interest, Poll, Token};
/// use std::io::ErrorKind;
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
/// poll.registry().register(&mut listener, Token(0), Interest::READABLE)?;
/// # let client = std::net::TcpStream::connect(listener.local_addr()?)?;
///
/// poll.poll(&mut events, None)?;
/// // One event may stand for many connections.
/// loop {
///     match listener.accept() {
///         Ok((_stream, address)) => println!("connection from {address}"),
///         Err(error) if error.kind() == ErrorKind::WouldBlock => break,
///         // The peer gave up before we came to it: there may be others.
///         Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
///         // The same on Windows.
///         Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
///         Err(error) => return Err(error),
///     }
/// }
/// # drop(client);
/// # Ok(())
/// # }
/// ```
pub struct TcpListener {
    inner: IoSource<OwnedHandle>,
}

impl TcpListener {
    /// Listens on `address`. With port 0 the system picks a free one: see [`local_addr`](TcpListener::local_addr).
    ///
    /// On Unix, an address that connections of an earlier listener still linger on can be used at once
    /// (`SO_REUSEADDR`). The backlog is as long as the system allows. An IPv6 listener on `[::]` also accepts IPv4
    /// connections where the system is set up so.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](io::ErrorKind::AddrInUse), [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable),
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) for a privileged port, too many open files.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::TcpListener;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
    /// println!("listening on {}", listener.local_addr()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
        socket::tcp_listen(address).map(TcpListener::from)
    }

    /// Takes over a listener of the standard library, which must be in
    /// [non-blocking mode](net::TcpListener::set_nonblocking) already.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::TcpListener;
    ///
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// listener.set_nonblocking(true)?;
    /// let listener = TcpListener::from_std(listener);
    /// # drop(listener);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn from_std(listener: net::TcpListener) -> TcpListener {
        TcpListener {
            inner: IoSource::new(listener.into()),
        }
    }

    /// Accepts a connection, if there is one. The stream is non-blocking, and not registered yet.
    ///
    /// # Errors
    ///
    /// | kind | what to do |
    /// | --- | --- |
    /// | [`WouldBlock`](io::ErrorKind::WouldBlock) | nobody waits: poll |
    /// | [`ConnectionAborted`](io::ErrorKind::ConnectionAborted), on Windows [`ConnectionReset`](io::ErrorKind::ConnectionReset) | this one is gone: accept the next one |
    /// | OS errors `EMFILE`, `ENFILE`, `ENOMEM` | the connection stays in the backlog, and there is no new edge for it: accept again once descriptors have been closed |
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::TcpListener;
    /// use std::io::ErrorKind;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
    /// // Nobody has come. The queue tells when somebody does.
    /// assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline(always)]
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let result = socket::tcp_accept(self.inner.as_handle());
        let (stream, address) = self.inner.after_read(result)?;
        Ok((TcpStream::from(stream), address))
    }

    /// The address that it listens on.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::TcpListener;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
    /// assert_ne!(listener.local_addr()?.port(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.std().local_addr()
    }

    /// Sets how many routers the packets of accepted connections may pass: `IP_TTL`. For IPv4 only: it leaves the hop limit
    /// of IPv6 packets alone, and some systems refuse it for an IPv6 socket.
    ///
    /// # Errors
    ///
    /// The system's, for zero and for more than 255.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::TcpListener;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
    /// listener.set_ttl(1)?; // neighbours only
    /// assert_eq!(listener.ttl()?, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.std().set_ttl(ttl)
    }

    /// How many routers the packets of accepted connections may pass.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// There is one at [`set_ttl`](TcpListener::set_ttl).
    pub fn ttl(&self) -> io::Result<u32> {
        self.std().ttl()
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
    /// use mio::net::TcpListener;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
    /// assert!(listener.take_error()?.is_none());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.std().take_error()
    }

    /// The standard library's view of the socket.
    fn std(&self) -> Lent<'_, net::TcpListener> {
        lend(self.inner.as_handle())
    }
}

crate::source::forward_source!(TcpListener);
crate::handles::socket_handles!(TcpListener, net::TcpListener);

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.std().fmt(f)
    }
}
