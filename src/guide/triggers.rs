//! # Choosing a trigger
//!
//! A [`Trigger`](crate::Trigger) says when a registration reports, and how often. It belongs to the registration, not
//! to the queue: sources with different triggers share a [`Poll`](crate::Poll).
//!
//! | trigger | reports | after an event | suits |
//! | --- | --- | --- | --- |
//! | [`Edge`](crate::Trigger::Edge) | when readiness begins | drain, or remember | servers and runtimes: the default |
//! | [`Level`](crate::Trigger::Level) | in each poll while ready | nothing to do | listeners, simple programs, foreign libraries that read as they like |
//! | [`Oneshot`](crate::Trigger::Oneshot) | once, while ready | reregister | handing a source to another thread |
//! | [`EdgeOneshot`](crate::Trigger::EdgeOneshot) | once, when readiness begins | reregister | the same |
//!
//! # How to ask for one
//!
//! [`Poll::registry`](crate::Poll::registry) registers with edges. [`with_trigger`](crate::Registry::with_trigger)
//! gives another handle to the same queue, which registers with the trigger it was made for. Making it costs a
//! reference count.
//!
//! The handle is what a [`Source`](crate::event::Source) is given, and what it passes on. So this works for the sources
//! of any crate, also of those that were written before there were triggers:
//!
//! ```
//! # #[cfg(feature = "net")]
//! # fn main() -> std::io::Result<()> {
//! use mio::event::Source;
//! use mio::net::UdpSocket;
//! use mio::{Events, Interest, Poll, Registry, Token, Trigger};
//! use std::io;
//! use std::time::Duration;
//!
//! // In some other crate: a source that knows nothing of triggers.
//! struct Resolver(UdpSocket);
//!
//! impl Source for Resolver {
//!     fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
//!         self.0.register(registry, token, interests)
//!     }
//!     fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
//!         self.0.reregister(registry, token, interests)
//!     }
//!     fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
//!         self.0.deregister(registry)
//!     }
//! }
//!
//! let mut poll = Poll::new()?;
//! let mut events = Events::with_capacity(8);
//! let mut resolver = Resolver(UdpSocket::bind("127.0.0.1:0".parse().unwrap())?);
//!
//! let level = poll.registry().with_trigger(Trigger::Level);
//! level.register(&mut resolver, Token(0), Interest::READABLE)?;
//!
//! resolver.0.send_to(b"answer", resolver.0.local_addr()?)?;
//! for _ in 0..2 {
//!     // Nothing was read, so it is reported again.
//!     poll.poll(&mut events, Some(Duration::from_secs(5)))?;
//!     assert!(!events.is_empty());
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "net"))]
//! # fn main() {}
//! ```
//!
//! A reregistration takes its trigger from the handle it is made through, as it takes token and interests from its
//! arguments. To keep a trigger, keep the handle.
//!
//! A waker has no trigger to choose: one event for any number of wakes.
//!
//! # Edge
//!
//! An edge costs the least. A source that stays ready is not looked at again, and a source can be registered for both
//! directions once and for all. In return the program keeps track: see [edges](super::edges).
//!
//! # Level
//!
//! A level forgives. Reading a part and polling again is fine. So is a poll after an error that was not looked into.
//! The price:
//!
//! - A source that stays ready comes back in each poll. A socket is writable nearly always, so ask for
//!   [`WRITABLE`](crate::Interest::WRITABLE) only while there is something to send, and
//!   [`reregister`](crate::Registry::reregister) when that changes. Each reregistration is a system call on epoll.
//! - A condition that nothing ends makes the loop spin: the end of a stream, an error, a listener with no descriptor
//!   left to accept with. Deregister or drop the source then.
//!
//! A listener with a level trigger can accept one connection per event, which bounds the work per turn without a flag:
//!
//! ```
//! # #[cfg(feature = "net")]
//! # fn main() -> std::io::Result<()> {
//! use mio::{net::TcpListener, Events, Interest, Poll, Token, Trigger};
//!
//! let mut poll = Poll::new()?;
//! let mut events = Events::with_capacity(8);
//! let mut listener = TcpListener::bind("127.0.0.1:0".parse().unwrap())?;
//! let level = poll.registry().with_trigger(Trigger::Level);
//! level.register(&mut listener, Token(0), Interest::READABLE)?;
//!
//! # let address = listener.local_addr()?;
//! # let clients = [std::net::TcpStream::connect(address)?, std::net::TcpStream::connect(address)?];
//! let mut streams = Vec::new();
//! while streams.len() < 2 {
//!     poll.poll(&mut events, None)?;
//!     for _event in &events {
//!         streams.push(listener.accept()?.0);
//!     }
//! }
//! # drop(clients);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "net"))]
//! # fn main() {}
//! ```
//!
//! (That another thread or a signal may interfere is left out: a program that others share the listener with handles
//! `WouldBlock`, too.)
//!
//! # The one-shots
//!
//! After its one event a one-shot registration is silent, in *both* directions, until it is reregistered. Then it
//! reports what is ready at that time, also if that was reported before. The registration itself stays: registering a
//! silent source again is [`AlreadyExists`](std::io::ErrorKind::AlreadyExists), and it has to be deregistered as any
//! other.
//!
//! They answer one question: who works on a source, when one thread polls and others work? The polling thread hands the
//! source over and will not hear of it again until the worker gives it back:
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! # #[cfg(unix)] {
//! use mio::{Events, Interest, IoSource, Poll, Token, Trigger};
//! use std::io::{Read, Write};
//! use std::os::unix::net::UnixStream;
//! use std::time::Duration;
//!
//! let (mut peer, stream) = UnixStream::pair()?;
//! stream.set_nonblocking(true)?;
//! let mut source = IoSource::new(stream);
//!
//! let mut poll = Poll::new()?;
//! let mut events = Events::with_capacity(8);
//! let oneshot = poll.registry().with_trigger(Trigger::Oneshot);
//! oneshot.register(&mut source, Token(0), Interest::READABLE)?;
//!
//! peer.write_all(b"one")?;
//! poll.poll(&mut events, None)?;
//! assert_eq!(events.len(), 1);
//!
//! // More arrives, and nobody is told: the source belongs to the worker.
//! peer.write_all(b"two")?;
//! poll.poll(&mut events, Some(Duration::ZERO))?;
//! assert!(events.is_empty());
//!
//! let worker = std::thread::spawn(move || -> std::io::Result<_> {
//!     let mut buffer = [0; 3];
//!     source.do_read(|mut stream| stream.read(&mut buffer))?;
//!     // Done for now. What is left is reported again.
//!     oneshot.reregister(&mut source, Token(0), Interest::READABLE)?;
//!     Ok(source)
//! });
//! poll.poll(&mut events, None)?;
//! assert_eq!(events.len(), 1);
//! # worker.join().unwrap()?;
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! Between the two of them there is little to choose. Both report what is ready when they are registered, and both fall
//! silent after one event. Take `Oneshot` unless the rest of the program thinks in edges.
//!
//! # On the backends
//!
//! The meaning is the same on all of them. The cost is not:
//!
//! | trigger | epoll | kqueue | `poll(2)` | event ports | AFD |
//! | --- | --- | --- | --- | --- | --- |
//! | `Edge` | the kernel's own (`EPOLLET`) | the kernel's own (`EV_CLEAR`) | emulated: a direction is left out of the call until it has been drained | emulated: draining a direction asks for it again | emulated: as with event ports |
//! | `Level` | the kernel looks again at each source that it reported last | the kernel looks again at each direction that it reported last | the kernel's own | each source that was reported last is asked for again, by a call of its own | emulated: as with event ports |
//! | one-shots | the kernel's own (`EPOLLONESHOT`) | the kernel's own for each direction (`EV_DISPATCH`), and a table that makes one of two: a lock for each registration, and for each batch with such events | the source is left out of the call | the kernel's own | the kernel's own |
