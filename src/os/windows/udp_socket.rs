//! [`UdpSocketExt`].

use std::io;

use crate::net::UdpSocket;
use crate::sys::{socket, AsHandle as _};

/// What a [`UdpSocket`] can do on Windows only.
///
/// # Examples
///
/// There is one at its [method](UdpSocketExt::set_reports_resets).
pub trait UdpSocketExt: Sealed {
    /// Whether a datagram that could not be delivered makes a later receive fail: `SIO_UDP_CONNRESET` and
    /// `SIO_UDP_NETRESET`.
    ///
    /// When a host answers a datagram with the ICMP message "port unreachable", a receive on the socket returns
    /// [`ConnectionReset`](io::ErrorKind::ConnectionReset) (`WSAECONNRESET`, 10054) once. On Windows this happens to sockets
    /// that are not connected, too, and is on by default: one client that is gone disturbs a server that serves many. When
    /// the time to live of a datagram has expired on its way, it is `WSAENETRESET` (10052). Both can be passed over by
    /// receiving again, or switched off here. A system that does not know the second one is left with the first.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(windows)]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::net::UdpSocket;
    /// use mio::windows::UdpSocketExt;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// socket.set_reports_resets(false)?;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(windows))]
    /// # fn main() {}
    /// ```
    fn set_reports_resets(&self, on: bool) -> io::Result<()>;
}

impl UdpSocketExt for UdpSocket {
    fn set_reports_resets(&self, on: bool) -> io::Result<()> {
        socket::udp_report_resets(self.as_handle(), on)
    }
}

/// Keeps the trait to this crate, so that it can grow.
pub trait Sealed {}

impl Sealed for UdpSocket {}
