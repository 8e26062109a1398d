//! # Edges and draining
//!
//! Registrations are edge-triggered unless another [trigger](super::triggers) is chosen. This page says what that asks
//! of a program.
//!
//! # What an edge is
//!
//! A source is *ready* in a direction while an operation in that direction would not block. An edge is reported when
//!
//! - the source becomes ready;
//! - something is added while it is ready already: more bytes, another connection (epoll reports that for sockets; do
//!   not rely on it);
//! - it is ready at the time when it is registered or reregistered.
//!
//! An edge is *not* reported because something is left over. A program that reads 100 of 1000 bytes and polls gets no
//! event for the other 900. It may wait for ever, if the peer waits for an answer.
//!
//! An event may also come without need. Another thread was faster, a datagram turned out to be damaged, or a backend
//! reports more than it must. So an event is a hint to try, and `WouldBlock` is an ordinary result.
//!
//! # Draining
//!
//! The simple rule: after an event, repeat the operation until it returns
//! [`WouldBlock`](std::io::ErrorKind::WouldBlock).
//!
//! ```
//! # #[cfg(feature = "net")]
//! # fn main() -> std::io::Result<()> {
//! use mio::net::UdpSocket;
//! use std::io::{self, ErrorKind};
//!
//! fn drain(socket: &UdpSocket, mut handle: impl FnMut(&[u8])) -> io::Result<()> {
//!     let mut buffer = [0; 1500];
//!     loop {
//!         match socket.recv_from(&mut buffer) {
//!             Ok((n, _from)) => handle(&buffer[..n]),
//!             Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
//!             Err(error) if error.kind() == ErrorKind::Interrupted => {}
//!             Err(error) => return Err(error),
//!         }
//!     }
//! }
//! # let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
//! # socket.send_to(b"1", socket.local_addr()?)?;
//! # socket.send_to(b"2", socket.local_addr()?)?;
//! # let mut seen = 0;
//! # drain(&socket, |_| seen += 1)?;
//! # assert_eq!(seen, 2);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "net"))]
//! # fn main() {}
//! ```
//!
//! A stream has two more ways to leave the loop. Its end is `Ok(0)`, each time; and any other error ends the
//! connection.
//!
//! # Remembering
//!
//! Draining is not always wanted. A peer that sends faster than it is served would keep the thread to itself. Then
//! bound the work per turn and *remember* that the source was not drained: it is still ready, and no event will say so
//! again.
//!
//! ```
//! # #[cfg(feature = "net")]
//! # mod server {
//! use mio::{net::TcpStream, Events, Poll, Token};
//! use std::collections::{HashMap, VecDeque};
//! use std::io::{self, ErrorKind, Read};
//! use std::time::Duration;
//!
//! /// One read per turn. `true` means that there may be more.
//! fn turn(stream: &mut TcpStream) -> io::Result<bool> {
//!     let mut buffer = [0; 16 * 1024];
//!     match stream.read(&mut buffer) {
//!         Ok(0) => Ok(false),
//!         Ok(_n) => Ok(true), // … handle the bytes
//!         Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
//!         Err(error) => Err(error),
//!     }
//! }
//!
//! pub fn round(
//!     poll: &mut Poll,
//!     events: &mut Events,
//!     streams: &mut HashMap<Token, TcpStream>,
//!     ready: &mut VecDeque<Token>,
//! ) -> io::Result<()> {
//!     // With work left over, only look whether there is more. Without, wait.
//!     let timeout = if ready.is_empty() { None } else { Some(Duration::ZERO) };
//!     poll.poll(events, timeout)?;
//!     for event in &*events {
//!         if !ready.contains(&event.token()) {
//!             ready.push_back(event.token());
//!         }
//!     }
//!     // Everybody gets one turn; who has more to do goes to the end of the queue.
//!     for _ in 0..ready.len() {
//!         let token = ready.pop_front().unwrap();
//!         if let Some(stream) = streams.get_mut(&token) {
//!             if turn(stream)? {
//!                 ready.push_back(token);
//!             }
//!         }
//!     }
//!     Ok(())
//! }
//! # }
//! # #[cfg(feature = "net")]
//! # fn main() -> std::io::Result<()> {
//! # use mio::{Interest, Token};
//! # use std::io::Write;
//! # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! # let mut peer = std::net::TcpStream::connect(listener.local_addr()?)?;
//! # let (stream, _) = listener.accept()?;
//! # stream.set_nonblocking(true)?;
//! # let mut stream = mio::net::TcpStream::from_std(stream);
//! # let mut poll = mio::Poll::new()?;
//! # let mut events = mio::Events::with_capacity(8);
//! # poll.registry().register(&mut stream, Token(1), Interest::READABLE)?;
//! # let mut streams = std::collections::HashMap::from([(Token(1), stream)]);
//! # let mut ready = std::collections::VecDeque::new();
//! # peer.write_all(b"hello")?;
//! # server::round(&mut poll, &mut events, &mut streams, &mut ready)?;
//! # assert_eq!(ready.len(), 1);
//! # server::round(&mut poll, &mut events, &mut streams, &mut ready)?;
//! # assert_eq!(ready.len(), 0);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "net"))]
//! # fn main() {}
//! ```
//!
//! Runtimes work in this way. They keep readiness as a flag per direction: an event sets it, `WouldBlock` clears it.
//!
//! # Fairness
//!
//! Two more things keep one source from starving the others:
//!
//! - The queue itself is fair. With more ready sources than [`Events`](crate::Events) has room for, the following polls
//!   report those that were left out.
//! - A listener that accepts without end starves its connections. Bound the number per turn and remember the listener,
//!   too.
//!
//! # Short reads
//!
//! A read from a stream socket that returns *less* than the buffer takes has emptied the socket at that moment. On
//! epoll and kqueue the extra call that would return `WouldBlock` can be left out then: the next byte is a new edge in any
//! case.
//!
//! It can be left out on every backend, as long as the read is one of this crate's: of a
//! [`TcpStream`](crate::net::TcpStream), a Unix stream or a [pipe](crate::unix::pipe), with one buffer or several.
//! [`Backend::Poll`](crate::Backend::Poll), event ports and AFD report the next edge only after something has shown that
//! the source is drained, and there a short read counts as `WouldBlock` does. The same goes for short writes.
//!
//! It does not hold, on those backends, for
//!
//! - a read that *fills* the buffer. There may be more;
//! - a read of nothing at all: the end of the stream, which does not change any more;
//! - [`peek`](crate::net::TcpStream::peek), which leaves everything where it is;
//! - datagrams: one that is shorter than the buffer says nothing about the next one;
//! - operations in a closure ([`IoSource::do_io`](crate::IoSource::do_io), `try_io`): the crate does not know what they have
//!   moved. There only `WouldBlock` counts.
//!
//! # Writing
//!
//! A new socket is writable, so the first event comes at once, and the next one after a write has returned `WouldBlock`
//! and the peer has made room. There is no need to wait for an event before writing: try first, and keep what does not
//! fit. [The first server](super::first_server) does so.
//!
//! On datagram sockets and Unix streams ask for [`WRITABLE`](crate::Interest::WRITABLE) only while something waits to be
//! written. There each message that leaves the send buffer may count as a new edge, and wakes a loop that asked without
//! need; TCP tells of room only after there was none.
//!
//! # Accepting
//!
//! `accept` takes one connection, and one edge may stand for many. Accept until `WouldBlock`.
//!
//! When the process has no descriptor left (`EMFILE`), or the system (`ENFILE`), `accept` fails. The connection stays
//! in the backlog, the listener stays readable, and so *no new edge comes* once descriptors are free again, until the
//! next peer connects. Remember it and try again:
//!
//! ```
//! # #[cfg(feature = "net")]
//! # mod server {
//! use mio::net::{TcpListener, TcpStream};
//! use std::io::{self, ErrorKind};
//!
//! pub struct Acceptor {
//!     pub listener: TcpListener,
//!     /// There may be connections that no event will tell of.
//!     pub undrained: bool,
//! }
//!
//! impl Acceptor {
//!     /// To be called on an event of the listener, and, while `undrained`, after each connection that was closed.
//!     pub fn run(&mut self, mut serve: impl FnMut(TcpStream)) -> io::Result<()> {
//!         self.undrained = true;
//!         loop {
//!             match self.listener.accept() {
//!                 Ok((stream, _address)) => serve(stream),
//!                 Err(error) => match error.kind() {
//!                     ErrorKind::WouldBlock => {
//!                         self.undrained = false;
//!                         return Ok(());
//!                     }
//!                     // This one is gone (on Windows: reset). There may be others.
//!                     ErrorKind::ConnectionAborted
//!                     | ErrorKind::ConnectionReset
//!                     | ErrorKind::Interrupted => {}
//!                     // Out of descriptors or of memory: serve those who are here, and come back.
//!                     _ => return Err(error),
//!                 },
//!             }
//!         }
//!     }
//! }
//! # }
//! # #[cfg(feature = "net")]
//! # fn main() -> std::io::Result<()> {
//! # let listener = mio::net::TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
//! # let client = std::net::TcpStream::connect(listener.local_addr()?)?;
//! # let mut acceptor = server::Acceptor { listener, undrained: false };
//! # let mut accepted = 0;
//! # acceptor.run(|_| accepted += 1)?;
//! # assert!(accepted == 1 && !acceptor.undrained);
//! # drop(client);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "net"))]
//! # fn main() {}
//! ```
//!
//! If other processes may free the descriptors (`ENFILE`), try again after a while, too: poll with a timeout while
//! `undrained` is set. A level-triggered listener reports the waiting connection in each poll, which saves the flag but
//! makes the loop spin until a descriptor is free.
//!
//! # Peeking
//!
//! `peek` and `peek_from` return data without taking it. The source stays ready, so a peek that succeeds is no drain. A
//! peek that returns `WouldBlock` counts as a read that does: the next byte is reported.
//!
//! A program that peeks for a whole header and finds half of it is in the middle: it must not wait for an edge *and*
//! leave the data there, for a backend that waits to be told that the source is drained. Read the half and keep it.
//!
//! # Priority data
//!
//! With [`Interest::PRIORITY`](crate::Interest::PRIORITY) (Linux and Android) TCP's out-of-band byte makes an event
//! that is both [`is_priority`](crate::event::Event::is_priority) and
//! [`is_readable`](crate::event::Event::is_readable). A normal read may still return `WouldBlock` then. The byte itself
//! is received with `MSG_OOB`, through [`try_io`](crate::net::TcpStream::try_io).
