//! Both ways to wait, where the system has them.

use std::os::windows::io::{AsHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::time::Duration;

use windows_sys::Win32::System::Threading::{CreateEventW, SetEvent};

use super::*;
use crate::sys::queue::afd::Afd;
use crate::sys::selector::{RawEvent as _, Selector as _};
use crate::{Backend, Interest, Token, Trigger};

const PATIENCE: Option<Duration> = Some(Duration::from_secs(10));

/// An auto-reset event.
fn event() -> OwnedHandle {
    // SAFETY: Makes a new one, without a name.
    let handle = unsafe { CreateEventW(ptr::null(), 0, 0, ptr::null()) };
    assert!(!handle.is_null());
    // SAFETY: It was made just now, and nobody else knows it.
    unsafe { OwnedHandle::from_raw_handle(handle) }
}

fn set(event: &OwnedHandle) {
    // SAFETY: The handle is open.
    assert_ne!(unsafe { SetEvent(event.as_raw_handle()) }, 0);
}

/// Runs `test` with a wait for each way that there is. On Wine 8 that is one, on Windows there are two.
fn with_each(test: impl Fn(&Afd, &Arc<Wait>)) {
    let packet = Packet::new().map(|packet| Means::Packet(packet.unwrap()));
    let pool = Means::Pool(Pool::new().unwrap());
    for means in packet.into_iter().chain([pool]) {
        let queue = Afd::open(Backend::Afd).unwrap();
        let wait = Wait::new();
        wait.lock().means = Some(means);
        test(&queue, &wait);
    }
}

fn tokens(queue: &Afd, timeout: Option<Duration>) -> Vec<Token> {
    let mut events = Vec::with_capacity(4);
    queue.select(&mut events, timeout).unwrap();
    events.iter().map(|event| event.token()).collect()
}

fn wanted(token: usize) -> Wanted {
    Wanted {
        token: Token(token),
        interest: Interest::READABLE,
        trigger: Trigger::Edge,
    }
}

#[test]
fn waits_are_answered_and_begun_again() {
    with_each(|queue, wait| {
        let event = event();
        let operations = queue.operations();
        wait.register(event.as_handle(), operations, wanted(1))
            .unwrap();
        for _ in 0..100 {
            assert!(tokens(queue, Some(Duration::ZERO)).is_empty());
            set(&event);
            assert_eq!(tokens(queue, PATIENCE), [Token(1)]);
            let nothing = wait.try_wait(event.as_handle(), Some(operations));
            assert_eq!(nothing.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        }
        wait.deregister(operations).unwrap();
        set(&event);
        assert!(tokens(queue, Some(Duration::ZERO)).is_empty());
        // Nobody has taken it.
        wait.try_wait(event.as_handle(), None).unwrap();
        assert_eq!(Arc::strong_count(wait), 1);
    });
}

/// A packet that is in the port when the registration ends says nothing, and what it stands for is kept.
#[test]
fn what_came_too_late_is_kept() {
    with_each(|queue, wait| {
        let event = event();
        let operations = queue.operations();
        set(&event);
        wait.register(event.as_handle(), operations, wanted(1))
            .unwrap();
        wait.deregister(operations).unwrap();
        assert_eq!(Arc::strong_count(wait), 2, "the packet has a reference");
        assert!(tokens(queue, Some(Duration::ZERO)).is_empty());
        assert_eq!(Arc::strong_count(wait), 1);
        wait.register(event.as_handle(), operations, wanted(2))
            .unwrap();
        assert_eq!(tokens(queue, PATIENCE), [Token(2)]);
        wait.deregister(operations).unwrap();
    });
}

/// A queue that is closed has the packet, which gives its reference back.
#[test]
fn the_queue_goes_first() {
    with_each(|_, wait| {
        let queue = Afd::open(Backend::Afd).unwrap();
        let event = event();
        set(&event);
        wait.register(event.as_handle(), queue.operations(), wanted(1))
            .unwrap();
        wait.deregister(queue.operations()).unwrap();
        assert_eq!(Arc::strong_count(wait), 2);
        drop(queue);
        assert_eq!(Arc::strong_count(wait), 1);
        assert!(wait.for_another_queue().is_none());
    });
}
