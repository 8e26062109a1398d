//! Sockets. `WSAPoll` is a poll of AFD as well; but each is made for one socket, is answered at once, and knows of nothing
//! that was asked before.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::windows::io::{AsRawSocket, AsSocket};
use std::time::Duration;

#[cfg(feature = "os-ext")]
use mio::windows::SourceSocket;
use socket2::SockRef;
use windows_sys::Win32::Networking::WinSock::{self, WSAPoll, WSAPOLLFD};

pub(crate) use std::os::windows::io::{BorrowedSocket as BorrowedFd, OwnedSocket as OwnedFd};

use super::{nonblocking, tcp, udp, Ends, Handle};
use crate::script::Kind;

bitflags::bitflags! {
    /// What `poll(2)` would say.
    #[derive(Copy, Clone, Debug, PartialEq, Eq)]
    pub(crate) struct PollFlags: u16 {
        const IN = 1;
        const OUT = 1 << 1;
        const PRI = 1 << 2;
        const ERR = 1 << 3;
        const HUP = 1 << 4;
        const RDHUP = 1 << 5;
    }
}

/// The peer has shut down writing.
pub(crate) const RDHUP: PollFlags = PollFlags::RDHUP;

/// It is the result of one operation.
pub(crate) const KEEPS_ERRORS_OF_DATAGRAMS: bool = false;

/// What of a bare socket has a pace of its own: the ends are told of whatever was told before.
pub(crate) const PACED: [PollFlags; 4] = [
    PollFlags::IN,
    PollFlags::OUT,
    PollFlags::RDHUP,
    PollFlags::ERR.union(PollFlags::HUP),
];

impl<T: AsSocket> Handle for T {
    fn fd(&self) -> BorrowedFd<'_> {
        self.as_socket()
    }
}

/// There are no pairs but these.
pub(crate) fn pair(kind: Kind) -> io::Result<Ends> {
    let (a, b) = match kind {
        Kind::Udp | Kind::Datagram => nonblocking(udp()?, |end| end.set_nonblocking(true))?,
        Kind::Tcp | Kind::Unix | Kind::Pipe => {
            nonblocking(tcp()?, |end| end.set_nonblocking(true))?
        }
    };
    if !matches!(kind, Kind::Udp | Kind::Datagram) {
        SockRef::from(&a).set_send_buffer_size(32 * 1024)?;
        SockRef::from(&b).set_send_buffer_size(32 * 1024)?;
    }
    Ok((a, b))
}

/// Has the end go without the state TIME_WAIT.
pub(crate) fn linger_not(fd: BorrowedFd<'_>) {
    let _ = SockRef::from(&fd).set_linger(Some(Duration::ZERO));
}

pub(crate) fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    (&*SockRef::from(&fd)).read(buffer)
}

pub(crate) fn write(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    (&*SockRef::from(&fd)).write(bytes)
}

pub(crate) fn peek(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    SockRef::from(&fd).peek(&mut vec![MaybeUninit::uninit(); buffer.len()])
}

pub(crate) fn out_of_band(fd: BorrowedFd<'_>) -> io::Result<usize> {
    SockRef::from(&fd).send_out_of_band(b"!")
}

pub(crate) fn shutdown(fd: BorrowedFd<'_>, how: Shutdown) -> io::Result<()> {
    SockRef::from(&fd).shutdown(how)
}

/// Runs `call` on the bare socket as a source.
#[cfg(feature = "os-ext")]
pub(crate) fn bare<T>(fd: &OwnedFd, call: impl FnOnce(&mut dyn mio::event::Source) -> T) -> T {
    call(&mut SourceSocket(&fd.as_raw_socket()))
}

/// What the system says of one socket, now.
pub(crate) fn level_of(fd: BorrowedFd<'_>) -> PollFlags {
    let mut fds = [WSAPOLLFD {
        fd: fd.as_raw_socket() as _,
        events: WinSock::POLLRDNORM | WinSock::POLLWRNORM,
        revents: 0,
    }];
    // SAFETY: The array has one element, which outlives the call, and its socket is borrowed for as long.
    let n = unsafe { WSAPoll(fds.as_mut_ptr(), 1, 0) };
    assert!(
        n >= 0,
        "WSAPoll of one socket: {}",
        io::Error::last_os_error()
    );
    let said = fds[0].revents;
    assert_eq!(said & WinSock::POLLNVAL, 0, "a socket that is closed");
    let has = |flag| said & flag != 0;
    let broken = has(WinSock::POLLERR);
    let mut level = PollFlags::empty();
    level.set(PollFlags::IN, has(WinSock::POLLRDNORM));
    level.set(PollFlags::OUT, has(WinSock::POLLWRNORM));
    level.set(PollFlags::ERR | PollFlags::HUP, broken);
    // The word for the end of what the peer sends is the one for both ends elsewhere.
    if has(WinSock::POLLHUP) && !broken {
        level |= PollFlags::IN | RDHUP;
    }
    level
}

/// A queue is no descriptor.
pub(crate) fn shows_something(_: &mio::Registry) -> Option<bool> {
    None
}
