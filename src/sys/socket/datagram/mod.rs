//! Batches of datagrams: what [`net::udp`](crate::net::udp) is made of.
//!
//! | part | says |
//! | --- | --- |
//! | `sys::datagrams` | what this system has for batches: the folder `messages`, `wsamsg.rs`, or nothing beyond `portable.rs` |
//! | [`portable`] | one datagram for each system call, and nothing beside it; works everywhere |
//! | [`ancillary`], [`control`], [`address`], [`slices`] | bytes and buffers, without a system call |
//! | [`refusals`] | what is left out of a transmit that the system refuses |
//!
//! A system's part has these functions:
//!
//! - `enable` sets the options of a socket and tells what came into force;
//! - `send` sends a batch from `batch[*sent]` on and counts in `sent` what went out as a whole;
//! - `receive` fills buffers and counts in `received`.
//!
//! Both end with an error or with everything done. The front makes of that what its user sees. A batch that met
//! `WouldBlock` in its middle ends with that error, so that [`IoSource`](crate::IoSource) learns of it.

#[cfg(unix)]
pub(crate) mod address;
pub(crate) mod ancillary;
pub(crate) mod control;
pub(crate) mod portable;
pub(crate) mod refusals;
pub(crate) mod slices;

use std::net::SocketAddr;

/// As many segments as are handed to the system at once. Newer Linuxes take twice as many.
pub(crate) const SEGMENTS: usize = 64;

/// What a datagram can hold, over IPv4; over IPv6 it is a little more.
pub(crate) const LONGEST: usize = 65_507;

/// Whether a refusal was about segments at all, and not about those of a certain length, now that one of `length` bytes
/// went out by itself. There are errors that say so, and errors that never do. Others may mean that a segment was too long
/// for the route; but no link that IPv6 runs on has room for less than 1,232 bytes in a packet.
fn about_segments(certain: bool, never: bool, length: usize) -> bool {
    certain || (!never && length <= 1_232)
}

/// The address to name to the system: an IPv6 socket reaches IPv4 under mapped addresses, and not every system maps them
/// itself.
#[inline]
pub(crate) fn for_socket(v6: bool, address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(address) if v6 => {
            SocketAddr::new(address.ip().to_ipv6_mapped().into(), address.port())
        }
        address => address,
    }
}
