//! The options of a [`UdpSocket`].

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::UdpSocket;
use crate::sys::{socket, AsHandle as _};

impl UdpSocket {
    /// Allows sending to broadcast addresses: `SO_BROADCAST`.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// socket.set_broadcast(true)?;
    /// assert!(socket.broadcast()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_broadcast(&self, on: bool) -> io::Result<()> {
        self.std().set_broadcast(on)
    }

    /// Whether sending to broadcast addresses is allowed.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// There is one at [`set_broadcast`](UdpSocket::set_broadcast).
    pub fn broadcast(&self) -> io::Result<bool> {
        self.std().broadcast()
    }

    /// Whether IPv4 multicasts are looped back to this host: `IP_MULTICAST_LOOP`. No effect on IPv6 sockets on some
    /// systems.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// socket.set_multicast_loop_v4(false)?;
    /// assert!(!socket.multicast_loop_v4()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_multicast_loop_v4(&self, on: bool) -> io::Result<()> {
        self.std().set_multicast_loop_v4(on)
    }

    /// Whether IPv4 multicasts are looped back to this host.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// There is one at [`set_multicast_loop_v4`](UdpSocket::set_multicast_loop_v4).
    pub fn multicast_loop_v4(&self) -> io::Result<bool> {
        self.std().multicast_loop_v4()
    }

    /// How many routers an IPv4 multicast may pass, 1 by default: `IP_MULTICAST_TTL`.
    ///
    /// # Errors
    ///
    /// The system's, for more than 255.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// socket.set_multicast_ttl_v4(4)?;
    /// assert_eq!(socket.multicast_ttl_v4()?, 4);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_multicast_ttl_v4(&self, ttl: u32) -> io::Result<()> {
        self.std().set_multicast_ttl_v4(ttl)
    }

    /// How many routers an IPv4 multicast may pass.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// There is one at [`set_multicast_ttl_v4`](UdpSocket::set_multicast_ttl_v4).
    pub fn multicast_ttl_v4(&self) -> io::Result<u32> {
        self.std().multicast_ttl_v4()
    }

    /// Whether IPv6 multicasts are looped back to this host: `IPV6_MULTICAST_LOOP`.
    ///
    /// # Errors
    ///
    /// The system's, for an IPv4 socket.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    ///
    /// let Ok(socket) = UdpSocket::bind("[::1]:0".parse().unwrap()) else {
    ///     return Ok(()); // a system without IPv6
    /// };
    /// socket.set_multicast_loop_v6(false)?;
    /// assert!(!socket.multicast_loop_v6()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_multicast_loop_v6(&self, on: bool) -> io::Result<()> {
        self.std().set_multicast_loop_v6(on)
    }

    /// Whether IPv6 multicasts are looped back to this host.
    ///
    /// # Errors
    ///
    /// The system's, for an IPv4 socket.
    ///
    /// # Examples
    ///
    /// There is one at [`set_multicast_loop_v6`](UdpSocket::set_multicast_loop_v6).
    pub fn multicast_loop_v6(&self) -> io::Result<bool> {
        self.std().multicast_loop_v6()
    }

    /// Sets how many routers a packet may pass: `IP_TTL`. For IPv4 only: it leaves the hop limit of IPv6 packets alone, and
    /// some systems refuse it for an IPv6 socket.
    ///
    /// # Errors
    ///
    /// The system's, for zero and for more than 255.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    ///
    /// let socket = UdpSocket::bind("127.0.0.1:0".parse().unwrap())?;
    /// socket.set_ttl(1)?; // neighbours only
    /// assert_eq!(socket.ttl()?, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.std().set_ttl(ttl)
    }

    /// How many routers a packet may pass.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Examples
    ///
    /// There is one at [`set_ttl`](UdpSocket::set_ttl).
    pub fn ttl(&self) -> io::Result<u32> {
        self.std().ttl()
    }

    /// Joins the IPv4 group `group` on the interface with the address `interface`, or on one that the system picks
    /// ([`UNSPECIFIED`](Ipv4Addr::UNSPECIFIED)): `IP_ADD_MEMBERSHIP`.
    ///
    /// # Errors
    ///
    /// The system's: no such interface, no multicast address, a member already.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    /// use std::net::Ipv4Addr;
    ///
    /// let group = Ipv4Addr::new(224, 0, 0, 251);
    /// let socket = UdpSocket::bind("0.0.0.0:0".parse().unwrap())?;
    /// match socket.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST) {
    ///     Ok(()) => socket.leave_multicast_v4(&group, &Ipv4Addr::LOCALHOST)?,
    ///     Err(error) => println!("no multicast on this interface: {error}"),
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[allow(clippy::trivially_copy_pass_by_ref)] // as in mio 1.2 and in the standard library
    pub fn join_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.std().join_multicast_v4(group, interface)
    }

    /// Joins the IPv6 group `group` on the interface with the index `interface`, or on one that the system picks (0):
    /// `IPV6_ADD_MEMBERSHIP`.
    ///
    /// # Errors
    ///
    /// The system's: no such interface, no multicast address, a member already.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    ///
    /// let group = "ff02::fb".parse().unwrap();
    /// let Ok(socket) = UdpSocket::bind("[::]:0".parse().unwrap()) else {
    ///     return Ok(()); // a system without IPv6
    /// };
    /// match socket.join_multicast_v6(&group, 0) {
    ///     Ok(()) => socket.leave_multicast_v6(&group, 0)?,
    ///     Err(error) => println!("no multicast here: {error}"),
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.std().join_multicast_v6(group, interface)
    }

    /// Leaves an IPv4 group: the reverse of [`join_multicast_v4`](UdpSocket::join_multicast_v4).
    ///
    /// # Errors
    ///
    /// The system's, if the socket is no member.
    ///
    /// # Examples
    ///
    /// There is one at [`join_multicast_v4`](UdpSocket::join_multicast_v4).
    #[allow(clippy::trivially_copy_pass_by_ref)] // as in mio 1.2 and in the standard library
    pub fn leave_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.std().leave_multicast_v4(group, interface)
    }

    /// Leaves an IPv6 group: the reverse of [`join_multicast_v6`](UdpSocket::join_multicast_v6).
    ///
    /// # Errors
    ///
    /// The system's, if the socket is no member.
    ///
    /// # Examples
    ///
    /// There is one at [`join_multicast_v6`](UdpSocket::join_multicast_v6).
    pub fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.std().leave_multicast_v6(group, interface)
    }

    /// Whether an IPv6 socket is for IPv6 alone: `IPV6_V6ONLY`.
    ///
    /// # Errors
    ///
    /// The system's, for an IPv4 socket.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    ///
    /// let Ok(socket) = UdpSocket::bind("[::1]:0".parse().unwrap()) else {
    ///     return Ok(()); // a system without IPv6
    /// };
    /// println!("IPv6 alone: {}", socket.only_v6()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn only_v6(&self) -> io::Result<bool> {
        socket::only_v6(self.inner.as_handle())
    }
}
