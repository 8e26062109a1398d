//! This crate with each of its backends, and the published crate: the same text for all three.

use std::io::{self, Read, Write};
use std::net;
use std::os::fd::RawFd;
use std::os::unix;
use std::time::Duration;

use super::{Datagrams, Listener, Source, Stream, Subject, Wake, Want};

/// The queue `$queue` of the crate `$mio`.
macro_rules! queue {
    ($queue:ident, $name:literal, $mio:ident, $open:expr, $registry:expr) => {
        pub(crate) struct $queue {
            poll: $mio::Poll,
            registry: $mio::Registry,
            events: $mio::Events,
        }

        impl Subject for $queue {
            const NAME: &'static str = $name;

            type Tcp = $mio::net::TcpStream;
            type Unix = $mio::net::UnixStream;
            type Listener = $mio::net::TcpListener;
            type Udp = $mio::net::UdpSocket;
            type Fd = $mio::unix::SourceFd<'static>;
            type Waker = $mio::Waker;

            fn open(capacity: usize) -> $queue {
                let poll: $mio::Poll = $open.unwrap();
                let registry: fn(&$mio::Registry) -> $mio::Registry = $registry;
                $queue {
                    registry: registry(poll.registry()),
                    poll,
                    events: $mio::Events::with_capacity(capacity),
                }
            }

            #[inline(always)]
            fn poll(&mut self, timeout: Option<Duration>) -> usize {
                self.poll.poll(&mut self.events, timeout).unwrap();
                self.events.iter().count()
            }

            #[inline(always)]
            fn readable(&self, mut visit: impl FnMut(usize)) {
                for event in &self.events {
                    if event.is_readable() {
                        visit(event.token().0);
                    }
                }
            }

            fn fd(fd: RawFd) -> Self::Fd {
                // A program keeps the number beside the source. Here it stays until the process ends.
                $mio::unix::SourceFd(Box::leak(Box::new(fd)))
            }

            fn waker(&mut self, key: usize) -> $mio::Waker {
                $mio::Waker::new(self.poll.registry(), $mio::Token(key)).unwrap()
            }

            fn tcp(stream: net::TcpStream) -> Self::Tcp {
                stream.set_nonblocking(true).unwrap();
                Self::Tcp::from_std(stream)
            }

            fn unix(stream: unix::net::UnixStream) -> Self::Unix {
                stream.set_nonblocking(true).unwrap();
                Self::Unix::from_std(stream)
            }

            fn udp(socket: net::UdpSocket) -> Self::Udp {
                socket.set_nonblocking(true).unwrap();
                Self::Udp::from_std(socket)
            }

            fn listener(listener: net::TcpListener) -> Self::Listener {
                listener.set_nonblocking(true).unwrap();
                Self::Listener::from_std(listener)
            }
        }

        impl<T: $mio::event::Source> Source<$queue> for T {
            #[inline(always)]
            fn register(&mut self, queue: &$queue, key: usize, want: Want) {
                let interest = interest!($mio, want);
                let token = $mio::Token(key);
                queue.registry.register(self, token, interest).unwrap();
            }

            #[inline(always)]
            fn reregister(&mut self, queue: &$queue, key: usize, want: Want) {
                let interest = interest!($mio, want);
                let token = $mio::Token(key);
                queue.registry.reregister(self, token, interest).unwrap();
            }

            #[inline(always)]
            fn deregister(&mut self, queue: &$queue) {
                queue.registry.deregister(self).unwrap();
            }
        }
    };
}

macro_rules! interest {
    ($mio:ident, $want:ident) => {
        match $want {
            Want::Read => $mio::Interest::READABLE,
            Want::ReadWrite => $mio::Interest::READABLE.add($mio::Interest::WRITABLE),
        }
    };
}

/// The sockets and the waker of the crate `$mio`.
macro_rules! sockets {
    ($mio:ident) => {
        sockets!($mio, TcpStream, UnixStream);

        impl Listener for $mio::net::TcpListener {
            type Stream = $mio::net::TcpStream;

            #[inline(always)]
            fn accept(&mut self) -> io::Result<Self::Stream> {
                let (stream, _) = $mio::net::TcpListener::accept(self)?;
                Ok(stream)
            }
        }

        impl Datagrams for $mio::net::UdpSocket {
            type Address = net::SocketAddr;

            fn address(address: net::SocketAddr) -> net::SocketAddr {
                address
            }

            #[inline(always)]
            fn send_to(&mut self, bytes: &[u8], to: &net::SocketAddr) -> io::Result<usize> {
                $mio::net::UdpSocket::send_to(self, bytes, *to)
            }

            #[inline(always)]
            fn recv_from(&mut self, buffer: &mut [u8]) -> io::Result<(usize, net::SocketAddr)> {
                $mio::net::UdpSocket::recv_from(self, buffer)
            }
        }

        impl Wake for $mio::Waker {
            #[inline(always)]
            fn wake(&self) {
                $mio::Waker::wake(self).unwrap();
            }
        }
    };
    ($mio:ident, $($stream:ident),*) => {
        $(impl Stream for $mio::net::$stream {
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

queue!(Mio, "mio", mio, mio::Poll::new(), |registry| registry
    .try_clone()
    .unwrap());
// An edge of `poll(2)` asks for a read that would block, which the others need not do.
queue!(
    MioPoll,
    "mio on poll(2)",
    mio,
    mio::Poll::builder().backend(mio::Backend::Poll).build(),
    |registry| registry.with_trigger(mio::Trigger::Level)
);
queue!(
    Published,
    "mio 1.2.5",
    mio_published,
    mio_published::Poll::new(),
    |registry| registry.try_clone().unwrap()
);

sockets!(mio);
sockets!(mio_published);
