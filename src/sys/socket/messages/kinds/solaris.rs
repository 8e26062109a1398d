//! Control messages of illumos and Solaris: `ip(4P)`, `ip6(4P)`. There are none for the marks of IPv4 that both have.

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
    info_v4: InfoV4::InterfaceFirst(libc::IP_PKTINFO),
    info_v6: libc::IPV6_PKTINFO,
    segments: None,
};

pub(crate) const OPTIONS: Options = Options {
    v4: FamilyOptions {
        ecn: None,
        destination: &[libc::IP_PKTINFO],
        dont_fragment: Some((libc::IP_DONTFRAG, 1)),
    },
    v6: FamilyOptions {
        ecn: Some(libc::IPV6_RECVTCLASS),
        destination: &[libc::IPV6_RECVPKTINFO],
        dont_fragment: Some((libc::IPV6_DONTFRAG, 1)),
    },
    segments: None,
};
