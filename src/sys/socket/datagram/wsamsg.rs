//! Batches on Windows: one system call for each message, which the system cuts into segments (USO) or puts together (URO).
//!
//! Rests on `WSASendMsg`, `WSARecvMsg` and the options of `IPPROTO_UDP`, since Windows 10 2004. Congestion marks are
//! since build 20348. What a system does not have is found out when the options are set, or when it refuses a message.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::{size_of, size_of_val, transmute, MaybeUninit};
use std::ptr;
use std::sync::OnceLock;

use windows_sys::Win32::Networking::WinSock::{
    getsockopt, setsockopt, WSAIoctl, WSASendMsg, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP,
    IPV6_DONTFRAG, IPV6_ECN, IPV6_PKTINFO, IPV6_RECVECN, IP_DONTFRAGMENT, IP_ECN, IP_PKTINFO,
    IP_RECVECN, LPFN_WSARECVMSG, MSG_CTRUNC, SIO_GET_EXTENSION_FUNCTION_POINTER,
    UDP_COALESCED_INFO, UDP_RECV_MAX_COALESCED_SIZE, UDP_SEND_MSG_SIZE, WSABUF, WSAEINVAL,
    WSAEMSGSIZE, WSAENOPROTOOPT, WSAEOPNOTSUPP, WSAID_WSARECVMSG, WSAMSG,
};

use super::datagram::ancillary::{InfoV4, Kinds, Room, Segments, RECEIVE_ROOM, SEND_ROOM};
use super::datagram::control::Layout;
use super::datagram::portable::{self, check_source, too_many_slices, with_peer};
use super::datagram::refusals::{Reason, Refusals};
use super::datagram::{for_socket, slices, LONGEST};
use super::socket::{self, check, raw, Address};
use super::Handle;
use crate::net::udp::{
    Capabilities, Config, Dscp, Found, Offload, ReceiveMeta, Transmit, MAX_SLICES,
};

const KINDS: Kinds = Kinds {
    layout: Layout {
        length: size_of::<usize>(),
        // The header, and what aligns it.
        data: size_of::<usize>() + 8,
        align: size_of::<usize>(),
    },
    v4: IPPROTO_IP,
    v6: IPPROTO_IPV6,
    tos: Some(IP_ECN),
    tos_is_byte: false,
    received_tos: Some(IP_ECN),
    tclass: IPV6_ECN,
    info_v4: InfoV4::AddressFirst(IP_PKTINFO),
    info_v6: IPV6_PKTINFO,
    segments: Some(Segments {
        level: IPPROTO_UDP,
        size: UDP_SEND_MSG_SIZE,
        wide: true,
        coalesced: UDP_COALESCED_INFO as i32,
    }),
};

/// Sets the options of a socket, and tells what is in force then.
pub(crate) fn enable(handle: Handle<'_>, v6: bool, config: &Config) -> Option<Capabilities> {
    receive_function(handle)?;
    // A dual-stack socket has both. One for IPv6 alone refuses the options of IPv4, and needs none.
    let set = |for_v4: i32, for_v6: i32, on: bool| {
        let v4 = set_option(handle, IPPROTO_IP, for_v4, on.into());
        if v6 {
            set_option(handle, IPPROTO_IPV6, for_v6, on.into())
        } else {
            v4
        }
    };
    let marks = set(IP_RECVECN, IPV6_RECVECN, config.ecn);
    let addresses = set(IP_PKTINFO, IPV6_PKTINFO, config.destination);
    let longest = if config.coalesce { 65_535 } else { 0 };
    let coalesced = set_option(handle, IPPROTO_UDP, UDP_RECV_MAX_COALESCED_SIZE, longest);
    let whole = config.dont_fragment && set(IP_DONTFRAGMENT, IPV6_DONTFRAG, true);
    let found = Found {
        datagrams_per_call: 1,
        segments: option_exists(handle, IPPROTO_UDP, UDP_SEND_MSG_SIZE),
        coalescing: coalesced,
        send_ecn: marks,
        receive_ecn: marks,
        select_source: addresses,
        receive_destination: addresses,
        dont_fragment: whole,
    };
    Some(Capabilities::new(config, &found))
}

/// The marks are a message of their own here, so there is nothing beside them to keep.
pub(crate) fn dscp(_: Handle<'_>, _v6: bool) -> Dscp {
    Dscp::default()
}

pub(crate) fn send(
    handle: Handle<'_>,
    offload: &Offload,
    batch: &mut [Transmit<'_>],
    sent: &mut usize,
) -> io::Result<()> {
    if offload.is_portable() {
        return portable::send(handle, offload, batch, sent);
    }
    const SLICE: MaybeUninit<IoSlice<'_>> = MaybeUninit::uninit();
    let mut refusals = Refusals::default();
    while let Some(transmit) = batch.get_mut(*sent) {
        if transmit.contents().len() > MAX_SLICES {
            return Err(too_many_slices());
        }
        let attempt = refusals.attempt(*sent);
        let segments = match attempt.one_by_one {
            true => 1,
            false => offload.max_segments(),
        };
        let marked = transmit.ecn.is_some() && offload.sends_ecn() && !attempt.unmarked;
        let (length, segment) = transmit.piece(transmit.len(), transmit.sent(), segments, LONGEST);
        let mut room = [SLICE; MAX_SLICES];
        let (part, _) = slices::part(transmit.contents(), transmit.sent(), length, &mut room)
            .ok_or_else(too_many_slices)?;
        match send_message(handle, offload, transmit, part, segment, marked) {
            Ok(_) => {
                let lesson = refusals.went_out(*sent, length);
                if lesson.no_segments {
                    offload.refuse_segmentation();
                }
                if lesson.no_marks {
                    offload.refuse_marks();
                }
                if transmit.advance(length) {
                    *sent += 1;
                }
                refusals.keep_for(*sent);
            }
            Err(error) => {
                let reason = error.raw_os_error().and_then(reason);
                if !refusals.refused(*sent, reason, segment.is_some(), marked) {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

/// What an error may be about.
fn reason(number: i32) -> Option<Reason> {
    match number {
        WSAEMSGSIZE => Some(Reason::TooLong),
        WSAENOPROTOOPT => Some(Reason::Unknown),
        WSAEOPNOTSUPP => Some(Reason::NoSegmentsOrUnknown),
        WSAEINVAL => Some(Reason::Invalid),
        _ => None,
    }
}

/// Sends one datagram, or one run of segments.
fn send_message(
    handle: Handle<'_>,
    offload: &Offload,
    transmit: &Transmit<'_>,
    part: &[IoSlice<'_>],
    segment: Option<u16>,
    marked: bool,
) -> io::Result<usize> {
    let destination = transmit
        .destination
        .map(|address| for_socket(offload.is_v6(), address));
    if !Kinds::needed(transmit, segment) {
        return socket::send_datagram(handle, part, destination);
    }
    // So that there are messages of its family, and of no other.
    let transmit = with_peer(handle, offload, transmit);
    check_source(&transmit, offload)?;
    // What the system does not know it would refuse.
    let mut transmit = offload.within_capabilities(&transmit);
    if !marked {
        transmit.ecn = None;
    }
    if !Kinds::needed(&transmit, segment) {
        return socket::send_datagram(handle, part, destination);
    }
    let mut control = Room([0; SEND_ROOM]);
    let used = KINDS.write(&transmit, offload, true, segment, &mut control);
    let address = destination.map(Address::from);
    let (name, name_length) = match &address {
        Some(address) => (address.as_ptr().cast_mut(), address.length()),
        None => (ptr::null_mut(), 0),
    };
    // What the system makes of no buffer at all is not documented.
    let nothing = [IoSlice::new(&[])];
    let part = if part.is_empty() { &nothing } else { part };
    let message = WSAMSG {
        name,
        namelen: name_length,
        lpBuffers: part.as_ptr().cast_mut().cast::<WSABUF>(),
        dwBufferCount: part.len() as u32,
        Control: WSABUF {
            len: used as u32,
            buf: control.0.as_mut_ptr(),
        },
        dwFlags: 0,
    };
    let mut sent = 0;
    // SAFETY: The socket is open, and everything that the message points to outlives the call and is as long as it says.
    // Without an `OVERLAPPED` the call is synchronous. Of what is sent, nothing is written to.
    check(unsafe { WSASendMsg(raw(&handle), &message, 0, &mut sent, ptr::null_mut(), None) })?;
    Ok(sent as usize)
}

pub(crate) fn receive(
    handle: Handle<'_>,
    offload: &Offload,
    buffers: &mut [IoSliceMut<'_>],
    metas: &mut [ReceiveMeta],
    received: &mut usize,
) -> io::Result<()> {
    let function = match receive_function(handle) {
        Some(function) if offload.asks_for_control() => function,
        _ => return portable::receive(handle, offload, buffers, metas, received),
    };
    for (buffer, meta) in buffers.iter_mut().zip(metas) {
        *meta = receive_message(handle, offload, function, buffer)?;
        *received += 1;
    }
    Ok(())
}

fn receive_message(
    handle: Handle<'_>,
    offload: &Offload,
    function: ReceiveFunction,
    buffer: &mut IoSliceMut<'_>,
) -> io::Result<ReceiveMeta> {
    let mut address = Address::empty();
    let mut control = Room([0; RECEIVE_ROOM]);
    let (name, name_length) = address.as_mut_parts();
    // SAFETY: It points to the length of the address, which is not used otherwise meanwhile.
    let room = unsafe { *name_length };
    let mut message = WSAMSG {
        name,
        namelen: room,
        lpBuffers: (buffer as *mut IoSliceMut<'_>).cast::<WSABUF>(),
        dwBufferCount: 1,
        Control: WSABUF {
            len: RECEIVE_ROOM as u32,
            buf: control.0.as_mut_ptr(),
        },
        dwFlags: 0,
    };
    let mut length = 0;
    // SAFETY: As for `WSASendMsg`, and nobody else uses what is written to. The function is that of this provider.
    let result = check(unsafe {
        function(
            raw(&handle),
            &mut message,
            &mut length,
            ptr::null_mut(),
            None,
        )
    });
    let truncated = match result {
        Ok(()) => false,
        Err(error) if error.raw_os_error() == Some(WSAEMSGSIZE) => {
            // The buffer is full then.
            length = buffer.len() as u32;
            true
        }
        Err(error) => return Err(error),
    };
    address.set_length(message.namelen);
    let source = if truncated {
        address.of_truncated()
    } else {
        address.to_internet()?
    };
    let mut meta = ReceiveMeta::new(source, length as usize, truncated);
    meta.control_truncated = message.dwFlags & MSG_CTRUNC != 0;
    // Should the system not have written any, there are zeros, which are no message.
    let used = (message.Control.len as usize).min(RECEIVE_ROOM);
    KINDS.read(&control.0[..used], offload.is_v6(), &mut meta);
    Ok(meta)
}

/// `WSARecvMsg`, which has to be asked for.
type ReceiveFunction = <LPFN_WSARECVMSG as Function>::Inner;

/// What is in an optional pointer to a function.
trait Function {
    type Inner;
}

impl<T> Function for Option<T> {
    type Inner = T;
}

/// `None` if the system does not have it.
fn receive_function(handle: Handle<'_>) -> Option<ReceiveFunction> {
    static FUNCTION: OnceLock<Option<ReceiveFunction>> = OnceLock::new();
    *FUNCTION.get_or_init(|| {
        let identifier = WSAID_WSARECVMSG;
        let mut address = 0_usize;
        let mut written = 0;
        // SAFETY: The identifier and the room for an address are as long as it says, and without an `OVERLAPPED` the call
        // is synchronous.
        let result = check(unsafe {
            WSAIoctl(
                raw(&handle),
                SIO_GET_EXTENSION_FUNCTION_POINTER,
                ptr::addr_of!(identifier).cast(),
                size_of_val(&identifier) as u32,
                ptr::addr_of_mut!(address).cast(),
                size_of_val(&address) as u32,
                &mut written,
                ptr::null_mut(),
                None,
            )
        });
        result.ok()?;
        // SAFETY: The address is that of a function of this type, or none.
        unsafe { transmute::<usize, LPFN_WSARECVMSG>(address) }
    })
}

/// Sets an option to a `DWORD` or `BOOL`. Whether the system knows it.
fn set_option(handle: Handle<'_>, level: i32, name: i32, value: u32) -> bool {
    let size = size_of_val(&value) as i32;
    // SAFETY: The value is as long as it says.
    let result =
        unsafe { setsockopt(raw(&handle), level, name, ptr::addr_of!(value).cast(), size) };
    check(result).is_ok()
}

fn option_exists(handle: Handle<'_>, level: i32, name: i32) -> bool {
    let mut value = 0_u32;
    let mut size = size_of_val(&value) as i32;
    // SAFETY: There is room for a `DWORD`, and the length says so.
    let result = unsafe {
        getsockopt(
            raw(&handle),
            level,
            name,
            ptr::addr_of_mut!(value).cast(),
            &mut size,
        )
    };
    check(result).is_ok()
}
