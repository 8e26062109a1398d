//! Non-blocking sockets.
//!
//! These are the sockets of the standard library in non-blocking mode, and they convert from and to them; what the
//! standard library offers beyond the methods here is reached that way, or through the `socket2` crate.
//!
//! Three things differ from the standard library:
//!
//! - No call blocks. Where it would, it returns [`WouldBlock`](std::io::ErrorKind::WouldBlock); a
//!   [`Poll`](crate::Poll) tells when to try again.
//! - [`TcpStream::connect`] and [`UnixStream::connect`] only start to connect.
//! - Sending to a peer that is gone is an error ([`BrokenPipe`](std::io::ErrorKind::BrokenPipe)), never a `SIGPIPE`. On
//!   Apple systems this is an option of the socket (`SO_NOSIGPIPE`), which those made here have. A socket that was taken
//!   over keeps what its maker has set; the standard library sets it, too.
//!
//! Every socket made here is closed on `exec`. Where the system has no flags for that (Apple systems, and the less common
//! Unixes), it is a second step: a program that another thread starts just then inherits the socket.

pub(crate) mod stream;
mod tcp_listener;
mod tcp_stream;
pub mod udp;
mod udp_options;
mod udp_socket;
#[cfg(unix)]
mod unix_datagram;
#[cfg(unix)]
mod unix_listener;
#[cfg(unix)]
mod unix_stream;

pub use tcp_listener::TcpListener;
pub use tcp_stream::TcpStream;
pub use udp_socket::UdpSocket;
#[cfg(unix)]
pub use unix_datagram::UnixDatagram;
#[cfg(unix)]
pub use unix_listener::UnixListener;
#[cfg(unix)]
pub use unix_stream::UnixStream;
