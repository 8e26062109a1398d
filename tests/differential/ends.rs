//! Pairs of ends, and what can be done with an end.
//!
//! Buffers are small, so that a few writes fill them.

use std::io;
#[cfg(any(feature = "net", feature = "os-ext"))]
use std::io::{Read, Write};
use std::net;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net as local;
use std::time::Duration;

use mio::event::Source;
#[cfg(feature = "net")]
use mio::net::{TcpStream, UdpSocket, UnixDatagram, UnixStream};
#[cfg(feature = "os-ext")]
use mio::unix::{pipe, SourceFd};
use mio::IoSource;
use rustix::net::{recv, send, sockopt, RecvFlags, SendFlags};

use crate::script::{End, Flavor, How, Kind};

/// How often something is repeated that ends by itself, unless the kernel has gone mad.
const ENDLESS: usize = 100_000;
/// UDP never blocks on the way to this machine, so it ends here.
const DATAGRAMS: usize = 8;

/// The pair of a slot. Fields are dropped in order: duplicates close last.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) kind: Kind,
    pub(crate) flavor: Flavor,
    ends: [Option<Object>; 2],
    dups: [Vec<OwnedFd>; 2],
}

/// One end, as the script wants the crate to know it.
#[derive(Debug)]
pub(crate) enum Object {
    Wrapped(IoSource<OwnedFd>),
    #[cfg(feature = "os-ext")]
    Bare(OwnedFd),
    #[cfg(feature = "os-ext")]
    Sender(pipe::Sender),
    #[cfg(feature = "os-ext")]
    Receiver(pipe::Receiver),
    #[cfg(feature = "net")]
    Unix(UnixStream),
    #[cfg(feature = "net")]
    Tcp(TcpStream),
    #[cfg(feature = "net")]
    Udp(UdpSocket),
    #[cfg(feature = "net")]
    Datagram(UnixDatagram),
}

/// What came of an operation.
#[derive(Debug)]
pub(crate) struct Moved {
    pub(crate) result: io::Result<usize>,
    /// It moved something, less than it was asked for, and the crate saw that.
    pub(crate) is_short: bool,
}

impl From<io::Result<usize>> for Moved {
    fn from(result: io::Result<usize>) -> Moved {
        Moved {
            result,
            is_short: false,
        }
    }
}

impl Pair {
    pub(crate) fn new(kind: Kind, flavor: Flavor) -> io::Result<Pair> {
        let (a, b) = match kind {
            Kind::Unix => both(local::UnixStream::pair()?, |end| end.set_nonblocking(true))?,
            Kind::Datagram => both(local::UnixDatagram::pair()?, |end| {
                end.set_nonblocking(true)
            })?,
            Kind::Tcp => both(tcp()?, |end| end.set_nonblocking(true))?,
            Kind::Udp => both(udp()?, |end| end.set_nonblocking(true))?,
            Kind::Pipe => {
                let (receiver, sender) = rustix::pipe::pipe()?;
                rustix::io::ioctl_fionbio(&receiver, true)?;
                rustix::io::ioctl_fionbio(&sender, true)?;
                (sender, receiver)
            }
        };
        match kind {
            Kind::Unix | Kind::Datagram => {
                sockopt::set_socket_send_buffer_size(&a, 8 * 1024)?;
                sockopt::set_socket_send_buffer_size(&b, 8 * 1024)?;
            }
            Kind::Tcp => {
                sockopt::set_socket_send_buffer_size(&a, 32 * 1024)?;
                sockopt::set_socket_send_buffer_size(&b, 32 * 1024)?;
            }
            Kind::Pipe | Kind::Udp => {}
        }
        Ok(Pair {
            kind,
            flavor,
            ends: [
                Some(Object::new(a, kind, flavor, End::A(0))),
                Some(Object::new(b, kind, flavor, End::B(0))),
            ],
            dups: [Vec::new(), Vec::new()],
        })
    }

    pub(crate) fn end(&mut self, end: End) -> &mut Option<Object> {
        &mut self.ends[side(end)]
    }

    pub(crate) fn dups(&mut self, end: End) -> &mut Vec<OwnedFd> {
        &mut self.dups[side(end)]
    }
}

/// Leaves no connection behind in the state TIME_WAIT: after some thousand scripts there would be no port left.
impl Drop for Pair {
    fn drop(&mut self) {
        if self.kind == Kind::Tcp {
            for end in self.ends.iter().flatten() {
                let _ = sockopt::set_socket_linger(end.as_fd(), Some(Duration::ZERO));
            }
        }
    }
}

impl Object {
    fn new(fd: OwnedFd, kind: Kind, flavor: Flavor, end: End) -> Object {
        match (flavor, kind, end) {
            #[cfg(feature = "os-ext")]
            (Flavor::Bare, ..) => Object::Bare(fd),
            #[cfg(feature = "os-ext")]
            (Flavor::Own, Kind::Pipe, End::A(_)) => Object::Sender(fd.into()),
            #[cfg(feature = "os-ext")]
            (Flavor::Own, Kind::Pipe, End::B(_)) => Object::Receiver(fd.into()),
            #[cfg(feature = "net")]
            (Flavor::Own, Kind::Unix, _) => Object::Unix(fd.into()),
            #[cfg(feature = "net")]
            (Flavor::Own, Kind::Tcp, _) => Object::Tcp(fd.into()),
            #[cfg(feature = "net")]
            (Flavor::Own, Kind::Udp, _) => Object::Udp(fd.into()),
            #[cfg(feature = "net")]
            (Flavor::Own, Kind::Datagram, _) => Object::Datagram(fd.into()),
            _ => Object::Wrapped(IoSource::new(fd)),
        }
    }

    /// Runs `call` on the source that this is.
    pub(crate) fn with<T>(&mut self, call: impl FnOnce(&mut dyn Source) -> T) -> T {
        match self {
            Object::Wrapped(source) => call(source),
            #[cfg(feature = "os-ext")]
            Object::Bare(fd) => call(&mut SourceFd(&std::os::fd::AsRawFd::as_raw_fd(fd))),
            #[cfg(feature = "os-ext")]
            Object::Sender(sender) => call(sender),
            #[cfg(feature = "os-ext")]
            Object::Receiver(receiver) => call(receiver),
            #[cfg(feature = "net")]
            Object::Unix(stream) => call(stream),
            #[cfg(feature = "net")]
            Object::Tcp(stream) => call(stream),
            #[cfg(feature = "net")]
            Object::Udp(socket) => call(socket),
            #[cfg(feature = "net")]
            Object::Datagram(socket) => call(socket),
        }
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Object::Wrapped(source) => source.do_read(|fd| Ok(rustix::io::read(fd, buffer)?)),
            #[cfg(feature = "os-ext")]
            Object::Bare(fd) => Ok(rustix::io::read(fd, buffer)?),
            #[cfg(feature = "os-ext")]
            Object::Sender(_) => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(feature = "os-ext")]
            Object::Receiver(receiver) => receiver.read(buffer),
            #[cfg(feature = "net")]
            Object::Unix(stream) => stream.read(buffer),
            #[cfg(feature = "net")]
            Object::Tcp(stream) => stream.read(buffer),
            #[cfg(feature = "net")]
            Object::Udp(socket) => socket.recv(buffer),
            #[cfg(feature = "net")]
            Object::Datagram(socket) => socket.recv(buffer),
        }
    }

    /// Reads through an operation that the crate knows nothing of.
    pub(crate) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = |fd: BorrowedFd<'_>, buffer: &mut [u8]| Ok(rustix::io::read(fd, buffer)?);
        match self {
            Object::Wrapped(source) => source.do_io(|fd| read(fd.as_fd(), buffer)),
            #[cfg(feature = "os-ext")]
            Object::Receiver(receiver) => receiver.try_io(|| read(receiver.as_fd(), buffer)),
            #[cfg(feature = "net")]
            Object::Unix(stream) => stream.try_io(|| read(stream.as_fd(), buffer)),
            #[cfg(feature = "net")]
            Object::Tcp(stream) => stream.try_io(|| read(stream.as_fd(), buffer)),
            #[cfg(feature = "net")]
            Object::Udp(socket) => socket.try_io(|| read(socket.as_fd(), buffer)),
            #[cfg(feature = "net")]
            Object::Datagram(socket) => socket.try_io(|| read(socket.as_fd(), buffer)),
            #[cfg(feature = "os-ext")]
            Object::Bare(_) | Object::Sender(_) => self.read(buffer),
        }
    }

    /// Looks at what could be read.
    pub(crate) fn peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let peek = |fd: BorrowedFd<'_>, buffer: &mut [u8]| {
            Ok(recv(fd, buffer, RecvFlags::PEEK).map(|(n, _)| n)?)
        };
        match self {
            Object::Wrapped(source) => source.do_read(|fd| peek(fd.as_fd(), buffer)),
            #[cfg(feature = "net")]
            Object::Unix(stream) => stream.try_io(|| peek(stream.as_fd(), buffer)),
            #[cfg(feature = "net")]
            Object::Tcp(stream) => stream.peek(buffer),
            #[cfg(feature = "net")]
            Object::Udp(socket) => socket.peek(buffer),
            #[cfg(feature = "net")]
            Object::Datagram(socket) => socket.try_io(|| peek(socket.as_fd(), buffer)),
            #[cfg(feature = "os-ext")]
            Object::Bare(_) | Object::Sender(_) | Object::Receiver(_) => peek(self.as_fd(), buffer),
        }
    }

    /// Whether the crate has a method for [`peek`](Object::peek), or it went through one whose direction it does not
    /// know.
    pub(crate) fn knows_peek(&self) -> bool {
        match self {
            #[cfg(feature = "net")]
            Object::Unix(_) | Object::Datagram(_) => false,
            _ => true,
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Object::Wrapped(source) => source.do_write(|fd| Ok(rustix::io::write(fd, bytes)?)),
            #[cfg(feature = "os-ext")]
            Object::Bare(fd) => Ok(rustix::io::write(fd, bytes)?),
            #[cfg(feature = "os-ext")]
            Object::Sender(sender) => sender.write(bytes),
            #[cfg(feature = "os-ext")]
            Object::Receiver(_) => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(feature = "net")]
            Object::Unix(stream) => stream.write(bytes),
            #[cfg(feature = "net")]
            Object::Tcp(stream) => stream.write(bytes),
            #[cfg(feature = "net")]
            Object::Udp(socket) => socket.send(bytes),
            #[cfg(feature = "net")]
            Object::Datagram(socket) => socket.send(bytes),
        }
    }

    /// Reads once, and notes whether the crate could see that this was the last of it.
    pub(crate) fn read_some(&mut self, buffer: &mut [u8]) -> Moved {
        let result = self.read(buffer);
        self.moved(result, buffer.len())
    }

    /// The same for writing.
    pub(crate) fn write_some(&mut self, bytes: &[u8]) -> Moved {
        let result = self.write(bytes);
        self.moved(result, bytes.len())
    }

    fn moved(&self, result: io::Result<usize>, asked: usize) -> Moved {
        let is_short = matches!(result, Ok(n) if 0 < n && n < asked);
        Moved {
            is_short: is_short && self.is_stream(),
            result,
        }
    }

    /// Whether it is a stream of the crate's own.
    fn is_stream(&self) -> bool {
        match self {
            #[cfg(feature = "net")]
            Object::Unix(_) | Object::Tcp(_) => true,
            #[cfg(feature = "os-ext")]
            Object::Sender(_) | Object::Receiver(_) => true,
            _ => false,
        }
    }

    /// Reads until there is a reason to stop, which is returned: the end is `Ok(0)`.
    pub(crate) fn drain(&mut self) -> Moved {
        let mut buffer = [0; 16 * 1024];
        let mut was_short = false;
        for _ in 0..ENDLESS {
            let moved = self.read_some(&mut buffer);
            was_short |= moved.is_short;
            if !matches!(moved.result, Ok(n) if n > 0) {
                return Moved {
                    is_short: was_short,
                    ..moved
                };
            }
        }
        panic!("there is no end of data");
    }

    /// Writes until there is a reason to stop, which is returned.
    pub(crate) fn fill(&mut self, kind: Kind) -> Moved {
        let (size, times) = match kind {
            Kind::Udp => (100, DATAGRAMS),
            Kind::Datagram => (512, ENDLESS),
            Kind::Unix | Kind::Pipe => (1024, ENDLESS),
            Kind::Tcp => (16 * 1024, ENDLESS),
        };
        let bytes = vec![0; size];
        let mut was_short = false;
        for _ in 0..times {
            let moved = self.write_some(&bytes);
            was_short |= moved.is_short;
            if moved.result.is_err() {
                return Moved {
                    is_short: was_short,
                    ..moved
                };
            }
        }
        assert_eq!(kind, Kind::Udp, "there is no end of room");
        Ok(0).into()
    }

    /// Sends one byte out of band, past the crate.
    pub(crate) fn out_of_band(&self) -> io::Result<usize> {
        Ok(send(self.as_fd(), b"!", SendFlags::OOB)?)
    }

    pub(crate) fn shutdown(&self, how: How) -> io::Result<()> {
        let how = match how {
            How::Reading => rustix::net::Shutdown::Read,
            How::Writing => rustix::net::Shutdown::Write,
            How::Both => rustix::net::Shutdown::Both,
        };
        Ok(rustix::net::shutdown(self.as_fd(), how)?)
    }
}

impl AsFd for Object {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Object::Wrapped(source) => source.as_fd(),
            #[cfg(feature = "os-ext")]
            Object::Bare(fd) => fd.as_fd(),
            #[cfg(feature = "os-ext")]
            Object::Sender(sender) => sender.as_fd(),
            #[cfg(feature = "os-ext")]
            Object::Receiver(receiver) => receiver.as_fd(),
            #[cfg(feature = "net")]
            Object::Unix(stream) => stream.as_fd(),
            #[cfg(feature = "net")]
            Object::Tcp(stream) => stream.as_fd(),
            #[cfg(feature = "net")]
            Object::Udp(socket) => socket.as_fd(),
            #[cfg(feature = "net")]
            Object::Datagram(socket) => socket.as_fd(),
        }
    }
}

fn side(end: End) -> usize {
    match end {
        End::A(_) => 0,
        End::B(_) => 1,
    }
}

fn both<T: Into<OwnedFd>>(
    pair: (T, T),
    prepare: impl Fn(&T) -> io::Result<()>,
) -> io::Result<(OwnedFd, OwnedFd)> {
    prepare(&pair.0)?;
    prepare(&pair.1)?;
    Ok((pair.0.into(), pair.1.into()))
}

fn tcp() -> io::Result<(net::TcpStream, net::TcpStream)> {
    let listener = net::TcpListener::bind("127.0.0.1:0")?;
    let near = net::TcpStream::connect(listener.local_addr()?)?;
    let (far, from) = listener.accept()?;
    assert_eq!(from, near.local_addr()?, "somebody else has connected");
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    Ok((near, far))
}

fn udp() -> io::Result<(net::UdpSocket, net::UdpSocket)> {
    let near = net::UdpSocket::bind("127.0.0.1:0")?;
    let far = net::UdpSocket::bind("127.0.0.1:0")?;
    near.connect(far.local_addr()?)?;
    far.connect(near.local_addr()?)?;
    Ok((near, far))
}
