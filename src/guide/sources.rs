//! # A source of your own
//!
//! [`Source`](crate::event::Source) is the trait of what can be registered. There are three ways to one, from the most
//! to the least comfortable:
//!
//! | what you have | what to use |
//! | --- | --- |
//! | something that holds a source of this crate | forward the three methods to it |
//! | a handle that you own: a socket of another crate, a `timerfd`, an `inotify` | [`IoSource`](crate::IoSource) around it |
//! | the number of a descriptor that somebody else owns | [`SourceFd`](crate::unix::SourceFd), for the length of each call |
//!
//! # Forwarding
//!
//! The methods take the registry by reference; hand it on as it is, for it carries the [trigger](super::triggers).
//!
//! A source may consist of several. Register each under the same token, and see to it that a failure leaves nothing
//! behind:
//!
//! ```
//! # #[cfg(feature = "net")]
//! # fn main() -> std::io::Result<()> {
//! use mio::event::Source;
//! use mio::net::UdpSocket;
//! use mio::{Interest, Registry, Token};
//! use std::io;
//!
//! /// A service on IPv4 and IPv6. After an event try both.
//! struct Both {
//!     v4: UdpSocket,
//!     v6: UdpSocket,
//! }
//!
//! impl Source for Both {
//!     fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
//!         self.v4.register(registry, token, interests)?;
//!         self.v6.register(registry, token, interests).map_err(|error| {
//!             let _ = self.v4.deregister(registry);
//!             error
//!         })
//!     }
//!
//!     fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
//!         self.v4.reregister(registry, token, interests)?;
//!         self.v6.reregister(registry, token, interests)
//!     }
//!
//!     fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
//!         // Both, also if the first one fails.
//!         let first = self.v4.deregister(registry);
//!         self.v6.deregister(registry).and(first)
//!     }
//! }
//! # let poll = mio::Poll::new()?;
//! # let loopback = |ip: &str| UdpSocket::bind(ip.parse().unwrap());
//! # let mut both = Both { v4: loopback("127.0.0.1:0")?, v6: loopback("127.0.0.1:0")? };
//! # poll.registry().register(&mut both, Token(0), Interest::READABLE)?;
//! # poll.registry().reregister(&mut both, Token(1), Interest::READABLE)?;
//! # poll.registry().deregister(&mut both)?;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "net"))]
//! # fn main() {}
//! ```
//!
//! # A handle that you own
//!
//! [`IoSource`](crate::IoSource) makes a source of anything that lends a descriptor ([`AsFd`](std::os::fd::AsFd)). The
//! handle must be in non-blocking mode.
//!
//! What makes it more than a descriptor are [`do_read`](crate::IoSource::do_read) and
//! [`do_write`](crate::IoSource::do_write). Run every operation through them: they notice when one would have blocked.
//! On epoll that changes nothing. On backends that re-arm edges ([portability](super::portability)) it is what makes
//! the next edge come.
//!
//! A `timerfd` as a type of its own:
//!
//! ```
//! # #[cfg(any(target_os = "linux", target_os = "android"))]
//! # fn main() -> std::io::Result<()> {
//! use mio::event::Source;
//! use mio::{Events, Interest, IoSource, Poll, Registry, Token};
//! use rustix::time::{
//!     timerfd_create, timerfd_settime, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec,
//! };
//! use std::io;
//! use std::os::fd::OwnedFd;
//! use std::time::Duration;
//!
//! struct Ticker {
//!     inner: IoSource<OwnedFd>,
//! }
//!
//! impl Ticker {
//!     fn every(period: Duration) -> io::Result<Ticker> {
//!         let fd = timerfd_create(
//!             TimerfdClockId::Monotonic,
//!             TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
//!         )?;
//!         let period = Timespec { tv_sec: period.as_secs() as i64, tv_nsec: period.subsec_nanos() as _ };
//!         let value = Itimerspec { it_interval: period, it_value: period };
//!         timerfd_settime(&fd, TimerfdTimerFlags::empty(), &value)?;
//!         Ok(Ticker { inner: IoSource::new(fd) })
//!     }
//!
//!     /// How often the period has passed since the last call, or `WouldBlock`.
//!     fn ticks(&self) -> io::Result<u64> {
//!         let mut count = [0; 8];
//!         self.inner.do_read(|fd| Ok(rustix::io::read(fd, &mut count)?))?;
//!         Ok(u64::from_ne_bytes(count))
//!     }
//! }
//!
//! impl Source for Ticker {
//!     fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
//!         self.inner.register(registry, token, interests)
//!     }
//!     fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
//!         self.inner.reregister(registry, token, interests)
//!     }
//!     fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
//!         self.inner.deregister(registry)
//!     }
//! }
//!
//! let mut poll = Poll::new()?;
//! let mut events = Events::with_capacity(8);
//! let mut ticker = Ticker::every(Duration::from_millis(1))?;
//! poll.registry().register(&mut ticker, Token(0), Interest::READABLE)?;
//!
//! poll.poll_until(&mut events, None)?;
//! assert!(ticker.ticks()? >= 1);
//! # Ok(())
//! # }
//! # #[cfg(not(any(target_os = "linux", target_os = "android")))]
//! # fn main() {}
//! ```
//!
//! When the direction of an operation is not known, there is [`do_io`](crate::IoSource::do_io). On a backend that
//! re-arms it arms both directions, which may cause an extra event. The sockets of this crate offer the same as
//! `try_io`.
//!
//! An operation that goes past these methods, through the `Deref` of `IoSource` for example, is not noticed. That is
//! fine for what never blocks: asking for an address, setting an option.
//!
//! # A descriptor that somebody else owns
//!
//! [`SourceFd`](crate::unix::SourceFd) borrows a number for the length of a call. A wrapper makes it anew each time:
//!
//! ```
//! # #[cfg(all(unix, feature = "os-ext"))]
//! # mod foreign {
//! use mio::event::Source;
//! use mio::unix::SourceFd;
//! use mio::{Interest, Registry, Token};
//! use std::io;
//! use std::os::fd::{AsRawFd, RawFd};
//!
//! /// What a C library hands out. It opens and closes the descriptor itself.
//! pub struct Foreign {
//!     pub fd: RawFd,
//! }
//!
//! impl Source for Foreign {
//!     fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
//!         SourceFd(&self.fd).register(registry, token, interests)
//!     }
//!     fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
//!         SourceFd(&self.fd).reregister(registry, token, interests)
//!     }
//!     fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
//!         SourceFd(&self.fd).deregister(registry)
//!     }
//! }
//! # }
//! # fn main() {}
//! ```
//!
//! Libraries of this kind often read as much as they like and no more. A level trigger suits them: register them
//! through [`with_trigger`](crate::Registry::with_trigger). And deregister before the library closes the descriptor; it
//! may close it when it reports an error, so read its manual for the moment.
//!
//! # A source without a descriptor
//!
//! Something that lives in user space only, such as a queue that another thread fills, has nothing that the system
//! could watch. Give it a [`Waker`](crate::Waker) with its own token; there may be many. It is no `Source`: it belongs
//! to one queue from the start.
//!
//! # What an implementation must not do
//!
//! - Register with another trigger than the registry's without saying so in its documentation.
//! - Change the token. Programs use pointers as tokens, and compare them.
//! - Swallow errors. `AlreadyExists` and `NotFound` are how a program notices its own mistake.
