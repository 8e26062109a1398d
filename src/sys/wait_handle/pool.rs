//! Waiting by a thread of the system's thread pool, which posts a packet when the object is signalled: for systems without
//! wait completion packets.
//!
//! Rests on `CreateThreadpoolWait` and its kin. A wait object is made once and set for each time; cancelling is what ends it.
//! Each is the one member of a cleanup group of its own: closing the members of a group is the one way after which certainly
//! no callback comes any more. (With Wine 8, one may still begin after `WaitForThreadpoolWaitCallbacks`, and a group that is
//! used again may lock up.) The callbacks have a
//! pool of their own, so nothing that others do in theirs keeps them from running; whoever cancels a wait may have to wait
//! for one. They take no lock, and wait for nobody.

use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use windows_sys::Win32::System::Threading::{
    CloseThreadpoolCleanupGroup, CloseThreadpoolCleanupGroupMembers, CreateThreadpool,
    CreateThreadpoolCleanupGroup, CreateThreadpoolWait, SetThreadpoolThreadMaximum,
    SetThreadpoolWait, PTP_CALLBACK_INSTANCE, PTP_CLEANUP_GROUP, PTP_POOL, PTP_WAIT,
    TP_CALLBACK_ENVIRON_V3, TP_CALLBACK_PRIORITY_NORMAL,
};
use windows_sys::Win32::System::IO::PostQueuedCompletionStatus;

use crate::sys::queue::afd::operation::{Operation, Operations, OPERATION};

#[derive(Debug)]
pub(super) struct Pool {
    /// The wait object, and its group.
    wait: Option<(PTP_WAIT, PTP_CLEANUP_GROUP)>,
    /// What the callback uses. It stays where it is, and for as long as a callback may begin.
    call: Box<Call>,
}

/// What a callback needs.
#[derive(Debug)]
struct Call {
    port: AtomicPtr<c_void>,
    operation: AtomicPtr<c_void>,
    /// There was a callback since the wait was set.
    called: AtomicBool,
}

impl Pool {
    pub(super) fn new() -> io::Result<Pool> {
        let call = Box::new(Call {
            port: AtomicPtr::new(ptr::null_mut()),
            operation: AtomicPtr::new(ptr::null_mut()),
            called: AtomicBool::new(false),
        });
        let mut pool = Pool { wait: None, call };
        pool.wait()?;
        Ok(pool)
    }

    /// Begins to wait for `object`, on behalf of `operation`, whose packet was announced. The handle stays open until the
    /// packet has come, or the wait was cancelled.
    pub(super) fn begin(
        &mut self,
        object: BorrowedHandle<'_>,
        queue: Operations<'_>,
        operation: NonNull<Operation>,
    ) -> io::Result<()> {
        let wait = self.wait()?;
        let call = &self.call;
        call.port
            .store(queue.port().as_raw_handle(), Ordering::Relaxed);
        call.operation
            .store(operation.as_ptr().cast(), Ordering::Relaxed);
        call.called.store(false, Ordering::Release);
        // SAFETY: The wait exists, the handle is open, and its object can be waited for: it was. Without an end in time.
        unsafe { SetThreadpoolWait(wait, object.as_raw_handle(), ptr::null()) };
        Ok(())
    }

    /// Ends the wait. Whether that was in time: if not, the object was signalled, and the packet is in the port.
    pub(super) fn cancel(&mut self) -> bool {
        self.close();
        !self.call.called.load(Ordering::Acquire)
    }

    /// The wait object.
    fn wait(&mut self) -> io::Result<PTP_WAIT> {
        if let Some((wait, _)) = self.wait {
            return Ok(wait);
        }
        let pool = threads()?;
        // SAFETY: Makes a group.
        let group = unsafe { CreateThreadpoolCleanupGroup() };
        if group == 0 {
            return Err(io::Error::last_os_error());
        }
        let environment = TP_CALLBACK_ENVIRON_V3 {
            Version: 3,
            Pool: pool,
            CleanupGroup: group,
            CallbackPriority: TP_CALLBACK_PRIORITY_NORMAL,
            // A small structure.
            Size: std::mem::size_of::<TP_CALLBACK_ENVIRON_V3>() as u32,
            ..TP_CALLBACK_ENVIRON_V3::default()
        };
        let context: *const Call = &*self.call;
        // SAFETY: The environment is read by the call. The context is used by callbacks alone, and there is none before the
        // wait is set.
        let wait = unsafe {
            CreateThreadpoolWait(Some(signalled), context.cast_mut().cast(), &environment)
        };
        if wait == 0 {
            let error = io::Error::last_os_error();
            // SAFETY: The group was made just now, and has no members.
            unsafe { CloseThreadpoolCleanupGroup(group) };
            return Err(error);
        }
        self.wait = Some((wait, group));
        Ok(wait)
    }

    /// Ends the wait object. A callback that is on its way is let run, and waited for: the wait has succeeded.
    fn close(&mut self) {
        if let Some((wait, group)) = self.wait.take() {
            // SAFETY: The wait exists.
            unsafe { SetThreadpoolWait(wait, ptr::null_mut(), ptr::null()) };
            // SAFETY: The group exists, and its member is not used any more. No callback gets here, and none needs what the
            // caller has locked.
            unsafe { CloseThreadpoolCleanupGroupMembers(group, 0, ptr::null_mut()) };
            // SAFETY: The group exists, has no members, and this is its end.
            unsafe { CloseThreadpoolCleanupGroup(group) };
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}

/// The pool: one thread for the callbacks, which starts with the first one, beside those with which the system waits.
fn threads() -> io::Result<PTP_POOL> {
    static POOL: OnceLock<PTP_POOL> = OnceLock::new();
    if let Some(pool) = POOL.get() {
        return Ok(*pool);
    }
    // SAFETY: Makes a pool.
    let pool = unsafe { CreateThreadpool(ptr::null()) };
    if pool == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: The pool was made just now.
    unsafe { SetThreadpoolThreadMaximum(pool, 1) };
    // Of two threads that come here at once, one has made a pool in vain; it has no threads, and stays.
    Ok(*POOL.get_or_init(|| pool))
}

/// The callback.
unsafe extern "system" fn signalled(
    _: PTP_CALLBACK_INSTANCE,
    context: *mut c_void,
    _: PTP_WAIT,
    _: u32,
) {
    let (port, operation) = {
        // SAFETY: The operation was announced, so what belongs to it lives until its packet was fetched, which is posted
        // below.
        let call = unsafe { &*context.cast::<Call>() };
        call.called.store(true, Ordering::Release);
        (
            call.port.load(Ordering::Relaxed),
            call.operation.load(Ordering::Relaxed),
        )
    };
    // SAFETY: The queue does not close the port before the packet has come. The pointer is handed through.
    while unsafe { PostQueuedCompletionStatus(port, 0, OPERATION, operation.cast()) } == 0 {
        // The kernel is out of memory. The signal was taken from the object, so it must not be lost.
        thread::sleep(Duration::from_millis(1));
    }
}
