//! The system calls of event ports, as the systems have them: port_create(3C) and the manuals that it names.
//!
//! rustix has most of them. Its `port_getn` forgets how many events came together with an error, and it has no
//! `port_alert`.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::ptr;

use rustix::event::{port, PollFlags, Timespec};
use rustix::io::{fcntl_setfd, Errno, FdFlags};

use crate::sys::errno::last_error;

pub(super) use libc::port_event as PortEvent;

pub(super) const SOURCE_ALERT: u16 = libc::PORT_SOURCE_ALERT as u16;
pub(super) const SOURCE_FD: u16 = libc::PORT_SOURCE_FD as u16;
pub(super) const SOURCE_USER: u16 = libc::PORT_SOURCE_USER as u16;

/// `PORT_ALERT_SET`, from `<sys/port.h>`. libc has it, and the function, since 0.2.187: too new to ask everybody for it.
const ALERT_SET: libc::c_int = 0x01;

extern "C" {
    /// port_alert(3C).
    fn port_alert(
        port: libc::c_int,
        flags: libc::c_int,
        events: libc::c_int,
        user: *mut libc::c_void,
    ) -> libc::c_int;
}

/// An event port.
#[derive(Debug)]
pub(super) struct Port(OwnedFd);

impl Port {
    /// `port_create`. There is no call that makes it close-on-exec in the same step.
    pub(super) fn create() -> io::Result<Port> {
        let port = port::create()?;
        fcntl_setfd(&port, FdFlags::CLOEXEC)?;
        Ok(Port(port))
    }

    /// `port_associate` of a descriptor.
    pub(super) fn associate(&self, fd: RawFd, flags: PollFlags, user: usize) -> Result<(), Errno> {
        // SAFETY: The number goes to the kernel and nowhere else, which says so if it is no descriptor. Should it be closed
        // while it is associated, an event about it would still carry a number of ours, and no pointer.
        unsafe { port::associate_fd(&self.0, fd, flags, user as *mut _) }
    }

    /// `port_dissociate` of a descriptor.
    pub(super) fn dissociate(&self, fd: RawFd) -> Result<(), Errno> {
        // SAFETY: As above: an association that does not exist is an error, and no more than that.
        unsafe { port::dissociate_fd(&self.0, fd) }
    }

    /// `port_getn`. `number` says how many events to wait for, and then how many there are. After an error it may or may
    /// not have been written.
    pub(super) fn getn(
        &self,
        list: &mut [MaybeUninit<PortEvent>],
        number: &mut u32,
        timeout: Option<&Timespec>,
    ) -> Result<(), Errno> {
        let mut timeout = timeout.map(|timeout| libc::timespec {
            tv_sec: timeout.tv_sec as _,
            tv_nsec: timeout.tv_nsec as _,
        });
        let timeout = match &mut timeout {
            Some(timeout) => timeout,
            None => ptr::null_mut(),
        };
        let room = list.len().try_into().unwrap_or(u32::MAX);
        let port = self.0.as_raw_fd();
        // SAFETY: The list has room for so many events, and all pointers are valid for the call.
        let result =
            unsafe { libc::port_getn(port, list.as_mut_ptr().cast(), room, number, timeout) };
        check(result)
    }

    /// `port_send` of a number.
    #[inline]
    pub(super) fn send(&self, user: usize) -> Result<(), Errno> {
        port::send(&self.0, 1, user as *mut _)
    }

    /// `port_alert`: puts the port into alert mode, or takes it out of it.
    pub(super) fn alert(&self, on: bool) -> Result<(), Errno> {
        let port = self.0.as_raw_fd();
        // SAFETY: The port is open, and the pointer is never followed.
        check(unsafe { port_alert(port, ALERT_SET, on.into(), ptr::null_mut()) })
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn check(result: libc::c_int) -> Result<(), Errno> {
    if result == 0 {
        return Ok(());
    }
    Err(last_error())
}
