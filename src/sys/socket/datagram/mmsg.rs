//! Batches on Linux: `sendmmsg(2)` and `recvmmsg(2)`, with segmentation and coalescing by the kernel (`udp(7)`).
//!
//! A system call takes some tens of headers; they stand on the stack, and a longer batch is a loop. What the kernel
//! promises, and what it does not:
//!
//! - `sendmmsg` stops at the first error, and hides it if something went out before. The error of a datagram comes again
//!   when the call is repeated from there. One that an ICMP message has left behind does not: it is taken by being hidden.
//!   Such errors reach connected sockets, so datagrams to the connected peer go one by one.
//! - `recvmmsg` hides an error in the same way, but leaves it in the socket for the next call. When it returns fewer
//!   datagrams than it had room for, there was none left, or there is such an error.
//! - `UDP_SEGMENT` has limits: 64 segments, and what one datagram may hold. Longer contents are cut into several. A device
//!   or a route that cannot do it is `EIO` when sending (no checksum offload, IPsec), other obstacles are `EINVAL`.
//!   Then the segments go one by one.

use std::ffi::{c_int, c_long};
use std::io::{self, IoSlice, IoSliceMut};
use std::marker::PhantomData;
use std::mem::{self, MaybeUninit};
use std::os::fd::AsRawFd;
use std::{ptr, slice};

use rustix::io::Errno;

use super::datagram::address::Name;
use super::datagram::ancillary::{Kinds, Room, RECEIVE_ROOM, SEND_ROOM};
use super::datagram::control::Layout;
use super::datagram::portable::{self, too_many_slices};
use super::datagram::{about_segments, for_socket, slices, LONGEST, SEGMENTS};
use super::Handle;
use crate::net::udp::{Capabilities, Config, Offload, ReceiveMeta, Transmit, MAX_SLICES};

/// Headers for each system call.
const HEADERS: usize = 32;

const KINDS: Kinds = Kinds {
    layout: Layout {
        length: mem::size_of::<usize>(),
        align: mem::size_of::<usize>(),
    },
    v4: libc::IPPROTO_IP,
    v6: libc::IPPROTO_IPV6,
    tos: libc::IP_TOS,
    tclass: libc::IPV6_TCLASS,
    info_v4: libc::IP_PKTINFO,
    address_first: false,
    info_v6: libc::IPV6_PKTINFO,
    udp: libc::SOL_UDP,
    segment: libc::UDP_SEGMENT,
    wide_segment: false,
    coalesced: libc::UDP_GRO,
};

/// Sets the options of a socket, and tells what is in force then. `None` if it has to be [`portable`](super::datagram).
pub(crate) fn enable(handle: Handle<'_>, v6: bool, config: &Config) -> Option<Capabilities> {
    // A sandbox may not know the call.
    transfer(libc::SYS_sendmmsg, handle, 0, &mut []).ok()?;

    // An IPv6 socket has the options of IPv4 as well, for what it does under mapped addresses.
    let set = |v4: (c_int, c_int), for_v6: (c_int, c_int)| {
        let v4_set = set_option(handle, libc::IPPROTO_IP, v4.0, v4.1).is_ok();
        let v6_set = v6 && set_option(handle, libc::IPPROTO_IPV6, for_v6.0, for_v6.1).is_ok();
        v4_set && (v6_set || !v6)
    };
    let switch = |v4, for_v6, on: bool| set((v4, on.into()), (for_v6, on.into()));

    let ecn = switch(libc::IP_RECVTOS, libc::IPV6_RECVTCLASS, config.ecn);
    // Of an IPv6 socket, `IPV6_PKTINFO` is about IPv4 as well.
    let (level, option) = if v6 {
        (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO)
    } else {
        (libc::IPPROTO_IP, libc::IP_PKTINFO)
    };
    let destination = set_option(handle, level, option, config.destination.into()).is_ok();
    let coalesced =
        set_option(handle, libc::SOL_UDP, libc::UDP_GRO, config.coalesce.into()).is_ok();
    let whole = config.dont_fragment
        && set(
            (libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_PROBE),
            (libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_PROBE),
        );
    let segmented = config.segmentation && option_exists(handle, libc::SOL_UDP, libc::UDP_SEGMENT);

    Some(Capabilities {
        datagrams_per_call: if config.batching { HEADERS } else { 1 },
        max_segments: if segmented { SEGMENTS } else { 1 },
        max_coalesced: if coalesced && config.coalesce {
            SEGMENTS
        } else {
            1
        },
        send_ecn: true,
        receive_ecn: ecn && config.ecn,
        select_source: true,
        receive_destination: destination && config.destination,
        dont_fragment: whole,
    })
}

/// The DSCP of the socket, which a datagram's own ECN mark must leave as it is.
pub(crate) fn dscp(handle: Handle<'_>, v6: bool) -> u8 {
    let of_v4 = rustix::net::sockopt::ip_tos(handle).unwrap_or(0);
    if v6 {
        rustix::net::sockopt::ipv6_tclass(handle).map_or(of_v4, |class| class as u8)
    } else {
        of_v4
    }
}

/// A transmit of which the kernel has refused the segments.
struct Refusal {
    transmit: usize,
    errno: Errno,
}

#[inline]
pub(crate) fn send(
    handle: Handle<'_>,
    offload: &Offload,
    batch: &mut [Transmit<'_>],
    sent: &mut usize,
) -> io::Result<()> {
    if offload.is_portable() {
        return portable::send(handle, offload, batch, sent);
    }
    let mut refusal: Option<Refusal> = None;
    while *sent < batch.len() {
        let one_by_one = refusal.as_ref().map(|refusal| refusal.transmit);
        let mut lengths = [0; HEADERS];
        match send_some(
            handle,
            offload,
            &batch[*sent..],
            one_by_one == Some(*sent),
            &mut lengths,
        )? {
            Ok(count) => {
                if let Some(refusal) = &refusal {
                    note(refusal, offload, &batch[*sent]);
                }
                for &length in &lengths[..count] {
                    if batch[*sent].advance(length) {
                        *sent += 1;
                    }
                }
                refusal = refusal.filter(|refusal| refusal.transmit == *sent);
            }
            Err(Errno::INTR) => {}
            Err(errno) if lengths[0] > batch[*sent].next_segment() && refuses_segments(errno) => {
                refusal = Some(Refusal {
                    transmit: *sent,
                    errno,
                });
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

const SLICE: MaybeUninit<IoSlice<'_>> = MaybeUninit::uninit();
const NAME: MaybeUninit<Name> = MaybeUninit::uninit();
const CONTROL: MaybeUninit<Room<SEND_ROOM>> = MaybeUninit::uninit();

/// Makes one system call. Notes in `lengths` how much of its transmit each header takes, and returns how many headers
/// went out.
fn send_some<'a>(
    handle: Handle<'_>,
    offload: &Offload,
    batch: &[Transmit<'a>],
    one_by_one: bool,
    lengths: &mut [usize; HEADERS],
) -> io::Result<Result<usize, Errno>> {
    // Apart, for a write of both would copy what of the second one is not written.
    let mut names = [NAME; HEADERS];
    let mut controls = [CONTROL; HEADERS];
    let mut slices = [SLICE; MAX_SLICES];
    let mut room = &mut slices[..];
    let mut headers = Headers::new();

    let v6 = offload.is_v6();
    let limit = offload.datagrams_per_call().min(HEADERS);
    let (mut index, mut offset) = (0, batch[0].sent());
    let places = names.iter_mut().zip(&mut controls).zip(&mut *lengths);
    for ((name, control), length_at) in places.take(limit) {
        let Some(transmit) = batch.get(index) else {
            break;
        };
        // An ICMP error must not be hidden: see above.
        let to_peer = transmit.destination.is_none();
        if to_peer && headers.count > 0 {
            break;
        }
        if transmit.contents().len() > MAX_SLICES {
            if headers.count > 0 {
                break;
            }
            return Err(too_many_slices());
        }
        let segments = match one_by_one && index == 0 {
            true => 1,
            false => offload.max_segments(),
        };
        let total = slices::total(transmit.contents());
        let (length, segment) = transmit.piece(total, offset, segments, LONGEST);
        let buffers = if length == total {
            transmit.contents()
        } else {
            // A batch alone in the room finds enough of it.
            let rest = mem::take(&mut room);
            let Some((part, rest)) = slices::part(transmit.contents(), offset, length, rest) else {
                break;
            };
            room = rest;
            part
        };
        let name = name.write(match transmit.destination {
            Some(address) => Name::new(for_socket(v6, address)),
            None => Name::EMPTY,
        });
        let control: &[u8] = if Kinds::needed(transmit, segment) {
            let control = control.write(Room([0; SEND_ROOM]));
            let used = KINDS.write(transmit, v6, offload.dscp(), segment, control);
            &control.0[..used]
        } else {
            &[]
        };
        headers.push(Header::sending(name.bytes(), buffers, control));
        *length_at = length;
        offset += length;
        if offset == total {
            (index, offset) = (index + 1, batch.get(index + 1).map_or(0, Transmit::sent));
        }
        if to_peer {
            break;
        }
    }
    Ok(match headers.filled() {
        // Cheaper for the kernel, and it makes no difference: nothing can be hidden behind a success.
        [header] => send_one(handle, header).map(|()| 1),
        headers => transfer(libc::SYS_sendmmsg, handle, libc::MSG_NOSIGNAL, headers),
    })
}

/// Whether the kernel may mean the segments and not the datagram.
fn refuses_segments(errno: Errno) -> bool {
    matches!(errno, Errno::IO | Errno::INVAL | Errno::MSGSIZE)
}

/// A segment of what was refused as a whole went out. Remembers that, unless another segment size may be better off.
#[cold]
fn note(refusal: &Refusal, offload: &Offload, transmit: &Transmit<'_>) {
    let (certain, never) = (refusal.errno == Errno::IO, refusal.errno == Errno::MSGSIZE);
    if about_segments(certain, never, transmit.next_segment()) {
        offload.refuse_segmentation();
    }
}

#[inline]
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
    let limit = offload.datagrams_per_call().min(HEADERS);
    for (buffers, metas) in buffers.chunks_mut(limit).zip(metas.chunks_mut(limit)) {
        let wanted = buffers.len().min(metas.len());
        let listens = offload.asks_for_control();
        let count = receive_some(handle, &mut buffers[..wanted], metas, listens)?;
        *received += count;
        if count < wanted {
            return Err(io::ErrorKind::WouldBlock.into());
        }
    }
    Ok(())
}

/// Makes one system call, and returns how many datagrams it got.
fn receive_some(
    handle: Handle<'_>,
    buffers: &mut [IoSliceMut<'_>],
    metas: &mut [ReceiveMeta],
    listens: bool,
) -> io::Result<usize> {
    const CONTROL: MaybeUninit<Room<RECEIVE_ROOM>> = MaybeUninit::uninit();
    let mut names = [NAME; HEADERS];
    // Neither written nor lent to the kernel where nothing is asked for that would come this way.
    let mut controls = [CONTROL; HEADERS];
    let mut headers = Headers::new();
    for ((name, control), buffer) in names.iter_mut().zip(&mut controls).zip(buffers) {
        let control = listens.then(|| control.write(Room([0; RECEIVE_ROOM])));
        headers.push(Header::receiving(name.write(Name::EMPTY), buffer, control));
    }
    let count = loop {
        match transfer(
            libc::SYS_recvmmsg,
            handle,
            libc::MSG_DONTWAIT,
            headers.filled(),
        ) {
            Err(Errno::INTR) => {}
            result => break result?,
        }
    };
    let mut outcomes = [Outcome::default(); HEADERS];
    for (outcome, header) in outcomes.iter_mut().zip(&headers.filled()[..count]) {
        *outcome = header.outcome();
    }
    let received = names.iter().zip(&controls).zip(&outcomes[..count]);
    for (((name, control), outcome), meta) in received.zip(metas) {
        // SAFETY: There are as many headers as datagrams, and each was made after its name was written.
        let name = unsafe { name.assume_init_ref() };
        // SAFETY: As above, where control messages were asked for.
        let control = listens.then(|| unsafe { control.assume_init_ref() });
        *meta = outcome.meta(name, control).ok_or(Errno::AFNOSUPPORT)?;
    }
    Ok(count)
}

/// What the kernel writes into a header.
#[derive(Copy, Clone, Debug, Default)]
struct Outcome {
    length: u32,
    name_length: c_int,
    control_length: usize,
    flags: u32,
}

impl Outcome {
    #[inline]
    fn meta(&self, name: &Name, control: Option<&Room<RECEIVE_ROOM>>) -> Option<ReceiveMeta> {
        let name_length = usize::try_from(self.name_length).ok()?;
        let truncated = self.flags & libc::MSG_TRUNC as u32 != 0;
        let source = name.read(name_length)?;
        let mut meta = ReceiveMeta::new(source, self.length as usize, truncated);
        if let Some(control) = control {
            meta.control_truncated = self.flags & libc::MSG_CTRUNC as u32 != 0;
            KINDS.read(control.0.get(..self.control_length)?, &mut meta);
        }
        Some(meta)
    }
}

/// `struct user_msghdr` of the kernel, whatever the C library makes of it.
#[repr(C)]
struct Message {
    name: *mut u8,
    name_length: c_int,
    buffers: *mut libc::iovec,
    buffer_count: usize,
    control: *mut u8,
    control_length: usize,
    flags: u32,
}

/// `struct mmsghdr`, and what its pointers borrow.
#[repr(C)]
struct Header<'a> {
    message: Message,
    /// How many bytes were sent or received.
    length: u32,
    borrowed: PhantomData<&'a mut Name>,
}

impl<'a> Header<'a> {
    fn sending(name: &'a [u8], buffers: &'a [IoSlice<'a>], control: &'a [u8]) -> Header<'a> {
        let or_null = |bytes: &'a [u8]| match bytes {
            [] => ptr::null_mut(),
            _ => bytes.as_ptr().cast_mut(),
        };
        // Of what is sent, the kernel writes to nothing.
        Header::new(Message {
            name: or_null(name),
            name_length: name.len() as c_int,
            buffers: buffers.as_ptr().cast_mut().cast(),
            buffer_count: buffers.len(),
            control: or_null(control),
            control_length: control.len(),
            flags: 0,
        })
    }

    fn receiving(
        name: &'a mut Name,
        buffer: &'a mut IoSliceMut<'_>,
        control: Option<&'a mut Room<RECEIVE_ROOM>>,
    ) -> Header<'a> {
        let (control, control_length) = match control {
            Some(control) => (control.0.as_mut_ptr(), RECEIVE_ROOM),
            None => (ptr::null_mut(), 0),
        };
        Header::new(Message {
            name: name.room().as_mut_ptr(),
            name_length: Name::CAPACITY as c_int,
            buffers: (buffer as *mut IoSliceMut<'_>).cast(),
            buffer_count: 1,
            control,
            control_length,
            flags: 0,
        })
    }

    fn new(message: Message) -> Header<'a> {
        Header {
            message,
            length: 0,
            borrowed: PhantomData,
        }
    }
}

impl Header<'_> {
    fn outcome(&self) -> Outcome {
        Outcome {
            length: self.length,
            name_length: self.message.name_length,
            control_length: self.message.control_length,
            flags: self.message.flags,
        }
    }
}

/// The headers of a system call, on the stack.
struct Headers<'a> {
    headers: [MaybeUninit<Header<'a>>; HEADERS],
    count: usize,
}

impl<'a> Headers<'a> {
    const HEADER: MaybeUninit<Header<'a>> = MaybeUninit::uninit();

    #[inline]
    fn new() -> Headers<'a> {
        Headers {
            headers: [Headers::HEADER; HEADERS],
            count: 0,
        }
    }

    #[inline]
    fn push(&mut self, header: Header<'a>) {
        self.headers[self.count].write(header);
        self.count += 1;
    }

    fn filled(&mut self) -> &mut [Header<'a>] {
        // SAFETY: The first `count` headers are written, and a header has no destructor that would be missed.
        unsafe { slice::from_raw_parts_mut(self.headers.as_mut_ptr().cast(), self.count) }
    }
}

/// `sendmmsg` or `recvmmsg`, which take the same arguments but for a timeout. Not through the C library: musl's functions
/// make of it a call for each datagram, and Android's are not everywhere.
fn transfer(
    call: c_long,
    handle: Handle<'_>,
    flags: c_int,
    headers: &mut [Header<'_>],
) -> Result<usize, Errno> {
    const NO_TIMEOUT: usize = 0;
    // SAFETY: The headers have the layout that the kernel expects. What they point to is borrowed for as long as they
    // exist, for writing where the kernel writes to it, and their lengths are those of what they point to.
    let result = unsafe {
        libc::syscall(
            call,
            handle.as_raw_fd(),
            headers.as_mut_ptr(),
            headers.len(),
            flags,
            NO_TIMEOUT,
        )
    };
    usize::try_from(result).map_err(|_| last_error())
}

/// `sendmsg`, through the kernel's structure as well.
fn send_one(handle: Handle<'_>, header: &mut Header<'_>) -> Result<(), Errno> {
    let message: *const Message = &header.message;
    // SAFETY: As for `transfer`.
    let result = unsafe {
        libc::syscall(
            libc::SYS_sendmsg,
            handle.as_raw_fd(),
            message,
            libc::MSG_NOSIGNAL,
        )
    };
    match result {
        // A datagram goes as a whole.
        0.. => Ok(()),
        _ => Err(last_error()),
    }
}

fn set_option(handle: Handle<'_>, level: c_int, name: c_int, value: c_int) -> Result<(), Errno> {
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
    match result {
        0 => Ok(()),
        _ => Err(last_error()),
    }
}

/// Whether the kernel knows an option.
fn option_exists(handle: Handle<'_>, level: c_int, name: c_int) -> bool {
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
    result == 0
}

#[cold]
fn last_error() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}
