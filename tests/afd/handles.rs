//! What sockets are to the rest of the process.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::windows::io::AsRawSocket;

use mio::net::{TcpListener, TcpStream, UdpSocket};
use mio::{Events, Interest, Poll, Token};
use windows_sys::Win32::Foundation::{
    GetHandleInformation, SetHandleInformation, HANDLE_FLAG_INHERIT,
};
use windows_sys::Win32::Networking::WinSock::WSAESHUTDOWN;

use super::PATIENCE;

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn is_inherited(socket: &impl AsRawSocket) -> bool {
    let mut flags = 0;
    // SAFETY: The handle is open, and there is room for the answer.
    let done = unsafe { GetHandleInformation(socket.as_raw_socket() as _, &mut flags) };
    assert_ne!(done, 0, "{}", std::io::Error::last_os_error());
    flags & HANDLE_FLAG_INHERIT != 0
}

/// Also what is accepted from a listener that is.
#[test]
fn nothing_is_inherited() {
    let mut listener = TcpListener::bind(loopback()).unwrap();
    assert!(!is_inherited(&listener));
    let udp = UdpSocket::bind(loopback()).unwrap();
    assert!(!is_inherited(&udp));

    // SAFETY: The handle is open.
    let done = unsafe {
        SetHandleInformation(
            listener.as_raw_socket() as _,
            HANDLE_FLAG_INHERIT,
            HANDLE_FLAG_INHERIT,
        )
    };
    assert_ne!(done, 0);
    assert!(is_inherited(&listener));

    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    poll.registry()
        .register(&mut listener, Token(0), Interest::READABLE)
        .unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert!(!is_inherited(&stream));
    poll.poll(&mut events, Some(PATIENCE)).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    assert!(!is_inherited(&accepted));
    // And nothing blocks.
    let blocked = accepted.peek(&mut [0]).unwrap_err();
    assert_eq!(blocked.kind(), ErrorKind::WouldBlock);
}

/// What has no sender is the end; what would have to tell one is an error.
#[test]
fn datagrams_after_reading_was_shut_down() {
    let socket = UdpSocket::bind(loopback()).unwrap();
    socket.connect(socket.local_addr().unwrap()).unwrap();
    socket2::SockRef::from(&socket)
        .shutdown(std::net::Shutdown::Read)
        .unwrap();
    let mut buffer = [0; 8];
    assert_eq!(socket.recv(&mut buffer).unwrap(), 0);
    assert_eq!(socket.peek(&mut buffer).unwrap(), 0);
    for result in [socket.recv_from(&mut buffer), socket.peek_from(&mut buffer)] {
        let error = result.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(WSAESHUTDOWN));
    }
}

/// Datagrams that nobody has received do not disturb a socket for which that is switched off.
#[cfg(feature = "os-ext")]
#[test]
fn lost_datagrams_are_not_reported() {
    use mio::windows::UdpSocketExt as _;

    let socket = UdpSocket::bind(loopback()).unwrap();
    for on in [true, false] {
        socket.set_reports_resets(on).unwrap();
    }
    let gone = std::net::UdpSocket::bind(loopback()).unwrap();
    let nobody = gone.local_addr().unwrap();
    drop(gone);
    let own = socket.local_addr().unwrap();
    for _ in 0..10 {
        socket.send_to(b"lost", nobody).unwrap();
        socket.send_to(b"mine", own).unwrap();
        let mut buffer = [0; 8];
        loop {
            match socket.recv_from(&mut buffer) {
                Ok((n, from)) => {
                    assert_eq!((&buffer[..n], from), (&b"mine"[..], own));
                    break;
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
    }
}
