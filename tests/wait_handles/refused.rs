//! Mistakes, and what cannot be waited for.

use std::io::ErrorKind;
use std::os::windows::io::{AsHandle, AsRawHandle, OwnedHandle};
use std::ptr;

use mio::windows::WaitHandle;
use mio::{Interest, Poll};
use windows_sys::Win32::Foundation::{DuplicateHandle, ERROR_ACCESS_DENIED};
use windows_sys::Win32::Security::TOKEN_QUERY;
use windows_sys::Win32::System::Threading::{
    CreateMutexW, GetCurrentProcess, OpenProcessToken, EVENT_MODIFY_STATE,
};

use crate::bed::{nothing, own, Bed, Flag, ONE, READ, TWO};

fn refused(object: &impl AsHandle) -> std::io::Error {
    let mut bed = Bed::new();
    let mut source = WaitHandle::new(object).unwrap();
    let error = bed.registry().register(&mut source, ONE, READ).unwrap_err();
    let again = bed.registry().register(&mut source, ONE, READ).unwrap_err();
    assert_eq!(again.kind(), error.kind());
    let gone = bed.registry().deregister(&mut source).unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    assert_ne!(source.try_wait().unwrap_err().kind(), ErrorKind::WouldBlock);
    bed.expect_silence();
    error
}

#[test]
fn a_mutex() {
    // SAFETY: Makes a new one, without a name.
    let mutex = own(unsafe { CreateMutexW(ptr::null(), 0, ptr::null()) });
    let error = refused(&mutex);
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("mutex"), "{error}");
}

#[test]
fn what_cannot_be_waited_for() {
    let mut token = ptr::null_mut();
    // SAFETY: Gives a constant.
    let process = unsafe { GetCurrentProcess() };
    // SAFETY: The pointer is to a place for a handle.
    let done = unsafe { OpenProcessToken(process, TOKEN_QUERY, &mut token) };
    assert_ne!(done, 0);
    let error = refused(&own(token));
    assert!(error.raw_os_error().is_some(), "{error:?}");
}

#[test]
fn no_right_to_wait() {
    let flag = Flag::manual();
    // SAFETY: Gives a constant.
    let process = unsafe { GetCurrentProcess() };
    let mut copy = ptr::null_mut();
    let handle = flag.as_handle().as_raw_handle();
    // SAFETY: The handle is open, and the pointer to a place for another one.
    let done = unsafe {
        DuplicateHandle(
            process,
            handle,
            process,
            &mut copy,
            EVENT_MODIFY_STATE,
            0,
            0,
        )
    };
    assert_ne!(done, 0);
    let copy: OwnedHandle = own(copy);
    let error = refused(&copy);
    assert_eq!(error.raw_os_error(), Some(ERROR_ACCESS_DENIED as i32));
}

#[test]
fn other_interests() {
    let mut bed = Bed::new();
    let flag = Flag::auto();
    let mut source = WaitHandle::new(&flag).unwrap();
    for interest in [Interest::WRITABLE, READ | Interest::WRITABLE] {
        let result = bed.registry().register(&mut source, ONE, interest);
        assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    bed.registry().register(&mut source, ONE, READ).unwrap();
    let result = bed
        .registry()
        .reregister(&mut source, TWO, Interest::WRITABLE);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidInput);
    // The registration is as it was.
    flag.set();
    bed.expect(ONE);
}

#[test]
fn twice_and_never() {
    let mut bed = Bed::new();
    let flag = Flag::auto();
    let mut source = WaitHandle::new(&flag).unwrap();
    let never = bed
        .registry()
        .reregister(&mut source, ONE, READ)
        .unwrap_err();
    assert_eq!(never.kind(), ErrorKind::NotFound);
    let never = bed.registry().deregister(&mut source).unwrap_err();
    assert_eq!(never.kind(), ErrorKind::NotFound);
    bed.registry().register(&mut source, ONE, READ).unwrap();
    let twice = bed.registry().register(&mut source, TWO, READ).unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::AlreadyExists);
    flag.set();
    bed.expect(ONE);
    bed.registry().deregister(&mut source).unwrap();
    let again = bed.registry().deregister(&mut source).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::NotFound);
}

/// One queue at a time. A queue that is gone does not count.
#[test]
fn two_queues() {
    let flag = Flag::auto();
    let mut bed = Bed::new();
    let mut other = Bed::new();
    let mut source = bed.watch(&flag, ONE, mio::Trigger::Edge);
    let registry = other.registry();
    let result = registry.register(&mut source, TWO, READ);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::AlreadyExists);
    let result = registry.reregister(&mut source, TWO, READ);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
    let result = registry.deregister(&mut source);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
    flag.set();
    bed.expect(ONE);

    // A packet on its way to the first queue counts for the second one, once.
    bed.registry().reregister(&mut source, ONE, READ).unwrap();
    bed.registry().deregister(&mut source).unwrap();
    flag.set();
    bed.registry().register(&mut source, ONE, READ).unwrap();
    bed.registry().deregister(&mut source).unwrap();
    registry.register(&mut source, TWO, READ).unwrap();
    bed.expect_silence();
    other.expect(TWO);
    nothing(&source);

    let kept = other.registry().try_clone().unwrap();
    drop(other);
    bed.registry().register(&mut source, ONE, READ).unwrap();
    flag.set();
    bed.expect(ONE);
    drop(kept);

    let last = Poll::new().unwrap();
    drop(bed);
    last.registry().register(&mut source, ONE, READ).unwrap();
}
