//! Batches where the system has nothing for them: a loop, one system call for each datagram.
//!
//! Segments are cut here, and there is nothing beside a datagram but its address. Every system can do that; where there is
//! more, it serves as the fallback that a program can ask for.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::UdpSocket;

use super::{ancillary, for_socket, slices};
use crate::net::udp::{Offload, ReceiveMeta, Transmit, MAX_SLICES};
use crate::sys::{lend, socket, Handle};

pub(crate) fn send(
    handle: Handle<'_>,
    offload: &Offload,
    batch: &mut [Transmit<'_>],
    sent: &mut usize,
) -> io::Result<()> {
    while let Some(transmit) = batch.get_mut(*sent) {
        let length = transmit.next_segment();
        let destination = transmit
            .destination
            .map(|address| for_socket(offload.is_v6(), address));
        if transmit.contents().len() > MAX_SLICES {
            return Err(too_many_slices());
        }
        // Nothing is made of a source here. But where it were, this one would be wrong.
        if transmit.source.is_some() {
            check_source(&with_peer(handle, offload, transmit), offload)?;
        }
        const SLICE: MaybeUninit<IoSlice<'_>> = MaybeUninit::uninit();
        let mut room = [SLICE; MAX_SLICES];
        let (part, _) = slices::part(transmit.contents(), transmit.sent(), length, &mut room)
            .ok_or_else(too_many_slices)?;
        match socket::send_datagram(handle, part, destination) {
            Ok(_) if transmit.advance(length) => *sent += 1,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(crate) fn receive(
    handle: Handle<'_>,
    _: &Offload,
    buffers: &mut [IoSliceMut<'_>],
    metas: &mut [ReceiveMeta],
    received: &mut usize,
) -> io::Result<()> {
    let mut slots = buffers.iter_mut().zip(metas);
    let mut slot = slots.next();
    while let Some((buffer, meta)) = &mut slot {
        match socket::recv_datagram(handle, buffer) {
            Ok((length, source, truncated)) => {
                **meta = ReceiveMeta::new(source, length, truncated);
                *received += 1;
                slot = slots.next();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The transmit with the address of the peer, if it goes there. An IPv6 socket may be connected to a mapped address, so what
/// goes beside a datagram depends on it.
#[cold]
pub(crate) fn with_peer<'a>(
    handle: Handle<'_>,
    offload: &Offload,
    transmit: &Transmit<'a>,
) -> Transmit<'a> {
    let mut transmit = *transmit;
    if offload.is_v6() && transmit.destination.is_none() {
        transmit.destination = lend::<UdpSocket>(handle).peer_addr().ok();
    }
    transmit
}

/// Refuses a source that the system could not be told, or would ignore, to send from elsewhere.
#[inline]
pub(crate) fn check_source(transmit: &Transmit<'_>, offload: &Offload) -> io::Result<()> {
    if ancillary::source_fits(transmit, offload.is_v6()) {
        Ok(())
    } else {
        Err(wrong_source())
    }
}

#[cold]
fn wrong_source() -> io::Error {
    io::Error::new(
        ErrorKind::InvalidInput,
        "the source of a transmit is not of the family of its destination",
    )
}

#[cold]
pub(crate) fn too_many_slices() -> io::Error {
    io::Error::new(
        ErrorKind::InvalidInput,
        "the contents of a transmit may have 64 slices at most",
    )
}
