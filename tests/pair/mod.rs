//! Two connected sockets of the standard library, on every system.

#[cfg(unix)]
pub(crate) use std::os::unix::net::UnixStream as Socket;

#[cfg(windows)]
pub(crate) use std::net::TcpStream as Socket;

#[cfg(unix)]
pub(crate) fn pair() -> (Socket, Socket) {
    Socket::pair().unwrap()
}

/// Windows has no socket pairs.
#[cfg(windows)]
pub(crate) fn pair() -> (Socket, Socket) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let one = Socket::connect(listener.local_addr().unwrap()).unwrap();
    let (other, _) = listener.accept().unwrap();
    one.set_nodelay(true).unwrap();
    other.set_nodelay(true).unwrap();
    (one, other)
}
