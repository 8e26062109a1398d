//! Descriptors.

use std::fs;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, Timespec};
use rustix::io::Errno;
use rustix::thread::{gettid, Pid};

use crate::bed::PATIENCE;

pub(crate) use rustix::event::PollFlags;
pub(crate) use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Two connected sockets, neither of which blocks.
pub(crate) fn socket_pair() -> (OwnedFd, OwnedFd) {
    use rustix::net::{socketpair, AddressFamily, SocketFlags, SocketType};

    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap()
}

/// A descriptor that can be read once eight bytes, a number, were written to it.
pub(crate) fn flag() -> OwnedFd {
    use rustix::event::{eventfd, EventfdFlags};

    eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC).unwrap()
}

/// How many descriptors the process may have.
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
pub(crate) const PEER_WROTE_ALL: PollFlags = PollFlags::RDHUP;

/// Whether the error says that the system has no such call.
pub(crate) fn is_missing(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::NOSYS.raw_os_error())
}

/// A thread of this process, to be looked at.
#[derive(Copy, Clone)]
pub(crate) struct Thread(Pid);

pub(crate) fn this_thread() -> Thread {
    Thread(gettid())
}

/// Waits until another thread of this process sleeps: in a poll, presumably. Without a `/proc` that says so, gives it a
/// chance to.
#[track_caller]
pub(crate) fn asleep(Thread(thread): Thread) {
    let path = format!("/proc/self/task/{}/stat", thread.as_raw_nonzero());
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
