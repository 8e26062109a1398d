//! Socket addresses as bytes: `struct sockaddr_in` and `sockaddr_in6`.
//!
//! A batch has an address for each datagram, in memory that the kernel reads or writes. The layout is the same wherever
//! there are batches, but for the first two bytes: the family, or on some systems a length and then the family; and for
//! what may follow after the scope.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use rustix::net::AddressFamily;

use super::control::field;
use crate::sys::{ADDRESS_HAS_LENGTH, ADDRESS_V6 as V6};

/// `AF_INET`
const FAMILY_V4: u16 = AddressFamily::INET.as_raw();
/// `AF_INET6`
const FAMILY_V6: u16 = AddressFamily::INET6.as_raw();
/// `sizeof(struct sockaddr_in)`.
const V4: usize = 16;

/// Room for an address of the internet.
#[derive(Copy, Clone, Debug)]
#[repr(C, align(8))]
pub(crate) struct Name {
    bytes: [u8; V6],
    /// How much of it is the address: `msg_namelen`.
    length: u8,
}

impl Name {
    /// Room for one, and none in it.
    pub(crate) const EMPTY: Name = Name {
        bytes: [0; V6],
        length: 0,
    };

    /// How many bytes the kernel may write.
    pub(crate) const CAPACITY: usize = V6;

    /// Puts an address into it.
    #[inline]
    pub(crate) fn set(&mut self, address: &SocketAddr) {
        match address {
            SocketAddr::V4(address) => self.set_v4(address),
            SocketAddr::V6(address) => self.set_v6(address),
        }
    }

    /// The same for a socket of IPv6, which reaches IPv4 under mapped addresses. Not every system maps them itself.
    #[inline]
    pub(crate) fn set_for_v6(&mut self, address: &SocketAddr) {
        match address {
            SocketAddr::V4(v4) => {
                let mapped = v4.ip().to_ipv6_mapped();
                self.set_v6(&SocketAddrV6::new(mapped, v4.port(), 0, 0));
            }
            SocketAddr::V6(address) => self.set_v6(address),
        }
    }

    #[inline]
    fn set_v4(&mut self, address: &SocketAddrV4) {
        self.begin(FAMILY_V4, V4, address.port());
        self.bytes[4..8].copy_from_slice(&address.ip().octets());
    }

    #[inline]
    fn set_v6(&mut self, address: &SocketAddrV6) {
        self.begin(FAMILY_V6, V6, address.port());
        self.bytes[4..8].copy_from_slice(&address.flowinfo().to_ne_bytes());
        self.bytes[8..24].copy_from_slice(&address.ip().octets());
        self.bytes[24..28].copy_from_slice(&address.scope_id().to_ne_bytes());
    }

    #[inline]
    fn begin(&mut self, family: u16, length: usize, port: u16) {
        self.length = length as u8;
        if ADDRESS_HAS_LENGTH {
            self.bytes[..2].copy_from_slice(&[length as u8, family as u8]);
        } else {
            self.bytes[..2].copy_from_slice(&family.to_ne_bytes());
        }
        self.bytes[2..4].copy_from_slice(&port.to_be_bytes());
    }

    /// The bytes of the address.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Where the kernel writes an address.
    pub(crate) fn room(&mut self) -> &mut [u8; Name::CAPACITY] {
        &mut self.bytes
    }
}

/// The address that the kernel wrote; `None` if that is no address of the internet.
#[inline]
pub(crate) fn decode(bytes: &[u8]) -> Option<SocketAddr> {
    let family = if ADDRESS_HAS_LENGTH {
        u16::from(*bytes.get(1)?)
    } else {
        u16::from_ne_bytes(field(bytes, 0)?)
    };
    let port = u16::from_be_bytes(field(bytes, 2)?);
    if family == FAMILY_V4 && bytes.len() >= V4 {
        let ip = Ipv4Addr::from(field::<4>(bytes, 4)?);
        Some(SocketAddrV4::new(ip, port).into())
    } else if family == FAMILY_V6 && bytes.len() >= V6 {
        let ip = Ipv6Addr::from(field::<16>(bytes, 8)?);
        let flowinfo = u32::from_ne_bytes(field(bytes, 4)?);
        let scope = u32::from_ne_bytes(field(bytes, 24)?);
        Some(SocketAddrV6::new(ip, port, flowinfo, scope).into())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(address: SocketAddr) -> Name {
        let mut name = Name::EMPTY;
        name.set(&address);
        name
    }

    fn addresses() -> impl Strategy<Value = SocketAddr> {
        let v4 = any::<([u8; 4], u16)>().prop_map(|(ip, port)| (ip, port).into());
        let v6 = any::<([u8; 16], u16, u32, u32)>()
            .prop_map(|(ip, port, flow, scope)| SocketAddrV6::new(ip.into(), port, flow, scope));
        prop_oneof![v4, v6.prop_map(SocketAddr::V6)]
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(address in addresses()) {
            let name = named(address);
            prop_assert_eq!(decode(name.bytes()), Some(address));
        }

        #[test]
        fn nonsense_is_no_address(bytes: [u8; V6], length in 0..=V6) {
            if let Some(address) = decode(&bytes[..length]) {
                prop_assert_eq!(decode(named(address).bytes()), Some(address));
            }
        }
    }

    #[test]
    fn addresses_of_ipv4_are_mapped_for_sockets_of_ipv6() {
        for (address, expected) in [
            ("1.2.3.4:5", "[::ffff:1.2.3.4]:5"),
            ("[1::2]:3", "[1::2]:3"),
        ] {
            let mut name = Name::EMPTY;
            name.set_for_v6(&address.parse().unwrap());
            assert_eq!(decode(name.bytes()), Some(expected.parse().unwrap()));
        }
    }

    #[test]
    fn a_piece_of_an_address_is_none() {
        for address in ["1.2.3.4:5", "[1::2]:3"] {
            let name = named(address.parse().unwrap());
            for length in 0..name.bytes().len() {
                assert_eq!(decode(&name.bytes()[..length]), None);
            }
        }
        assert_eq!(decode(&[0; V6]), None);
    }
}
