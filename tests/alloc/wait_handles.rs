//! Waitable handles.

use std::io::ErrorKind;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use mio::windows::WaitHandle;
use mio::{Events, Interest, Poll, Token, Trigger};
use windows_sys::Win32::System::Threading::{CreateEventW, SetEvent};

use super::{quiet, PATIENCE};

#[test]
fn waiting_again_and_again() {
    // SAFETY: Makes a new auto-reset event, without a name.
    let flag = unsafe { CreateEventW(ptr::null(), 0, 0, ptr::null()) };
    // SAFETY: It was made just now, and nobody else knows it.
    let flag = unsafe { OwnedHandle::from_raw_handle(flag) };
    for trigger in [Trigger::Edge, Trigger::Level, Trigger::Oneshot] {
        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(8);
        let mut source = WaitHandle::new(&flag).unwrap();
        let registry = poll.registry().with_trigger(trigger);
        let read = Interest::READABLE;
        registry.register(&mut source, Token(0), read).unwrap();
        let mut round = || {
            for late in [false, true] {
                // SAFETY: The handle is open.
                assert_ne!(unsafe { SetEvent(flag.as_raw_handle()) }, 0);
                poll.poll(&mut events, Some(PATIENCE)).unwrap();
                assert!(!events.is_empty());
                let error = source.try_wait().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                registry.reregister(&mut source, Token(0), read).unwrap();
                if late {
                    registry.deregister(&mut source).unwrap();
                    registry.register(&mut source, Token(0), read).unwrap();
                }
            }
        };
        round();
        round();
        quiet("waiting", round);
    }
}
