//! Looking at an object, and copying its handle.

use std::io;
use std::mem::size_of;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Wdk::Foundation::{NtQueryObject, ObjectTypeInformation};
use windows_sys::Win32::Foundation::{
    DuplicateHandle, DUPLICATE_SAME_ACCESS, HANDLE, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, WaitForSingleObject};
use windows_sys::Win32::System::WindowsProgramming::PUBLIC_OBJECT_TYPE_INFORMATION;

/// Another handle of the same object, that child processes do not inherit.
pub(crate) fn duplicate(handle: BorrowedHandle<'_>) -> io::Result<OwnedHandle> {
    // SAFETY: Gives a constant.
    let process = unsafe { GetCurrentProcess() };
    let mut copy: HANDLE = ptr::null_mut();
    // SAFETY: The handle is open, and the pointer is to a place for another one.
    let done = unsafe {
        DuplicateHandle(
            process,
            handle.as_raw_handle(),
            process,
            &mut copy,
            0,
            0,
            DUPLICATE_SAME_ACCESS,
        )
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: The handle was made just now, and nobody else knows it.
    Ok(unsafe { OwnedHandle::from_raw_handle(copy) })
}

/// Waits for no time. Whether the object was signalled; if so, that has taken what a wait takes.
pub(super) fn look(handle: BorrowedHandle<'_>) -> io::Result<bool> {
    // SAFETY: The handle is open.
    match unsafe { WaitForSingleObject(handle.as_raw_handle(), 0) } {
        WAIT_OBJECT_0 => Ok(true),
        WAIT_TIMEOUT => Ok(false),
        // A mutex might also be abandoned, but those are refused before.
        _ => Err(io::Error::last_os_error()),
    }
}

/// A mutex belongs to the thread that has waited for it, which is no use to anybody else.
pub(super) fn is_mutex(handle: BorrowedHandle<'_>) -> bool {
    const NAME: [u16; 6] = [
        b'M' as u16,
        b'u' as u16,
        b't' as u16,
        b'a' as u16,
        b'n' as u16,
        b't' as u16,
    ];
    // Room for the name after the structure. The names of types are short.
    let mut room = [0_u64; 64];
    // SAFETY: The handle is open, and there is so much room.
    let status = unsafe {
        NtQueryObject(
            handle.as_raw_handle(),
            ObjectTypeInformation,
            room.as_mut_ptr().cast(),
            size_of::<[u64; 64]>() as u32,
            ptr::null_mut(),
        )
    };
    if status < 0 {
        // Whoever cannot be asked is waited for, and if it must not be, that is refused.
        return false;
    }
    // SAFETY: There is one, aligned, written by the call or zero.
    let information = unsafe {
        room.as_ptr()
            .cast::<PUBLIC_OBJECT_TYPE_INFORMATION>()
            .read()
    };
    let name = information.TypeName;
    if name.Buffer.is_null() || usize::from(name.Length) != size_of::<[u16; 6]>() {
        return false;
    }
    // SAFETY: The name is in `room`, and as long as the length says.
    let name = unsafe { std::slice::from_raw_parts(name.Buffer, NAME.len()) };
    name == NAME
}
