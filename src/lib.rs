//! Metal I/O: non-blocking TCP, UDP and Unix sockets, and one readiness queue over what the operating system has for it,
//! next to no overhead over that, and no allocation at run time.
//!
//! Files, thread pools, timers and event loops that own threads are left to others; this is what they are built on.
//!
//! A program opens a [`Poll`], registers sources with it, each under a [`Token`], and loops: wait for [`Events`], do what
//! can be done without blocking, wait again.
//!
//! ```
//! # #[cfg(feature = "net")]
//! # fn main() -> std::io::Result<()> {
//! use mio::{net::UdpSocket, Events, Interest, Poll, Token};
//!
//! let mut poll = Poll::new()?;
//! let mut events = Events::with_capacity(128);
//! let mut socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
//! poll.registry().register(&mut socket, Token(0), Interest::READABLE)?;
//! # socket.send_to(b"hello", socket.local_addr()?)?;
//!
//! poll.poll(&mut events, None)?;
//! for event in &events {
//!     let mut buffer = [0; 1500];
//!     while let Ok((n, from)) = socket.recv_from(&mut buffer) {
//!         println!("{:?}: {n} bytes from {from}", event.token());
//!     }
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "net"))]
//! # fn main() {}
//! ```
//!
//! # Where to go from here
//!
//! - The rules of the queue: [`Poll`].
//! - What can be registered: the sockets of [`net`], pipes and any descriptor ([`unix`]), and anything else through
//!   [`IoSource`] or an [`event::Source`] of your own.
//! - When and how often readiness is reported: [`Trigger`].
//! - Ending a poll from another thread: [`Waker`].
//! - The longer explanations: the [`guide`]. The crate features: [`features`].

mod backend;
mod coalesce;
pub mod event;
mod events;
mod explained;
mod handles;
mod interest;
mod io_source;
mod logging;
#[cfg(feature = "net")]
pub mod net;
mod os;
mod poll;
mod queue;
mod registry;
mod source;
mod sys;
mod token;
mod trigger;
mod waker;

pub mod features;
pub mod guide;

pub use backend::Backend;
pub use event::Events;
pub use interest::Interest;
pub use io_source::{IoSource, Pollable};
#[cfg(all(unix, feature = "os-ext"))]
pub use os::unix;
#[cfg(all(target_family = "wasm", feature = "os-ext"))]
pub use os::wasi;
#[cfg(all(windows, feature = "os-ext"))]
pub use os::windows;
pub use poll::{Builder, Poll};
pub use registry::Registry;
pub use token::Token;
pub use trigger::Trigger;
pub use waker::Waker;
