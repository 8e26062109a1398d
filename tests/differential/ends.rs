//! Pairs of ends, and what can be done with an end.
//!
//! Buffers are small, so that a few writes fill them.

use std::io;
#[cfg(any(feature = "net", all(unix, feature = "os-ext")))]
use std::io::{Read, Write};
use std::net::Shutdown;

use mio::event::Source;
#[cfg(feature = "net")]
use mio::net::{TcpStream, UdpSocket};
#[cfg(all(unix, feature = "net"))]
use mio::net::{UnixDatagram, UnixStream};
#[cfg(all(unix, feature = "os-ext"))]
use mio::unix::pipe;
use mio::IoSource;

use crate::script::{End, Flavor, How, Kind};
use crate::system::{self, BorrowedFd, Handle as _, OwnedFd};

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
    /// What stays open until the pair goes.
    kept: Vec<OwnedFd>,
}

/// One end, as the script wants the crate to know it.
#[derive(Debug)]
pub(crate) enum Object {
    Wrapped(IoSource<OwnedFd>),
    #[cfg(feature = "os-ext")]
    Bare(OwnedFd),
    #[cfg(all(unix, feature = "os-ext"))]
    Sender(pipe::Sender),
    #[cfg(all(unix, feature = "os-ext"))]
    Receiver(pipe::Receiver),
    #[cfg(all(unix, feature = "net"))]
    Unix(UnixStream),
    #[cfg(feature = "net")]
    Tcp(TcpStream),
    #[cfg(feature = "net")]
    Udp(UdpSocket),
    #[cfg(all(unix, feature = "net"))]
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
        let (a, b) = system::pair(kind)?;
        Ok(Pair {
            kind,
            flavor,
            ends: [
                Some(Object::new(a, kind, flavor, End::A(0))),
                Some(Object::new(b, kind, flavor, End::B(0))),
            ],
            dups: [Vec::new(), Vec::new()],
            kept: Vec::new(),
        })
    }

    pub(crate) fn end(&mut self, end: End) -> &mut Option<Object> {
        &mut self.ends[side(end)]
    }

    /// Takes out an end that is to be closed. Where an error of a datagram socket is no state of it, and can be seen by
    /// nobody but who waits, there is none: the address stays somebody's.
    pub(crate) fn take(&mut self, end: End) -> Option<Object> {
        let object = self.ends[side(end)].take()?;
        if self.kind == Kind::Udp && !system::KEEPS_ERRORS_OF_DATAGRAMS {
            let kept = object.fd().try_clone_to_owned().expect("a duplicate");
            self.kept.push(kept);
        }
        Some(object)
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
                system::linger_not(end.fd());
            }
        }
    }
}

impl Object {
    fn new(fd: OwnedFd, kind: Kind, flavor: Flavor, end: End) -> Object {
        match (flavor, kind, end) {
            #[cfg(feature = "os-ext")]
            (Flavor::Bare, ..) => Object::Bare(fd),
            #[cfg(all(unix, feature = "os-ext"))]
            (Flavor::Own, Kind::Pipe, End::A(_)) => Object::Sender(fd.into()),
            #[cfg(all(unix, feature = "os-ext"))]
            (Flavor::Own, Kind::Pipe, End::B(_)) => Object::Receiver(fd.into()),
            #[cfg(all(unix, feature = "net"))]
            (Flavor::Own, Kind::Unix, _) => Object::Unix(fd.into()),
            #[cfg(feature = "net")]
            (Flavor::Own, Kind::Tcp, _) => Object::Tcp(fd.into()),
            #[cfg(feature = "net")]
            (Flavor::Own, Kind::Udp, _) => Object::Udp(fd.into()),
            #[cfg(all(unix, feature = "net"))]
            (Flavor::Own, Kind::Datagram, _) => Object::Datagram(fd.into()),
            _ => Object::Wrapped(IoSource::new(fd)),
        }
    }

    /// Runs `call` on the source that this is.
    pub(crate) fn with<T>(&mut self, call: impl FnOnce(&mut dyn Source) -> T) -> T {
        match self {
            Object::Wrapped(source) => call(source),
            #[cfg(feature = "os-ext")]
            Object::Bare(fd) => system::bare(fd, call),
            #[cfg(all(unix, feature = "os-ext"))]
            Object::Sender(sender) => call(sender),
            #[cfg(all(unix, feature = "os-ext"))]
            Object::Receiver(receiver) => call(receiver),
            #[cfg(all(unix, feature = "net"))]
            Object::Unix(stream) => call(stream),
            #[cfg(feature = "net")]
            Object::Tcp(stream) => call(stream),
            #[cfg(feature = "net")]
            Object::Udp(socket) => call(socket),
            #[cfg(all(unix, feature = "net"))]
            Object::Datagram(socket) => call(socket),
        }
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Object::Wrapped(source) => source.do_read(|fd| system::read(fd.fd(), buffer)),
            #[cfg(feature = "os-ext")]
            Object::Bare(fd) => system::read(fd.fd(), buffer),
            #[cfg(all(unix, feature = "os-ext"))]
            Object::Sender(_) => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(all(unix, feature = "os-ext"))]
            Object::Receiver(receiver) => receiver.read(buffer),
            #[cfg(all(unix, feature = "net"))]
            Object::Unix(stream) => stream.read(buffer),
            #[cfg(feature = "net")]
            Object::Tcp(stream) => stream.read(buffer),
            #[cfg(feature = "net")]
            Object::Udp(socket) => socket.recv(buffer),
            #[cfg(all(unix, feature = "net"))]
            Object::Datagram(socket) => socket.recv(buffer),
        }
    }

    /// Reads through an operation that the crate knows nothing of.
    pub(crate) fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = system::read;
        match self {
            Object::Wrapped(source) => source.do_io(|fd| read(fd.fd(), buffer)),
            #[cfg(all(unix, feature = "os-ext"))]
            Object::Receiver(receiver) => receiver.try_io(|| read(receiver.fd(), buffer)),
            #[cfg(all(unix, feature = "net"))]
            Object::Unix(stream) => stream.try_io(|| read(stream.fd(), buffer)),
            #[cfg(feature = "net")]
            Object::Tcp(stream) => stream.try_io(|| read(stream.fd(), buffer)),
            #[cfg(feature = "net")]
            Object::Udp(socket) => socket.try_io(|| read(socket.fd(), buffer)),
            #[cfg(all(unix, feature = "net"))]
            Object::Datagram(socket) => socket.try_io(|| read(socket.fd(), buffer)),
            #[cfg(feature = "os-ext")]
            Object::Bare(_) => self.read(buffer),
            #[cfg(all(unix, feature = "os-ext"))]
            Object::Sender(_) => self.read(buffer),
        }
    }

    /// Looks at what could be read.
    pub(crate) fn peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let peek = system::peek;
        match self {
            Object::Wrapped(source) => source.do_read(|fd| peek(fd.fd(), buffer)),
            #[cfg(all(unix, feature = "net"))]
            Object::Unix(stream) => stream.try_io(|| peek(stream.fd(), buffer)),
            #[cfg(feature = "net")]
            Object::Tcp(stream) => stream.peek(buffer),
            #[cfg(feature = "net")]
            Object::Udp(socket) => socket.peek(buffer),
            #[cfg(all(unix, feature = "net"))]
            Object::Datagram(socket) => socket.try_io(|| peek(socket.fd(), buffer)),
            #[cfg(feature = "os-ext")]
            Object::Bare(fd) => peek(fd.fd(), buffer),
            #[cfg(all(unix, feature = "os-ext"))]
            Object::Sender(_) | Object::Receiver(_) => peek(self.fd(), buffer),
        }
    }

    /// Whether the crate has a method for [`peek`](Object::peek), or it went through one whose direction it does not
    /// know.
    pub(crate) fn knows_peek(&self) -> bool {
        match self {
            #[cfg(all(unix, feature = "net"))]
            Object::Unix(_) | Object::Datagram(_) => false,
            _ => true,
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Object::Wrapped(source) => source.do_write(|fd| system::write(fd.fd(), bytes)),
            #[cfg(feature = "os-ext")]
            Object::Bare(fd) => system::write(fd.fd(), bytes),
            #[cfg(all(unix, feature = "os-ext"))]
            Object::Sender(sender) => sender.write(bytes),
            #[cfg(all(unix, feature = "os-ext"))]
            Object::Receiver(_) => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(all(unix, feature = "net"))]
            Object::Unix(stream) => stream.write(bytes),
            #[cfg(feature = "net")]
            Object::Tcp(stream) => stream.write(bytes),
            #[cfg(feature = "net")]
            Object::Udp(socket) => socket.send(bytes),
            #[cfg(all(unix, feature = "net"))]
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
            Object::Tcp(_) => true,
            #[cfg(all(unix, feature = "net"))]
            Object::Unix(_) => true,
            #[cfg(all(unix, feature = "os-ext"))]
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
        system::out_of_band(self.fd())
    }

    pub(crate) fn shutdown(&self, how: How) -> io::Result<()> {
        let how = match how {
            How::Reading => Shutdown::Read,
            How::Writing => Shutdown::Write,
            How::Both => Shutdown::Both,
        };
        system::shutdown(self.fd(), how)
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Object::Wrapped(source) => source.fd(),
            #[cfg(feature = "os-ext")]
            Object::Bare(fd) => fd.fd(),
            #[cfg(all(unix, feature = "os-ext"))]
            Object::Sender(sender) => sender.fd(),
            #[cfg(all(unix, feature = "os-ext"))]
            Object::Receiver(receiver) => receiver.fd(),
            #[cfg(all(unix, feature = "net"))]
            Object::Unix(stream) => stream.fd(),
            #[cfg(feature = "net")]
            Object::Tcp(stream) => stream.fd(),
            #[cfg(feature = "net")]
            Object::Udp(socket) => socket.fd(),
            #[cfg(all(unix, feature = "net"))]
            Object::Datagram(socket) => socket.fd(),
        }
    }
}

fn side(end: End) -> usize {
    match end {
        End::A(_) => 0,
        End::B(_) => 1,
    }
}
