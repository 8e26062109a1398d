//! The flags of Solaris on Linux: `poll(2)` in a model of event ports that says what that system's kernel says.
//!
//! Where Linux says something else, and how it is translated:
//!
//! - A pending error of a socket is something to read and to write, if either was asked for, and nothing beside. It is
//!   never `POLLERR`. (No manual says so; the kernel of illumos does.)
//! - A pipe whose other end is gone is hung up, at either end.
//! - `POLLHUP` and `POLLOUT` exclude each other: poll(2).
//! - There is no `POLLRDHUP`. illumos has one, so what it says is between this and what Linux says.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{self as linux, PollFlags, Timespec};
use rustix::fs::{fstat, FileType};
use rustix::io::Errno;

use crate::sys::selector::timespec;

/// How long to wait for other descriptors, while Linux says of one what is not to be said.
const PAUSE: Duration = Duration::from_millis(1);

/// What `poll(2)` is asked of a descriptor, and what was said.
#[derive(Debug)]
pub(crate) struct PollFd<'fd> {
    fd: BorrowedFd<'fd>,
    asked: PollFlags,
    said: PollFlags,
    /// Linux has something to say, and this nothing.
    muted: bool,
}

impl<'fd> PollFd<'fd> {
    pub(crate) fn from_borrowed_fd(fd: BorrowedFd<'fd>, asked: PollFlags) -> PollFd<'fd> {
        PollFd {
            fd,
            asked,
            said: PollFlags::empty(),
            muted: false,
        }
    }

    pub(crate) fn revents(&self) -> PollFlags {
        self.said
    }
}

/// Waits until there is something to say. About how many descriptors that is.
pub(crate) fn poll(fds: &mut [PollFd<'_>], timeout: Option<&Timespec>) -> Result<usize, Errno> {
    let timeout = match timeout {
        Some(timeout) => Some(Duration::try_from(*timeout).map_err(|_| Errno::INVAL)?),
        None => None,
    };
    let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let mut wait = left;
        if fds.iter().any(|fd| fd.muted) {
            // Linux would not wait for these. So they are left out for a while, and looked at again.
            ask_linux(
                fds.iter().filter(|fd| !fd.muted),
                Some(left.map_or(PAUSE, |left| left.min(PAUSE))),
            )?;
            wait = Some(Duration::ZERO);
        }
        let answers = ask_linux(fds.iter(), wait)?;
        for (fd, linux) in fds.iter_mut().zip(answers) {
            fd.said = translate(fd.fd, fd.asked, linux);
            fd.muted = fd.said.is_empty() && !linux.is_empty();
        }
        let count = fds.iter().filter(|fd| !fd.said.is_empty()).count();
        if count > 0 || left.is_some_and(|left| left.is_zero()) {
            return Ok(count);
        }
    }
}

/// What is said of a descriptor of which Linux says `linux`.
pub(crate) fn translate(fd: BorrowedFd<'_>, asked: PollFlags, linux: PollFlags) -> PollFlags {
    if !linux.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::RDHUP) {
        return linux;
    }
    let is_socket = fstat(fd).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_socket());
    said_of(linux, asked, is_socket)
}

fn said_of(linux: PollFlags, asked: PollFlags, is_socket: bool) -> PollFlags {
    let mut flags = linux - PollFlags::RDHUP;
    if flags.contains(PollFlags::ERR) {
        let directions = asked & (PollFlags::IN | PollFlags::OUT);
        if is_socket && !directions.is_empty() {
            return directions;
        }
        flags -= PollFlags::ERR;
        flags.set(PollFlags::HUP, flags.contains(PollFlags::HUP) || !is_socket);
    }
    if flags.contains(PollFlags::HUP) {
        flags -= PollFlags::OUT;
    }
    flags
}

fn ask_linux<'a>(
    fds: impl Iterator<Item = &'a PollFd<'a>>,
    wait: Option<Duration>,
) -> Result<Vec<PollFlags>, Errno> {
    let mut fds: Vec<_> = fds
        .map(|fd| linux::PollFd::from_borrowed_fd(fd.fd, fd.asked))
        .collect();
    linux::poll(&mut fds, wait.map(timespec).as_ref())?;
    Ok(fds.iter().map(|fd| fd.revents()).collect())
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    const NOTHING: PollFlags = PollFlags::empty();
    const IN: PollFlags = PollFlags::IN;
    const OUT: PollFlags = PollFlags::OUT;
    const ERR: PollFlags = PollFlags::ERR;
    const HUP: PollFlags = PollFlags::HUP;
    const RDHUP: PollFlags = PollFlags::RDHUP;

    #[test]
    fn what_is_said_of_sockets() {
        let reset = IN | OUT | ERR | HUP | RDHUP;
        for (linux, asked, expected) in [
            (reset, IN | OUT, IN | OUT),
            (reset, IN | RDHUP, IN),
            (ERR | HUP, OUT, OUT),
            // Nothing was asked for.
            (ERR | HUP, NOTHING, HUP),
            (ERR, NOTHING, NOTHING),
            // Ends without an error.
            (IN | OUT | HUP | RDHUP, IN | OUT, IN | HUP),
            (IN | OUT | RDHUP, IN | OUT | RDHUP, IN | OUT),
            (HUP, NOTHING, HUP),
        ] {
            assert_eq!(said_of(linux, asked, true), expected, "{linux:?} {asked:?}");
        }
    }

    #[test]
    fn what_is_said_of_pipes() {
        assert_eq!(said_of(OUT | ERR, OUT, false), HUP);
        assert_eq!(said_of(ERR, NOTHING, false), HUP);
        assert_eq!(said_of(IN | HUP, IN, false), IN | HUP);
    }

    /// A descriptor of which nothing is to be said does not end the wait, and neither does it hide the others.
    #[test]
    fn what_is_not_said_is_waited_for() {
        let deaf = UdpSocket::bind("127.0.0.1:0").unwrap();
        let nobody = deaf.local_addr().unwrap();
        deaf.connect(nobody).unwrap();
        let near = UdpSocket::bind("127.0.0.1:0").unwrap();
        near.connect(nobody).unwrap();
        near.send(b"lost").unwrap();
        let mut failed = [PollFd::from_borrowed_fd(near.as_fd(), IN)];
        assert_eq!(poll(&mut failed, None), Ok(1));
        assert_eq!(failed[0].revents(), IN);

        let (end, other) = UnixStream::pair().unwrap();
        let mut fds = [
            PollFd::from_borrowed_fd(near.as_fd(), NOTHING),
            PollFd::from_borrowed_fd(end.as_fd(), IN),
        ];
        let wait = Duration::from_millis(5);
        let start = Instant::now();
        assert_eq!(poll(&mut fds, Some(&timespec(wait))), Ok(0));
        assert!(start.elapsed() >= wait);
        drop(other);
        assert_eq!(poll(&mut fds, None), Ok(1));
        assert_eq!(fds[0].revents(), NOTHING);
        assert_eq!(fds[1].revents(), IN | HUP);
    }
}
