//! Sockets of Windows: creating, accepting, connecting, and what they carry.
//!
//! Rests on Windows Sockets 2. Everything made here is non-blocking and not inherited by child processes.
//!
//! | Windows says | here it is |
//! | --- | --- |
//! | `WSAEWOULDBLOCK` from `connect` | the attempt is under way |
//! | `WSAESHUTDOWN` from a receive, after this side has shut down reading | the end of the stream, as elsewhere; an error where a sender would have to be told |
//! | `WSAEMSGSIZE` from a receive: the datagram was longer than the buffer | an error, as the standard library has it |
//! | `WSAECONNRESET` or `WSAENETRESET` from a receive on a UDP socket: an earlier datagram did not arrive | an error, unless it is switched off |

mod address;
#[cfg(feature = "os-ext")]
pub(crate) mod local;

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::size_of_val;
use std::net::SocketAddr;
use std::os::windows::io::{AsRawSocket, AsSocket, FromRawSocket, OwnedSocket};
use std::ptr;
use std::sync::Once;

use windows_sys::Win32::Foundation::{SetHandleInformation, HANDLE_FLAG_INHERIT};
use windows_sys::Win32::Networking::WinSock::{
    accept, bind, connect, getsockopt, ioctlsocket, listen, recv as winsock_recv, recvfrom,
    send as winsock_send, sendto, WSAGetLastError, WSARecv, WSASend, WSASendTo, WSASocketW,
    WSAStartup, ADDRESS_FAMILY, AF_INET, AF_INET6, FIONBIO, INVALID_SOCKET, IPPROTO_IPV6,
    IPV6_V6ONLY, MSG_PEEK, SEND_RECV_FLAGS, SOCKET, SOCKET_ERROR, SOCK_DGRAM, SOCK_STREAM,
    WINSOCK_SOCKET_TYPE, WSABUF, WSADATA, WSAEMSGSIZE, WSAESHUTDOWN, WSAEWOULDBLOCK,
    WSA_FLAG_NO_HANDLE_INHERIT, WSA_FLAG_OVERLAPPED,
};
#[cfg(feature = "os-ext")]
use windows_sys::Win32::Networking::WinSock::{
    WSAIoctl, SIO_UDP_CONNRESET, SIO_UDP_NETRESET, WSAEINVAL, WSAEOPNOTSUPP,
};

pub(super) use self::address::Address;
use super::{Handle, BACKLOG};

/// As many buffers as are given to the system at a time. It names no limit of its own.
const BUFFERS: usize = 1024;

/// Starts Windows Sockets, once for the process. It is never stopped: the standard library starts it, too, so it would
/// go on in any case.
fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        const VERSION_2_2: u16 = 0x0202;
        let mut data = WSADATA::default();
        // SAFETY: There is room for the answer. Should this fail, so will the calls that follow, and say so.
        unsafe { WSAStartup(VERSION_2_2, &mut data) };
    });
}

#[cold]
fn last_error() -> io::Error {
    // SAFETY: Reads a number of this thread.
    io::Error::from_raw_os_error(unsafe { WSAGetLastError() })
}

#[inline]
pub(super) fn check(result: i32) -> io::Result<()> {
    if result == SOCKET_ERROR {
        return Err(last_error());
    }
    Ok(())
}

/// The result of a call that sends or receives.
#[inline]
fn check_length(result: i32) -> io::Result<usize> {
    check(result)?;
    // Not negative, or it were an error.
    Ok(result as usize)
}

/// The end of the stream is no error, also if it is this side that has ended it.
#[inline]
fn check_received(result: i32) -> io::Result<usize> {
    check_length(result).or_else(end_of_stream)
}

#[cold]
fn end_of_stream(error: io::Error) -> io::Result<usize> {
    match error.raw_os_error() {
        Some(WSAESHUTDOWN) => Ok(0),
        _ => Err(error),
    }
}

/// The system counts bytes with a signed number of 32 bits. What is beyond is left for the next call.
#[inline]
fn length(bytes: &[u8]) -> i32 {
    i32::try_from(bytes.len()).unwrap_or(i32::MAX)
}

#[inline]
pub(super) fn raw<T: AsSocket>(socket: &T) -> SOCKET {
    // The two types of this number differ, their size does not.
    socket.as_socket().as_raw_socket() as SOCKET
}

fn socket(family: ADDRESS_FAMILY, kind: WINSOCK_SOCKET_TYPE) -> io::Result<OwnedSocket> {
    start();
    let flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT;
    // SAFETY: Without a description of a protocol, the first three numbers choose it.
    let socket = unsafe { WSASocketW(i32::from(family), kind, 0, ptr::null(), 0, flags) };
    let socket = own(socket)?;
    set_nonblocking(&socket)?;
    Ok(socket)
}

/// A socket that the system has made just now, unless it has failed to.
#[inline]
fn own(socket: SOCKET) -> io::Result<OwnedSocket> {
    if socket == INVALID_SOCKET {
        return Err(last_error());
    }
    // SAFETY: The socket is new, so nobody else owns it.
    Ok(unsafe { OwnedSocket::from_raw_socket(socket as _) })
}

fn set_nonblocking(socket: &OwnedSocket) -> io::Result<()> {
    let mut on = 1;
    // SAFETY: The socket is open, and the argument is the number that this command reads.
    check(unsafe { ioctlsocket(raw(socket), FIONBIO, &mut on) })
}

fn family_of(address: &SocketAddr) -> ADDRESS_FAMILY {
    match address {
        SocketAddr::V4(_) => AF_INET,
        SocketAddr::V6(_) => AF_INET6,
    }
}

fn bind_to(socket: &OwnedSocket, address: &Address) -> io::Result<()> {
    // SAFETY: The socket is open, and the address is as long as it says.
    check(unsafe { bind(raw(socket), address.as_ptr(), address.length()) })
}

fn start_connecting(socket: &OwnedSocket, address: &Address) -> io::Result<()> {
    // SAFETY: As for `bind`.
    match check(unsafe { connect(raw(socket), address.as_ptr(), address.length()) }) {
        Err(error) if error.raw_os_error() == Some(WSAEWOULDBLOCK) => Ok(()),
        result => result,
    }
}

fn start_listening(socket: &OwnedSocket) -> io::Result<()> {
    // SAFETY: The socket is open.
    check(unsafe { listen(raw(socket), BACKLOG) })
}

pub(crate) fn tcp_connect(address: SocketAddr) -> io::Result<OwnedSocket> {
    let socket = socket(family_of(&address), SOCK_STREAM)?;
    start_connecting(&socket, &Address::from(address))?;
    Ok(socket)
}

/// Without `SO_REUSEADDR`: on Windows it lets a program take over the port of another one. Connections of an earlier
/// listener that linger are not in the way.
pub(crate) fn tcp_listen(address: SocketAddr) -> io::Result<OwnedSocket> {
    let socket = socket(family_of(&address), SOCK_STREAM)?;
    bind_to(&socket, &Address::from(address))?;
    start_listening(&socket)?;
    Ok(socket)
}

pub(crate) fn tcp_accept(listener: Handle<'_>) -> io::Result<(OwnedSocket, SocketAddr)> {
    let (socket, address) = accept_from(listener)?;
    Ok((socket, address.to_internet()?))
}

/// What is accepted takes after its listener, which may have come from elsewhere. So nothing is taken for granted.
fn accept_from(listener: Handle<'_>) -> io::Result<(OwnedSocket, Address)> {
    let mut address = Address::empty();
    let (memory, length) = address.as_mut_parts();
    // SAFETY: The socket is open. There is room for an address of the length that goes with it.
    let socket = own(unsafe { accept(raw(&listener), memory, length) })?;
    // SAFETY: A socket is a handle, and this one is open.
    let done = unsafe { SetHandleInformation(raw(&socket) as _, HANDLE_FLAG_INHERIT, 0) };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    set_nonblocking(&socket)?;
    Ok((socket, address))
}

pub(crate) fn udp_bind(address: SocketAddr) -> io::Result<OwnedSocket> {
    let socket = socket(family_of(&address), SOCK_DGRAM)?;
    bind_to(&socket, &Address::from(address))?;
    Ok(socket)
}

pub(crate) fn udp_connect(socket: Handle<'_>, address: SocketAddr) -> io::Result<()> {
    let address = Address::from(address);
    // SAFETY: The socket is open, and the address is as long as it says.
    check(unsafe { connect(raw(&socket), address.as_ptr(), address.length()) })
}

/// Whether an ICMP message about an earlier datagram makes receiving fail: `SIO_UDP_CONNRESET`, and `SIO_UDP_NETRESET` where
/// the system has it.
#[cfg(feature = "os-ext")]
pub(crate) fn udp_report_resets(socket: Handle<'_>, report: bool) -> io::Result<()> {
    udp_report(socket, SIO_UDP_CONNRESET, report)?;
    match udp_report(socket, SIO_UDP_NETRESET, report) {
        Err(error) if matches!(error.raw_os_error(), Some(WSAEINVAL | WSAEOPNOTSUPP)) => Ok(()),
        result => result,
    }
}

#[cfg(feature = "os-ext")]
fn udp_report(socket: Handle<'_>, what: u32, report: bool) -> io::Result<()> {
    let report = i32::from(report);
    let mut written = 0;
    // SAFETY: The socket is open, the argument is a `BOOL`, and without an `OVERLAPPED` the call is synchronous.
    check(unsafe {
        WSAIoctl(
            raw(&socket),
            what,
            ptr::addr_of!(report).cast(),
            size_of_val(&report) as u32,
            ptr::null_mut(),
            0,
            &mut written,
            ptr::null_mut(),
            None,
        )
    })
}

#[inline]
pub(crate) fn recv(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    receive(socket, buffer, 0)
}

#[inline]
pub(crate) fn peek(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    receive(socket, buffer, MSG_PEEK)
}

#[inline]
fn receive(socket: Handle<'_>, buffer: &mut [u8], flags: SEND_RECV_FLAGS) -> io::Result<usize> {
    // SAFETY: The socket is open, and the buffer is as long as it says.
    check_received(unsafe {
        winsock_recv(raw(&socket), buffer.as_mut_ptr(), length(buffer), flags)
    })
}

#[inline]
pub(crate) fn recv_vectored(
    socket: Handle<'_>,
    buffers: &mut [IoSliceMut<'_>],
) -> io::Result<usize> {
    let count = buffers.len().min(BUFFERS);
    if count == 0 {
        // What the system makes of that is not documented.
        return Ok(0);
    }
    let (mut received, mut flags) = (0, 0);
    // SAFETY: The socket is open. An `IoSliceMut` is a `WSABUF` on Windows, as the standard library promises. Without an
    // `OVERLAPPED` the call is synchronous.
    let result = unsafe {
        WSARecv(
            raw(&socket),
            buffers.as_mut_ptr().cast::<WSABUF>(),
            count as u32,
            &mut received,
            &mut flags,
            ptr::null_mut(),
            None,
        )
    };
    match check(result) {
        Ok(()) => Ok(received as usize),
        Err(error) => end_of_stream(error),
    }
}

#[inline]
pub(crate) fn send(socket: Handle<'_>, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: The socket is open, and the bytes are as many as it says.
    check_length(unsafe { winsock_send(raw(&socket), bytes.as_ptr(), length(bytes), 0) })
}

#[inline]
pub(crate) fn send_vectored(socket: Handle<'_>, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    let count = buffers.len().min(BUFFERS);
    if count == 0 {
        // As above. It is an empty datagram, or nothing of a stream.
        return send(socket, &[]);
    }
    let mut sent = 0;
    // SAFETY: As for `WSARecv`.
    check(unsafe {
        WSASend(
            raw(&socket),
            buffers.as_ptr().cast::<WSABUF>(),
            count as u32,
            &mut sent,
            0,
            ptr::null_mut(),
            None,
        )
    })?;
    Ok(sent as usize)
}

#[inline]
pub(crate) fn recv_from(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    receive_from(socket, buffer, 0)
}

#[inline]
pub(crate) fn peek_from(socket: Handle<'_>, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    receive_from(socket, buffer, MSG_PEEK)
}

#[inline]
fn receive_from(
    socket: Handle<'_>,
    buffer: &mut [u8],
    flags: SEND_RECV_FLAGS,
) -> io::Result<(usize, SocketAddr)> {
    let mut address = Address::empty();
    let (memory, size) = address.as_mut_parts();
    let length = length(buffer);
    // SAFETY: The socket is open, the buffer is as long as it says, and there is room for an address of the length that
    // goes with it.
    // After reading was shut down this is an error: of an end there is no sender. The standard library has one, too.
    let received = check_length(unsafe {
        recvfrom(
            raw(&socket),
            buffer.as_mut_ptr(),
            length,
            flags,
            memory,
            size,
        )
    })?;
    Ok((received, address.to_internet()?))
}

#[inline]
pub(crate) fn send_to(socket: Handle<'_>, bytes: &[u8], address: SocketAddr) -> io::Result<usize> {
    let address = Address::from(address);
    // SAFETY: The socket is open, and bytes and address are as long as it says.
    check_length(unsafe {
        sendto(
            raw(&socket),
            bytes.as_ptr(),
            length(bytes),
            0,
            address.as_ptr(),
            address.length(),
        )
    })
}

/// Sends a datagram that stands in several buffers.
pub(crate) fn send_datagram(
    socket: Handle<'_>,
    buffers: &[IoSlice<'_>],
    address: Option<SocketAddr>,
) -> io::Result<usize> {
    let Some(address) = address else {
        return send_vectored(socket, buffers);
    };
    if buffers.is_empty() {
        return send_to(socket, &[], address);
    }
    let address = Address::from(address);
    let mut sent = 0;
    // SAFETY: As for `WSARecv`, and the address is as long as it says.
    check(unsafe {
        WSASendTo(
            raw(&socket),
            buffers.as_ptr().cast::<WSABUF>(),
            buffers.len() as u32,
            &mut sent,
            0,
            address.as_ptr(),
            address.length(),
            ptr::null_mut(),
            None,
        )
    })?;
    Ok(sent as usize)
}

/// Receives a datagram, and tells its length, its sender, and whether it was longer.
pub(crate) fn recv_datagram(
    socket: Handle<'_>,
    buffer: &mut IoSliceMut<'_>,
) -> io::Result<(usize, SocketAddr, bool)> {
    let mut address = Address::empty();
    let (memory, size) = address.as_mut_parts();
    let room = length(buffer);
    // SAFETY: As for `recvfrom` above.
    let result =
        check_length(unsafe { recvfrom(raw(&socket), buffer.as_mut_ptr(), room, 0, memory, size) });
    match result {
        Ok(received) => Ok((received, address.to_internet()?, false)),
        // The buffer is full.
        Err(error) if error.raw_os_error() == Some(WSAEMSGSIZE) => {
            Ok((buffer.len(), address.of_truncated(), true))
        }
        Err(error) => Err(error),
    }
}

pub(crate) fn only_v6(socket: Handle<'_>) -> io::Result<bool> {
    let mut only = 0_i32;
    let mut size = size_of_val(&only) as i32;
    // SAFETY: The socket is open, and there is room for the option, a `BOOL`.
    check(unsafe {
        getsockopt(
            raw(&socket),
            IPPROTO_IPV6,
            IPV6_V6ONLY,
            ptr::addr_of_mut!(only).cast(),
            &mut size,
        )
    })?;
    Ok(only != 0)
}
