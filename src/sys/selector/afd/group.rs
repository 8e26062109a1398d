//! Handles of AFD, the driver beneath Windows Sockets, through which sockets are polled.
//!
//! A poll is an operation on such a handle, and names the socket that it is about. One handle bears the polls of many
//! sockets. But cancelling one of them searches all the operations of its handle, so each handle serves a few only.

use std::io;
use std::mem::size_of;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::sync::Arc;

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem::{
    NtCreateFile, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NTCREATEFILE_CREATE_OPTIONS,
};
use windows_sys::Win32::Foundation::{RtlNtStatusToDosError, HANDLE, NTSTATUS, UNICODE_STRING};
use windows_sys::Win32::Storage::FileSystem::{
    SetFileCompletionNotificationModes, FILE_SHARE_READ, FILE_SHARE_WRITE, SYNCHRONIZE,
};
use windows_sys::Win32::System::WindowsProgramming::FILE_SKIP_SET_EVENT_ON_HANDLE;
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use super::port::Port;
use super::SOCKET;

/// How many sockets share a handle.
const SOCKETS: usize = 32;

/// Opens handles as they are needed.
#[derive(Debug, Default)]
pub(super) struct Group {
    last: Option<Arc<OwnedHandle>>,
    /// How many sockets have the last handle.
    users: usize,
}

impl Group {
    /// A handle for one more socket.
    pub(super) fn take(&mut self, port: &Port) -> io::Result<Arc<OwnedHandle>> {
        if let Some(last) = &self.last {
            if self.users < SOCKETS {
                self.users += 1;
                return Ok(Arc::clone(last));
            }
        }
        let handle = Arc::new(open(0)?);
        port.attach(handle.as_handle(), SOCKET)?;
        skip_events(handle.as_handle())?;
        self.last = Some(Arc::clone(&handle));
        self.users = 1;
        Ok(handle)
    }
}

/// A handle for polls that are answered at once: the call returns with the answer, and leaves no packet.
pub(super) fn synchronous() -> io::Result<OwnedHandle> {
    open(FILE_SYNCHRONOUS_IO_NONALERT)
}

/// Opens the driver. What follows its name does not matter.
fn open(options: NTCREATEFILE_CREATE_OPTIONS) -> io::Result<OwnedHandle> {
    let mut name: Vec<u16> = r"\Device\Afd\mio".encode_utf16().collect();
    // A few bytes.
    let length = (name.len() * size_of::<u16>()) as u16;
    let name = UNICODE_STRING {
        Length: length,
        MaximumLength: length,
        Buffer: name.as_mut_ptr(),
    };
    // Without attributes: not inherited by child processes.
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: ptr::null_mut(),
        ObjectName: &name,
        Attributes: 0,
        SecurityDescriptor: ptr::null(),
        SecurityQualityOfService: ptr::null(),
    };
    let mut handle: HANDLE = ptr::null_mut();
    let mut status_block = IO_STATUS_BLOCK::default();
    // SAFETY: All pointers are to values that live as long as the call, which is over when it returns: opening a device
    // is no asynchronous operation.
    let status = unsafe {
        NtCreateFile(
            &mut handle,
            SYNCHRONIZE,
            &attributes,
            &mut status_block,
            ptr::null(),
            0,
            FILE_SHARE_READ | FILE_SHARE_WRITE,
            FILE_OPEN,
            options,
            ptr::null(),
            0,
        )
    };
    if status < 0 {
        return Err(nt_error(status));
    }
    // SAFETY: The handle was opened just now, and nobody else knows it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Nobody waits for the handle itself, so no operation has to signal it.
fn skip_events(handle: BorrowedHandle<'_>) -> io::Result<()> {
    // The modes are small numbers.
    let modes = FILE_SKIP_SET_EVENT_ON_HANDLE as u8;
    // SAFETY: The handle is open.
    if unsafe { SetFileCompletionNotificationModes(handle.as_raw_handle(), modes) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// A status of the kernel as the error of Windows that it stands for.
#[cold]
pub(crate) fn nt_error(status: NTSTATUS) -> io::Error {
    // SAFETY: A translation of numbers.
    let code = unsafe { RtlNtStatusToDosError(status) };
    // Error codes are small.
    io::Error::from_raw_os_error(code as i32)
}

/// Whether a status says that nothing was begun, so that no packet comes: `NT_ERROR`. A warning is negative, too.
pub(super) const fn is_error(status: NTSTATUS) -> bool {
    // The severity is in the two upper bits.
    status as u32 >> 30 == 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_what_begins_nothing() {
        use windows_sys::Win32::Foundation::{
            STATUS_BUFFER_OVERFLOW, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_HANDLE,
            STATUS_PENDING, STATUS_SUCCESS, STATUS_TIMEOUT,
        };

        assert!(is_error(STATUS_INVALID_HANDLE) && is_error(STATUS_INSUFFICIENT_RESOURCES));
        for status in [STATUS_SUCCESS, STATUS_TIMEOUT, STATUS_PENDING] {
            assert!(!is_error(status), "{status:#x}");
        }
        assert!(STATUS_BUFFER_OVERFLOW < 0 && !is_error(STATUS_BUFFER_OVERFLOW));
    }
}
