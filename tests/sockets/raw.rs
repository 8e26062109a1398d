//! What safe Rust cannot say, in as few words as possible.

#[cfg(any(target_os = "linux", target_os = "android"))]
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::fd::{FromRawFd, IntoRawFd};

/// Through `IntoRawFd` of the one type to `FromRawFd` of the other.
pub(crate) fn convert<T: FromRawFd>(from: impl IntoRawFd) -> T {
    let fd = from.into_raw_fd();
    // SAFETY: Every type of this program that gives up a descriptor this way has owned it until then.
    unsafe { T::from_raw_fd(fd) }
}

/// Lets `SIGPIPE` end the process, as in programs that are not written in Rust.
#[cfg(target_os = "linux")]
pub(crate) fn die_of_sigpipe() {
    // SAFETY: No handler is installed, and the default disposition has no requirements.
    let old = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    assert_ne!(old, libc::SIG_ERR);
}

/// Of `socket(7)`; not all C libraries have a name for it.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const SO_NO_CHECK: libc::c_int = 11;

/// Of the kernel's `in6.h`; the same.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const IPV6_FLOWINFO_SEND: libc::c_int = 33;

/// Sets an option that has no safe function.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn set_option(
    fd: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) {
    let length = std::mem::size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: The value is an `int`, and its length is that of one.
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            name,
            std::ptr::addr_of!(value).cast(),
            length,
        )
    };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

/// Receives a datagram, and tells its TOS byte.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn recv_tos(fd: BorrowedFd<'_>) -> u8 {
    let (mut buffer, mut control) = ([0_u8; 16], [0_u64; 8]);
    let mut part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // SAFETY: A structure of numbers and pointers, of which zero is a value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = std::mem::size_of_val(&control) as _;
    // SAFETY: All pointers are to memory of this function, of the lengths that are named beside them.
    let received = unsafe { libc::recvmsg(fd.as_raw_fd(), &mut message, 0) };
    assert!(received >= 0, "{}", std::io::Error::last_os_error());
    // SAFETY: The call has filled in the structure.
    let first = unsafe { libc::CMSG_FIRSTHDR(&message) };
    assert!(!first.is_null());
    // SAFETY: There is a message, and the buffer is aligned for it.
    let header = unsafe { *first };
    assert_eq!(
        (header.cmsg_level, header.cmsg_type),
        (libc::IPPROTO_IP, libc::IP_TOS)
    );
    // SAFETY: As above; the data follow the header.
    let data = unsafe { libc::CMSG_DATA(first) };
    // SAFETY: The byte is there.
    unsafe { *data }
}
