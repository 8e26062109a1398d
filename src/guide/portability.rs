//! # Portability
//!
//! Each family of systems has a backend of its own: epoll on Linux and Android, kqueue on Apple systems and the BSDs,
//! event ports on illumos and Solaris, AFD on Windows. The other Unixes have `poll(2)`, and Linux, Android, illumos and
//! Solaris have it beside their own, on request. This page says what a program may count on everywhere, so that it runs on
//! all of them, and on those to come, without a change. What was run on which system, and what each backend reports in
//! which situation, stands in `PLATFORMS.md`.
//!
//! # What holds everywhere
//!
//! - Every token value is allowed, and comes back as it is.
//! - After a deregistration no later poll yields the token.
//! - A source that is ready when it is registered is reported.
//! - A timeout does not end early. Zero does not wait.
//! - One-shots report once, and then nothing in both directions until reregistered.
//! - Wakes are not lost, and what was written before a wake is visible after it.
//! - Sources may be registered and dropped on any thread while another one polls.
//!
//! # What differs
//!
//! | | epoll | kqueue | `poll(2)` | event ports | AFD |
//! | --- | --- | --- | --- | --- | --- |
//! | an edge comes again | when readiness begins anew, also without a `WouldBlock` before | as with epoll | only after an operation through the source has returned `WouldBlock` in that direction, or was a [short](super::edges#short-reads) read or write of a stream | as with `poll(2)` | as with `poll(2)` |
//! | operations past the source (another `dup`, a raw descriptor) | seen by the kernel | seen by the kernel | not seen: no new edge | not seen | not seen |
//! | an edge-triggered event names | all directions that are ready | one direction; a source that is ready in both has two events | the directions that were not reported since they last blocked; with a hang-up or an error, all that are asked for | as with `poll(2)`, of what was ready when the event came into the queue | as with `poll(2)` |
//! | edges of a [`SourceFd`](crate::unix::SourceFd) | exact | exact | repeated while it stays ready, with pauses of up to 4 ms | as with `poll(2)` | `mio::windows::SourceSocket`: as with `poll(2)`, but what was drained starts afresh at once |
//! | a regular file, a directory | refused (`EPERM`) | readable while it is not at its end | always ready | always ready, or what the system says | no source: sockets and named pipes only |
//! | the queue as a descriptor | readable when there is an event | as with epoll | readable when a waker was used | as with epoll, and now and then without need | it is none |
//! | a source dropped while a duplicate is open | reported on | silent | silent | silent | silent |
//! | cost of a poll | grows with the number of *ready* sources | as with epoll | grows with the number of *registered* sources | as with epoll | grows with the number of ready sources, and a system call more for each that has blocked |
//!
//! # Windows
//!
//! - Only sockets have readiness. Named pipes are read ahead and written behind by `mio::windows::NamedPipe`. What can be
//!   waited for, such as the end of a process, an event object or a timer, is a `mio::windows::WaitHandle`. Files, and
//!   whatever else has no readiness, belong to threads.
//! - There is no way to have packets of overlapped operations of one's own come to the queue. Give such an operation an event
//!   object (`OVERLAPPED::hEvent`), and watch that with a `mio::windows::WaitHandle`. A packet that carries a token and
//!   nothing else is what a [`Waker`](crate::Waker) posts; a queue may have several.
//! - A UDP socket may return [`ConnectionReset`](std::io::ErrorKind::ConnectionReset) from a receive: an earlier datagram
//!   found nobody. Receive again, or switch it off (`mio::windows::UdpSocketExt`). A datagram that is longer than the buffer
//!   is an error (10040) and not cut off silently.
//! - Unix sockets are in `mio::windows`, with an address type of their own, and streams only.
//! - A timeout ends with a tick of the system's clock, which may be 15.6 ms late.
//!
//! # What a program must not rely on
//!
//! - **The set of flags.** [`is_read_closed`](crate::event::Event::is_read_closed),
//!   [`is_write_closed`](crate::event::Event::is_write_closed) and [`is_error`](crate::event::Event::is_error) are set
//!   in different situations on different systems, and may be missing. The sure signs are a read of zero bytes, and the
//!   error of an operation. On the other hand an event with one of these flags need not be readable or writable
//!   besides, so a loop that looks at flags has to look at them, too. The simplest loop looks at none and tries.
//! - **An edge per packet.** Edges merge.
//! - **An edge although the source was not drained.** See the table, and [short reads](super::edges#short-reads).
//! - **Silence.** Extra events are allowed for `Edge` and `Level`.
//! - **The order of events** in a batch, and that a source has only one event in it. A backend may report its
//!   directions apart.
//! - **That an error comes from `register`** for what cannot be watched. Some systems find out later.
//! - **That a second registration is refused, or a reregistration without a first.** With kqueue both just register;
//!   debug builds see most second registrations.
//! - **A registration with two queues**, and a queue that a child inherited through `fork`.
//! - **The size of [`Event`](crate::event::Event)**, and what its `Debug` prints.
//!
//! # Operations that the crate has no method for
//!
//! A backend that emulates edges has to know when an operation would have blocked. Reads and writes of the types of
//! this crate report that. An operation that this crate has no method for goes through `try_io`, or
//! [`do_io`](crate::IoSource::do_io) of an [`IoSource`](crate::IoSource):
//!
//! ```
//! # #[cfg(all(unix, feature = "net"))]
//! # fn main() -> std::io::Result<()> {
//! use mio::net::UnixStream;
//! use std::io::ErrorKind;
//!
//! let (left, right) = UnixStream::pair()?;
//!
//! let mut space = [0; 64];
//! let received = left.try_io(|| {
//!     // As an example of a call with ancillary data.
//!     let mut control = rustix::net::RecvAncillaryBuffer::default();
//!     let mut buffers = [std::io::IoSliceMut::new(&mut space)];
//!     let flags = rustix::net::RecvFlags::empty();
//!     Ok(rustix::net::recvmsg(&left, &mut buffers, &mut control, flags)?.bytes)
//! });
//! assert_eq!(received.unwrap_err().kind(), ErrorKind::WouldBlock);
//! # drop(right);
//! # Ok(())
//! # }
//! # #[cfg(not(all(unix, feature = "net")))]
//! # fn main() {}
//! ```
//!
//! Return `WouldBlock` from the closure when the operation would have blocked, and only then. Any other error, and
//! success, mean that the source is still ready.
//!
//! # Trying it
//!
//! A program that runs on [`Backend::Poll`](crate::Backend::Poll) keeps most of these rules, for that backend forgives
//! less than epoll does. So let the tests run on both:
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! use mio::{Backend, Poll};
//!
//! for backend in Backend::available() {
//!     let poll = Poll::builder().backend(backend).build()?;
//!     // … the test
//! #   drop(poll);
//! }
//! # Ok(())
//! # }
//! ```
