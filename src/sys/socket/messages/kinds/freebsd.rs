//! Control messages of FreeBSD: `ip(4)`, `ip6(4)`.
//!
//! `sendmmsg` and `recvmmsg` are loops in the C library there, so they are not used.

use std::mem::size_of;

use super::batch::{FamilyOptions, Options};
use super::header::layout;
use crate::sys::datagram::ancillary::{InfoV4, Kinds};

pub(crate) const KINDS: Kinds = Kinds {
    layout: layout(size_of::<libc::socklen_t>()),
    v4: libc::IPPROTO_IP,
    v6: libc::IPPROTO_IPV6,
    tos: Some(libc::IP_TOS),
    tos_is_byte: true,
    received_tos: Some(libc::IP_RECVTOS),
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
        ecn: Some(libc::IP_RECVTOS),
        destination: &[libc::IP_RECVDSTADDR, libc::IP_RECVIF],
        dont_fragment: Some((libc::IP_DONTFRAG, 1)),
    },
    v6: FamilyOptions {
        ecn: Some(libc::IPV6_RECVTCLASS),
        destination: &[libc::IPV6_RECVPKTINFO],
        dont_fragment: Some((libc::IPV6_DONTFRAG, 1)),
    },
    segments: None,
};
