//! Batches where the system has nothing for them, or nothing that is known here.

use super::Handle;
use crate::net::udp::{Capabilities, Config, Dscp};

pub(crate) use super::datagram::portable::{receive, send};

pub(crate) fn enable(_: Handle<'_>, _v6: bool, _: &Config) -> Option<Capabilities> {
    None
}

pub(crate) fn dscp(_: Handle<'_>, _v6: bool) -> Dscp {
    Dscp::default()
}
