//! Control messages of Linux: `ip(7)`, `ipv6(7)`, `udp(7)`.

use std::mem::size_of;

use super::batch::{FamilyOptions, Options};
use super::header::layout;
use crate::sys::datagram::ancillary::{InfoV4, Kinds, Segments};

pub(crate) const KINDS: Kinds = Kinds {
    layout: layout(size_of::<usize>()),
    v4: libc::IPPROTO_IP,
    v6: libc::IPPROTO_IPV6,
    tos: Some(libc::IP_TOS),
    tos_is_byte: false,
    received_tos: Some(libc::IP_TOS),
    tclass: libc::IPV6_TCLASS,
    info_v4: InfoV4::InterfaceFirst(libc::IP_PKTINFO),
    info_v6: libc::IPV6_PKTINFO,
    segments: Some(Segments {
        level: libc::SOL_UDP,
        size: libc::UDP_SEGMENT,
        wide: false,
        coalesced: libc::UDP_GRO,
    }),
};

pub(crate) const OPTIONS: Options = Options {
    v4: FamilyOptions {
        ecn: Some(libc::IP_RECVTOS),
        destination: &[libc::IP_PKTINFO],
        dont_fragment: Some((libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_PROBE)),
    },
    v6: FamilyOptions {
        ecn: Some(libc::IPV6_RECVTCLASS),
        destination: &[libc::IPV6_RECVPKTINFO],
        dont_fragment: Some((libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_PROBE)),
    },
    segments: Some([
        (libc::SOL_UDP, libc::UDP_SEGMENT),
        (libc::SOL_UDP, libc::UDP_GRO),
    ]),
};
