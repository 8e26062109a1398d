//! Waiting by a wait completion packet: the kernel itself leaves a packet in the port when the object is signalled.
//!
//! Rests on `NtCreateWaitCompletionPacket`, `NtAssociateWaitCompletionPacket` and `NtCancelWaitCompletionPacket`, which are
//! there since Windows 8. Microsoft documents them as functions to be looked up in `ntdll.dll`. An association is for one
//! packet: when that was fetched, it can be made again.

use std::ffi::c_void;
use std::io;
use std::mem;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{GENERIC_ALL, HANDLE, NTSTATUS, STATUS_SUCCESS};
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleA, GetProcAddress};

use crate::sys::queue::afd::group::nt_error;
use crate::sys::queue::afd::operation::{Operation, Operations, OPERATION};

#[derive(Debug)]
pub(super) struct Packet {
    handle: OwnedHandle,
    functions: &'static Functions,
}

#[derive(Debug)]
struct Functions {
    create: Create,
    associate: Associate,
    cancel: Cancel,
}

/// Packet, access, attributes.
type Create = unsafe extern "system" fn(*mut HANDLE, u32, *const OBJECT_ATTRIBUTES) -> NTSTATUS;
/// Packet, port, object; key, pointer, status and information of the packet to leave; whether the object is signalled.
type Associate = unsafe extern "system" fn(
    HANDLE,
    HANDLE,
    HANDLE,
    *const c_void,
    *const c_void,
    NTSTATUS,
    usize,
    *mut u8,
) -> NTSTATUS;
/// Packet, and whether to remove it from the port.
type Cancel = unsafe extern "system" fn(HANDLE, u8) -> NTSTATUS;

impl Packet {
    /// `None` if the system has none.
    pub(super) fn new() -> Option<io::Result<Packet>> {
        static FUNCTIONS: OnceLock<Option<Functions>> = OnceLock::new();
        let functions = FUNCTIONS.get_or_init(Functions::find).as_ref()?;
        let mut handle: HANDLE = ptr::null_mut();
        // SAFETY: The pointer is to a place for a handle. Without attributes: no name, not inherited.
        let status = unsafe { (functions.create)(&mut handle, GENERIC_ALL, ptr::null()) };
        if status < 0 {
            return Some(Err(nt_error(status)));
        }
        // SAFETY: The handle was made just now, and nobody else knows it.
        let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
        Some(Ok(Packet { handle, functions }))
    }

    /// Begins to wait for `object`, on behalf of `operation`, whose packet was announced.
    pub(super) fn begin(
        &self,
        object: BorrowedHandle<'_>,
        queue: Operations<'_>,
        operation: NonNull<Operation>,
    ) -> io::Result<()> {
        // SAFETY: All three handles are open. The kernel keeps references to what they stand for, so they may be closed
        // while it waits. The pointer is handed through. An object that is signalled by now leaves its packet, too, so
        // nobody asks whether it was.
        let status = unsafe {
            (self.functions.associate)(
                self.handle.as_raw_handle(),
                queue.port().as_raw_handle(),
                object.as_raw_handle(),
                OPERATION as *const c_void,
                operation.as_ptr().cast(),
                STATUS_SUCCESS,
                0,
                ptr::null_mut(),
            )
        };
        match status {
            status if status < 0 => Err(nt_error(status)),
            _ => Ok(()),
        }
    }

    /// Ends the wait. Whether that was in time: if not, the object was signalled, and the packet will come.
    pub(super) fn cancel(&self) -> bool {
        // SAFETY: The handle is open. The packet stays in the port, if it is there: it says that the wait has succeeded.
        let status = unsafe { (self.functions.cancel)(self.handle.as_raw_handle(), 0) };
        // `STATUS_PENDING` says that it is in the port, `STATUS_CANCELLED` that it was fetched.
        status == STATUS_SUCCESS
    }
}

impl Functions {
    fn find() -> Option<Functions> {
        // SAFETY: The name ends with a NUL. The library is in every process, so its handle stays valid.
        let library = unsafe { GetModuleHandleA(b"ntdll.dll\0".as_ptr()) };
        if library.is_null() {
            return None;
        }
        let find = |name: &'static [u8]| {
            // SAFETY: The library is loaded, and the names below end with a NUL.
            unsafe { GetProcAddress(library, name.as_ptr()) }
        };
        let create = find(b"NtCreateWaitCompletionPacket\0")?;
        let associate = find(b"NtAssociateWaitCompletionPacket\0")?;
        let cancel = find(b"NtCancelWaitCompletionPacket\0")?;
        Some(Functions {
            // SAFETY: The function of this name has this signature.
            create: unsafe { mem::transmute::<Found, Create>(create) },
            // SAFETY: As above.
            associate: unsafe { mem::transmute::<Found, Associate>(associate) },
            // SAFETY: As above.
            cancel: unsafe { mem::transmute::<Found, Cancel>(cancel) },
        })
    }
}

/// A function whose signature is not known.
type Found = unsafe extern "system" fn() -> isize;
