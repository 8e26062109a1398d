//! # Beneath tokio and other runtimes
//!
//! This crate has the name, the public items and the behaviour of mio 1.2. A runtime that depends on `mio = "1"` runs
//! on it without a change to the runtime.
//!
//! # The patch
//!
//! In the `Cargo.toml` of the *final* program, or of its workspace:
//!
//! ```toml
//! [patch.crates-io]
//! mio = { path = "../mio" }
//! ```
//!
//! A `git = "…"` source serves as well. If there is a `Cargo.lock` already, `cargo update --package mio` makes cargo
//! look again. `cargo tree --invert mio` then shows the path beside the version 1.3.0. A warning that the patch was not
//! used means that nothing in the program asks for a mio of version 1.
//!
//! The patch reaches every crate in the program that depends on mio 1. It does not reach those that depend on 0.6, 0.7
//! or 0.8: see [porting](super::porting).
//!
//! # What a runtime may count on
//!
//! Beyond the [rules of the queue](super::portability#what-holds-everywhere):
//!
//! - **Tokens may be pointers.** They are neither looked at nor changed, and none is reserved. When they may be freed:
//!   [closing](super::closing#pointers-as-tokens).
//! - **Readiness can be cached.** An event sets a flag, `WouldBlock` clears it. A short read or write of one of the crate's
//!   streams may clear it as well, on every backend: [short reads](super::edges#short-reads). So tokio runs on
//!   [`Backend::Poll`](crate::Backend::Poll) and on event ports as it does on epoll, with nothing to tell it which it is.
//! - **Errors of `poll` and `wake` are exceptional.** In ordinary operation `poll` returns
//!   [`Interrupted`](std::io::ErrorKind::Interrupted) and nothing else, and `wake` returns none.
//! - **Polling does not allocate** once the queue is set up, nor do registering, waking, reading and writing. The
//!   `poll(2)` backend grows its table when more sources are registered at once than ever before.
//! - **Sources are small.** In a release build on Unix a socket or an [`IoSource`](crate::IoSource) is as large as the
//!   descriptor it holds.
//! - **The types are `Send` and `Sync`**, where those of mio 1.2 are.
//!
//! # Features
//!
//! By default everything is on. A runtime names what it uses:
//!
//! ```toml
//! [dependencies]
//! mio = { version = "1.3", default-features = false, features = ["net", "os-ext"] }
//! ```
//!
//! Without `poll-backend` the selector *is* epoll: no choice at run time, and no check when an operation fails. With
//! it, that check is one relaxed load for each operation that returned an error, for each read or write of a stream
//! that moved less than it was asked for or had several buffers, and for each source that is dropped. See
//! [`features`](crate::features).
//!
//! # One loop within another
//!
//! On Unix a [`Poll`](crate::Poll) is a descriptor that becomes readable when polling would return an event, wakes
//! included. An outer loop, of whatever kind, can watch it:
//!
//! ```
//! # #[cfg(all(unix, feature = "os-ext"))]
//! # fn main() -> std::io::Result<()> {
//! use mio::unix::SourceFd;
//! use mio::{Events, Interest, Poll, Token, Trigger, Waker};
//! use std::os::fd::AsRawFd;
//! use std::time::Duration;
//!
//! let mut inner = Poll::new()?;
//! let waker = Waker::new(inner.registry(), Token(1))?;
//!
//! let mut outer = Poll::new()?;
//! let level = outer.registry().with_trigger(Trigger::Level);
//! level.register(&mut SourceFd(&inner.as_raw_fd()), Token(7), Interest::READABLE)?;
//!
//! waker.wake()?;
//! let mut events = Events::with_capacity(8);
//! outer.poll(&mut events, None)?;
//! assert_eq!(events.get(0).unwrap().token(), Token(7));
//!
//! // The outer loop says that there is something, the inner one what it is.
//! inner.poll(&mut events, Some(Duration::ZERO))?;
//! assert_eq!(events.get(0).unwrap().token(), Token(1));
//! # Ok(())
//! # }
//! # #[cfg(not(all(unix, feature = "os-ext")))]
//! # fn main() {}
//! ```
//!
//! Watch it with a level trigger: the inner poll may return less than everything. An inner queue on
//! [`Backend::Poll`](crate::Backend::Poll) shows its wakes only, so it cannot be nested in this way.
//!
//! # Preloaded libraries
//!
//! Programs that run under proxychains and the like need a build that goes through libc: see
//! [interception](super::interception).
