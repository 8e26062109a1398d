//! What goes beside a datagram, as control messages: the ECN mark, the own address, the interface, the segment size.
//!
//! A socket of IPv4 knows the messages of IPv4 (`ip(7)`), one of IPv6 those of IPv6 (`ipv6(7)`). An IPv6 socket that
//! reaches IPv4 under mapped addresses takes the messages of IPv4 for those, and ignores the others. Received there, the
//! mark is a message of IPv4 and the address one of IPv6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;

use super::control::{field, Layout, Message, Messages, Writer};
use crate::net::udp::{Ecn, Offload, ReceiveMeta, Transmit};

/// The numbers that a system has for the messages.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Kinds {
    pub(crate) layout: Layout,
    /// `IPPROTO_IP`
    pub(crate) v4: i32,
    /// `IPPROTO_IPV6`
    pub(crate) v6: i32,
    /// `IP_TOS`, to send.
    pub(crate) tos: Option<i32>,
    /// Whether that is a byte, as on FreeBSD, and not an `int`.
    pub(crate) tos_is_byte: bool,
    /// `IP_TOS` or `IP_RECVTOS`, as it is received: a byte, or an `int`.
    pub(crate) received_tos: Option<i32>,
    /// `IPV6_TCLASS`: an `int`.
    pub(crate) tclass: i32,
    pub(crate) info_v4: InfoV4,
    /// `IPV6_PKTINFO`: `struct in6_pktinfo`.
    pub(crate) info_v6: i32,
    pub(crate) segments: Option<Segments>,
}

/// How the own address of IPv4, and the interface, come and go.
#[derive(Copy, Clone, Debug)]
#[allow(dead_code)] // a system has one of them
pub(crate) enum InfoV4 {
    /// `IP_PKTINFO`: `struct in_pktinfo`, an interface and two addresses.
    InterfaceFirst(i32),
    /// `IP_PKTINFO` on Windows and NetBSD: an address and an interface.
    AddressFirst(i32),
    /// The messages of the BSDs. An interface cannot be chosen by them, and an address only by a socket that is bound to
    /// none.
    Apart {
        /// `IP_RECVDSTADDR` and `IP_SENDSRCADDR`, which are the same.
        address: i32,
        /// `IP_RECVIF`: `struct sockaddr_dl`.
        interface: i32,
    },
}

/// Segments that the system cuts, and puts together.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Segments {
    pub(crate) level: i32,
    /// The size to send with: `UDP_SEGMENT`.
    pub(crate) size: i32,
    /// Whether that has four bytes, as on Windows, and not two.
    pub(crate) wide: bool,
    /// The size received: `UDP_GRO`.
    pub(crate) coalesced: i32,
}

/// Enough for all that is sent beside one datagram.
pub(crate) const SEND_ROOM: usize = 128;

/// Enough for all that [`Offload`] switches on, and for a timestamp that the user does. Not more: it is filled for each
/// buffer of a batch.
pub(crate) const RECEIVE_ROOM: usize = 160;

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

    /// Whether a datagram can come from there. The unspecified address leaves it to the system.
    fn has(self, source: IpAddr) -> bool {
        match (self, canonical(source)) {
            (Family::Either, _) => true,
            (_, source) if source.is_unspecified() => true,
            (Family::V4, source) => source.is_ipv4(),
            (Family::V6, source) => source.is_ipv6(),
        }
    }
}

/// Whether the source of a transmit can be named beside it. If not, no message of the destination's family has room for it.
#[inline]
pub(crate) fn source_fits(transmit: &Transmit<'_>, v6: bool) -> bool {
    match transmit.source {
        Some(source) => Family::of(v6, transmit.destination).has(source),
        None => true,
    }
}

impl Kinds {
    /// Whether there is something to write.
    #[inline]
    pub(crate) fn needed(transmit: &Transmit<'_>, segment: Option<u16>) -> bool {
        segment.is_some() || !transmit.is_bare()
    }

    /// Writes what goes beside a datagram, and tells how many bytes it takes. A mark is two bits of a byte, of which the
    /// socket has the rest.
    #[inline]
    pub(crate) fn write(
        &self,
        transmit: &Transmit<'_>,
        socket: &Offload,
        marked: bool,
        segment: Option<u16>,
        room: &mut Room<SEND_ROOM>,
    ) -> usize {
        let mut writer = Writer::new(self.layout, &mut room.0);
        let family = Family::of(socket.is_v6(), transmit.destination);
        let mut fits = true;
        if let (Some(ecn), true) = (transmit.ecn, marked) {
            let marked = |dscp: u8| dscp & !Ecn::MASK | ecn.bits();
            let int = |byte| i32::from(byte).to_ne_bytes();
            let dscp = socket.dscp();
            if let (Some(tos), true) = (self.tos, family != Family::V6) {
                let byte = marked(dscp.v4);
                fits &= if self.tos_is_byte {
                    writer.push(self.v4, tos, &[byte])
                } else {
                    writer.push(self.v4, tos, &int(byte))
                };
            }
            if family != Family::V4 {
                fits &= writer.push(self.v6, self.tclass, &int(marked(dscp.v6)));
            }
        }
        if transmit.source.is_some() || transmit.interface.is_some() {
            fits &= self.write_source(transmit, family, socket, &mut writer);
        }
        if let (Some(size), Some(segments)) = (segment, self.segments) {
            let Segments {
                level, size: kind, ..
            } = segments;
            fits &= if segments.wide {
                writer.push(level, kind, &u32::from(size).to_ne_bytes())
            } else {
                writer.push(level, kind, &size.to_ne_bytes())
            };
        }
        debug_assert!(fits, "SEND_ROOM has room for each of them");
        writer.used()
    }

    fn write_source(
        &self,
        transmit: &Transmit<'_>,
        family: Family,
        socket: &Offload,
        writer: &mut Writer<'_>,
    ) -> bool {
        let interface = transmit.interface.map_or(0, NonZeroU32::get).to_ne_bytes();
        let source = transmit.source.map(canonical);
        let v4 = match (family, source) {
            (Family::V4, _) | (Family::Either, Some(IpAddr::V4(_))) => true,
            (Family::V6 | Family::Either, _) => false,
        };
        if !v4 {
            let source = match source {
                Some(IpAddr::V6(source)) => source,
                _ => Ipv6Addr::UNSPECIFIED,
            };
            let mut info = [0; 20];
            info[..16].copy_from_slice(&source.octets());
            info[16..].copy_from_slice(&interface);
            return writer.push(self.v6, self.info_v6, &info);
        }
        let source = match source {
            Some(IpAddr::V4(source)) => source,
            _ => Ipv4Addr::UNSPECIFIED,
        };
        match self.info_v4 {
            InfoV4::InterfaceFirst(kind) => {
                let mut info = [0; 12];
                info[..4].copy_from_slice(&interface);
                info[4..8].copy_from_slice(&source.octets());
                writer.push(self.v4, kind, &info)
            }
            InfoV4::AddressFirst(kind) => {
                let mut info = [0; 8];
                info[..4].copy_from_slice(&source.octets());
                info[4..].copy_from_slice(&interface);
                writer.push(self.v4, kind, &info)
            }
            // A socket that is bound to the address sends from there, and refuses to be told.
            InfoV4::Apart { .. }
                if source.is_unspecified() || socket.bound_to() == Some(source.into()) =>
            {
                true
            }
            InfoV4::Apart { address, .. } => writer.push(self.v4, address, &source.octets()),
        }
    }

    /// Notes what came beside a datagram. What is cut off or unknown is left out. On an IPv6 socket (`v6`), addresses of
    /// IPv4 are mapped, as they are in the source.
    #[inline]
    pub(crate) fn read(&self, control: &[u8], v6: bool, meta: &mut ReceiveMeta) {
        for message in Messages::new(self.layout, control) {
            // Without a message that says so there is nothing to note.
            let _ = self.read_message(message, v6, meta);
        }
    }

    #[inline]
    fn read_message(&self, message: Message<'_>, v6: bool, meta: &mut ReceiveMeta) -> Option<()> {
        let Message { level, kind, data } = message;
        if level == self.v4 {
            if Some(kind) == self.received_tos {
                meta.ecn = Some(Ecn::from_bits(low_byte(data)?));
                return Some(());
            }
            return self.read_info_v4(kind, data, v6, meta);
        }
        if (level, kind) == (self.v6, self.tclass) {
            let byte = i32::from_ne_bytes(field(data, 0)?);
            meta.ecn = Some(Ecn::from_bits(byte as u8));
        } else if (level, kind) == (self.v6, self.info_v6) {
            let interface = u32::from_ne_bytes(field(data, 16)?);
            meta.interface = NonZeroU32::new(interface);
            meta.destination = Some(Ipv6Addr::from(field::<16>(data, 0)?).into());
        } else if let Some(segments) = self.segments {
            if (level, kind) == (segments.level, segments.coalesced) {
                let stride = i32::from_ne_bytes(field(data, 0)?);
                meta.set_stride(usize::try_from(stride).ok()?);
            }
        }
        Some(())
    }

    #[inline]
    fn read_info_v4(&self, kind: i32, data: &[u8], v6: bool, meta: &mut ReceiveMeta) -> Option<()> {
        let address = |at| {
            let address = Ipv4Addr::from(field::<4>(data, at)?);
            Some(if v6 {
                address.to_ipv6_mapped().into()
            } else {
                IpAddr::V4(address)
            })
        };
        match self.info_v4 {
            InfoV4::InterfaceFirst(info) if kind == info => {
                let destination = address(8)?;
                meta.interface = NonZeroU32::new(u32::from_ne_bytes(field(data, 0)?));
                meta.destination = Some(destination);
            }
            InfoV4::AddressFirst(info) if kind == info => {
                meta.interface = NonZeroU32::new(u32::from_ne_bytes(field(data, 4)?));
                meta.destination = Some(address(0)?);
            }
            InfoV4::Apart { address: info, .. } if kind == info => {
                meta.destination = Some(address(0)?);
            }
            InfoV4::Apart { interface, .. } if kind == interface => {
                // `sdl_index`, behind the length and the family.
                let index = u16::from_ne_bytes(field(data, 2)?);
                meta.interface = NonZeroU32::new(index.into());
            }
            _ => {}
        }
        Some(())
    }
}

/// The lowest byte of an `int`, or the byte that it is.
fn low_byte(data: &[u8]) -> Option<u8> {
    match field(data, 0) {
        Some(int) => Some(i32::from_ne_bytes(int) as u8),
        None => data.first().copied(),
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
