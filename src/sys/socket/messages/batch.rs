//! Batches where datagrams have control messages: `sendmsg(2)` and `recvmsg(2)`, and what takes many at once.
//!
//! [`calls`] makes the system calls, and `kinds` has the system's numbers. Headers and all that they
//! point to stand on the stack; a longer batch is a loop. What the kernels promise, and what they do not:
//!
//! - `sendmmsg` stops at the first error, and hides it if something went out before. The error of a datagram comes again
//!   when the call is repeated from there. One that an ICMP message has left behind does not: it is taken by being hidden.
//!   Such errors reach connected sockets, so datagrams to the connected peer go one by one.
//! - `recvmmsg` hides an error in the same way, but leaves it in the socket for the next call. When it returns fewer
//!   datagrams than it had room for, there was none left, or there is such an error.
//! - `UDP_SEGMENT` (Linux, `udp(7)`) has limits: 64 segments, and what one datagram may hold. Longer contents are cut into
//!   several.
//! - What a system refuses is left out, as far as that changes nothing but its cost, or a mark: `datagram/refusals.rs`.
//!
//! Nothing returns between a system call and the user's code: [`send`] and [`receive`] are inlined, and what comes before
//! and after the call are functions of their own.

use std::ffi::c_int;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::{self, MaybeUninit};
use std::os::fd::AsRawFd;
use std::ptr;

use rustix::io::Errno;

use super::calls::{self, HEADERS};
use super::header::{Header, Headers};
use super::kinds::{KINDS, OPTIONS};
use crate::net::udp::{
    Capabilities, Config, Dscp, Found, Offload, ReceiveMeta, Transmit, MAX_SLICES,
};
use crate::sys::datagram::address::Name;
use crate::sys::datagram::ancillary::{Kinds, Room, RECEIVE_ROOM, SEND_ROOM};
use crate::sys::datagram::portable::{self, check_source, too_many_slices, with_peer};
use crate::sys::datagram::refusals::{Attempt, Reason, Refusals};
use crate::sys::datagram::{slices, LONGEST};
use crate::sys::Handle;

/// The options that a system has for what comes beside datagrams.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Options {
    pub(crate) v4: FamilyOptions,
    pub(crate) v6: FamilyOptions,
    /// Level and name of what cuts segments, and of what puts them together.
    pub(crate) segments: Option<[(c_int, c_int); 2]>,
}

/// Those at the level of IPv4, or of IPv6.
#[derive(Copy, Clone, Debug)]
pub(crate) struct FamilyOptions {
    /// Marks are received.
    pub(crate) ecn: Option<c_int>,
    /// Own addresses and interfaces are received, if all of them can be set.
    pub(crate) destination: &'static [c_int],
    /// And the value that it is set to.
    pub(crate) dont_fragment: Option<(c_int, c_int)>,
}

/// Sets the options of a socket, and tells what is in force then.
pub(crate) fn enable(handle: Handle<'_>, v6: bool, config: &Config) -> Option<Capabilities> {
    // An IPv6 socket may have the options of IPv4 as well, for what it does under mapped addresses. What counts is its own.
    let set = |v4: Option<(c_int, c_int)>, for_v6: Option<(c_int, c_int)>| {
        let set = |level, option: Option<(c_int, c_int)>| {
            option.is_some_and(|(name, value)| set_option(handle, level, name, value))
        };
        let v4_set = set(KINDS.v4, v4);
        if v6 {
            set(KINDS.v6, for_v6)
        } else {
            v4_set
        }
    };
    let marks = |name: Option<c_int>| name.map(|name| (name, config.ecn.into()));
    // The address is told by one of the two, mapped.
    let (level, own) = if v6 {
        (KINDS.v6, OPTIONS.v6)
    } else {
        (KINDS.v4, OPTIONS.v4)
    };
    let mut destination = true;
    for &name in own.destination {
        destination &= set_option(handle, level, name, config.destination.into());
    }
    let (segments, coalescing) = match OPTIONS.segments {
        Some([(level, cut), (also, together)]) => (
            get_option(handle, level, cut).is_some(),
            set_option(handle, also, together, config.coalesce.into()),
        ),
        None => (false, false),
    };
    let found = Found {
        datagrams_per_call: if calls::takes_many(handle) {
            HEADERS
        } else {
            1
        },
        segments,
        coalescing,
        send_ecn: v6 || KINDS.tos.is_some(),
        receive_ecn: set(marks(OPTIONS.v4.ecn), marks(OPTIONS.v6.ecn)),
        select_source: true,
        receive_destination: destination,
        dont_fragment: config.dont_fragment
            && set(OPTIONS.v4.dont_fragment, OPTIONS.v6.dont_fragment),
    };
    Some(Capabilities::new(config, &found))
}

/// The DSCP of the socket, which a datagram's own ECN mark must leave as it is. Under mapped addresses an IPv6 socket has
/// that of IPv4. Where it cannot be asked for that, it could not be told either.
pub(crate) fn dscp(handle: Handle<'_>, v6: bool) -> Dscp {
    // −1 where none was set.
    let byte = |level, name| {
        get_option(handle, level, name)
            .and_then(|class| u8::try_from(class).ok())
            .unwrap_or(0)
    };
    Dscp {
        v4: byte(KINDS.v4, libc::IP_TOS),
        v6: if v6 { byte(KINDS.v6, KINDS.tclass) } else { 0 },
    }
}

#[inline(always)]
pub(crate) fn send(
    handle: Handle<'_>,
    offload: &Offload,
    batch: &mut [Transmit<'_>],
    sent: &mut usize,
) -> io::Result<()> {
    if offload.is_portable() {
        return portable::send(handle, offload, batch, sent);
    }
    let mut refusals = Refusals::default();
    while *sent < batch.len() {
        let mut room = SendRoom::new();
        let mut headers = Headers::new();
        let attempt = refusals.attempt(*sent);
        let rest = &batch[*sent..];
        prepare(handle, offload, rest, attempt, &mut room, &mut headers)?;
        match calls::send(handle, headers.filled()) {
            Ok(count) => went_out(
                offload,
                batch,
                sent,
                &headers.filled()[..count],
                &mut refusals,
            ),
            Err(errno) => refused(
                offload,
                batch,
                *sent,
                headers.filled(),
                errno,
                &mut refusals,
            )?,
        }
    }
    Ok(())
}

/// What the headers of a system call point to. The parts are apart, for a write of two would copy what of the second one is
/// not written.
struct SendRoom<'a> {
    names: [MaybeUninit<Name>; HEADERS],
    controls: [MaybeUninit<Room<SEND_ROOM>>; HEADERS],
    slices: [MaybeUninit<IoSlice<'a>>; MAX_SLICES],
}

impl<'a> SendRoom<'a> {
    const CONTROL: MaybeUninit<Room<SEND_ROOM>> = MaybeUninit::uninit();
    const SLICE: MaybeUninit<IoSlice<'a>> = MaybeUninit::uninit();

    #[inline]
    fn new() -> SendRoom<'a> {
        SendRoom {
            names: [NAME; HEADERS],
            controls: [SendRoom::CONTROL; HEADERS],
            slices: [SendRoom::SLICE; MAX_SLICES],
        }
    }
}

const NAME: MaybeUninit<Name> = MaybeUninit::uninit();

/// Makes headers of as much of the batch as a system call takes.
#[inline(never)]
fn prepare<'r, 'a: 'r>(
    handle: Handle<'_>,
    offload: &Offload,
    batch: &[Transmit<'a>],
    attempt: Attempt,
    room: &'r mut SendRoom<'a>,
    headers: &mut Headers<'r, HEADERS>,
) -> io::Result<()> {
    let v6 = offload.is_v6();
    let limit = offload.datagrams_per_call().min(HEADERS);
    let mut free = &mut room.slices[..];
    let (mut index, mut offset) = (0, batch[0].sent());
    let places = room.names.iter_mut().zip(&mut room.controls);
    for (name, control) in places.take(limit) {
        let Some(transmit) = batch.get(index) else {
            break;
        };
        // An ICMP error must not be hidden: see above.
        let to_peer = transmit.destination.is_none();
        if to_peer && !headers.is_empty() {
            break;
        }
        if transmit.contents().len() > MAX_SLICES {
            if !headers.is_empty() {
                break;
            }
            return Err(too_many_slices());
        }
        let segments = match attempt.one_by_one && index == 0 {
            true => 1,
            false => offload.max_segments(),
        };
        let total = slices::total(transmit.contents());
        let (length, segment) = transmit.piece(total, offset, segments, LONGEST);
        let buffers = if length == total && !transmit.contents().is_empty() {
            transmit.contents()
        } else {
            // A batch alone in the room finds enough of it.
            let rest = mem::take(&mut free);
            let Some((part, rest)) = slices::part(transmit.contents(), offset, length, rest) else {
                break;
            };
            free = rest;
            part
        };
        let name = name.write(Name::EMPTY);
        match &transmit.destination {
            Some(address) if v6 => name.set_for_v6(address),
            Some(address) => name.set(address),
            None => {}
        }
        let control: &[u8] = if Kinds::needed(transmit, segment) {
            let mark = offload.sends_ecn() && !(attempt.unmarked && index == 0);
            let control = control.write(Room([0; SEND_ROOM]));
            let named;
            // An interface has a message of each family, and Linux refuses that of IPv6 for a peer with a mapped address.
            let by_family = transmit.interface.is_some() || transmit.source.is_some();
            let transmit = if v6 && to_peer && by_family {
                named = with_peer(handle, offload, transmit);
                &named
            } else {
                transmit
            };
            match check_source(transmit, offload) {
                Err(error) if headers.is_empty() => return Err(error),
                Err(_) => break,
                Ok(()) => {}
            }
            let used = KINDS.write(transmit, offload, mark, segment, control);
            &control.0[..used]
        } else {
            &[]
        };
        headers.push(Header::sending(name.bytes(), buffers, length, control));
        offset += length;
        if offset == total {
            (index, offset) = (index + 1, batch.get(index + 1).map_or(0, Transmit::sent));
        }
        if to_peer {
            break;
        }
    }
    Ok(())
}

/// What these headers take went out.
#[inline(never)]
fn went_out(
    offload: &Offload,
    batch: &mut [Transmit<'_>],
    sent: &mut usize,
    headers: &[Header<'_>],
    refusals: &mut Refusals,
) {
    let lesson = refusals.went_out(*sent, headers.first().map_or(0, Header::length));
    if lesson.no_segments {
        offload.refuse_segmentation();
    }
    if lesson.no_marks {
        offload.refuse_marks();
    }
    for header in headers {
        if batch[*sent].advance(header.length()) {
            *sent += 1;
        }
    }
    refusals.keep_for(*sent);
}

/// The first header did not go out. An error if nothing can be done about it.
#[cold]
fn refused(
    offload: &Offload,
    batch: &[Transmit<'_>],
    sent: usize,
    headers: &[Header<'_>],
    errno: Errno,
    refusals: &mut Refusals,
) -> io::Result<()> {
    let transmit = &batch[sent];
    let length = headers.first().map_or(0, Header::length);
    let segments = length > transmit.next_segment();
    let marked = transmit.ecn.is_some() && offload.sends_ecn() && !refusals.attempt(sent).unmarked;
    if errno == Errno::INTR || refusals.refused(sent, reason(errno), segments, marked) {
        Ok(())
    } else {
        Err(errno.into())
    }
}

/// What it may be about.
fn reason(errno: Errno) -> Option<Reason> {
    match errno {
        Errno::IO => Some(Reason::NoSegments),
        Errno::MSGSIZE => Some(Reason::TooLong),
        Errno::NOPROTOOPT | Errno::OPNOTSUPP => Some(Reason::Unknown),
        Errno::INVAL => Some(Reason::Invalid),
        _ => None,
    }
}

#[inline(always)]
pub(crate) fn receive(
    handle: Handle<'_>,
    offload: &Offload,
    buffers: &mut [IoSliceMut<'_>],
    metas: &mut [ReceiveMeta],
    received: &mut usize,
) -> io::Result<()> {
    if offload.is_portable() {
        return portable::receive(handle, offload, buffers, metas, received);
    }
    let mut done = 0;
    let all = buffers.len().min(metas.len());
    while done < all {
        let mut room = ReceiveRoom::new();
        let mut headers = Headers::new();
        let wanted = lend(offload, &mut buffers[done..all], &mut room, &mut headers);
        match calls::receive(handle, headers.filled()) {
            Ok(count) => {
                take(offload, &mut headers.filled()[..count], &mut metas[done..])?;
                done += count;
                *received += count;
                if count < wanted {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// As [`SendRoom`]. Control buffers are neither written nor lent to the kernel where nothing is asked for that would come
/// this way.
struct ReceiveRoom {
    names: [MaybeUninit<Name>; HEADERS],
    controls: [MaybeUninit<Room<RECEIVE_ROOM>>; HEADERS],
}

impl ReceiveRoom {
    #[inline]
    fn new() -> ReceiveRoom {
        const CONTROL: MaybeUninit<Room<RECEIVE_ROOM>> = MaybeUninit::uninit();
        ReceiveRoom {
            names: [NAME; HEADERS],
            controls: [CONTROL; HEADERS],
        }
    }
}

/// Makes headers of as many buffers as a system call takes, and returns how many that are.
#[inline(never)]
fn lend<'r>(
    offload: &Offload,
    buffers: &'r mut [IoSliceMut<'_>],
    room: &'r mut ReceiveRoom,
    headers: &mut Headers<'r, HEADERS>,
) -> usize {
    let limit = offload.datagrams_per_call().min(HEADERS);
    let listens = offload.asks_for_control();
    let places = room.names.iter_mut().zip(&mut room.controls);
    for ((name, control), buffer) in places.zip(buffers).take(limit) {
        let control = listens.then(|| control.write(Room([0; RECEIVE_ROOM])));
        headers.push(Header::receiving(name.write(Name::EMPTY), buffer, control));
    }
    headers.filled().len()
}

/// Notes what was received.
#[inline(never)]
fn take(
    offload: &Offload,
    headers: &mut [Header<'_>],
    metas: &mut [ReceiveMeta],
) -> io::Result<()> {
    for (header, meta) in headers.iter().zip(metas) {
        header
            .received(&KINDS, offload.is_v6(), meta)
            .ok_or(Errno::AFNOSUPPORT)?;
    }
    Ok(())
}

/// Whether the system knows the option, and has set it.
fn set_option(handle: Handle<'_>, level: c_int, name: c_int, value: c_int) -> bool {
    let length = mem::size_of::<c_int>() as libc::socklen_t;
    // SAFETY: The value is an `int`, and its length is that of one.
    let result = unsafe {
        libc::setsockopt(
            handle.as_raw_fd(),
            level,
            name,
            ptr::addr_of!(value).cast(),
            length,
        )
    };
    result == 0
}

/// `None` if the system does not know the option.
fn get_option(handle: Handle<'_>, level: c_int, name: c_int) -> Option<c_int> {
    let mut value: c_int = 0;
    let mut length = mem::size_of::<c_int>() as libc::socklen_t;
    // SAFETY: There is room for an `int`, and the length says so.
    let result = unsafe {
        libc::getsockopt(
            handle.as_raw_fd(),
            level,
            name,
            ptr::addr_of_mut!(value).cast(),
            &mut length,
        )
    };
    (result == 0).then_some(value)
}
