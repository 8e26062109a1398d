//! Descriptors.

use std::fs;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, Timespec};
use rustix::io::Errno;

use crate::bed::PATIENCE;

pub(crate) use rustix::event::PollFlags;
pub(crate) use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Two connected sockets, neither of which blocks.
pub(crate) fn socket_pair() -> (OwnedFd, OwnedFd) {
    let (near, far) = UnixStream::pair().unwrap();
    for end in [&near, &far] {
        end.set_nonblocking(true).unwrap();
    }
    (near.into(), far.into())
}

/// A descriptor that can be read once eight bytes, a number, were written to it.
#[cfg(any(target_os = "android", target_os = "linux"))]
pub(crate) fn flag() -> OwnedFd {
    use rustix::event::{eventfd, EventfdFlags};

    eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC).unwrap()
}

/// A socket that can be read once eight bytes were written to it.
#[cfg(not(any(target_os = "android", target_os = "linux")))]
pub(crate) fn flag() -> OwnedFd {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(socket.local_addr().unwrap()).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket.into()
}

/// How many descriptors the process may have: no system without a limit that it tells has room for fewer.
#[cfg(any(target_os = "fuchsia", target_os = "redox"))]
pub(crate) fn descriptors() -> usize {
    1024
}

/// How many descriptors the process may have.
#[cfg(not(any(target_os = "fuchsia", target_os = "redox")))]
pub(crate) fn descriptors() -> usize {
    use rustix::process::{getrlimit, Resource};

    let limit = getrlimit(Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    })
}

/// The number by which the system knows it.
pub(crate) fn number(fd: impl AsFd) -> i64 {
    i64::from(fd.as_fd().as_raw_fd())
}

pub(crate) fn read(fd: impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::io::read(fd, buffer)?)
}

pub(crate) fn write(fd: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::io::write(fd, bytes)?)
}

#[track_caller]
pub(crate) fn shutdown(fd: impl AsFd, how: Shutdown) {
    let how = match how {
        Shutdown::Read => rustix::net::Shutdown::Read,
        Shutdown::Write => rustix::net::Shutdown::Write,
        Shutdown::Both => rustix::net::Shutdown::Both,
    };
    rustix::net::shutdown(fd, how).unwrap();
}

/// What the system says of a descriptor at once or in time.
pub(crate) fn poll(fd: impl AsFd, flags: PollFlags, timeout: Duration) -> PollFlags {
    let timeout = Timespec::try_from(timeout).unwrap();
    let mut fds = [PollFd::new(&fd, flags)];
    rustix::event::poll(&mut fds, Some(&timeout)).unwrap();
    fds[0].revents()
}

/// What `poll` says once the other end has written its last byte.
#[cfg(any(target_os = "android", target_os = "linux"))]
pub(crate) const PEER_WROTE_ALL: PollFlags = PollFlags::RDHUP;
#[cfg(not(any(target_os = "android", target_os = "linux")))]
pub(crate) const PEER_WROTE_ALL: PollFlags = PollFlags::IN;

/// What `poll` says of a socket that was never connected, and of one that this end has shut down.
#[cfg(feature = "net")]
pub(crate) const UNCONNECTED: PollFlags = PollFlags::HUP;
pub(crate) const SHUT_FOR_READING: PollFlags = PEER_WROTE_ALL;
pub(crate) const SHUT_FOR_BOTH: PollFlags = PollFlags::HUP;

/// Whether the error says that the system has no such call.
pub(crate) fn is_missing(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::NOSYS.raw_os_error())
}

/// How many system calls of this thread have written something so far, where the kernel counts them.
pub(crate) fn writes() -> Option<u64> {
    let io = fs::read_to_string("/proc/thread-self/io").ok()?;
    let count = io.lines().find_map(|line| line.strip_prefix("syscw: "))?;
    count.parse().ok()
}

/// A thread of this process, to be looked at: its number on Linux.
#[derive(Copy, Clone)]
pub(crate) struct Thread(Option<u32>);

pub(crate) fn this_thread() -> Thread {
    let link = fs::read_link("/proc/thread-self").ok();
    Thread(link.and_then(|path| path.file_name()?.to_str()?.parse().ok()))
}

/// Waits until another thread of this process sleeps: in a poll, presumably. Without a `/proc` that says so, gives it a
/// chance to.
#[track_caller]
pub(crate) fn asleep(Thread(number): Thread) {
    let Some(number) = number else {
        return thread::sleep(Duration::from_millis(5));
    };
    let path = format!("/proc/self/task/{number}/stat");
    let start = Instant::now();
    while let Ok(stat) = fs::read_to_string(&path) {
        // The name, in parentheses, may hold anything.
        let state = stat.rsplit(") ").next().unwrap_or_default();
        if state.starts_with('S') {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "it does not sleep: {stat}");
        thread::yield_now();
    }
}
