//! The crate polling, with edges, which it has on request. Its users take the standard library's sockets.

use std::io::{self, Read, Write};
use std::net;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix;
use std::sync::Arc;
use std::time::Duration;

use polling::{Event, Events, PollMode, Poller};

use super::{Datagrams, Listener, Source, Stream, Subject, Wake, Want};

pub(crate) struct Polling {
    poller: Arc<Poller>,
    events: Events,
}

impl Subject for Polling {
    const NAME: &'static str = "polling 3.11";

    type Tcp = net::TcpStream;
    type Unix = unix::net::UnixStream;
    type Listener = net::TcpListener;
    type Udp = net::UdpSocket;
    type Fd = Number;
    type Waker = Notify;

    fn open(capacity: usize) -> Polling {
        Polling {
            poller: Arc::new(Poller::new().unwrap()),
            events: Events::with_capacity(NonZeroUsize::new(capacity).unwrap()),
        }
    }

    #[inline(always)]
    fn poll(&mut self, timeout: Option<Duration>) -> usize {
        self.events.clear();
        self.poller.wait(&mut self.events, timeout).unwrap()
    }

    #[inline(always)]
    fn readable(&self, mut visit: impl FnMut(usize)) {
        for event in self.events.iter() {
            if event.readable {
                visit(event.key);
            }
        }
    }

    fn fd(fd: RawFd) -> Number {
        Number(fd)
    }

    fn waker(&mut self, _: usize) -> Notify {
        Notify(Arc::clone(&self.poller))
    }

    fn tcp(stream: net::TcpStream) -> net::TcpStream {
        stream.set_nonblocking(true).unwrap();
        stream
    }

    fn unix(stream: unix::net::UnixStream) -> unix::net::UnixStream {
        stream.set_nonblocking(true).unwrap();
        stream
    }

    fn udp(socket: net::UdpSocket) -> net::UdpSocket {
        socket.set_nonblocking(true).unwrap();
        socket
    }

    fn listener(listener: net::TcpListener) -> net::TcpListener {
        listener.set_nonblocking(true).unwrap();
        listener
    }
}

/// A descriptor that somebody else owns, for as long as it is registered.
pub(crate) struct Number(RawFd);

impl AsRawFd for Number {
    #[inline(always)]
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

impl<T: AsRawFd> Source<Polling> for T {
    #[inline(always)]
    fn register(&mut self, queue: &Polling, key: usize, want: Want) {
        let fd = self.as_raw_fd();
        // SAFETY: An operation deregisters its sources before it closes them, or drops the queue with them.
        unsafe {
            queue
                .poller
                .add_with_mode(fd, event(key, want), PollMode::Edge)
        }
        .unwrap();
    }

    #[inline(always)]
    fn reregister(&mut self, queue: &Polling, key: usize, want: Want) {
        let fd = borrow(self);
        queue
            .poller
            .modify_with_mode(fd, event(key, want), PollMode::Edge)
            .unwrap();
    }

    #[inline(always)]
    fn deregister(&mut self, queue: &Polling) {
        queue.poller.delete(borrow(self)).unwrap();
    }
}

#[inline(always)]
fn borrow<T: AsRawFd>(source: &T) -> BorrowedFd<'_> {
    // SAFETY: Sources are open while operations use them.
    unsafe { BorrowedFd::borrow_raw(source.as_raw_fd()) }
}

#[inline(always)]
fn event(key: usize, want: Want) -> Event {
    match want {
        Want::Read => Event::readable(key),
        Want::ReadWrite => Event::all(key),
    }
}

macro_rules! streams {
    ($($stream:ty),*) => {
        $(impl Stream for $stream {
            #[inline(always)]
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                Read::read(self, buffer)
            }

            #[inline(always)]
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                Write::write(self, bytes)
            }
        })*
    };
}

streams!(net::TcpStream, unix::net::UnixStream);

impl Listener for net::TcpListener {
    type Stream = net::TcpStream;

    #[inline(always)]
    fn accept(&mut self) -> io::Result<net::TcpStream> {
        let (stream, _) = net::TcpListener::accept(self)?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }
}

impl Datagrams for net::UdpSocket {
    type Address = net::SocketAddr;

    fn address(address: net::SocketAddr) -> net::SocketAddr {
        address
    }

    #[inline(always)]
    fn send_to(&mut self, bytes: &[u8], to: &net::SocketAddr) -> io::Result<usize> {
        net::UdpSocket::send_to(self, bytes, to)
    }

    #[inline(always)]
    fn recv_from(&mut self, buffer: &mut [u8]) -> io::Result<(usize, net::SocketAddr)> {
        net::UdpSocket::recv_from(self, buffer)
    }
}

pub(crate) struct Notify(Arc<Poller>);

impl Wake for Notify {
    #[inline(always)]
    fn wake(&self) {
        self.0.notify().unwrap();
    }
}
