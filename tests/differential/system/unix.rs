//! Descriptors.

use std::io;
use std::net::Shutdown;
use std::os::unix::net as local;
use std::time::Duration;

#[cfg(feature = "os-ext")]
use mio::unix::SourceFd;
use rustix::event::{PollFd, Timespec};
use rustix::net::{recv, send, sockopt, RecvFlags, SendFlags};

pub(crate) use rustix::event::PollFlags;
use std::os::fd::AsFd;
pub(crate) use std::os::fd::{BorrowedFd, OwnedFd};

use super::{nonblocking, tcp, udp, Ends, Handle};
use crate::script::Kind;

/// The peer has shut down writing: on some systems only.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const RDHUP: PollFlags = PollFlags::RDHUP;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const RDHUP: PollFlags = PollFlags::empty();

/// Whether an error of a datagram socket lasts until it was taken.
pub(crate) const KEEPS_ERRORS_OF_DATAGRAMS: bool = true;

/// What of a bare descriptor has a pace of its own.
pub(crate) const PACED: [PollFlags; 3] =
    [PollFlags::IN.union(RDHUP), PollFlags::OUT, PollFlags::PRI];

impl<T: AsFd> Handle for T {
    fn fd(&self) -> BorrowedFd<'_> {
        self.as_fd()
    }
}

pub(crate) fn pair(kind: Kind) -> io::Result<Ends> {
    let (a, b) = match kind {
        Kind::Unix => nonblocking(local::UnixStream::pair()?, |end| end.set_nonblocking(true))?,
        Kind::Datagram => nonblocking(local::UnixDatagram::pair()?, |end| {
            end.set_nonblocking(true)
        })?,
        Kind::Tcp => nonblocking(tcp()?, |end| end.set_nonblocking(true))?,
        Kind::Udp => nonblocking(udp()?, |end| end.set_nonblocking(true))?,
        Kind::Pipe => {
            let (receiver, sender) = rustix::pipe::pipe()?;
            rustix::io::ioctl_fionbio(&receiver, true)?;
            rustix::io::ioctl_fionbio(&sender, true)?;
            (sender, receiver)
        }
    };
    let room = match kind {
        Kind::Unix | Kind::Datagram => 8 * 1024,
        Kind::Tcp => 32 * 1024,
        Kind::Pipe | Kind::Udp => return Ok((a, b)),
    };
    sockopt::set_socket_send_buffer_size(&a, room)?;
    sockopt::set_socket_send_buffer_size(&b, room)?;
    Ok((a, b))
}

/// Has the end go without the state TIME_WAIT.
pub(crate) fn linger_not(fd: BorrowedFd<'_>) {
    let _ = sockopt::set_socket_linger(fd, Some(Duration::ZERO));
}

pub(crate) fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::io::read(fd, buffer)?)
}

pub(crate) fn write(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::io::write(fd, bytes)?)
}

pub(crate) fn peek(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(recv(fd, buffer, RecvFlags::PEEK).map(|(n, _)| n)?)
}

pub(crate) fn out_of_band(fd: BorrowedFd<'_>) -> io::Result<usize> {
    Ok(send(fd, b"!", SendFlags::OOB)?)
}

pub(crate) fn shutdown(fd: BorrowedFd<'_>, how: Shutdown) -> io::Result<()> {
    Ok(rustix::net::shutdown(
        fd,
        match how {
            Shutdown::Read => rustix::net::Shutdown::Read,
            Shutdown::Write => rustix::net::Shutdown::Write,
            Shutdown::Both => rustix::net::Shutdown::Both,
        },
    )?)
}

/// Runs `call` on the bare descriptor as a source.
#[cfg(feature = "os-ext")]
pub(crate) fn bare<T>(fd: &OwnedFd, call: impl FnOnce(&mut dyn mio::event::Source) -> T) -> T {
    call(&mut SourceFd(&std::os::fd::AsRawFd::as_raw_fd(fd)))
}

/// What the system says of one descriptor, now.
pub(crate) fn level_of(fd: BorrowedFd<'_>) -> PollFlags {
    let asked = PollFlags::IN | PollFlags::OUT | PollFlags::PRI | RDHUP;
    let mut fds = [PollFd::from_borrowed_fd(fd, asked)];
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    loop {
        match rustix::event::poll(&mut fds, Some(&now)) {
            Ok(_) => return fds[0].revents(),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("poll(2) of one descriptor: {error}"),
        }
    }
}

/// Whether a descriptor of a queue is readable.
pub(crate) fn shows_something(registry: &mio::Registry) -> Option<bool> {
    Some(level_of(registry.as_fd()).contains(PollFlags::IN))
}
