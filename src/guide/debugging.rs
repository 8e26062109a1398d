//! # Debugging
//!
//! # Events
//!
//! `{:?}` of an [`Event`](crate::event::Event) shows the token and the flags as the system's manual names them. They
//! say more than the `is_*` methods, which sum them up:
//!
//! ```
//! # #[cfg(all(unix, feature = "net"))]
//! # fn main() -> std::io::Result<()> {
//! use mio::{net::UnixStream, Backend, Events, Interest, Poll, Token};
//!
//! let mut poll = Poll::new()?;
//! let mut events = Events::with_capacity(8);
//! let (left, mut right) = UnixStream::pair()?;
//! poll.registry().register(&mut right, Token(7), Interest::READABLE)?;
//!
//! left.shutdown(std::net::Shutdown::Write)?;
//! poll.poll(&mut events, None)?;
//! let shown = format!("{:?}", events.get(0).unwrap());
//! if poll.backend() == Backend::Epoll {
//!     assert_eq!(shown, "Event { token: Token(7), flags: EPOLLIN | EPOLLRDHUP }");
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(all(unix, feature = "net")))]
//! # fn main() {}
//! ```
//!
//! An `{:?}` of [`Events`](crate::Events) is a list of them. Events of [`Backend::Poll`](crate::Backend::Poll) are
//! shown with epoll's names on Linux, where the flags have the same values.
//!
//! # Registrations
//!
//! With the feature `log`, which is on by default, every registration, reregistration and deregistration is written
//! through the [`log`](https://docs.rs/log) crate at level *trace*. The target begins with `mio`. With `env_logger` in
//! the program, that is
//!
//! ```sh
//! RUST_LOG=mio=trace cargo run
//! ```
//!
//! ```text
//! register: token 7, READABLE, Edge
//! reregister: token 7, READABLE | WRITABLE, Edge
//! deregister
//! ```
//!
//! Polls, events, reads and writes are not logged: strace shows them, and better.
//!
//! # Errors
//!
//! An [`io::Error`](std::io::Error) has either the system's number or a text. Those of the system are handed on as they
//! are, for programs that look at the number, with two exceptions, whose text says what to do and whose
//! [`source`](std::error::Error::source) is the system's error:
//!
//! - A queue that a sandbox, or the system, does not allow: [`Poll::new`](crate::Poll::new) names the backend.
//! - In debug builds, a source that is registered twice, or changed without being registered; also one that is used with
//!   two `Poll`s, which the system cannot notice. (Not a [`SourceFd`](crate::unix::SourceFd), which has no memory of its
//!   own. The log, below, has the hint for it, too.)
//!
//! ```
//! # #[cfg(feature = "net")]
//! # fn main() -> std::io::Result<()> {
//! use mio::{net::UdpSocket, Interest, Poll, Token};
//!
//! let poll = Poll::new()?;
//! let mut socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
//! let error = poll.registry().reregister(&mut socket, Token(0), Interest::READABLE);
//! # if poll.backend() != mio::Backend::Kqueue {
//! if cfg!(debug_assertions) {
//!     // "… use `register` first: No such file or directory (os error 2)"
//!     assert!(error.unwrap_err().to_string().contains("use `register` first"));
//! }
//! # }
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "net"))]
//! # fn main() {}
//! ```
//!
//! In release builds, too, the feature `log` says at level *debug* what was tried, and what is probably the matter:
//!
//! | what happened | error | what is written |
//! | --- | --- | --- |
//! | registered twice | [`AlreadyExists`](std::io::ErrorKind::AlreadyExists) | that `reregister` changes a registration |
//! | changed without being registered | [`NotFound`](std::io::ErrorKind::NotFound) | where it may be registered instead |
//! | registered a regular file | [`PermissionDenied`](std::io::ErrorKind::PermissionDenied) | that files are always ready |
//! | registered something in blocking mode | none | that its operations will wait |
//! | registered after the `Poll` was dropped | none | that nobody will see the events |
//! | a sandbox denied the queue | the system's | which backend did not open |
//!
//! To know of blocking mode, the system is asked about each source that is registered, so this level is one to look for
//! a mistake with, and not to run with.
//!
//! # What the kernel knows
//!
//! On Linux the registrations of an epoll queue can be read from `/proc/PID/fdinfo/FD`, where `FD` is the queue's
//! descriptor (`{:?}` of the `Poll` shows it):
//!
//! ```text
//! tfd:        5 events:     201d data:             abcd  pos:0 ino:32e7c sdev:9
//! tfd:        4 events: 80002019 data:                7  pos:0 ino:32e7b sdev:9
//! ```
//!
//! `tfd` is the source's descriptor, `data` is its token, and both the flags and the token are hexadecimal. The bits of
//! `events`:
//!
//! | bit | flag | asked for by |
//! | --- | --- | --- |
//! | `1` | `EPOLLIN` | `READABLE` |
//! | `2` | `EPOLLPRI` | `PRIORITY` |
//! | `4` | `EPOLLOUT` | `WRITABLE` |
//! | `8`, `10` | `EPOLLERR`, `EPOLLHUP` | always |
//! | `2000` | `EPOLLRDHUP` | `READABLE` |
//! | `40000000` | `EPOLLONESHOT` | the one-shots |
//! | `80000000` | `EPOLLET` | the edges |
//!
//! So the first line is a level-triggered registration for reading and writing, the second an edge-triggered one for
//! reading. A one-shot that has fallen silent has none of the small bits left.
//!
//! # System calls
//!
//! ```sh
//! strace -f -e trace=%network,epoll_create1,epoll_ctl,epoll_wait,epoll_pwait,epoll_pwait2,ppoll,eventfd2,read,write program
//! ```
//!
//! A client that connects, writes and reads looks so:
//!
//! ```text
//! epoll_create1(EPOLL_CLOEXEC)            = 4
//! socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP) = 5
//! connect(5, {sa_family=AF_INET, …}, 16)  = -1 EINPROGRESS (Operation now in progress)
//! epoll_ctl(4, EPOLL_CTL_ADD, 5, {events=EPOLLIN|EPOLLOUT|EPOLLRDHUP|EPOLLET, data={u32=0, u64=0}}) = 0
//! epoll_wait(4, [{events=EPOLLOUT, data={u32=0, u64=0}}], 8, 100) = 1
//! sendto(5, "x", 1, MSG_NOSIGNAL, NULL, 0) = 1
//! epoll_pwait2(4, [{events=EPOLLIN|EPOLLOUT, data={u32=0, u64=0}}], 8, {tv_sec=0, tv_nsec=250000}, NULL, 0) = 1
//! recvfrom(5, "y", 4, 0, NULL, NULL)      = 1
//! ```
//!
//! The token is in `data`. A wake is a `write` of eight bytes to an `eventfd`. There is no call for one that was merged
//! with an earlier one. With [`Backend::Poll`](crate::Backend::Poll) there is a `ppoll` over all sources in place of
//! `epoll_wait`, and no call for registrations, apart from a `write` to the queue's `eventfd` when another thread is
//! polling.
//!
//! `ltrace` and preloaded libraries see next to nothing: [interception](super::interception).
//!
//! # No event comes
//!
//! - The source was not drained. It is ready, and its edge has been reported: [edges](super::edges#draining). The most
//!   frequent case by far.
//! - A listener ran into `EMFILE`: [accepting](super::edges#accepting).
//! - The interest does not cover it: look at `fdinfo`.
//! - A one-shot was not reregistered.
//! - The source was dropped, or moved out with `into_inner`, or closed behind the crate's back by way of its
//!   descriptor.
//! - The event came, with a hang-up or an error alone, and the loop looked at `is_readable` only.
//! - With `Backend::Poll`: an operation went past the source, so nobody knows that it would have blocked. Use `try_io`.
//! - A wake was undone because the last handle of the `Waker` was dropped.
//!
//! # Too many events come
//!
//! - A level trigger, and a condition that nothing ends: [level](super::triggers#level).
//! - Two sources with one token.
//! - Many more wakes than work. Look for a `wake` in a loop that the event itself runs.
//! - A [`SourceFd`](crate::unix::SourceFd) on `Backend::Poll`, which is reported again while it stays ready.
//!
//! # Events for what is gone
//!
//! - Events of the same batch: [closing](super::closing#what-is-in-the-batch).
//! - A duplicate of the descriptor is open: [duplicates](super::closing#duplicates). `fdinfo` shows a `tfd` that is
//!   not, or no longer, that source. Children that were started without `exec` are the usual suspects.
