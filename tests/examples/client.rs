//! Clients: sockets of the standard library whose every call has a limit, and what they have in common.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

use crate::program::PATIENCE;

/// Connects.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    limited(TcpStream::connect_timeout(&address, PATIENCE).expect("connect"))
}

/// Connects with buffers as small as the system makes them, so that little blocks it.
pub(crate) fn connect_small(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("socket");
    socket.set_recv_buffer_size(4096).expect("buffer size");
    socket.set_send_buffer_size(4096).expect("buffer size");
    socket
        .connect_timeout(&address.into(), PATIENCE)
        .expect("connect");
    limited(socket.into())
}

/// Lets no call on `stream` hang.
pub(crate) fn limited(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("timeout");
    stream.set_nodelay(true).expect("no delay");
    stream
}

/// Closes a connection by a reset.
pub(crate) fn reset(stream: TcpStream) {
    SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .expect("linger");
}

/// Bytes that repeat so late that a piece which is missing, doubled or swapped with another is noticed.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    };
    (0..length).map(|_| next()).collect()
}

/// Writes pieces of `bytes`, over and over, until the other end has taken nothing for a while. Tells how much went.
pub(crate) fn write_until_stuck(mut stream: &TcpStream, bytes: &[u8]) -> usize {
    // Should the other end only be slow, the caller sees less than could have gone, which is no mistake.
    stream
        .set_write_timeout(Some(Duration::from_millis(200)))
        .expect("timeout");
    let mut total = 0;
    let start = Instant::now();
    let stuck = loop {
        match uninterrupted(|| stream.write(&bytes[total % bytes.len()..])) {
            Ok(n) => total += n,
            Err(error) => break error,
        }
        // The system's own buffers hold some mebibytes.
        assert!(total < 1 << 28, "{total} bytes taken that nobody has read");
        assert!(start.elapsed() < PATIENCE, "never stuck");
    };
    assert!(would_block(&stuck), "{stuck:?} after {total} bytes");
    stream.set_write_timeout(Some(PATIENCE)).expect("timeout");
    total
}

/// Reads to the end and checks that it is `expected`.
pub(crate) fn expect_all(mut stream: &TcpStream, expected: &[u8]) {
    let mut received = Vec::new();
    stream.read_to_end(&mut received).expect("read");
    assert_eq!(received.len(), expected.len());
    assert!(received == expected, "the bytes differ");
}

/// Sends `bytes`, and expects them back.
pub(crate) fn echo(mut stream: &TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).expect("write");
    let mut received = vec![0; bytes.len()];
    stream.read_exact(&mut received).expect("read");
    assert!(received == bytes, "the bytes differ");
}

/// Waits for the end of the stream, in order or by a reset.
pub(crate) fn expect_end(mut stream: &TcpStream) {
    let mut buffer = [0; 4096];
    loop {
        match uninterrupted(|| stream.read(&mut buffer)) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
                return;
            }
        }
    }
}

/// Does an operation again that was interrupted. One with a limit is, where another is not, when the process was stopped
/// and went on: see `signal(7)`.
pub(crate) fn uninterrupted<T>(mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn would_block(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}
