//! The calls of Windows that a named pipe needs, each with the reason why it may be made.

use std::ffi::OsStr;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::{
    RtlNtStatusToDosError, ERROR_ACCESS_DENIED, ERROR_BAD_PIPE, ERROR_BROKEN_PIPE,
    ERROR_IO_PENDING, ERROR_MORE_DATA, ERROR_NO_DATA, ERROR_OPERATION_ABORTED,
    ERROR_PIPE_CONNECTED, ERROR_PIPE_LISTENING, ERROR_PIPE_NOT_CONNECTED, ERROR_TIMEOUT,
    INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    ReadFile, SetFileCompletionNotificationModes, WriteFile, FILE_FLAG_OVERLAPPED,
    PIPE_ACCESS_DUPLEX,
};
use windows_sys::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, DisconnectNamedPipe, GetNamedPipeInfo, PeekNamedPipe,
    PIPE_SERVER_END, PIPE_TYPE_BYTE, PIPE_TYPE_MESSAGE, PIPE_UNLIMITED_INSTANCES,
};
use windows_sys::Win32::System::WindowsProgramming::{
    FILE_SKIP_COMPLETION_PORT_ON_SUCCESS, FILE_SKIP_SET_EVENT_ON_HANDLE,
};
use windows_sys::Win32::System::IO::{CancelIoEx, OVERLAPPED};

use super::state::{code, Medium, Started};

const _: () = assert!(
    code::BROKEN_PIPE == ERROR_BROKEN_PIPE
        && code::NO_DATA == ERROR_NO_DATA
        && code::MORE_DATA == ERROR_MORE_DATA
        && code::PIPE_CONNECTED == ERROR_PIPE_CONNECTED
        && code::PIPE_LISTENING == ERROR_PIPE_LISTENING
        && code::OPERATION_ABORTED == ERROR_OPERATION_ABORTED
        && code::TIMEOUT == ERROR_TIMEOUT
);

/// How many bytes the system keeps in each direction: advice, which it may exceed.
const QUOTA: u32 = 64 * 1024;

/// Makes an instance of a pipe, for both directions, of bytes.
pub(super) fn create(name: &OsStr) -> io::Result<OwnedHandle> {
    let mut wide: Vec<u16> = name.encode_wide().collect();
    if wide.contains(&0) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the name of the pipe has a NUL in it",
        ));
    }
    wide.push(0);
    // SAFETY: The name ends with a NUL and outlives the call. Without attributes the handle is not inherited.
    let handle = unsafe {
        CreateNamedPipeW(
            wide.as_ptr(),
            PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
            PIPE_TYPE_BYTE,
            PIPE_UNLIMITED_INSTANCES,
            QUOTA,
            QUOTA,
            0,
            ptr::null(),
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: The handle was made just now, and nobody else knows it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Has operations that succeed at once leave no packet. `false` if the system cannot.
///
/// For a pipe of bytes alone. One of messages may be read by them at any time, and of a read that returns a part of one
/// (`ERROR_MORE_DATA`) the documentation does not say on which side of this it falls. What is no pipe has a driver that
/// nobody here knows.
pub(super) fn skip_packets(pipe: BorrowedHandle<'_>) -> bool {
    // The modes are small numbers.
    let modes = (FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE) as u8;
    // SAFETY: The handle is open.
    let set = unsafe { SetFileCompletionNotificationModes(pipe.as_raw_handle(), modes) };
    set != 0
}

/// What it is, and whether there is, or was, somebody at the other end.
///
/// A pipe of which the system does not tell, since it may only be written to, is possibly one of messages.
pub(super) fn inspect(pipe: BorrowedHandle<'_>) -> (Medium, bool) {
    let mut flags = 0;
    // SAFETY: The handle is open, and the number outlives the call. The other ones are not asked for.
    let told = unsafe {
        GetNamedPipeInfo(
            pipe.as_raw_handle(),
            &mut flags,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    if told == 0 {
        return match last_error() {
            ERROR_ACCESS_DENIED => (Medium::Messages, is_connected(pipe)),
            // Or a client that its server has let go: each of its operations says so.
            _ => (Medium::Other, true),
        };
    }
    let medium = match flags & PIPE_TYPE_MESSAGE {
        0 => Medium::Bytes,
        _ => Medium::Messages,
    };
    // A client's end has had a server from the beginning. If that has gone since, a read or a write says so.
    let is_client = flags & PIPE_SERVER_END == 0;
    (medium, is_client || is_connected(pipe))
}

/// Whether a server's end has, or had, a client.
fn is_connected(pipe: BorrowedHandle<'_>) -> bool {
    // SAFETY: The handle is open. Nothing is asked for but the error.
    let peeked = unsafe {
        PeekNamedPipe(
            pipe.as_raw_handle(),
            ptr::null_mut(),
            0,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    // A pipe that may only be written to cannot be looked at. It counts as connected, which may be early: `connect` puts it
    // right, and a write says that nobody is there.
    peeked != 0 || !matches!(last_error(), ERROR_BAD_PIPE | ERROR_PIPE_NOT_CONNECTED)
}

/// Ends the connection, and what was written and not read.
pub(super) fn disconnect(pipe: BorrowedHandle<'_>) -> io::Result<()> {
    // SAFETY: The handle is open.
    match unsafe { DisconnectNamedPipe(pipe.as_raw_handle()) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Starts to wait for a client.
///
/// # Safety
///
/// `overlapped` is of no other operation, and stays where it is, unused, until the packet was fetched if one comes.
pub(super) unsafe fn connect(pipe: BorrowedHandle<'_>, overlapped: *mut OVERLAPPED) -> Started {
    // SAFETY: The caller vouches for the memory; the handle is open.
    let done = unsafe { ConnectNamedPipe(pipe.as_raw_handle(), overlapped) };
    // SAFETY: As above.
    unsafe { started(done, overlapped) }
}

/// Starts to read.
///
/// # Safety
///
/// As for [`connect`], and the same holds for the buffer of `length` bytes.
pub(super) unsafe fn read(
    pipe: BorrowedHandle<'_>,
    buffer: *mut u8,
    length: usize,
    overlapped: *mut OVERLAPPED,
) -> Started {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    // SAFETY: The caller vouches for the memory; the handle is open.
    let done = unsafe {
        ReadFile(
            pipe.as_raw_handle(),
            buffer,
            length,
            ptr::null_mut(),
            overlapped,
        )
    };
    // SAFETY: As above.
    unsafe { started(done, overlapped) }
}

/// Starts to write.
///
/// # Safety
///
/// As for [`read`].
pub(super) unsafe fn write(
    pipe: BorrowedHandle<'_>,
    buffer: *const u8,
    length: usize,
    overlapped: *mut OVERLAPPED,
) -> Started {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    // SAFETY: The caller vouches for the memory; the handle is open.
    let done = unsafe {
        WriteFile(
            pipe.as_raw_handle(),
            buffer,
            length,
            ptr::null_mut(),
            overlapped,
        )
    };
    // SAFETY: As above.
    unsafe { started(done, overlapped) }
}

/// What a call says that has returned `done`.
///
/// # Safety
///
/// `overlapped` is what was given to the call.
unsafe fn started(done: i32, overlapped: *mut OVERLAPPED) -> Started {
    if done == 0 {
        return match last_error() {
            ERROR_IO_PENDING => Started::Pending,
            code => Started::Failed(code),
        };
    }
    // SAFETY: The operation is over, so the memory is the caller's again.
    let bytes = unsafe { (*overlapped).InternalHigh };
    // No more than was asked for.
    Started::Done(bytes as u32)
}

/// Asks that the operation of `overlapped` ends soon. Its packet comes all the same.
pub(super) fn cancel(pipe: BorrowedHandle<'_>, overlapped: *const OVERLAPPED) {
    // SAFETY: The pointer is only compared. One that is of no operation of this handle is an error, and so is one that is
    // over: then its packet is on its way.
    unsafe { CancelIoEx(pipe.as_raw_handle(), overlapped) };
}

/// A status of the kernel as the error of Windows that it stands for; zero for success, of which there are several: a
/// read from a serial port that is given no more time ends with `STATUS_TIMEOUT`, and what has come until then.
pub(super) fn error_code(status: i32) -> u32 {
    if status >= 0 {
        return 0;
    }
    // SAFETY: A translation of numbers.
    unsafe { RtlNtStatusToDosError(status) }
}

pub(super) fn os_error(code: u32) -> io::Error {
    // Error codes are small.
    io::Error::from_raw_os_error(code as i32)
}

fn last_error() -> u32 {
    // It was set by a call of Windows just now.
    io::Error::last_os_error().raw_os_error().unwrap_or(0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_that_are_errors() {
        use windows_sys::Win32::Foundation::{
            STATUS_BUFFER_OVERFLOW, STATUS_CANCELLED, STATUS_PIPE_BROKEN, STATUS_SUCCESS,
            STATUS_TIMEOUT,
        };

        for (status, code) in [
            (STATUS_SUCCESS, 0),
            (STATUS_TIMEOUT, 0),
            (STATUS_BUFFER_OVERFLOW, ERROR_MORE_DATA),
            (STATUS_PIPE_BROKEN, ERROR_BROKEN_PIPE),
            (STATUS_CANCELLED, ERROR_OPERATION_ABORTED),
        ] {
            assert_eq!(error_code(status), code, "{status:#x}");
        }
    }
}
