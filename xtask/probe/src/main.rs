//! One function for each operation of a hot loop, as a user would call it; twice, for what is used in one place only is
//! inlined more readily. `cargo xtask inlining` counts the system calls in the machine code of each.

use std::hint::black_box;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::udp::{Offload, ReceiveMeta, Transmit};
use mio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use mio::unix::pipe::{Receiver, Sender};
use mio::{Events, Interest, Poll, Token, Waker};

type Address = std::os::unix::net::SocketAddr;

macro_rules! probes {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty $body:block)*) => {
        $(
            #[no_mangle]
            #[inline(never)]
            pub fn $name($($argument: $type),*) -> io::Result<$result> {
                let once: io::Result<$result> = $body;
                black_box(once?);
                $body
            }
        )*

        /// Keeps the linker from dropping what nobody calls.
        fn all() -> Vec<*const ()> {
            vec![$($name as *const ()),*]
        }
    };
}

probes! {
    fn probe_poll(poll: &mut Poll, events: &mut Events) -> () { poll.poll(events, None) }
    fn probe_poll_zero(poll: &mut Poll, events: &mut Events) -> () {
        poll.poll(events, Some(Duration::ZERO))
    }
    fn probe_poll_millis(poll: &mut Poll, events: &mut Events, millis: u64) -> () {
        poll.poll(events, Some(Duration::from_millis(millis)))
    }
    fn probe_register(poll: &Poll, stream: &mut TcpStream) -> () {
        poll.registry().register(stream, Token(1), Interest::READABLE)
    }
    fn probe_reregister(poll: &Poll, stream: &mut TcpStream) -> () {
        poll.registry().reregister(stream, Token(1), Interest::WRITABLE)
    }
    fn probe_deregister(poll: &Poll, stream: &mut TcpStream) -> () { poll.registry().deregister(stream) }
    fn probe_wake(waker: &Waker) -> () { waker.wake() }
    fn probe_tcp_connect(address: SocketAddr) -> TcpStream { TcpStream::connect(address) }
    fn probe_tcp_accept(listener: &TcpListener) -> (TcpStream, SocketAddr) { listener.accept() }
    fn probe_tcp_read(stream: &mut TcpStream, buffer: &mut [u8]) -> usize { stream.read(buffer) }
    fn probe_tcp_peek(stream: &TcpStream, buffer: &mut [u8]) -> usize { stream.peek(buffer) }
    fn probe_tcp_write(stream: &mut TcpStream, bytes: &[u8]) -> usize { stream.write(bytes) }
    fn probe_tcp_read_vectored(stream: &mut TcpStream, buffers: &mut [IoSliceMut<'_>]) -> usize {
        stream.read_vectored(buffers)
    }
    fn probe_tcp_write_vectored(stream: &mut TcpStream, buffers: &[IoSlice<'_>]) -> usize {
        stream.write_vectored(buffers)
    }
    fn probe_tcp_close(streams: &mut Vec<TcpStream>) -> () { drop(streams.pop()); Ok(()) }
    fn probe_udp_recv(socket: &UdpSocket, buffer: &mut [u8]) -> usize { socket.recv(buffer) }
    fn probe_udp_send(socket: &UdpSocket, bytes: &[u8]) -> usize { socket.send(bytes) }
    fn probe_udp_recv_from(socket: &UdpSocket, buffer: &mut [u8]) -> (usize, SocketAddr) {
        socket.recv_from(buffer)
    }
    fn probe_udp_send_to(socket: &UdpSocket, bytes: &[u8], to: SocketAddr) -> usize {
        socket.send_to(bytes, to)
    }
    fn probe_udp_send_batch(
        socket: &UdpSocket,
        offload: &Offload,
        batch: &mut [Transmit<'_>]
    ) -> usize {
        socket.send_batch(offload, batch)
    }
    fn probe_udp_recv_batch(
        socket: &UdpSocket,
        offload: &Offload,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [ReceiveMeta]
    ) -> usize {
        socket.recv_batch(offload, buffers, metas)
    }
    fn probe_unix_accept(listener: &UnixListener) -> (UnixStream, Address) { listener.accept() }
    fn probe_unix_read(stream: &mut UnixStream, buffer: &mut [u8]) -> usize { stream.read(buffer) }
    fn probe_unix_write(stream: &mut UnixStream, bytes: &[u8]) -> usize { stream.write(bytes) }
    fn probe_datagram_recv(socket: &UnixDatagram, buffer: &mut [u8]) -> usize { socket.recv(buffer) }
    fn probe_datagram_send(socket: &UnixDatagram, bytes: &[u8]) -> usize { socket.send(bytes) }
    fn probe_datagram_recv_from(socket: &UnixDatagram, buffer: &mut [u8]) -> (usize, Address) {
        socket.recv_from(buffer)
    }
    fn probe_pipe_read(pipe: &mut Receiver, buffer: &mut [u8]) -> usize { pipe.read(buffer) }
    fn probe_pipe_write(pipe: &mut Sender, bytes: &[u8]) -> usize { pipe.write(bytes) }
}

fn main() {
    black_box(all());
}
