//! Headers of messages: what `sendmsg(2)`, `recvmsg(2)` and their relatives for many messages take.
//!
//! A header points to an address, to buffers and to control messages. It borrows all of them, so that what the kernel reads
//! and writes through it is there, and nobody else's.

use std::ffi::{c_int, c_uint};
use std::io::{IoSlice, IoSliceMut};
use std::marker::PhantomData;
use std::mem::{self, MaybeUninit};
use std::slice;

use crate::net::udp::ReceiveMeta;
use crate::sys::datagram::address::{self, Name};
use crate::sys::datagram::ancillary::{Kinds, Room, RECEIVE_ROOM};
use crate::sys::datagram::control::Layout;

// As long as the system says, or it would take no address.
const _: () = assert!(mem::size_of::<libc::sockaddr_in6>() == Name::CAPACITY);

/// `struct mmsghdr`, where the system has it: a header, and how many bytes were sent or received.
#[repr(C)]
pub(crate) struct Header<'a> {
    message: libc::msghdr,
    length: c_uint,
    borrowed: PhantomData<&'a mut Name>,
}

impl<'a> Header<'a> {
    /// A datagram to send, of `length` bytes. Without a name it goes to the connected peer.
    #[inline]
    pub(crate) fn sending(
        name: &'a [u8],
        buffers: &'a [IoSlice<'a>],
        length: usize,
        control: &'a [u8],
    ) -> Header<'a> {
        let mut header = Header::empty();
        let message = &mut header.message;
        // Of what is sent, the kernel writes to nothing.
        if !name.is_empty() {
            message.msg_name = name.as_ptr().cast_mut().cast();
            message.msg_namelen = name.len() as libc::socklen_t;
        }
        message.msg_iov = buffers.as_ptr().cast_mut().cast();
        message.msg_iovlen = buffers.len() as _;
        if !control.is_empty() {
            message.msg_control = control.as_ptr().cast_mut().cast();
            message.msg_controllen = control.len() as _;
        }
        // A system that counts what was sent writes the same.
        header.set_length(length);
        header
    }

    /// Room for a datagram, its sender, and what comes beside it if that is wanted.
    #[inline]
    pub(crate) fn receiving(
        name: &'a mut Name,
        buffer: &'a mut IoSliceMut<'_>,
        control: Option<&'a mut Room<RECEIVE_ROOM>>,
    ) -> Header<'a> {
        let mut header = Header::empty();
        let message = &mut header.message;
        message.msg_name = name.room().as_mut_ptr().cast();
        message.msg_namelen = Name::CAPACITY as libc::socklen_t;
        message.msg_iov = (buffer as *mut IoSliceMut<'_>).cast();
        message.msg_iovlen = 1;
        if let Some(control) = control {
            message.msg_control = control.0.as_mut_ptr().cast();
            message.msg_controllen = RECEIVE_ROOM as _;
        }
        header
    }

    #[inline]
    fn empty() -> Header<'a> {
        Header {
            // SAFETY: Pointers and numbers, for which zero is a value. Some systems have fields beside those of the manual.
            message: unsafe { mem::zeroed() },
            length: 0,
            borrowed: PhantomData,
        }
    }

    /// How many bytes are to be sent, were sent, or were received.
    #[inline]
    pub(crate) fn length(&self) -> usize {
        self.length as usize
    }

    /// The header alone, for a call that takes one. The kernel may write to it what it writes to any.
    #[inline]
    pub(crate) fn as_message(&mut self) -> &mut libc::msghdr {
        &mut self.message
    }

    /// Notes what such a call has returned, where it does not by itself.
    #[inline]
    pub(crate) fn set_length(&mut self, length: usize) {
        self.length = length as c_uint;
    }

    /// Notes what was received with this header; `None` if the sender has no address of the internet.
    #[inline]
    pub(crate) fn received(&self, kinds: &Kinds, v6: bool, meta: &mut ReceiveMeta) -> Option<()> {
        let source = address::decode(self.name())?;
        *meta = ReceiveMeta::new(source, self.length(), self.has(libc::MSG_TRUNC));
        if !self.message.msg_control.is_null() {
            meta.control_truncated = self.has(libc::MSG_CTRUNC);
            kinds.read(self.control(), v6, meta);
        }
        Some(())
    }

    #[inline]
    fn has(&self, flag: c_int) -> bool {
        self.message.msg_flags & flag != 0
    }

    /// The address that the kernel has written.
    #[inline]
    fn name(&self) -> &[u8] {
        let length = (self.message.msg_namelen as usize).min(Name::CAPACITY);
        if self.message.msg_name.is_null() {
            return &[];
        }
        // SAFETY: It points to the bytes of a name, which are borrowed and initialised: so many as it was made with, or all
        // of a `Name` of which the kernel has written some.
        unsafe { slice::from_raw_parts(self.message.msg_name.cast(), length) }
    }

    /// The control messages that the kernel has written.
    #[inline]
    fn control(&self) -> &[u8] {
        let length: usize = self.message.msg_controllen as _;
        if self.message.msg_control.is_null() {
            return &[];
        }
        // SAFETY: As for the name.
        unsafe { slice::from_raw_parts(self.message.msg_control.cast(), length.min(RECEIVE_ROOM)) }
    }
}

/// The headers of a system call, on the stack.
#[derive(Debug)]
pub(crate) struct Headers<'a, const N: usize> {
    headers: [MaybeUninit<Header<'a>>; N],
    count: usize,
}

impl<'a, const N: usize> Headers<'a, N> {
    const HEADER: MaybeUninit<Header<'a>> = MaybeUninit::uninit();

    #[inline]
    pub(crate) fn new() -> Headers<'a, N> {
        Headers {
            headers: [Headers::<N>::HEADER; N],
            count: 0,
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, header: Header<'a>) {
        self.headers[self.count].write(header);
        self.count += 1;
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    #[inline]
    pub(crate) fn filled(&mut self) -> &mut [Header<'a>] {
        // SAFETY: The first `count` headers are written, and a header has no destructor that would be missed.
        unsafe { slice::from_raw_parts_mut(self.headers.as_mut_ptr().cast(), self.count) }
    }
}

/// How the system lays out control messages, whose first field has `length` bytes.
pub(crate) const fn layout(length: usize) -> Layout {
    // SAFETY: Computes with numbers.
    let data = unsafe { libc::CMSG_LEN(0) } as usize;
    // From where a byte more needs more space, the step is the alignment.
    let (mut bytes, mut align) = (0, 0);
    while align == 0 {
        align = space(bytes + 1) - space(bytes);
        bytes += 1;
    }
    let layout = Layout {
        length,
        data,
        align,
    };
    assert!(layout.space(0) == space(0) && layout.space(7) == space(7));
    layout
}

/// `CMSG_SPACE`.
const fn space(data: c_uint) -> usize {
    // SAFETY: Computes with numbers.
    (unsafe { libc::CMSG_SPACE(data) }) as usize
}
