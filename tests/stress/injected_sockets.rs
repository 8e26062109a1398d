//! As in [`injected`](crate::injected), for the sockets of this crate: of the calls in question each first one fails, and
//! each second one is made.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::unix::net as unix;
use std::path::Path;
use std::{fs, net};

use mio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use rustix::io::{read, write};
use tempfile::TempDir;

use crate::injected::{fails_once, injected};

const ANY: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

/// Makes what a test needs, in a second attempt if the first one was made to fail.
fn prepare<T>(mut make: impl FnMut() -> io::Result<T>) -> T {
    make().or_else(|_| make()).unwrap()
}

/// A stream of this crate, and its peer.
fn tcp() -> (TcpStream, net::TcpStream) {
    let listener = prepare(|| net::TcpListener::bind(ANY));
    let address = listener.local_addr().unwrap();
    let near = prepare(|| net::TcpStream::connect(address));
    let (far, _) = prepare(|| listener.accept());
    near.set_nonblocking(true).unwrap();
    (TcpStream::from_std(near), far)
}

/// A socket of this crate that is connected to its peer, and the other way round.
fn udp() -> (UdpSocket, net::UdpSocket) {
    let near = prepare(|| net::UdpSocket::bind(ANY));
    let far = prepare(|| net::UdpSocket::bind(ANY));
    prepare(|| near.connect(far.local_addr()?));
    prepare(|| far.connect(near.local_addr()?));
    near.set_nonblocking(true).unwrap();
    (UdpSocket::from_std(near), far)
}

fn stream() -> (UnixStream, unix::UnixStream) {
    let (near, far) = prepare(unix::UnixStream::pair);
    near.set_nonblocking(true).unwrap();
    (UnixStream::from_std(near), far)
}

/// A socket of this crate, and its peer, which has a name and is connected to it.
fn datagram(folder: &Path) -> (UnixDatagram, unix::UnixDatagram) {
    let bind = |name| prepare(|| anew(&folder.join(name), |path| unix::UnixDatagram::bind(path)));
    let (near, far) = (bind("near"), bind("far"));
    prepare(|| far.connect(folder.join("near")));
    near.set_nonblocking(true).unwrap();
    (UnixDatagram::from_std(near), far)
}

/// Binds to a path, also if an attempt that failed later has left its file behind.
fn anew<T>(path: &Path, bind: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let _ = fs::remove_file(path);
    bind(path)
}

/// For `socket`.
#[test]
#[ignore = "cargo xtask inject"]
fn making() {
    let Some(errno) = injected() else { return };
    let listener = prepare(|| net::TcpListener::bind(ANY));
    let address = listener.local_addr().unwrap();
    fails_once(errno, || TcpStream::connect(address));
    fails_once(errno, UnixDatagram::unbound);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("listener");
    let _listener = prepare(|| anew(&path, |path| unix::UnixListener::bind(path)));
    fails_once(errno, || UnixStream::connect(&path));
    binding();
}

/// For `bind`, and all that comes before it.
#[test]
#[ignore = "cargo xtask inject"]
fn binding() {
    let Some(errno) = injected() else { return };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("datagram");
    fails_once(errno, || UdpSocket::bind(ANY));
    fails_once(errno, || anew(&path, |path| UnixDatagram::bind(path)));
    listening();
}

/// For `listen`, and all that comes before it.
#[test]
#[ignore = "cargo xtask inject"]
fn listening() {
    let Some(errno) = injected() else { return };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("listener");
    fails_once(errno, || anew(&path, |path| UnixListener::bind(path)));
    listening_on_tcp();
}

/// For `setsockopt`, too.
#[test]
#[ignore = "cargo xtask inject"]
fn listening_on_tcp() {
    let Some(errno) = injected() else { return };
    fails_once(errno, || TcpListener::bind(ANY));
}

#[test]
#[ignore = "cargo xtask inject"]
fn pairing() {
    let Some(errno) = injected() else { return };
    fails_once(errno, UnixStream::pair);
    fails_once(errno, UnixDatagram::pair);
}

#[test]
#[ignore = "cargo xtask inject"]
fn connecting() {
    let Some(errno) = injected() else { return };
    let folder = TempDir::new().unwrap();
    let path = |name| folder.path().join(name);
    let tcp = net::TcpListener::bind(ANY).unwrap();
    let address = tcp.local_addr().unwrap();
    let _stream = unix::UnixListener::bind(path("stream")).unwrap();
    let _datagram = unix::UnixDatagram::bind(path("datagram")).unwrap();

    fails_once(errno, || TcpStream::connect(address));
    fails_once(errno, || UnixStream::connect(path("stream")));
    let socket = UdpSocket::bind(ANY).unwrap();
    fails_once(errno, || socket.connect(address));
    let socket = UnixDatagram::unbound().unwrap();
    fails_once(errno, || socket.connect(path("datagram")));
}

/// The connection that could not be accepted is still there.
#[test]
#[ignore = "cargo xtask inject"]
fn accepting() {
    let Some(errno) = injected() else { return };
    let listener = TcpListener::bind(ANY).unwrap();
    let _client = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    accept_once(errno, || listener.accept());

    let folder = TempDir::new().unwrap();
    let path = folder.path().join("listener");
    let listener = UnixListener::bind(&path).unwrap();
    let _client = unix::UnixStream::connect(&path).unwrap();
    accept_once(errno, || listener.accept());
}

#[track_caller]
fn accept_once<T>(errno: rustix::io::Errno, accept: impl Fn() -> io::Result<T>) {
    let _connection = fails_once(errno, &accept);
    // Would block, or fails once more: there was one only.
    accept().map(drop).unwrap_err();
    if let Ok(_second) = accept() {
        panic!("accepted twice");
    }
}

/// What could not be read is still there.
#[test]
#[ignore = "cargo xtask inject"]
fn receiving() {
    let Some(errno) = injected() else { return };
    let folder = TempDir::new().unwrap();
    let mut bytes = [0; 2];

    let (mut near, far) = tcp();
    write(&far, &[1, 2]).unwrap();
    assert_eq!(fails_once(errno, || near.peek(&mut bytes)), 2);
    assert_eq!(fails_once(errno, || near.read(&mut bytes)), 2);
    let (mut near, far) = stream();
    write(&far, &[3, 4]).unwrap();
    assert_eq!(fails_once(errno, || near.read(&mut bytes)), 2);
    assert_eq!(bytes, [3, 4]);

    let (near, far) = udp();
    write(&far, &[1, 2]).unwrap();
    let address = far.local_addr().unwrap();
    assert_eq!(fails_once(errno, || near.peek(&mut bytes)), 2);
    let peeked = fails_once(errno, || near.peek_from(&mut bytes));
    assert_eq!(peeked, (2, address));
    let received = fails_once(errno, || near.recv_from(&mut bytes));
    assert_eq!(received, (2, address));
    write(&far, &[5]).unwrap();
    assert_eq!(fails_once(errno, || near.recv(&mut bytes)), 1);

    let (near, far) = datagram(folder.path());
    write(&far, &[6]).unwrap();
    assert_eq!(fails_once(errno, || near.recv(&mut bytes)), 1);
    write(&far, &[7]).unwrap();
    assert_eq!(fails_once(errno, || near.recv_from(&mut bytes)).0, 1);
    assert_eq!(bytes[0], 7);
}

#[test]
#[ignore = "cargo xtask inject"]
fn receiving_into_several_buffers() {
    let Some(errno) = injected() else { return };
    let mut bytes = [0; 2];
    let (mut near, far) = tcp();
    write(&far, &[1, 2]).unwrap();
    let n = fails_once(errno, || {
        near.read_vectored(&mut [IoSliceMut::new(&mut bytes)])
    });
    assert_eq!((n, bytes), (2, [1, 2]));
    let (mut near, far) = stream();
    write(&far, &[3, 4]).unwrap();
    let n = fails_once(errno, || {
        near.read_vectored(&mut [IoSliceMut::new(&mut bytes)])
    });
    assert_eq!((n, bytes), (2, [3, 4]));
}

/// What could not be sent is not sent; what is sent afterwards arrives once.
#[test]
#[ignore = "cargo xtask inject"]
fn sending() {
    let Some(errno) = injected() else { return };
    let folder = TempDir::new().unwrap();
    let mut bytes = [0; 8];

    let (mut near, far) = tcp();
    assert_eq!(fails_once(errno, || near.write(&[1])), 1);
    assert_eq!(read(&far, &mut bytes).unwrap(), 1);
    let (mut near, far) = stream();
    assert_eq!(fails_once(errno, || near.write(&[2])), 1);
    assert_eq!(read(&far, &mut bytes).unwrap(), 1);

    let (near, far) = udp();
    let address = far.local_addr().unwrap();
    assert_eq!(fails_once(errno, || near.send(&[3])), 1);
    assert_eq!(read(&far, &mut bytes).unwrap(), 1);
    assert_eq!(fails_once(errno, || near.send_to(&[4], address)), 1);
    assert_eq!(read(&far, &mut bytes).unwrap(), 1);

    let (near, far) = datagram(folder.path());
    let path = folder.path().join("far");
    assert_eq!(fails_once(errno, || near.send_to(&[5], &path)), 1);
    assert_eq!(read(&far, &mut bytes).unwrap(), 1);
    near.connect(&path).unwrap();
    assert_eq!(fails_once(errno, || near.send(&[6])), 1);
    assert_eq!(read(&far, &mut bytes).unwrap(), 1);
    assert_eq!(bytes[0], 6);
}

#[test]
#[ignore = "cargo xtask inject"]
fn sending_from_several_buffers() {
    let Some(errno) = injected() else { return };
    let mut bytes = [0; 8];
    let two = [IoSlice::new(&[1]), IoSlice::new(&[2])];
    let (mut near, far) = tcp();
    assert_eq!(fails_once(errno, || near.write_vectored(&two)), 2);
    assert_eq!(read(&far, &mut bytes).unwrap(), 2);
    let (mut near, far) = stream();
    assert_eq!(fails_once(errno, || near.write_vectored(&two)), 2);
    assert_eq!(read(&far, &mut bytes).unwrap(), 2);
}
