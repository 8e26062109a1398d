//! Sockets.

use std::io::{self, Read, Write};
use std::net::{Shutdown, UdpSocket};
use std::os::windows::io::{AsRawSocket, AsSocket};
use std::time::Duration;

use socket2::SockRef;
use windows_sys::Win32::Networking::WinSock::{self, WSAPoll, WSAPOLLFD};

pub(crate) use std::os::windows::io::{BorrowedSocket as BorrowedFd, OwnedSocket as OwnedFd};

/// What has a socket.
pub(crate) trait AsFd: AsSocket {
    fn as_fd(&self) -> BorrowedFd<'_>;
}

impl<T: AsSocket> AsFd for T {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.as_socket()
    }
}

/// Two connected sockets, neither of which blocks. Windows has no socket pairs.
pub(crate) fn socket_pair() -> (OwnedFd, OwnedFd) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let near = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    for end in [&near, &far] {
        end.set_nonblocking(true).unwrap();
        end.set_nodelay(true).unwrap();
    }
    (near.into(), far.into())
}

/// A socket that can be read once eight bytes were written to it.
pub(crate) fn flag() -> OwnedFd {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(socket.local_addr().unwrap()).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket.into()
}

/// How many sockets the process may have: as many as memory bears.
pub(crate) fn descriptors() -> usize {
    usize::MAX
}

/// The number by which the system knows it.
pub(crate) fn number(fd: impl AsFd) -> i64 {
    // Handles are small numbers, also where they have 64 bits.
    fd.as_fd().as_raw_socket() as i64
}

pub(crate) fn read(fd: impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    (&*SockRef::from(&fd.as_fd())).read(buffer)
}

pub(crate) fn write(fd: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    (&*SockRef::from(&fd.as_fd())).write(bytes)
}

#[track_caller]
pub(crate) fn shutdown(fd: impl AsFd, how: Shutdown) {
    SockRef::from(&fd.as_fd()).shutdown(how).unwrap();
}

/// What `WSAPoll` asks for and says.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct PollFlags(i16);

impl PollFlags {
    pub(crate) const IN: PollFlags = PollFlags(WinSock::POLLRDNORM);
    pub(crate) const OUT: PollFlags = PollFlags(WinSock::POLLWRNORM);
    pub(crate) const PRI: PollFlags = PollFlags(WinSock::POLLRDBAND);
    pub(crate) const HUP: PollFlags = PollFlags(WinSock::POLLHUP);
    pub(crate) const ERR: PollFlags = PollFlags(WinSock::POLLERR);

    pub(crate) const fn empty() -> PollFlags {
        PollFlags(0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn contains(self, other: PollFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What the system says of a socket at once or in time.
pub(crate) fn poll(fd: impl AsFd, flags: PollFlags, timeout: Duration) -> PollFlags {
    let mut fds = [WSAPOLLFD {
        fd: fd.as_fd().as_raw_socket() as _,
        // What is over comes unasked, and to ask for it is an error.
        events: match flags.0 & !(WinSock::POLLHUP | WinSock::POLLERR) {
            0 => WinSock::POLLRDNORM,
            asked => asked,
        },
        revents: 0,
    }];
    let timeout = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: The array has one element, which outlives the call, and its socket is borrowed for as long.
    let n = unsafe { WSAPoll(fds.as_mut_ptr(), 1, timeout) };
    assert!(n >= 0, "{}", io::Error::last_os_error());
    let mut said = PollFlags(fds[0].revents);
    // Windows says of an end what it says of data, and over the loopback an end arrives before `closesocket` returns.
    if said.contains(PollFlags::IN) {
        said.0 |= WinSock::POLLHUP;
    }
    said
}

/// What `poll` says once the other end has written its last byte.
pub(crate) const PEER_WROTE_ALL: PollFlags = PollFlags::HUP;

/// What `poll` says of a socket that was never connected, or that this end has shut down: nothing that it would not say
/// of others.
pub(crate) const UNCONNECTED: PollFlags = PollFlags::empty();
pub(crate) const SHUT_FOR_READING: PollFlags = PollFlags::empty();
pub(crate) const SHUT_FOR_BOTH: PollFlags = PollFlags::empty();

/// Whether the error says that the system has no such call. The loader would have said so before.
pub(crate) fn is_missing(_error: &io::Error) -> bool {
    false
}

/// Nothing counts system calls.
pub(crate) fn writes() -> Option<u64> {
    None
}

/// A thread of this process.
#[derive(Copy, Clone)]
pub(crate) struct Thread;

pub(crate) fn this_thread() -> Thread {
    Thread
}

/// Nothing tells whether a thread sleeps.
pub(crate) fn asleep(_: Thread) {
    std::thread::yield_now();
}
