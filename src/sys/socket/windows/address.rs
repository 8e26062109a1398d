//! Addresses as the system's functions take them: a family, and what this family adds to it.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::ptr;

use windows_sys::Win32::Networking::WinSock::{ADDRESS_FAMILY, AF_INET, AF_INET6, SOCKADDR};

/// `sockaddr_storage`: 128 bytes hold an address of any family.
const ROOM: usize = 128;

/// Lengths of `sockaddr_in` and `sockaddr_in6`.
const V4: usize = 16;
const V6: usize = 28;

/// An address, byte by byte: family, port, and the rest, without padding in any family that is used here.
#[derive(Clone, Debug)]
#[repr(C, align(8))]
pub(in crate::sys) struct Address {
    bytes: [u8; ROOM],
    length: i32,
}

impl Address {
    /// Room for any address.
    pub(in crate::sys) fn empty() -> Address {
        Address {
            bytes: [0; ROOM],
            length: ROOM as i32,
        }
    }

    /// An address of `family`, and what this family adds to that.
    #[cfg(feature = "os-ext")]
    pub(in crate::sys) fn with(family: ADDRESS_FAMILY, rest: &[u8]) -> Address {
        let mut this = Address::empty();
        this.set(0, &family.to_ne_bytes());
        this.set(2, rest);
        // No more than fits.
        this.length = (2 + rest.len()) as i32;
        this
    }

    /// What the family adds.
    #[cfg(feature = "os-ext")]
    pub(in crate::sys) fn rest(&self) -> &[u8] {
        let length = usize::try_from(self.length).unwrap_or(0).min(ROOM);
        &self.bytes[2.min(length)..length]
    }

    pub(in crate::sys) fn as_ptr(&self) -> *const SOCKADDR {
        self.bytes.as_ptr().cast()
    }

    pub(in crate::sys) fn length(&self) -> i32 {
        self.length
    }

    /// Where the system writes an address, and its length.
    pub(in crate::sys) fn as_mut_parts(&mut self) -> (*mut SOCKADDR, *mut i32) {
        let length = ptr::addr_of_mut!(self.length);
        (self.bytes.as_mut_ptr().cast(), length)
    }

    /// Notes how much of it the system has written, where it tells that in a place of its own.
    pub(in crate::sys) fn set_length(&mut self, length: i32) {
        self.length = length.clamp(0, ROOM as i32);
    }

    /// The address of a socket of the internet.
    pub(in crate::sys) fn to_internet(&self) -> io::Result<SocketAddr> {
        let length = usize::try_from(self.length).unwrap_or(0);
        match self.family() {
            AF_INET if length >= V4 => {
                let ip = Ipv4Addr::from(self.part::<4>(4));
                Ok(SocketAddrV4::new(ip, self.port()).into())
            }
            AF_INET6 if length >= V6 => {
                let flow = u32::from_ne_bytes(self.part(4));
                let ip = Ipv6Addr::from(self.part::<16>(8));
                let scope = u32::from_ne_bytes(self.part(24));
                Ok(SocketAddrV6::new(ip, self.port(), flow, scope).into())
            }
            family => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("the address family {family} is none of the internet"),
            )),
        }
    }

    /// The sender of a datagram that was longer than its buffer. That it is told beside that error is not documented. The
    /// datagram is taken by then, so without a sender it is from nowhere, rather than lost.
    pub(in crate::sys) fn of_truncated(&self) -> SocketAddr {
        self.to_internet()
            .unwrap_or_else(|_| SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0).into())
    }

    fn family(&self) -> ADDRESS_FAMILY {
        ADDRESS_FAMILY::from_ne_bytes(self.part(0))
    }

    fn port(&self) -> u16 {
        u16::from_be_bytes(self.part(2))
    }

    fn part<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut part = [0; N];
        part.copy_from_slice(&self.bytes[at..at + N]);
        part
    }

    fn set(&mut self, at: usize, part: &[u8]) {
        self.bytes[at..at + part.len()].copy_from_slice(part);
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        let mut this = Address::empty();
        this.set(2, &address.port().to_be_bytes());
        match address {
            SocketAddr::V4(address) => {
                this.set(0, &AF_INET.to_ne_bytes());
                this.set(4, &address.ip().octets());
                this.length = V4 as i32;
            }
            SocketAddr::V6(address) => {
                this.set(0, &AF_INET6.to_ne_bytes());
                this.set(4, &address.flowinfo().to_ne_bytes());
                this.set(8, &address.ip().octets());
                this.set(24, &address.scope_id().to_ne_bytes());
                this.length = V6 as i32;
            }
        }
        this
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back() {
        for text in ["127.0.0.1:80", "0.0.0.0:0", "[::1]:65535", "[fe80::1%7]:9"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(Address::from(address).to_internet().unwrap(), address);
        }
        let v6 = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 1, 0x0001_2345, 6);
        let address = SocketAddr::from(v6);
        assert_eq!(Address::from(address).to_internet().unwrap(), address);
    }

    #[test]
    fn an_address_is_laid_out_as_the_system_has_it() {
        let address = Address::from(SocketAddr::from(([1, 2, 3, 4], 0x1234)));
        assert_eq!(address.bytes[..8], [2, 0, 0x12, 0x34, 1, 2, 3, 4]);
        assert_eq!(address.length(), 16);
    }

    #[test]
    fn other_families_are_an_error() {
        assert!(Address::empty().to_internet().is_err());
        let mut short = Address::from(SocketAddr::from(([1, 2, 3, 4], 5)));
        short.length = 8;
        assert!(short.to_internet().is_err());
    }

    #[test]
    fn a_truncated_datagram_has_a_sender_in_any_case() {
        let sender = SocketAddr::from(([1, 2, 3, 4], 5));
        assert_eq!(Address::from(sender).of_truncated(), sender);
        let nowhere = SocketAddr::from(([0; 4], 0));
        assert_eq!(Address::empty().of_truncated(), nowhere);
    }
}
