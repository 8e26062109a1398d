//! [`TcpStream`].

use std::fmt;
use std::io;
use std::net::{self, Shutdown, SocketAddr};

use crate::io_source::IoSource;
use crate::sys::{lend, socket, AsHandle as _, Lent, OwnedHandle};

/// A TCP connection.
///
/// # Connecting
///
/// [`connect`](TcpStream::connect) returns before there is a connection. Then:
///
/// 1. Register the stream for [`WRITABLE`](crate::Interest::WRITABLE).
/// 2. On the first event, ask [`take_error`](TcpStream::take_error): `Some` means that the attempt has failed.
/// 3. Ask [`peer_addr`](TcpStream::peer_addr): an address means that the stream is connected;
///    [`NotConnected`](io::ErrorKind::NotConnected) means that the event came too early, so wait for another one. But if
///    the event [says](crate::event::Event::is_write_closed) that nothing can be written any more, the connection is
///    over already: the peer has accepted and reset it, and not every system keeps the error.
///
/// # Examples
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use mio::{net::TcpStream, Events, Interest, Poll, Token};
/// use std::io::ErrorKind;
///
/// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// # let address = listener.local_addr()?;
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let mut stream = TcpStream::connect(address)?;
/// poll.registry().register(&mut stream, Token(0), Interest::WRITABLE)?;
///
/// 'connecting: loop {
///     poll.poll(&mut events, None)?;
///     for event in &events {
///         if let Some(error) = stream.take_error()? {
///             return Err(error);
///         }
///         match stream.peer_addr() {
///             Ok(_) => break 'connecting,
///             Err(error) if error.kind() == ErrorKind::NotConnected && !event.is_write_closed() => {}
///             Err(error) => return Err(error),
///         }
///     }
/// }
/// assert_eq!(stream.peer_addr()?, address);
/// # Ok(())
/// # }
/// ```
pub struct TcpStream {
    inner: IoSource<OwnedHandle>,
}

impl TcpStream {
    /// Starts to connect to `address`. See the [type](TcpStream#connecting) for how it goes on.
    ///
    /// # Errors
    ///
    /// What the system knows at once, such as
    /// [`NetworkUnreachable`](https://doc.rust-lang.org/std/io/enum.ErrorKind.html#variant.NetworkUnreachable) or too many
    /// open files. A refusal by the peer comes later, through [`take_error`](TcpStream::take_error).
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::TcpStream;
    /// use mio::{Interest, Poll, Token};
    ///
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = listener.local_addr()?;
    /// let poll = Poll::new()?;
    /// let mut stream = TcpStream::connect(address)?;
    /// // The first writable event says that the attempt has ended, and `take_error` how.
    /// poll.registry().register(&mut stream, Token(0), Interest::WRITABLE)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
        socket::tcp_connect(address).map(TcpStream::from)
    }

    /// Takes over a stream of the standard library, which must be in
    /// [non-blocking mode](net::TcpStream::set_nonblocking) already.
    ///
    /// A stream that is not lets calls block, and with them the whole loop.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::TcpStream;
    ///
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = listener.local_addr()?;
    /// // Connected while the program starts, when it may take its time.
    /// let stream = std::net::TcpStream::connect(address)?;
    /// stream.set_nonblocking(true)?;
    /// let stream = TcpStream::from_std(stream);
    /// assert_eq!(stream.peer_addr()?, address);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn from_std(stream: net::TcpStream) -> TcpStream {
        TcpStream {
            inner: IoSource::new(stream.into()),
        }
    }

    /// The address of the peer.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) before the connection is established, and after it broke.
    ///
    /// # Examples
    ///
    /// ```
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let stream = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// # let (_peer, _) = listener.accept()?;
    /// # stream.set_nonblocking(true)?;
    /// # let stream = mio::net::TcpStream::from_std(stream);
    /// match stream.peer_addr() {
    ///     Ok(address) => println!("connected to {address}"),
    ///     Err(error) => println!("not connected: {error}"),
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.std().peer_addr()
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let stream = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// # let (_peer, _) = listener.accept()?;
    /// # stream.set_nonblocking(true)?;
    /// # let stream = mio::net::TcpStream::from_std(stream);
    /// println!("{} talks to {}", stream.local_addr()?, stream.peer_addr()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.std().local_addr()
    }

    /// Shuts down one direction or both. The peer sees the end of the stream, and this end gets events for it, too.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if there is no connection (any more).
    ///
    /// # Examples
    ///
    /// ```
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let stream = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// # let (mut peer, _) = listener.accept()?;
    /// # stream.set_nonblocking(true)?;
    /// # let mut stream = mio::net::TcpStream::from_std(stream);
    /// use std::io::Write;
    /// use std::net::Shutdown;
    ///
    /// stream.write_all(b"that is all")?;
    /// stream.shutdown(Shutdown::Write)?;
    /// # let mut received = Vec::new();
    /// # std::io::Read::read_to_end(&mut peer, &mut received)?;
    /// # assert_eq!(received, b"that is all");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.std().shutdown(how)
    }

    /// Sends small writes at once (`true`), or lets the system collect them (`false`, the default): `TCP_NODELAY`.
    ///
    /// On Windows call it once the stream is connected.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let stream = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// # let (_peer, _) = listener.accept()?;
    /// # stream.set_nonblocking(true)?;
    /// # let stream = mio::net::TcpStream::from_std(stream);
    /// stream.set_nodelay(true)?; // requests and answers, each written as a whole
    /// assert!(stream.nodelay()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.std().set_nodelay(nodelay)
    }

    /// Whether small writes are sent at once: see [`set_nodelay`](TcpStream::set_nodelay).
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// There is one at [`set_nodelay`](TcpStream::set_nodelay).
    pub fn nodelay(&self) -> io::Result<bool> {
        self.std().nodelay()
    }

    /// Sets how many routers a packet may pass: `IP_TTL`. For IPv4 only: it leaves the hop limit of IPv6 packets alone, and
    /// some systems refuse it for an IPv6 socket.
    ///
    /// On Windows call it once the stream is connected.
    ///
    /// # Errors
    ///
    /// The system's, for zero and for more than 255.
    ///
    /// # Examples
    ///
    /// ```
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let stream = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// # let (_peer, _) = listener.accept()?;
    /// # stream.set_nonblocking(true)?;
    /// # let stream = mio::net::TcpStream::from_std(stream);
    /// stream.set_ttl(64)?;
    /// assert_eq!(stream.ttl()?, 64);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.std().set_ttl(ttl)
    }

    /// How many routers a packet may pass.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// There is one at [`set_ttl`](TcpStream::set_ttl).
    pub fn ttl(&self) -> io::Result<u32> {
        self.std().ttl()
    }

    /// Takes the pending error of the socket, such as the reason for which connecting failed: `SO_ERROR`.
    ///
    /// # Errors
    ///
    /// The system's, if it cannot be asked.
    ///
    /// # Examples
    ///
    /// ```
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let stream = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// # let (_peer, _) = listener.accept()?;
    /// # stream.set_nonblocking(true)?;
    /// # let stream = mio::net::TcpStream::from_std(stream);
    /// match stream.take_error()? {
    ///     None => println!("as far as the system knows, all is well"),
    ///     Some(error) => println!("the connection has failed: {error}"),
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.std().take_error()
    }

    /// Receives without taking: the same bytes are there for the next read.
    ///
    /// Counts as a read that would block when there is nothing: the next byte makes an event.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing yet, and those of a read.
    ///
    /// # Examples
    ///
    /// ```
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let stream = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// # let (mut peer, _) = listener.accept()?;
    /// # stream.set_nonblocking(true)?;
    /// # let mut stream = mio::net::TcpStream::from_std(stream);
    /// use std::io::{ErrorKind, Read, Write};
    ///
    /// peer.write_all(b"x")?;
    /// let mut byte = [0];
    /// loop {
    ///     match stream.peek(&mut byte) {
    ///         Ok(n) => break assert_eq!(n, 1),
    ///         Err(error) if error.kind() == ErrorKind::WouldBlock => {} // poll, instead
    ///         Err(error) => return Err(error),
    ///     }
    /// }
    /// assert_eq!(stream.read(&mut byte)?, 1); // it is still there
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline(always)]
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner
            .do_read(|inner| socket::peek(inner.as_handle(), buffer))
    }

    /// Runs an operation on the socket that this type has no method for, and notes if it would have blocked.
    ///
    /// Some backends report an edge only after that (see [`IoSource`]), so whatever reads or writes the socket's
    /// descriptor by other means has to go through here.
    ///
    /// # Errors
    ///
    /// Those of `operation`, which returns [`WouldBlock`](io::ErrorKind::WouldBlock) when there is nothing to do yet.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(unix)]
    /// # fn main() -> std::io::Result<()> {
    /// # use std::io::Read;
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let stream = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// # stream.set_nonblocking(true)?;
    /// # let stream = mio::net::TcpStream::from_std(stream);
    /// use std::os::fd::AsFd;
    ///
    /// let mut buffer = [0; 512];
    /// let result = stream.try_io(|| Ok(rustix::io::read(stream.as_fd(), &mut buffer)?));
    /// assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(unix))]
    /// # fn main() {}
    /// ```
    #[inline]
    pub fn try_io<F, T>(&self, operation: F) -> io::Result<T>
    where
        F: FnOnce() -> io::Result<T>,
    {
        self.inner.do_io(|_| operation())
    }

    /// The standard library's view of the socket.
    fn std(&self) -> Lent<'_, net::TcpStream> {
        lend(self.inner.as_handle())
    }
}

super::stream::read_and_write!(TcpStream);
super::stream::read_and_write!(&TcpStream);
crate::source::forward_source!(TcpStream);
crate::handles::socket_handles!(TcpStream, net::TcpStream);

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.std().fmt(f)
    }
}
