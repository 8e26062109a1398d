//! What can be waited for.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::windows::ffi::OsStrExt;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle};
use std::process::{self, Child, Command, Stdio};
use std::ptr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mio::windows::{NamedPipe, WaitHandle};
use mio::{Interest, Trigger};
use windows_sys::Win32::Foundation::ERROR_IO_PENDING;
use windows_sys::Win32::Storage::FileSystem::{
    FindCloseChangeNotification, FindFirstChangeNotificationW, FindNextChangeNotification,
    ReadFile, FILE_FLAG_OVERLAPPED, FILE_NOTIFY_CHANGE_FILE_NAME,
};
use windows_sys::Win32::System::Threading::{CreateWaitableTimerW, SetWaitableTimer};
use windows_sys::Win32::System::IO::{GetOverlappedResult, OVERLAPPED};

use crate::bed::{nothing, own, Bed, Flag, Semaphore, ONE, PATIENCE, READ, TRIGGERS, TWO};

/// Set for a process that waits for the end of its input.
const CHILD: &str = "MIO_TEST_WAITS";

/// The other process of the tests below.
#[test]
fn waits_for_the_end_of_its_input() {
    if env::var_os(CHILD).is_some() {
        io::stdin().read_to_end(&mut Vec::new()).unwrap();
        process::exit(7);
    }
}

fn child() -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "objects::waits_for_the_end_of_its_input"])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_process_ends() {
    for trigger in TRIGGERS {
        let mut bed = Bed::new();
        let mut child = child();
        let source = bed.watch(&child, ONE, trigger);
        bed.expect_silence();
        nothing(&source);
        drop(child.stdin.take());
        bed.expect(ONE);
        // It does not block.
        assert_eq!(child.try_wait().unwrap().unwrap().code(), Some(7));
        if trigger == Trigger::Level {
            bed.expect(ONE);
            bed.expect(ONE);
        } else {
            bed.expect_silence();
        }
        source.try_wait().unwrap();
        drop(source);
        bed.expect_silence();
    }
}

/// The source has a handle of its own, so the process is still known.
#[test]
fn a_process_that_has_ended_before() {
    let mut child = child();
    child.wait().unwrap();
    let mut source = WaitHandle::new(&child).unwrap();
    drop(child);
    let mut bed = Bed::new();
    bed.registry().register(&mut source, ONE, READ).unwrap();
    bed.expect(ONE);
    bed.expect_silence();
}

#[test]
fn a_thread_ends() {
    let mut bed = Bed::new();
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || receiver.recv().unwrap());
    let _source = bed.watch(&thread, ONE, Trigger::Edge);
    bed.expect_silence();
    sender.send(3).unwrap();
    bed.expect(ONE);
    assert!(thread.is_finished());
    assert_eq!(thread.join().unwrap(), 3);
}

/// Each signal is one event.
#[test]
fn an_auto_reset_event() {
    for trigger in [Trigger::Edge, Trigger::Level] {
        let mut bed = Bed::new();
        let flag = Flag::auto();
        let source = bed.watch(&flag, ONE, trigger);
        for _ in 0..50 {
            flag.set();
            bed.expect(ONE);
            // The event has taken the signal.
            nothing(&source);
        }
        bed.expect_silence();
    }
}

#[test]
fn a_manual_reset_event() {
    let mut bed = Bed::new();
    let flag = Flag::manual();
    let source = bed.watch(&flag, ONE, Trigger::Edge);
    for _ in 0..50 {
        flag.set();
        bed.expect(ONE);
        source.try_wait().unwrap();
        assert!(bed.turn(Duration::ZERO).is_empty());
        flag.reset();
        nothing(&source);
    }
}

/// What the event has taken and what is taken by hand is all there was.
#[test]
fn a_semaphore() {
    let mut bed = Bed::new();
    let semaphore = Semaphore::new();
    let source = bed.watch(&semaphore, ONE, Trigger::Edge);
    for _ in 0..20 {
        semaphore.release(3);
        bed.expect(ONE);
        source.try_wait().unwrap();
        source.try_wait().unwrap();
        nothing(&source);
    }
    bed.expect_silence();
}

#[test]
fn a_waitable_timer() {
    for manual in [0, 1] {
        let mut bed = Bed::new();
        // SAFETY: Makes a new one, without a name.
        let timer = own(unsafe { CreateWaitableTimerW(ptr::null(), manual, ptr::null()) });
        let source = bed.watch(&timer, ONE, Trigger::Edge);
        bed.expect_silence();
        for _ in 0..3 {
            // 5 ms from now.
            let due = -50_000;
            // SAFETY: The handle is open, the pointer to a number. No routine is to be called.
            let done =
                unsafe { SetWaitableTimer(timer.as_raw_handle(), &due, 0, None, ptr::null(), 0) };
            assert_ne!(done, 0);
            bed.expect(ONE);
            if manual == 0 {
                nothing(&source);
            } else {
                source.try_wait().unwrap();
                bed.registry().deregister(&mut { source }).unwrap();
                break;
            }
        }
    }
}

#[test]
fn a_change_notification() {
    let folder = tempfile::tempdir().unwrap();
    let path: Vec<u16> = folder.path().as_os_str().encode_wide().chain([0]).collect();
    // SAFETY: The path ends with a NUL.
    let handle =
        unsafe { FindFirstChangeNotificationW(path.as_ptr(), 0, FILE_NOTIFY_CHANGE_FILE_NAME) };
    // Not a handle for `CloseHandle`, so the source has a copy.
    // SAFETY: It is open until the end of this test.
    let borrowed = unsafe { BorrowedHandle::borrow_raw(handle) };
    let mut bed = Bed::new();
    let source = bed.watch(&borrowed, ONE, Trigger::Edge);
    for name in ["one", "two"] {
        fs::write(folder.path().join(name), b"").unwrap();
        bed.expect(ONE);
        // Until there is no more, and then for the next one.
        while source.try_wait().is_ok() {
            // SAFETY: The handle is open.
            assert_ne!(unsafe { FindNextChangeNotification(handle) }, 0);
        }
    }
    drop(source);
    // SAFETY: The handle is open, and not used any more.
    assert_ne!(unsafe { FindCloseChangeNotification(handle) }, 0);
}

/// An overlapped operation of the user's own has an event object, which tells when to ask for its result.
#[test]
fn an_operation_of_ones_own() {
    let name = format!(r"\\.\pipe\mio-test-wait-{}", process::id());
    let mut bed = Bed::new();
    let mut server = NamedPipe::new(&name).unwrap();
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options.custom_flags(FILE_FLAG_OVERLAPPED);
    let client = options.open(&name).unwrap();
    let registry = bed.registry();
    registry
        .register(&mut server, TWO, Interest::WRITABLE)
        .unwrap();
    server.connect().unwrap();

    let flag = Flag::manual();
    let source = bed.watch(&flag, ONE, Trigger::Edge);
    let mut buffer = [0_u8; 16];
    let mut overlapped = OVERLAPPED {
        hEvent: flag.as_handle().as_raw_handle(),
        ..OVERLAPPED::default()
    };
    for text in [b"first", b"other"] {
        let place = buffer.as_mut_ptr();
        // SAFETY: The handle is open. Buffer and operation are left alone until the operation is over, below.
        let done = unsafe {
            ReadFile(
                client.as_raw_handle(),
                place,
                16,
                ptr::null_mut(),
                &mut overlapped,
            )
        };
        let error = io::Error::last_os_error().raw_os_error();
        assert_eq!((done, error), (0, Some(ERROR_IO_PENDING as i32)));
        // The operation has reset it.
        nothing(&source);
        server.write_all(text).unwrap();
        while !bed.turn(PATIENCE).iter().any(|event| event.token() == ONE) {}
        let mut n = 0;
        // SAFETY: The handle is open, and the operation is one of it.
        let done = unsafe { GetOverlappedResult(client.as_raw_handle(), &overlapped, &mut n, 0) };
        assert_eq!((done, n), (1, 5));
        assert_eq!(&buffer[..5], text);
    }
}

/// A handle can be handed over, and two sources can wait for one object.
#[test]
fn owned_and_shared() {
    let mut bed = Bed::new();
    let flag = Flag::manual();
    let copy = flag.as_handle().try_clone_to_owned().unwrap();
    let mut source = WaitHandle::from(copy);
    bed.registry().register(&mut source, ONE, READ).unwrap();
    let _other = bed.watch(&flag, TWO, Trigger::Edge);
    flag.set();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let events = bed.turn(PATIENCE);
        seen.extend(events.iter().map(|event| event.token()));
    }
    seen.sort_unstable();
    assert_eq!(seen, [ONE, TWO]);
    // The source is a handle itself.
    let copy = WaitHandle::new(&source).unwrap();
    copy.try_wait().unwrap();
}
