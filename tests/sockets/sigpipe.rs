//! Sockets never raise `SIGPIPE`, whatever the program does with that signal.
//!
//! Rust programs ignore it, which would hide the mistake. Libraries written in Rust also run in programs that do not: in a
//! Python interpreter, under a C `main`. So each test runs in a process in which the signal is deadly.

use std::io::{self, ErrorKind, IoSlice, Write};
use std::net::{self, Shutdown};
use std::os::unix::process::ExitStatusExt;

use mio::net::{TcpStream, UdpSocket, UnixDatagram, UnixStream};

use crate::own_process::{in_own_process, own_process, show};
use crate::raw::die_of_sigpipe;
use crate::util::any_v4;

/// Writes until there is an error, which comes late if the news of the peer's end is still on its way.
fn until_broken(mut write: impl FnMut() -> io::Result<usize>) {
    loop {
        match write() {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // The first of these may come once, and never with the signal.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => return assert_eq!(error.kind(), ErrorKind::BrokenPipe),
        }
        std::thread::yield_now();
    }
}

fn each_way_of_writing<S>(mut stream: S)
where
    S: Write,
    for<'a> &'a S: Write,
{
    let words = [IoSlice::new(b"a"), IoSlice::new(b"b")];
    until_broken(|| stream.write(b"x"));
    until_broken(|| stream.write_vectored(&words));
    until_broken(|| (&stream).write(b"x"));
    until_broken(|| (&stream).write_vectored(&words));
}

fn connected() -> (TcpStream, net::TcpStream) {
    let listener = net::TcpListener::bind(any_v4()).unwrap();
    let peer = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (near, _) = listener.accept().unwrap();
    near.set_nonblocking(true).unwrap();
    (TcpStream::from_std(near), peer)
}

#[test]
fn tcp_streams() {
    in_own_process("sigpipe::tcp_streams", || {
        die_of_sigpipe();
        let (stream, peer) = connected();
        drop(peer);
        each_way_of_writing(stream);

        let (stream, _peer) = connected();
        stream.shutdown(Shutdown::Write).unwrap();
        each_way_of_writing(stream);
    });
}

#[test]
fn unix_streams() {
    in_own_process("sigpipe::unix_streams", || {
        die_of_sigpipe();
        let (near, far) = UnixStream::pair().unwrap();
        drop(far);
        each_way_of_writing(near);

        let (near, _far) = UnixStream::pair().unwrap();
        near.shutdown(Shutdown::Write).unwrap();
        each_way_of_writing(near);
    });
}

#[test]
fn datagrams() {
    in_own_process("sigpipe::datagrams", || {
        die_of_sigpipe();
        let (near, _far) = UnixDatagram::pair().unwrap();
        near.shutdown(Shutdown::Write).unwrap();
        until_broken(|| near.send(b"x"));

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let receiver = UnixDatagram::bind(&path).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        sender.connect(&path).unwrap();
        sender.shutdown(Shutdown::Write).unwrap();
        until_broken(|| sender.send_to(b"x", &path));
        drop(receiver);

        let udp = UdpSocket::bind(any_v4()).unwrap();
        let address = udp.local_addr().unwrap();
        udp.connect(address).unwrap();
        socket2::SockRef::from(&udp)
            .shutdown(Shutdown::Write)
            .unwrap();
        until_broken(|| udp.send(b"x"));
        until_broken(|| udp.send_to(b"x", address));
    });
}

/// The signal really is deadly there: pipes have no way around it, as their documentation says.
#[cfg(feature = "os-ext")]
#[test]
fn pipes_do() {
    let output = own_process("sigpipe::pipes_do", || {
        die_of_sigpipe();
        let (mut sender, receiver) = mio::unix::pipe::new().unwrap();
        drop(receiver);
        let _ = sender.write(b"x");
    });
    if let Some(output) = output {
        let signal = output.status.signal();
        assert_eq!(signal, Some(libc::SIGPIPE), "{}", show(&output));
    }
}

/// The same proof where there are no pipes: the standard library's streams, written to as files.
#[test]
fn other_writes_do() {
    let output = own_process("sigpipe::other_writes_do", || {
        die_of_sigpipe();
        let (near, far) = UnixStream::pair().unwrap();
        drop(far);
        let _ = rustix::io::write(&near, b"x");
    });
    if let Some(output) = output {
        let signal = output.status.signal();
        assert_eq!(signal, Some(libc::SIGPIPE), "{}", show(&output));
    }
}
