//! Control messages of OpenBSD and DragonFly: `ip(4)`, `ip6(4)`. There are none for the marks of IPv4.

use std::mem::size_of;

use super::batch::{FamilyOptions, Options};
use super::header::layout;
use crate::sys::datagram::ancillary::{InfoV4, Kinds};

pub(crate) const KINDS: Kinds = Kinds {
    layout: layout(size_of::<libc::socklen_t>()),
    v4: libc::IPPROTO_IP,
    v6: libc::IPPROTO_IPV6,
    tos: None,
    tos_is_byte: false,
    received_tos: None,
    tclass: libc::IPV6_TCLASS,
    info_v4: InfoV4::Apart {
        address: libc::IP_RECVDSTADDR,
        interface: libc::IP_RECVIF,
    },
    info_v6: libc::IPV6_PKTINFO,
    segments: None,
};

pub(crate) const OPTIONS: Options = Options {
    v4: FamilyOptions {
        ecn: None,
        destination: &[libc::IP_RECVDSTADDR, libc::IP_RECVIF],
        dont_fragment: None,
    },
    v6: FamilyOptions {
        ecn: Some(libc::IPV6_RECVTCLASS),
        destination: &[libc::IPV6_RECVPKTINFO],
        dont_fragment: Some((libc::IPV6_DONTFRAG, 1)),
    },
    segments: None,
};
