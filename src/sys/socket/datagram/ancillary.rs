//! What goes beside a datagram, as control messages: the ECN mark, the own address, the interface, the segment size.
//!
//! A socket of IPv4 knows the messages of IPv4 (`ip(7)`), one of IPv6 those of IPv6 (`ipv6(7)`). An IPv6 socket that
//! reaches IPv4 under mapped addresses takes the messages of IPv4 for those, and ignores the others. Received there, the
//! mark is a message of IPv4 and the address one of IPv6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;

use super::control::{field, Layout, Message, Messages, Writer};
use crate::net::udp::{Ecn, ReceiveMeta, Transmit};

/// The numbers that a system has for the messages.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Kinds {
    pub(crate) layout: Layout,
    /// `IPPROTO_IP`
    pub(crate) v4: i32,
    /// `IPPROTO_IPV6`
    pub(crate) v6: i32,
    /// `IP_TOS`: an `int`, or a byte when received.
    pub(crate) tos: i32,
    /// `IPV6_TCLASS`: an `int`.
    pub(crate) tclass: i32,
    /// `IP_PKTINFO`: `struct in_pktinfo`.
    pub(crate) info_v4: i32,
    /// Whether that is an address and an interface, as on Windows, and not an interface and two addresses.
    pub(crate) address_first: bool,
    /// `IPV6_PKTINFO`: `struct in6_pktinfo`.
    pub(crate) info_v6: i32,
    /// The level and the kind of the segment size to send with, and of the one received: `UDP_SEGMENT` and `UDP_GRO`.
    pub(crate) udp: i32,
    pub(crate) segment: i32,
    /// Whether the segment size to send with has four bytes, as on Windows, and not two.
    pub(crate) wide_segment: bool,
    pub(crate) coalesced: i32,
}

/// Enough for all that is sent beside one datagram.
pub(crate) const SEND_ROOM: usize = 128;

/// Enough for all that [`Offload`](crate::net::udp::Offload) switches on, and as much again for what the user does, such
/// as timestamps.
pub(crate) const RECEIVE_ROOM: usize = 256;

/// A control buffer, aligned as the kernel's structures are.
#[derive(Copy, Clone, Debug)]
#[repr(C, align(8))]
pub(crate) struct Room<const N: usize>(pub(crate) [u8; N]);

/// Whose messages a datagram takes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Family {
    V4,
    V6,
    /// Sent to the peer of an IPv6 socket, which may be a mapped address. The messages of the other one are ignored.
    Either,
}

impl Family {
    #[inline]
    fn of(v6: bool, destination: Option<SocketAddr>) -> Family {
        match destination {
            _ if !v6 => Family::V4,
            Some(SocketAddr::V4(_)) => Family::V4,
            Some(SocketAddr::V6(address)) if address.ip().to_ipv4_mapped().is_some() => Family::V4,
            Some(SocketAddr::V6(_)) => Family::V6,
            None => Family::Either,
        }
    }
}

impl Kinds {
    /// Whether there is something to write.
    #[inline]
    pub(crate) fn needed(transmit: &Transmit<'_>, segment: Option<u16>) -> bool {
        segment.is_some() || !transmit.is_bare()
    }

    /// Writes what goes beside a datagram, and tells how many bytes it takes. `dscp` is the rest of the byte of which the
    /// mark is two bits.
    #[inline]
    pub(crate) fn write(
        &self,
        transmit: &Transmit<'_>,
        v6: bool,
        dscp: u8,
        segment: Option<u16>,
        room: &mut Room<SEND_ROOM>,
    ) -> usize {
        let mut writer = Writer::new(self.layout, &mut room.0);
        let family = Family::of(v6, transmit.destination);
        let mut fits = true;
        if let Some(ecn) = transmit.ecn {
            let byte = i32::from(dscp & !Ecn::MASK | ecn.bits()).to_ne_bytes();
            if family != Family::V6 {
                fits &= writer.push(self.v4, self.tos, &byte);
            }
            if family != Family::V4 {
                fits &= writer.push(self.v6, self.tclass, &byte);
            }
        }
        if transmit.source.is_some() || transmit.interface.is_some() {
            fits &= self.write_source(transmit, family, &mut writer);
        }
        if let Some(segment) = segment {
            fits &= if self.wide_segment {
                writer.push(self.udp, self.segment, &u32::from(segment).to_ne_bytes())
            } else {
                writer.push(self.udp, self.segment, &segment.to_ne_bytes())
            };
        }
        debug_assert!(fits, "SEND_ROOM has room for each of them");
        writer.used()
    }

    fn write_source(
        &self,
        transmit: &Transmit<'_>,
        family: Family,
        writer: &mut Writer<'_>,
    ) -> bool {
        let interface = transmit.interface.map_or(0, NonZeroU32::get).to_ne_bytes();
        let source = transmit.source.map(canonical);
        let v4 = match (family, source) {
            (Family::V4, _) | (Family::Either, Some(IpAddr::V4(_))) => true,
            (Family::V6 | Family::Either, _) => false,
        };
        if v4 {
            let source = match source {
                Some(IpAddr::V4(source)) => source,
                _ => Ipv4Addr::UNSPECIFIED,
            };
            if self.address_first {
                let mut info = [0; 8];
                info[..4].copy_from_slice(&source.octets());
                info[4..].copy_from_slice(&interface);
                return writer.push(self.v4, self.info_v4, &info);
            }
            let mut info = [0; 12];
            info[..4].copy_from_slice(&interface);
            info[4..8].copy_from_slice(&source.octets());
            writer.push(self.v4, self.info_v4, &info)
        } else {
            let source = match source {
                Some(IpAddr::V6(source)) => source,
                _ => Ipv6Addr::UNSPECIFIED,
            };
            let mut info = [0; 20];
            info[..16].copy_from_slice(&source.octets());
            info[16..].copy_from_slice(&interface);
            writer.push(self.v6, self.info_v6, &info)
        }
    }

    /// Notes what came beside a datagram. What is cut off or unknown is left out.
    #[inline]
    pub(crate) fn read(&self, control: &[u8], meta: &mut ReceiveMeta) {
        for message in Messages::new(self.layout, control) {
            // Without a message that says so there is nothing to note.
            let _ = self.read_message(message, meta);
        }
    }

    #[inline]
    fn read_message(&self, message: Message<'_>, meta: &mut ReceiveMeta) -> Option<()> {
        let Message { level, kind, data } = message;
        if (level, kind) == (self.v4, self.tos) {
            meta.ecn = Some(Ecn::from_bits(*data.first()?));
        } else if (level, kind) == (self.v6, self.tclass) {
            let byte = i32::from_ne_bytes(field(data, 0)?);
            meta.ecn = Some(Ecn::from_bits(byte as u8));
        } else if (level, kind) == (self.v4, self.info_v4) {
            let (address_at, interface_at) = if self.address_first { (0, 4) } else { (8, 0) };
            let destination = Ipv4Addr::from(field::<4>(data, address_at)?);
            let interface = u32::from_ne_bytes(field(data, interface_at)?);
            meta.interface = NonZeroU32::new(interface);
            meta.destination = Some(destination.into());
        } else if (level, kind) == (self.v6, self.info_v6) {
            let interface = u32::from_ne_bytes(field(data, 16)?);
            meta.interface = NonZeroU32::new(interface);
            meta.destination = Some(Ipv6Addr::from(field::<16>(data, 0)?).into());
        } else if (level, kind) == (self.udp, self.coalesced) {
            let stride = i32::from_ne_bytes(field(data, 0)?);
            meta.set_stride(usize::try_from(stride).ok()?);
        }
        Some(())
    }
}

/// A mapped address as the IPv4 address that it is.
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
#[path = "ancillary_tests.rs"]
mod tests;
