//! # Features of this crate
//!
//! By default everything is there. A library, above all a runtime, should switch the defaults off and name what it
//! needs.
//!
//! | feature | default | adds |
//! | --- | --- | --- |
//! | `net` | yes | [`mio::net`](crate::net): TCP, UDP and Unix sockets |
//! | `os-ext` | yes | [`mio::unix`](crate::unix): any descriptor as a source, pipes; `mio::windows`: any socket and any waitable handle as a source, named pipes, Unix sockets |
//! | `log` | yes | registrations are traced through the [`log`](https://docs.rs/log) crate, and errors come with a hint |
//! | `poll-backend` | yes | [`Backend::Poll`](crate::Backend::Poll) beside the system's own backend, chosen at run time |
//! | `os-poll` | yes | nothing: kept for compatibility with mio 1.2, where it switched the queue on |
//!
//! The price of `poll-backend`, while no such queue is open, is one relaxed load for each operation that returned an
//! error, for each read or write of a stream that moved less than it was asked for or had several buffers, and for each
//! source that is dropped. `log` costs two loads and comparisons for each registration while nobody listens.
//!
//! Without any of them there are [`Poll`](crate::Poll), [`Waker`](crate::Waker), [`IoSource`](crate::IoSource) and what
//! belongs to them. No feature changes what code does that compiles without it, and every combination works.
//!
//! tokio asks for `net`, `os-ext` and `os-poll`. A runtime that brings its own sockets takes the bare queue:
//!
//! ```toml
//! [dependencies]
//! mio = { version = "1.3", default-features = false }
//! ```
