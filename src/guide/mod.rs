//! # Guide
//!
//! The reference of each item says what it does. These pages say how the items work together, and why they are so.
//!
//! To start with:
//!
//! 1. [A first server](first_server): a queue, a listener, connections, and writes that do not fit.
//! 2. [Edges and draining](edges): what an event promises, and what it asks for.
//! 3. [Choosing a trigger](triggers): edge, level, and their one-shot forms.
//! 4. [Wakers and work across threads](wakers).
//! 5. [Timeouts and deadlines](time).
//! 6. [Closing and ownership](closing): in which order things end, what a duplicate does, what `fork` does.
//!
//! To build on:
//!
//! 7. [A source of your own](sources).
//! 8. [Portability](portability): what differs between the backends, and what a program must not rely on.
//! 9. [Beneath tokio and other runtimes](runtimes).
//! 10. [UDP at line rate](udp): batches, segmentation, coalescing, congestion marks.
//! 11. [Interception](interception): why a preloaded library does not see the system calls, and how to let it.
//!
//! To look up:
//!
//! - [Porting](porting): from mio 0.6, and what is new since 1.2.
//! - [Debugging](debugging): when no event comes, and when too many do.
//!
//! # The whole in ten lines
//!
//! - A *source* is something that can be ready: a socket, a pipe end, any descriptor.
//! - A source is *registered* with a [`Poll`](crate::Poll), under a [`Token`](crate::Token), for an
//!   [`Interest`](crate::Interest).
//! - [`Poll::poll`](crate::Poll::poll) waits until registered sources are ready and fills [`Events`](crate::Events).
//! - An [`Event`](crate::event::Event) carries the token and says what the source may be ready for. It is a hint: the
//!   operation may still return [`WouldBlock`](std::io::ErrorKind::WouldBlock).
//! - By default an event comes when readiness *begins*. So go on until `WouldBlock`, or remember that there is more.
//! - Everything is non-blocking except `poll` itself. A [`Waker`](crate::Waker) ends a `poll` from another thread.

pub mod closing;
pub mod debugging;
pub mod edges;
pub mod first_server;
pub mod interception;
pub mod portability;
pub mod porting;
pub mod runtimes;
pub mod sources;
pub mod time;
pub mod triggers;
#[cfg(feature = "net")]
pub mod udp;
pub mod wakers;

// What README.md shows has to compile.
#[cfg(all(doctest, feature = "net"))]
#[doc = include_str!("../../README.md")]
mod readme {}
