//! What of the system the scripts are made of, beneath the crate.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};

#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;

/// The ends of a pair.
type Ends = (OwnedFd, OwnedFd);

/// What has a descriptor, or a socket.
pub(crate) trait Handle {
    fn fd(&self) -> BorrowedFd<'_>;
}

fn nonblocking<T: Into<OwnedFd>>(
    pair: (T, T),
    prepare: impl Fn(&T) -> io::Result<()>,
) -> io::Result<Ends> {
    prepare(&pair.0)?;
    prepare(&pair.1)?;
    Ok((pair.0.into(), pair.1.into()))
}

fn tcp() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let near = TcpStream::connect(listener.local_addr()?)?;
    let (far, from) = listener.accept()?;
    assert_eq!(from, near.local_addr()?, "somebody else has connected");
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    Ok((near, far))
}

fn udp() -> io::Result<(UdpSocket, UdpSocket)> {
    let near = UdpSocket::bind("127.0.0.1:0")?;
    let far = UdpSocket::bind("127.0.0.1:0")?;
    near.connect(far.local_addr()?)?;
    far.connect(near.local_addr()?)?;
    Ok((near, far))
}
