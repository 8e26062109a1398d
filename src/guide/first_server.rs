//! # A first server
//!
//! A server that sends back what it receives, on one thread, for as many connections as the system allows. It is short,
//! but it has everything that a larger one has: a loop, a table of connections, and writes that do not fit.
//!
//! Here is all of it. The steps below explain it from the bottom to the top. `examples/tcp_echo.rs` is a program of the
//! same kind to run and to copy.
//!
//! ```
//! # #[cfg(not(feature = "net"))]
//! # fn main() {}
//! # #[cfg(feature = "net")]
//! # mod server {
//! use mio::net::{TcpListener, TcpStream};
//! use mio::{Events, Interest, Poll, Registry, Token};
//! use std::io::{self, ErrorKind, Read, Write};
//!
//! const LISTENER: Token = Token(usize::MAX);
//!
//! struct Connection {
//!     stream: TcpStream,
//!     /// Received, and not sent back yet.
//!     pending: Vec<u8>,
//! }
//!
//! impl Connection {
//!     /// Does what can be done without blocking. `false` means that the connection is over.
//!     fn advance(&mut self) -> io::Result<bool> {
//!         let mut buffer = [0; 4096];
//!         loop {
//!             // Sending comes first: a peer that does not read cannot fill our memory.
//!             while !self.pending.is_empty() {
//!                 match self.stream.write(&self.pending) {
//!                     Ok(n) => drop(self.pending.drain(..n)),
//!                     Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
//!                     Err(error) if error.kind() == ErrorKind::Interrupted => {}
//!                     Err(error) => return Err(error),
//!                 }
//!             }
//!             match self.stream.read(&mut buffer) {
//!                 Ok(0) => return Ok(false),
//!                 Ok(n) => self.pending.extend_from_slice(&buffer[..n]),
//!                 Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
//!                 Err(error) if error.kind() == ErrorKind::Interrupted => {}
//!                 Err(error) => return Err(error),
//!             }
//!         }
//!     }
//! }
//!
//! /// Connections by the number in their token.
//! #[derive(Default)]
//! struct Slab {
//!     slots: Vec<Option<Connection>>,
//!     free: Vec<usize>,
//! }
//!
//! impl Slab {
//!     fn reserve(&mut self) -> usize {
//!         self.free.pop().unwrap_or_else(|| {
//!             self.slots.push(None);
//!             self.slots.len() - 1
//!         })
//!     }
//!
//!     fn remove(&mut self, key: usize) {
//!         self.slots[key] = None; // closes the socket, which ends its registration
//!         self.free.push(key);
//!     }
//! }
//!
//! fn accept(listener: &TcpListener, registry: &Registry, slab: &mut Slab) -> io::Result<()> {
//!     loop {
//!         let mut stream = match listener.accept() {
//!             Ok((stream, _address)) => stream,
//!             Err(error) => match error.kind() {
//!                 ErrorKind::WouldBlock => return Ok(()),
//!                 // This peer is gone already (on Windows: reset). There may be others.
//!                 ErrorKind::ConnectionAborted
//!                 | ErrorKind::ConnectionReset
//!                 | ErrorKind::Interrupted => continue,
//!                 _ => return Err(error),
//!             },
//!         };
//!         let key = slab.reserve();
//!         registry.register(&mut stream, Token(key), Interest::READABLE | Interest::WRITABLE)?;
//!         slab.slots[key] = Some(Connection { stream, pending: Vec::new() });
//!     }
//! }
//!
//! pub fn serve(mut listener: TcpListener) -> io::Result<()> {
//!     let mut poll = Poll::new()?;
//!     let mut events = Events::with_capacity(1024);
//!     let mut slab = Slab::default();
//!     poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
//!
//!     loop {
//!         poll.poll_until(&mut events, None)?;
//!         for event in &events {
//!             let Token(key) = event.token();
//!             if event.token() == LISTENER {
//!                 accept(&listener, poll.registry(), &mut slab)?;
//!             } else if let Some(Some(connection)) = slab.slots.get_mut(key) {
//!                 // An error of one connection is not an error of the server.
//!                 if !connection.advance().unwrap_or(false) {
//!                     slab.remove(key);
//! #                   return Ok(()); // the only client of this example has gone
//!                 }
//!             }
//!         }
//!     }
//! }
//! # }
//! #
//! # #[cfg(feature = "net")]
//! # fn main() -> std::io::Result<()> {
//! #     use std::io::{Read, Write};
//! #     let listener = mio::net::TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
//! #     let address = listener.local_addr()?;
//! #     let client = std::thread::spawn(move || {
//! #         let mut reading = std::net::TcpStream::connect(address).unwrap();
//! #         let mut writing = reading.try_clone().unwrap();
//! #         let sent: Vec<u8> = (0..1_000_000_u32).map(|n| n as u8).collect();
//! #         let copy = sent.clone();
//! #         let writer = std::thread::spawn(move || {
//! #             writing.write_all(&copy).unwrap();
//! #             writing.shutdown(std::net::Shutdown::Write).unwrap();
//! #         });
//! #         std::thread::sleep(std::time::Duration::from_millis(20)); // lets the server run full
//! #         let mut received = Vec::new();
//! #         reading.read_to_end(&mut received).unwrap();
//! #         writer.join().unwrap();
//! #         assert!(received == sent);
//! #     });
//! #     server::serve(listener)?;
//! #     client.join().unwrap();
//! #     Ok(())
//! # }
//! ```
//!
//! With this it is a program that `nc 127.0.0.1 9000` can talk to:
//!
//! ```no_run
//! # #[cfg(feature = "net")]
//! # mod program {
//! # use mio::net::TcpListener;
//! # use std::io;
//! # fn serve(_listener: TcpListener) -> io::Result<()> { Ok(()) }
//! fn main() -> io::Result<()> {
//!     serve(TcpListener::bind("127.0.0.1:9000".parse().unwrap())?)
//! }
//! # }
//! # fn main() {}
//! ```
//!
//! # 1. The queue
//!
//! [`Poll::new`](crate::Poll::new) opens the system's queue. [`Events`](crate::Events) is the memory for what it
//! reports; make it once and reuse it, and the loop does not allocate. Its capacity is how many events one poll returns
//! at most. What does not fit comes with the next poll.
//!
//! # 2. The listener
//!
//! [`TcpListener::bind`](crate::net::TcpListener::bind) makes a non-blocking socket.
//! [`register`](crate::Registry::register) tells the queue to watch it, and under which token to report it. A listener
//! is *readable* when there is a connection to accept.
//!
//! The token is yours. The queue stores the number and hands it back. Here connections are numbered from 0, so
//! `usize::MAX` is free for the listener.
//!
//! # 3. Waiting
//!
//! [`poll_until`](crate::Poll::poll_until) with `None` waits until there is something to do. It differs from
//! [`poll`](crate::Poll::poll) in that a signal does not end it. A server with timers passes the time of the next one
//! instead of `None`: see [time](super::time).
//!
//! # 4. Accepting
//!
//! One event may stand for many connections: they arrive while the server is busy with others. So `accept` runs until
//! [`WouldBlock`](std::io::ErrorKind::WouldBlock). If it stopped earlier, the connections left over would wait until
//! the next one arrives.
//!
//! A stream that was accepted is non-blocking but not registered. Register it before the next poll. Data that has
//! arrived already is not missed: registering reports what the source is ready for at that time.
//!
//! When the process runs out of descriptors, `accept` fails, and this server ends. What a server does that has to go on
//! is described under [edges](super::edges#accepting).
//!
//! # 5. The slab
//!
//! A token has to lead to a connection. A vector with a list of free slots does that in constant time, and no crate is
//! needed. A `HashMap` with a counter for the next token serves as well.
//!
//! The slot of a closed connection is used again, also within the same batch of events. An event that was meant for the
//! old connection may then reach the new one. That is harmless here: `advance` tries, finds nothing to do, and returns.
//! See [closing](super::closing#a-token-that-is-used-again) for servers where it is not.
//!
//! # 6. Reading and writing
//!
//! `advance` goes on until a call would block. That is what an edge asks for: it is reported once, when readiness
//! begins, and not again while there is something left. The function returns `Ok(true)` in two cases, and in both of
//! them the queue has something new to report later:
//!
//! - Reading would block: everything was read. An event comes with the next byte.
//! - Writing would block: the send buffer is full. An event comes when there is room. Reading was not finished perhaps,
//!   but that event makes `advance` go on with it.
//!
//! So it does not matter which of the two an event names, and the loop does not ask.
//!
//! # 7. Writes that do not fit
//!
//! [`write`](std::io::Write::write) takes what the system has room for. The rest has to be kept until there is room
//! again; that is what `pending` is for. `write_all` would lose it: it returns `WouldBlock` and does not tell how much
//! it has written.
//!
//! The connection is registered for both directions at once and stays so. With edges this costs nothing: a socket that
//! is writable all the time is reported as writable once. With [level triggers](super::triggers) it would be reported
//! in each poll, and the interest would have to follow what there is to send.
//!
//! # 8. The end
//!
//! A read of zero bytes means that the peer has shut down writing. Everything received was sent back by then, because
//! `advance` reads only while nothing is pending. Dropping the stream closes the socket, and that ends its
//! registration.
