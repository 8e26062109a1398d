//! The backend on the model: what the public interface cannot bring about.

use std::io::ErrorKind;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{poll, PollFd};
use rustix::io::{read, write};

use super::*;
use crate::sys::selector::RawEvent as _;
use crate::{Interest, Trigger};

const PATIENCE: Duration = Duration::from_secs(10);

/// A queue whose port has room for this many events and associations.
fn queue_with_room(room: usize) -> EventPorts {
    EventPorts::on(Port::with_room(room).unwrap())
}

/// Two connected sockets, neither of which blocks.
fn pair() -> (OwnedFd, OwnedFd) {
    let (near, far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    far.set_nonblocking(true).unwrap();
    (near.into(), far.into())
}

/// Something that is registered and tells of its operations.
fn target(fd: &OwnedFd) -> Target<'_, ()> {
    Target {
        handle: fd.as_fd(),
        state: Some(&()),
    }
}

fn wanted(token: usize, trigger: Trigger) -> Wanted {
    Wanted {
        token: Token(token),
        interest: Interest::READABLE,
        trigger,
    }
}

/// The tokens of one poll.
fn turn(queue: &EventPorts, capacity: usize, timeout: Duration) -> Vec<usize> {
    let mut events = Vec::with_capacity(capacity);
    queue.select(&mut events, Some(timeout)).unwrap();
    assert!(events.len() <= capacity);
    events.iter().map(|event| event.token().0).collect()
}

fn is_readable(queue: &EventPorts) -> bool {
    let mut fds = [PollFd::new(queue, PollFlags::IN)];
    poll(
        &mut fds,
        Some(&crate::sys::selector::timespec(Duration::ZERO)),
    )
    .unwrap();
    !fds[0].revents().is_empty()
}

#[test]
fn a_full_port_refuses_a_registration_in_words() {
    let queue = queue_with_room(2);
    let pairs = [pair(), pair(), pair()];
    for (token, (near, _)) in pairs.iter().enumerate().take(2) {
        queue
            .register(target(near), wanted(token, Trigger::Edge))
            .unwrap();
    }
    let full = queue.register(target(&pairs[2].0), wanted(2, Trigger::Edge));
    let full = full.unwrap_err();
    assert_ne!(full.kind(), ErrorKind::WouldBlock, "{full}");
    assert!(full.to_string().contains("max-port-events"), "{full}");

    // It was not registered, and those that were are as good as before.
    let absent = queue.deregister(target(&pairs[2].0)).unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::NotFound);
    write(&pairs[1].1, b"x").unwrap();
    assert_eq!(turn(&queue, 8, PATIENCE), [1]);
    queue.deregister(target(&pairs[0].0)).unwrap();
    queue
        .register(target(&pairs[2].0), wanted(2, Trigger::Edge))
        .unwrap();
}

/// `EAGAIN` would mean that it is worth while to try again soon.
#[test]
fn a_system_that_has_enough_ports_says_so_in_words() {
    let refused = said_of_opening(Errno::AGAIN.into());
    assert_ne!(refused.kind(), ErrorKind::WouldBlock);
    assert!(refused.to_string().contains("max-port-ids"), "{refused}");
    let other = said_of_opening(Errno::MFILE.into());
    assert_eq!(other.raw_os_error(), Some(Errno::MFILE.raw_os_error()));
}

/// Alert mode needs no room.
#[test]
fn wakes_get_through_a_full_port() {
    for capacity in [1, 2, 8] {
        let queue = queue_with_room(1);
        let (near, far) = pair();
        queue
            .register(target(&near), wanted(9, Trigger::Edge))
            .unwrap();
        let wakers: Vec<_> = (0..3)
            .map(|token| queue.signal(Token(token)).unwrap())
            .collect();
        for round in 0..5 {
            for waker in &wakers {
                queue.raise(waker).unwrap();
                queue.raise(waker).unwrap();
            }
            assert!(is_readable(&queue));
            let mut seen = Vec::new();
            while seen.len() < wakers.len() {
                let now = turn(&queue, capacity, PATIENCE);
                assert_ne!(now, []);
                seen.extend(now);
            }
            seen.sort();
            assert_eq!(seen, [0, 1, 2], "round {round}, capacity {capacity}");
            assert_eq!(turn(&queue, capacity, Duration::from_millis(1)), []);
        }
        // The port is out of alert mode, and has not lost the source.
        write(&far, b"x").unwrap();
        assert_eq!(turn(&queue, capacity, PATIENCE), [9]);
    }
}

#[test]
fn a_waker_that_was_refused_can_be_dropped() {
    let queue = queue_with_room(1);
    let (near, _far) = pair();
    queue
        .register(target(&near), wanted(9, Trigger::Edge))
        .unwrap();
    let (gone, other) = (
        queue.signal(Token(1)).unwrap(),
        queue.signal(Token(2)).unwrap(),
    );
    queue.raise(&gone).unwrap();
    queue.retire(&gone);
    assert_eq!(turn(&queue, 8, Duration::from_millis(1)), []);
    queue.raise(&other).unwrap();
    assert_eq!(turn(&queue, 8, PATIENCE), [2]);
}

/// Others have taken the room of an association that has ended, so it has to wait for them.
#[test]
fn a_source_that_finds_no_room_is_tried_again() {
    for trigger in [Trigger::Edge, Trigger::Level] {
        let queue = queue_with_room(2);
        let (near, far) = pair();
        let others = [pair(), pair()];
        queue.register(target(&near), wanted(1, trigger)).unwrap();
        write(&far, b"x").unwrap();
        assert_eq!(turn(&queue, 8, PATIENCE), [1]);
        for (token, (other, _)) in others.iter().enumerate() {
            let wanted = wanted(10 + token, Trigger::Edge);
            queue.register(target(other), wanted).unwrap();
        }
        read(&near, &mut [0; 8]).unwrap();
        EventPorts::rearm(target(&near), Direction::Read);
        write(&far, b"x").unwrap();
        // Without room there is nothing to be seen of it, and the wait ends in time.
        let start = Instant::now();
        assert_eq!(turn(&queue, 8, Duration::from_millis(20)), []);
        assert!(start.elapsed() >= Duration::from_millis(20));
        queue.deregister(target(&others[0].0)).unwrap();
        assert_eq!(turn(&queue, 8, PATIENCE), [1], "{trigger:?}");
    }
}

/// A poll that waits already learns that something was put off.
#[test]
fn what_was_put_off_reaches_a_running_poll() {
    for room in [1, 100] {
        let queue = queue_with_room(room);
        let (near, far) = pair();
        queue
            .register(target(&near), wanted(1, Trigger::Edge))
            .unwrap();
        write(&far, b"x").unwrap();
        assert_eq!(turn(&queue, 8, PATIENCE), [1]);
        assert_eq!(turn(&queue, 8, Duration::ZERO), []);
        read(&near, &mut [0; 8]).unwrap();
        std::thread::scope(|scope| {
            let poller = scope.spawn(|| turn(&queue, 8, PATIENCE));
            let refused = queue.shared.change(|sources, _| {
                sources.rearm(near.as_raw_fd(), Direction::Read, true, |_| {
                    Err(Errno::NOMEM)
                })
            });
            assert_eq!(refused, Err(Errno::NOMEM));
            write(&far, b"x").unwrap();
            assert_eq!(poller.join().unwrap(), [1]);
        });
    }
}

/// Nobody is told anything by a port that nobody has asked for its descriptor.
#[test]
fn only_who_watches_pays_for_being_shown() {
    let queue = queue_with_room(100);
    let (near, far) = pair();
    queue
        .register(target(&near), wanted(1, Trigger::Level))
        .unwrap();
    write(&far, b"x").unwrap();
    assert_eq!(turn(&queue, 8, PATIENCE), [1]);
    assert!(!lock(&queue.shared.state).knocked);
    // Whoever gets it now sees at once that there is something.
    assert!(is_readable(&queue));
    assert!(lock(&queue.shared.state).knocked);
    assert_eq!(turn(&queue, 8, PATIENCE), [1]);
    assert!(is_readable(&queue));
    read(&near, &mut [0; 8]).unwrap();
    // The one look that was in vain.
    assert_eq!(turn(&queue, 8, Duration::ZERO), []);
    assert!(!is_readable(&queue));
}

/// A knock takes room in the list of events, and must not take that of an event.
#[test]
fn a_knock_is_not_in_the_way() {
    for capacity in [1, 2, 3] {
        let queue = queue_with_room(100);
        queue.as_fd();
        let pairs: Vec<_> = (0..3).map(|_| pair()).collect();
        for (token, (near, far)) in pairs.iter().enumerate() {
            queue
                .register(target(near), wanted(token, Trigger::Level))
                .unwrap();
            write(far, b"x").unwrap();
        }
        for _ in 0..10 {
            assert_eq!(turn(&queue, capacity, Duration::ZERO).len(), capacity);
        }
    }
}

/// A descriptor that is closed without a word takes its event with it, and the next one with its number is another.
#[test]
fn a_number_that_is_used_again_is_another_source() {
    let queue = queue_with_room(100);
    let (near, far) = pair();
    let number = near.as_raw_fd();
    let bare = Target {
        handle: near.as_fd(),
        state: None,
    };
    queue.register(bare, wanted(1, Trigger::Level)).unwrap();
    write(&far, b"x").unwrap();
    drop(near);
    assert_eq!(turn(&queue, 8, Duration::from_millis(1)), []);

    let other = rustix::io::fcntl_dupfd_cloexec(&far, number).unwrap();
    if other.as_raw_fd() == number {
        // The queue does not know that it was closed. It can be told.
        let known = queue.register(target(&other), wanted(2, Trigger::Level));
        assert_eq!(known.unwrap_err().kind(), ErrorKind::AlreadyExists);
        queue.deregister(target(&other)).unwrap();
        queue
            .register(target(&other), wanted(2, Trigger::Level))
            .unwrap();
    }
}
