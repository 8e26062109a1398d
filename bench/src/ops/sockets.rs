//! Sockets of the subject's own, and its queue.

use std::io::ErrorKind;
use std::mem;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use crate::harness::Task;
use crate::subject::{Datagrams, Listener, Source, Stream, Subject, Want};

const CAPACITY: usize = 64;

/// A connection of TCP that does not wait for more to send. Both ends block.
pub(crate) fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    for stream in [&near, &far] {
        stream.set_nodelay(true).unwrap();
    }
    (near, far)
}

/// Two sockets of UDP, each connected to the other.
pub(crate) fn udp_pair() -> (UdpSocket, UdpSocket) {
    let near = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let far = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    near.connect(far.local_addr().unwrap()).unwrap();
    far.connect(near.local_addr().unwrap()).unwrap();
    (near, far)
}

pub(crate) fn would_block<S: Subject>() -> impl Task {
    let (stream, peer) = tcp_pair();
    let mut stream = S::tcp(stream);
    move |times: u64| {
        let _ = &peer;
        let mut buffer = [0; 64];
        for _ in 0..times {
            let error = stream.read(&mut buffer).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
        }
    }
}

pub(crate) fn tcp_round_trip<S: Subject>() -> impl Task {
    let (near, far) = tcp_pair();
    round_trip::<S, S::Tcp>(S::tcp(near), S::tcp(far))
}

pub(crate) fn unix_round_trip<S: Subject>() -> impl Task {
    let (near, far) = UnixStream::pair().unwrap();
    round_trip::<S, S::Unix>(S::unix(near), S::unix(far))
}

fn round_trip<S: Subject, T: Stream + Source<S> + 'static>(mut near: T, mut far: T) -> impl Task {
    let mut queue = S::open(CAPACITY);
    near.register(&queue, 1, Want::Read);
    far.register(&queue, 2, Want::Read);
    move |times: u64| {
        let mut buffer = [0; 64];
        for _ in 0..times {
            assert_eq!(near.write(&[1; 64]).unwrap(), 64);
            expect(&mut queue, 2);
            assert_eq!(far.read(&mut buffer).unwrap(), 64);
            assert_eq!(far.write(&buffer).unwrap(), 64);
            expect(&mut queue, 1);
            assert_eq!(near.read(&mut buffer).unwrap(), 64);
        }
    }
}

pub(crate) fn udp_round_trip<S: Subject>() -> impl Task {
    let near = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let far = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let there = <S::Udp as Datagrams>::address(far.local_addr().unwrap());
    let (mut near, mut far) = (S::udp(near), S::udp(far));
    let mut queue = S::open(CAPACITY);
    near.register(&queue, 1, Want::Read);
    far.register(&queue, 2, Want::Read);
    move |times: u64| {
        let mut buffer = [0; 64];
        for _ in 0..times {
            assert_eq!(near.send_to(&[1; 64], &there).unwrap(), 64);
            expect(&mut queue, 2);
            let (n, back) = far.recv_from(&mut buffer).unwrap();
            assert_eq!(far.send_to(&buffer[..n], &back).unwrap(), 64);
            expect(&mut queue, 1);
            let (n, _) = near.recv_from(&mut buffer).unwrap();
            assert_eq!(n, 64);
        }
    }
}

/// One event, for `key`.
#[inline(always)]
fn expect<S: Subject>(queue: &mut S, key: usize) {
    assert_eq!(queue.poll(None), 1);
    let mut got = 0;
    queue.readable(|readable| got = readable);
    assert_eq!(got, key);
}

/// Connections are made before the clock runs, and the other ends closed after it has stopped.
pub(crate) fn accept<S: Subject>() -> impl Task {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    Accept {
        queue: S::open(CAPACITY),
        listener: S::listener(listener),
        address,
        clients: Vec::new(),
    }
}

struct Accept<S: Subject> {
    queue: S,
    listener: S::Listener,
    address: SocketAddr,
    clients: Vec<TcpStream>,
}

impl<S: Subject> Task for Accept<S> {
    fn prepare(&mut self, times: u64) {
        for _ in 0..times {
            let client = TcpStream::connect(self.address).unwrap();
            // Closing it breaks the connection off. An orderly end would leave the port taken for a minute.
            let linger = libc::linger {
                l_onoff: 1,
                l_linger: 0,
            };
            // SAFETY: The option takes a `linger`, of that size.
            let result = unsafe {
                libc::setsockopt(
                    client.as_raw_fd(),
                    libc::SOL_SOCKET,
                    libc::SO_LINGER,
                    (&linger as *const libc::linger).cast(),
                    mem::size_of::<libc::linger>() as libc::socklen_t,
                )
            };
            assert_eq!(result, 0);
            self.clients.push(client);
        }
    }

    #[inline(always)]
    fn run(&mut self, times: u64) {
        for key in 0..times {
            let mut stream = self.listener.accept().unwrap();
            stream.register(&self.queue, key as usize, Want::Read);
        }
    }

    fn finish(&mut self) {
        self.clients.clear();
    }
}
