//! The wiring: which parts make up each platform.
//!
//! This is the only file that lists operating systems. What stands in the other files of this folder is a mechanism; it
//! is compiled where this file says so and needs no gate of its own.
//!
//! | part | says |
//! | --- | --- |
//! | [`Selector`] | the backend, or the two of which a queue picks one |
//! | [`Handle`], [`AsHandle`] | how the system names what it can watch |
//! | `signal` | the flag in the kernel by which a `Waker` reaches the queue, where the backend has none itself |
//! | `socket` | creating, accepting and connecting sockets |

#[cfg(not(any(target_os = "linux", target_os = "android")))]
compile_error!("mio has no backend for this system yet: see PLATFORMS.md");

pub(crate) mod selector;

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "selector/epoll.rs"]
mod epoll;
#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "selector/epoll_ppoll.rs"]
mod epoll_ppoll;
// Sandboxes of older Androids kill a process that makes a system call they do not know.
#[cfg(target_os = "android")]
use self::epoll_ppoll as epoll_precise;
#[cfg(target_os = "linux")]
#[path = "selector/epoll_pwait2.rs"]
mod epoll_precise;

#[cfg(all(
    feature = "poll-backend",
    any(target_os = "linux", target_os = "android")
))]
#[path = "selector/either.rs"]
mod either;
#[cfg(all(
    feature = "poll-backend",
    any(target_os = "linux", target_os = "android")
))]
#[path = "selector/poll/mod.rs"]
mod poll;
#[cfg(all(
    feature = "poll-backend",
    any(target_os = "linux", target_os = "android")
))]
#[path = "selector/queues.rs"]
mod queues;
#[cfg(all(
    feature = "poll-backend",
    any(target_os = "linux", target_os = "android")
))]
#[path = "selector/table.rs"]
mod table;

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "wake/eventfd.rs"]
mod signal;

#[cfg(all(feature = "net", any(target_os = "linux", target_os = "android")))]
#[path = "socket/unix.rs"]
pub(crate) mod socket;

#[cfg(all(feature = "net", target_os = "android"))]
use std::os::android::net::SocketAddrExt;
#[cfg(all(feature = "net", target_os = "linux"))]
use std::os::linux::net::SocketAddrExt;

/// The backend, where the build has one.
#[cfg(all(
    not(feature = "poll-backend"),
    any(target_os = "linux", target_os = "android")
))]
pub(crate) type Selector = epoll::Epoll;
/// The backends, where the build has two; the first is the default.
#[cfg(all(
    feature = "poll-backend",
    any(target_os = "linux", target_os = "android")
))]
pub(crate) type Selector = either::Either<epoll::Epoll, poll::Poll<epoll::Event>>;

/// An event as the system writes it.
pub(crate) type RawEvent = <Selector as selector::Selector>::Event;
/// What the backend keeps in an [`IoSource`](crate::IoSource).
pub(crate) type SourceState = <Selector as selector::Selector>::State;
/// The kernel's side of a [`Waker`](crate::Waker).
pub(crate) type WakeSignal = <Selector as selector::Selector>::Signal;

/// `poll(2)` can tell that the peer has shut down writing.
#[cfg(all(
    feature = "poll-backend",
    any(target_os = "linux", target_os = "android")
))]
const POLL_RDHUP: rustix::event::PollFlags = rustix::event::PollFlags::RDHUP;

/// A pipe, both ends non-blocking and closed on `exec`: the reading end, then the writing end.
#[cfg(all(feature = "os-ext", any(target_os = "linux", target_os = "android")))]
pub(crate) fn pipe_pair() -> std::io::Result<(std::os::fd::OwnedFd, std::os::fd::OwnedFd)> {
    use rustix::pipe::{pipe_with, PipeFlags};

    Ok(pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?)
}

/// `listen(2)` takes a queue as long as the system allows (`net.core.somaxconn`): it clamps the number.
#[cfg(feature = "net")]
const BACKLOG: i32 = i32::MAX;

#[cfg(any(target_os = "linux", target_os = "android"))]
impl crate::Interest {
    /// Asks for events when there is priority data, such as TCP's out-of-band byte or a change of a sysfs file
    /// (`EPOLLPRI`). Linux and Android only.
    pub const PRIORITY: crate::Interest = crate::interest::of_some_systems::PRIORITY;
}

#[cfg(unix)]
#[path = "handle/fd.rs"]
mod handle;
#[cfg(any(feature = "net", feature = "os-ext"))]
pub(crate) use self::handle::OwnedHandle;
#[cfg(feature = "net")]
pub(crate) use self::handle::{lend, Lent};
pub(crate) use self::handle::{AsHandle, Handle};

/// A timeout as the kernel takes it. What does not fit is longer than 292 billion years.
#[cfg(unix)]
#[inline]
fn timespec(timeout: std::time::Duration) -> rustix::event::Timespec {
    rustix::event::Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos() as _,
    }
}
