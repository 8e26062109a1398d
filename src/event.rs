//! [`Event`]: what a source is ready for.

use std::fmt;

use crate::sys::selector::{RawEvent as _, Readiness};
use crate::sys::RawEvent;
use crate::Token;

pub use crate::events::{Events, Iter};
pub use crate::source::Source;

/// What the system reports about one source.
///
/// Several `is_*` methods can be true of one event, and any of them may be true without need: an event is a hint to try.
/// What is reported in which situation differs between systems; the tables in `PLATFORMS.md` list it.
///
/// `{:?}` shows the token and the system's own flags.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "net")]
/// # fn main() -> std::io::Result<()> {
/// use mio::{net::TcpListener, Events, Interest, Poll, Token};
///
/// const LISTENER: Token = Token(0);
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(64);
/// let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
/// poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
/// # let _client = std::net::TcpStream::connect(listener.local_addr()?)?;
///
/// poll.poll(&mut events, None)?;
/// for event in &events {
///     match event.token() {
///         LISTENER if event.is_readable() => drop(listener.accept()?),
///         _ => println!("{event:?}"),
///     }
/// }
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "net"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
#[repr(transparent)]
pub struct Event(RawEvent);

impl Event {
    #[inline]
    pub(crate) fn from_raw(raw: &RawEvent) -> &Event {
        let raw: *const RawEvent = raw;
        // SAFETY: `Event` is a transparent wrapper around `RawEvent`, and the lifetime is that of the argument.
        unsafe { &*raw.cast::<Event>() }
    }

    /// The token under which the source is registered.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(target_os = "wasi"))]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{Events, Poll, Token, Waker};
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(4);
    /// let waker = Waker::new(poll.registry(), Token(7))?;
    /// waker.wake()?;
    ///
    /// poll.poll(&mut events, None)?;
    /// let event = events.iter().next().unwrap();
    /// assert_eq!(event.token(), Token(7));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(not(target_os = "wasi")))]
    /// # fn main() {}
    /// ```
    #[inline]
    #[must_use]
    pub fn token(&self) -> Token {
        self.0.token()
    }

    /// There may be something to read: data, a connection to accept, or the end of the stream.
    ///
    /// An end or an error may come without this: look at [`is_read_closed`](Event::is_read_closed) and
    /// [`is_error`](Event::is_error), too, if nothing else would make you read.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "net")]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{net::UdpSocket, Events, Interest, Poll, Token};
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(4);
    /// let mut socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// poll.registry().register(&mut socket, Token(0), Interest::READABLE)?;
    /// socket.send_to(b"to myself", socket.local_addr()?)?;
    ///
    /// poll.poll(&mut events, None)?;
    /// assert!(events.iter().all(|event| event.is_readable()));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "net"))]
    /// # fn main() {}
    /// ```
    #[inline]
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.has(Readiness::READABLE)
    }

    /// There may be room to write, or a connection attempt has ended: then
    /// [`take_error`](crate::net::TcpStream::take_error) and [`peer_addr`](crate::net::TcpStream::peer_addr) tell how.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "net")]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{net::TcpStream, Events, Interest, Poll, Token};
    /// use std::io::ErrorKind;
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(4);
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let address = listener.local_addr()?;
    /// let mut stream = TcpStream::connect(address)?;
    /// poll.registry().register(&mut stream, Token(0), Interest::WRITABLE)?;
    /// let peer = loop {
    ///     poll.poll(&mut events, None)?;
    ///     let Some(event) = events.iter().find(|event| event.is_writable()) else {
    ///         continue;
    ///     };
    ///     if let Some(error) = stream.take_error()? {
    ///         return Err(error);
    ///     }
    ///     match stream.peer_addr() {
    ///         // Not yet, unless it is over already.
    ///         Err(error) if error.kind() == ErrorKind::NotConnected && !event.is_write_closed() => continue,
    ///         result => break result?,
    ///     }
    /// };
    /// assert_eq!(peer, address);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "net"))]
    /// # fn main() {}
    /// ```
    #[inline]
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.has(Readiness::WRITABLE)
    }

    /// The source has an error, which the next operation or `take_error` returns.
    ///
    /// | epoll, poll, event ports | kqueue | Windows |
    /// | --- | --- | --- |
    /// | `EPOLLERR`, `POLLERR` | `EV_ERROR`, or `EV_EOF` with an error in `fflags` | `POLL_ABORT`, `POLL_CONNECT_FAIL` |
    ///
    /// It may come alone: from a full pipe whose reader is gone, or a datagram socket that only waits to read.
    /// Not every system reports it; an error of the next operation is the sure sign. On illumos and Solaris the error of a
    /// socket is something to read and something to write, of what was asked for, and never this.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "net")]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{net::TcpStream, Events, Interest, Poll, Token};
    ///
    /// # let unused = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let nobody = unused.local_addr()?;
    /// # drop(unused);
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(4);
    /// let Ok(mut stream) = TcpStream::connect(nobody) else {
    ///     return Ok(()); // some systems know at once
    /// };
    /// poll.registry().register(&mut stream, Token(0), Interest::WRITABLE)?;
    ///
    /// poll.poll(&mut events, None)?;
    /// let event = events.iter().next().unwrap();
    /// let failed = stream.take_error()?;
    /// if event.is_error() {
    ///     println!("refused: {}", failed.unwrap());
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "net"))]
    /// # fn main() {}
    /// ```
    #[inline]
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.has(Readiness::ERROR)
    }

    /// Nothing more will arrive: the peer has shut down writing, this side has shut down reading, or the source has
    /// failed. What arrived before can still be read.
    ///
    /// | epoll, poll, event ports | kqueue | Windows |
    /// | --- | --- | --- |
    /// | `HUP`, or `IN` with `RDHUP` | `EV_EOF` of the read filter | `POLL_DISCONNECT`, `POLL_ABORT`, `POLL_CONNECT_FAIL` |
    ///
    /// Not every system reports it (Solaris has no `RDHUP`); a read of zero bytes is the sure sign.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "net")]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{net::TcpStream, Events, Interest, Poll, Token};
    /// use std::io::Read;
    ///
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let stream = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// # stream.set_nonblocking(true)?;
    /// # let (peer, _) = listener.accept()?;
    /// let mut stream = TcpStream::from_std(stream);
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(4);
    /// poll.registry().register(&mut stream, Token(0), Interest::READABLE)?;
    /// drop(peer);
    ///
    /// poll.poll(&mut events, None)?;
    /// let event = events.iter().next().unwrap();
    /// if event.is_read_closed() {
    ///     println!("this was the last event for reading");
    /// }
    /// assert_eq!(stream.read(&mut [0; 16])?, 0);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "net"))]
    /// # fn main() {}
    /// ```
    #[inline]
    #[must_use]
    pub fn is_read_closed(&self) -> bool {
        self.has(Readiness::READ_CLOSED)
    }

    /// Nothing more can be sent: this side has shut down writing, nobody is left to read, or the source has failed.
    ///
    /// | epoll, poll, event ports | kqueue | Windows |
    /// | --- | --- | --- |
    /// | `HUP`, `OUT` with `ERR`, or `ERR` alone | `EV_EOF` of the write filter | `POLL_ABORT`, `POLL_CONNECT_FAIL` |
    ///
    /// Not every system reports it; an error of the next write is the sure sign. A datagram socket with a pending error
    /// reports it with some backends, and can be used again once the error was taken. On illumos and Solaris a connection
    /// that has failed is readable and writable at first, and this in a later event.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(all(unix, feature = "os-ext"))]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{unix::pipe, Events, Interest, Poll, Token};
    /// use std::io::{ErrorKind, Write};
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(4);
    /// let (mut sender, receiver) = pipe::new()?;
    /// poll.registry().register(&mut sender, Token(0), Interest::WRITABLE)?;
    /// drop(receiver);
    ///
    /// poll.poll(&mut events, None)?;
    /// let event = events.iter().next().unwrap();
    /// if event.is_write_closed() {
    ///     println!("nobody reads any more");
    /// }
    /// assert_eq!(sender.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(all(unix, feature = "os-ext")))]
    /// # fn main() {}
    /// ```
    #[inline]
    #[must_use]
    pub fn is_write_closed(&self) -> bool {
        self.has(Readiness::WRITE_CLOSED)
    }

    /// There is priority data, such as TCP's out-of-band byte.
    ///
    /// | epoll, poll, event ports | kqueue | Windows |
    /// | --- | --- | --- |
    /// | `PRI` | `EV_OOBAND` (Apple systems) | `POLL_RECEIVE_EXPEDITED` |
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(all(target_os = "linux", feature = "net"))]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{net::TcpStream, Events, Interest, Poll, Token};
    /// use rustix::net::{recv, send, RecvFlags, SendFlags};
    ///
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let stream = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// # stream.set_nonblocking(true)?;
    /// # let (peer, _) = listener.accept()?;
    /// let mut stream = TcpStream::from_std(stream);
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(4);
    /// poll.registry().register(&mut stream, Token(0), Interest::PRIORITY)?;
    /// send(&peer, b"!", SendFlags::OOB)?;
    ///
    /// poll.poll(&mut events, None)?;
    /// let event = events.iter().next().unwrap();
    /// assert!(event.is_priority());
    /// let mut byte = [0];
    /// recv(&stream, &mut byte, RecvFlags::OOB)?;
    /// assert_eq!(&byte, b"!");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(all(target_os = "linux", feature = "net")))]
    /// # fn main() {}
    /// ```
    #[inline]
    #[must_use]
    pub fn is_priority(&self) -> bool {
        self.has(Readiness::PRIORITY)
    }

    /// A POSIX asynchronous operation has completed (FreeBSD, DragonFly and Apple systems; elsewhere always `false`).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(target_os = "wasi"))]
    /// # fn main() -> std::io::Result<()> {
    /// # use mio::{Events, Poll, Token, Waker};
    /// #
    /// # let mut poll = Poll::new()?;
    /// # let mut events = Events::with_capacity(4);
    /// # let waker = Waker::new(poll.registry(), Token(7))?;
    /// # waker.wake()?;
    /// #
    /// # poll.poll(&mut events, None)?;
    /// for event in &events {
    ///     if event.is_aio() {
    ///         // `aio_error` and `aio_return` tell how the operation has ended.
    /// #         unreachable!();
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(not(target_os = "wasi")))]
    /// # fn main() {}
    /// ```
    #[inline]
    #[must_use]
    pub fn is_aio(&self) -> bool {
        self.has(Readiness::AIO)
    }

    /// A list of asynchronous operations has completed (FreeBSD; elsewhere always `false`).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(target_os = "wasi"))]
    /// # fn main() -> std::io::Result<()> {
    /// # use mio::{Events, Poll, Token, Waker};
    /// #
    /// # let mut poll = Poll::new()?;
    /// # let mut events = Events::with_capacity(4);
    /// # let waker = Waker::new(poll.registry(), Token(7))?;
    /// # waker.wake()?;
    /// #
    /// # poll.poll(&mut events, None)?;
    /// for event in &events {
    ///     if event.is_lio() {
    ///         // The token is that of the list given to `lio_listio`.
    /// #         unreachable!();
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(not(target_os = "wasi")))]
    /// # fn main() {}
    /// ```
    #[inline]
    #[must_use]
    pub fn is_lio(&self) -> bool {
        self.has(Readiness::LIO)
    }

    #[inline]
    fn has(&self, readiness: Readiness) -> bool {
        self.0.readiness().contains(readiness)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Flags<'a>(&'a RawEvent);

        impl fmt::Debug for Flags<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt_flags(f)
            }
        }

        f.debug_struct("Event")
            .field("token", &self.token())
            .field("flags", &Flags(&self.0))
            .finish()
    }
}
