//! What an entry of the queue watches, and whether its condition holds: the filters for reading and writing.

use std::os::fd::{BorrowedFd, RawFd};

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{poll, PollFd, PollFlags, Timespec};
use rustix::fs::{fstat, seek, FileType, SeekFrom};
use rustix::io::{fcntl_getfd, ioctl_fionread, Errno};
use rustix::net::{send, sockopt, SendFlags, SocketType};

use crate::sys::pure_kqueue::rules::{Filter, Flags};

/// A file under its number.
#[derive(Debug)]
pub(super) struct Source {
    number: RawFd,
    filter: Filter,
    kind: Kind,
    /// The identity of the file, beside what epoll knows of it.
    identity: (u64, u64),
    /// Whether epoll watches it.
    is_watched: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Kind {
    Stream,
    Datagram,
    Pipe,
    /// A regular file or a directory.
    Vnode,
    Other,
}

/// What the filter says when its condition holds.
#[derive(Debug, Default)]
pub(super) struct Condition {
    pub(super) flags: Flags,
    pub(super) fflags: u32,
    pub(super) data: isize,
}

/// What a pipe without a reader says to who would watch it for writing. Not in the manuals: FreeBSD, DragonFly and Apple
/// systems do it, and NetBSD does with another number. So does the model where wakers are pipes, as they are there.
pub(super) const NO_READER: Errno = if cfg!(mio_unsupported_force_waker_pipe) {
    Errno::BADF
} else {
    Errno::PIPE
};

/// Stands for each error of a connection. Linux does not show which it is without taking it.
const ECONNRESET: u32 = 104;

impl Source {
    /// The file that has the number `ident`.
    pub(super) fn new(ident: usize, filter: Filter) -> Result<Source, Errno> {
        let number = RawFd::try_from(ident).map_err(|_| Errno::BADF)?;
        let fd = borrow(number);
        let stat = fstat(fd)?;
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Socket if sockopt::socket_type(fd)? == SocketType::STREAM => Kind::Stream,
            FileType::Socket => Kind::Datagram,
            FileType::Fifo => Kind::Pipe,
            FileType::RegularFile | FileType::Directory => Kind::Vnode,
            _ => Kind::Other,
        };
        let source = Source {
            number,
            filter,
            kind,
            identity: (stat.st_dev, stat.st_ino),
            is_watched: kind != Kind::Vnode,
        };
        match (kind, filter) {
            // "Note that this filter is not supported for vnodes."
            (Kind::Vnode, Filter::Write) => Err(Errno::INVAL),
            (Kind::Pipe, Filter::Write) if source.ask(PollFlags::OUT)?.contains(PollFlags::ERR) => {
                Err(NO_READER)
            }
            _ => Ok(source),
        }
    }

    pub(super) fn is_open(ident: usize) -> bool {
        RawFd::try_from(ident).is_ok_and(|number| fcntl_getfd(borrow(number)).is_ok())
    }

    pub(super) fn is_watched(&self) -> bool {
        self.is_watched
    }

    pub(super) fn set_unwatched(&mut self) {
        self.is_watched = false;
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        borrow(self.number)
    }

    /// Whether the number still has the file that it had when this was made.
    pub(super) fn is_same(&self, epoll: BorrowedFd<'_>) -> bool {
        let identity = fstat(self.fd()).map(|stat| (stat.st_dev, stat.st_ino));
        if identity != Ok(self.identity) {
            return false;
        }
        if !self.is_watched {
            return true;
        }
        // Files without a name share one identity. epoll knows the file by its number and its address.
        match epoll::add(epoll, self.fd(), EventData::new_u64(0), EventFlags::empty()) {
            Err(Errno::EXIST) => true,
            Ok(()) => {
                let _ = epoll::delete(epoll, self.fd());
                false
            }
            Err(_) => false,
        }
    }

    /// Runs the filter.
    pub(super) fn condition(&self) -> Result<Option<Condition>, Errno> {
        if self.kind == Kind::Vnode {
            return self.rest_of_file();
        }
        match self.filter {
            Filter::Read => self.readable(),
            _ => self.writable(),
        }
    }

    /// "Returns when the file pointer is not at the end of file. `data` contains the offset from current position to end
    /// of file, and may be negative."
    fn rest_of_file(&self) -> Result<Option<Condition>, Errno> {
        let size = fstat(self.fd())?.st_size;
        let position = seek(self.fd(), SeekFrom::Current(0))?;
        let data = size as isize - position as isize;
        Ok((data != 0).then(|| Condition {
            data,
            ..Condition::default()
        }))
    }

    /// "Whenever there is data available to read." "If the read direction of the socket has shutdown, then the filter also
    /// sets `EV_EOF` in `flags`, and returns the socket error (if any) in `fflags`." "When the last writer disconnects, the
    /// filter will set `EV_EOF`."
    fn readable(&self) -> Result<Option<Condition>, Errno> {
        let said = self.ask(PollFlags::IN | PollFlags::RDHUP)?;
        let is_error = said.contains(PollFlags::ERR);
        let (holds, is_end) = match self.kind {
            Kind::Stream => (
                // A hang-up alone is that of a socket that was never connected.
                said.intersects(PollFlags::IN | PollFlags::RDHUP | PollFlags::ERR),
                said.intersects(PollFlags::RDHUP) || is_error,
            ),
            Kind::Datagram => (
                said.intersects(PollFlags::IN | PollFlags::RDHUP | PollFlags::ERR),
                said.contains(PollFlags::RDHUP),
            ),
            _ => (
                said.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR),
                said.intersects(PollFlags::HUP | PollFlags::ERR),
            ),
        };
        let data = ioctl_fionread(self.fd()).unwrap_or(1) as isize;
        Ok(holds.then(|| self.found(data, is_end, is_error)))
    }

    /// "Whenever it is possible to write to the descriptor." "The filter will set `EV_EOF` when the reader disconnects."
    /// "For sockets, the low water mark and socket error handling is identical."
    fn writable(&self) -> Result<Option<Condition>, Errno> {
        let said = self.ask(PollFlags::OUT | PollFlags::RDHUP)?;
        let is_error = said.contains(PollFlags::ERR);
        let is_hung_up = said.contains(PollFlags::HUP);
        if self.kind == Kind::Stream && is_hung_up && !said.contains(PollFlags::RDHUP) {
            return Ok(None); // never connected
        }
        let holds = said.intersects(PollFlags::OUT | PollFlags::HUP | PollFlags::ERR);
        let is_end = match self.kind {
            Kind::Stream => is_hung_up || is_error || holds && self.is_shut_down(),
            Kind::Pipe => is_error,
            _ => false,
        };
        Ok(holds.then(|| self.found(1, is_end, is_error)))
    }

    fn found(&self, data: isize, is_end: bool, is_error: bool) -> Condition {
        Condition {
            flags: if is_end { Flags::EOF } else { Flags::default() },
            fflags: if is_end && is_error && self.kind == Kind::Stream {
                ECONNRESET
            } else {
                0
            },
            data,
        }
    }

    /// Whether this end of a stream does not write any more. Sending nothing tells, and sends nothing.
    fn is_shut_down(&self) -> bool {
        send(self.fd(), &[], SendFlags::NOSIGNAL | SendFlags::DONTWAIT) == Err(Errno::PIPE)
    }

    fn ask(&self, flags: PollFlags) -> Result<PollFlags, Errno> {
        let none = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let mut fds = [PollFd::from_borrowed_fd(self.fd(), flags)];
        poll(&mut fds, Some(&none))?;
        Ok(fds[0].revents())
    }
}

/// The entry of a queue does not keep its file open, and finds out whether it still is.
fn borrow<'a>(number: RawFd) -> BorrowedFd<'a> {
    // SAFETY: The number goes to system calls that check it, and nowhere else.
    unsafe { BorrowedFd::borrow_raw(number) }
}
