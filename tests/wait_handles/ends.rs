//! Registrations that end, on this thread and on others, in every order.

use std::io::ErrorKind;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use mio::windows::WaitHandle;
use mio::{Events, Poll, Trigger};

use crate::bed::{nothing, Bed, Flag, Semaphore, ONE, PATIENCE, READ, TRIGGERS, TWO};

#[test]
fn silence_after_deregistering() {
    for trigger in TRIGGERS {
        let mut bed = Bed::new();
        let flag = Flag::manual();
        let mut source = bed.watch(&flag, ONE, trigger);
        bed.registry().deregister(&mut source).unwrap();
        flag.set();
        bed.expect_silence();
        // Signalled before, and while nobody polls.
        let registry = bed.registry().with_trigger(trigger);
        registry.register(&mut source, ONE, READ).unwrap();
        bed.registry().deregister(&mut source).unwrap();
        bed.expect_silence();
        registry.register(&mut source, TWO, READ).unwrap();
        bed.expect(TWO);
        // A level that would be looked at again.
        bed.registry().deregister(&mut source).unwrap();
        bed.expect_silence();
    }
}

/// What a wait has taken is handed out although its event was not.
#[test]
fn a_signal_whose_event_came_too_late_is_not_lost() {
    for trigger in TRIGGERS {
        let mut bed = Bed::new();
        let semaphore = Semaphore::new();
        semaphore.release(1);
        let mut source = bed.watch(&semaphore, ONE, trigger);
        bed.registry().deregister(&mut source).unwrap();
        source.try_wait().unwrap();
        nothing(&source);
        bed.expect_silence();

        semaphore.release(1);
        let registry = bed.registry().with_trigger(trigger);
        registry.register(&mut source, ONE, READ).unwrap();
        bed.registry().deregister(&mut source).unwrap();
        registry.register(&mut source, TWO, READ).unwrap();
        bed.expect(TWO);
        bed.expect_silence();
        nothing(&source);
    }
}

/// A packet that is void comes back, and then the object is waited for on behalf of the registration that came meanwhile.
#[test]
fn registered_again_before_the_packet_has_come() {
    let mut bed = Bed::new();
    let flag = Flag::auto();
    flag.set();
    let mut source = bed.watch(&flag, ONE, Trigger::Edge);
    bed.registry().deregister(&mut source).unwrap();
    source.try_wait().unwrap();
    bed.registry().register(&mut source, TWO, READ).unwrap();
    bed.expect_silence();
    flag.set();
    bed.expect(TWO);
}

#[test]
fn dropped_in_every_order() {
    for trigger in TRIGGERS {
        for signalled in [false, true] {
            let flag = Flag::manual();
            if signalled {
                flag.set();
            }
            let mut bed = Bed::new();
            let source = bed.watch(&flag, ONE, trigger);
            drop(source);
            bed.expect_silence();

            let source = bed.watch(&flag, ONE, trigger);
            if signalled {
                bed.expect(ONE);
            }
            drop(bed);
            drop(source);

            let bed = Bed::new();
            let source = bed.watch(&flag, ONE, trigger);
            let registry = bed.registry().try_clone().unwrap();
            drop(bed);
            drop(registry);
            drop(flag);
            drop(source);
        }
    }
}

/// The object is signalled on another thread while this one polls.
#[test]
fn signalled_elsewhere() {
    for trigger in TRIGGERS {
        let mut bed = Bed::new();
        let flag = Flag::auto();
        let mut source = bed.watch(&flag, ONE, trigger);
        let registry = bed.registry().with_trigger(trigger);
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            let flag = &flag;
            scope.spawn(move || {
                while receiver.recv().is_ok() {
                    flag.set();
                }
            });
            for _ in 0..200 {
                sender.send(()).unwrap();
                bed.expect(ONE);
                if trigger.is_oneshot() {
                    registry.reregister(&mut source, ONE, READ).unwrap();
                } else {
                    nothing(&source);
                }
            }
            drop(sender);
        });
    }
}

/// Registered on another thread while this one polls, and armed there.
#[test]
fn registered_elsewhere() {
    let mut bed = Bed::new();
    let flag = Flag::manual();
    let registry = bed.registry().try_clone().unwrap();
    thread::scope(|scope| {
        let flag = &flag;
        let (sender, receiver) = mpsc::channel();
        scope.spawn(move || {
            let mut source = WaitHandle::new(flag).unwrap();
            registry.register(&mut source, ONE, READ).unwrap();
            flag.set();
            receiver.recv().unwrap();
            flag.reset();
            nothing(&source);
            flag.set();
            receiver.recv().unwrap();
            registry.deregister(&mut source).unwrap();
            flag.set();
            receiver.recv().unwrap();
        });
        bed.expect(ONE);
        sender.send(()).unwrap();
        bed.expect(ONE);
        sender.send(()).unwrap();
        sender.send(()).unwrap();
    });
    bed.expect_silence();
}

/// Packets that are no events end no poll early: those of waits that came too late, and of levels that are over.
#[test]
fn no_poll_ends_early() {
    const TIMEOUT: Duration = Duration::from_millis(50);
    const ROUNDS: usize = 200;

    let mut bed = Bed::new();
    let level = Flag::manual();
    level.set();
    let _level = bed.watch(&level, TWO, Trigger::Level);
    bed.expect(TWO);
    level.reset();
    bed.expect_silence();

    let registry = bed.registry().try_clone().unwrap();
    thread::scope(|scope| {
        let rounds = scope.spawn(move || {
            let flag = Flag::auto();
            let mut source = WaitHandle::new(&flag).unwrap();
            let mut void = 0;
            while void < ROUNDS {
                flag.set();
                registry.register(&mut source, ONE, READ).unwrap();
                registry.deregister(&mut source).unwrap();
                // The other thread may have polled the event in time. If not, its packet is on its way.
                void += usize::from(source.try_wait().is_ok());
            }
        });
        let mut silent = 0;
        while silent < 3 || !rounds.is_finished() {
            let start = Instant::now();
            if bed.turn(TIMEOUT).is_empty() {
                assert!(start.elapsed() >= TIMEOUT, "{:?}", start.elapsed());
                silent += 1;
            }
        }
    });
}

/// The registration of a source outlives the queue's `Poll`, and tells so.
#[test]
fn the_queue_is_gone() {
    let flag = Flag::auto();
    let mut source = {
        let bed = Bed::new();
        bed.watch(&flag, ONE, Trigger::Edge)
    };
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    let error = poll.registry().deregister(&mut source).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    poll.registry().register(&mut source, TWO, READ).unwrap();
    flag.set();
    poll.poll(&mut events, Some(PATIENCE)).unwrap();
    assert_eq!(events.iter().next().unwrap().token(), TWO);
}
