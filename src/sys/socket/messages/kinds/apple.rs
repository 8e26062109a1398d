//! Control messages of Apple systems: `ip(4)`, `ip6(4)` and `<netinet/in.h>`.
//!
//! The manual has `IP_TOS` as an option of sockets. Whether it is a control message, too, depends on the version. One that
//! does not know it is expected to refuse it, and then it is left out.

use std::mem::size_of;

use super::batch::{FamilyOptions, Options};
use super::header::layout;
use crate::sys::datagram::ancillary::{InfoV4, Kinds};

pub(crate) const KINDS: Kinds = Kinds {
    layout: layout(size_of::<libc::socklen_t>()),
    v4: libc::IPPROTO_IP,
    v6: libc::IPPROTO_IPV6,
    tos: Some(libc::IP_TOS),
    tos_is_byte: false,
    received_tos: Some(libc::IP_RECVTOS),
    tclass: libc::IPV6_TCLASS,
    info_v4: InfoV4::InterfaceFirst(libc::IP_PKTINFO),
    info_v6: libc::IPV6_PKTINFO,
    segments: None,
};

pub(crate) const OPTIONS: Options = Options {
    v4: FamilyOptions {
        ecn: Some(libc::IP_RECVTOS),
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
