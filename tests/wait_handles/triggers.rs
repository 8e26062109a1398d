//! When, and how often.

use mio::{Events, Token, Trigger};

use crate::bed::{nothing, Bed, Flag, Semaphore, ONE, PATIENCE, READ, TRIGGERS, TWO};

#[test]
fn a_level_lasts_while_the_object_is_signalled() {
    let mut bed = Bed::new();
    let flag = Flag::manual();
    let _source = bed.watch(&flag, ONE, Trigger::Level);
    for _ in 0..3 {
        bed.expect_silence();
        flag.set();
        for _ in 0..4 {
            bed.expect(ONE);
        }
        // Not even what the last poll has left behind.
        flag.reset();
        bed.expect_silence();
    }
}

#[test]
fn a_level_takes_one_count_in_each_poll() {
    let mut bed = Bed::new();
    let semaphore = Semaphore::new();
    let _source = bed.watch(&semaphore, ONE, Trigger::Level);
    semaphore.release(3);
    (0..3).for_each(|_| bed.expect(ONE));
    bed.expect_silence();
}

#[test]
fn an_edge_comes_once() {
    let mut bed = Bed::new();
    let flag = Flag::manual();
    let source = bed.watch(&flag, ONE, Trigger::Edge);
    flag.set();
    bed.expect(ONE);
    bed.expect_silence();
    // Still signalled: not armed.
    source.try_wait().unwrap();
    bed.expect_silence();
    flag.reset();
    nothing(&source);
    bed.expect_silence();
    flag.set();
    bed.expect(ONE);
    bed.expect_silence();
}

#[test]
fn a_one_shot_is_silent_until_reregistered() {
    for trigger in [Trigger::Oneshot, Trigger::EdgeOneshot] {
        let mut bed = Bed::new();
        let flag = Flag::auto();
        let mut source = bed.watch(&flag, ONE, trigger);
        let registry = bed.registry().with_trigger(trigger);
        for _ in 0..3 {
            flag.set();
            bed.expect(ONE);
            nothing(&source);
            flag.set();
            bed.expect_silence();
            registry.reregister(&mut source, ONE, READ).unwrap();
            bed.expect(ONE);
            bed.expect_silence();
            registry.reregister(&mut source, ONE, READ).unwrap();
        }
    }
}

#[test]
fn what_is_signalled_already_is_reported() {
    for trigger in TRIGGERS {
        let mut bed = Bed::new();
        let flag = Flag::manual();
        flag.set();
        let mut source = bed.watch(&flag, ONE, trigger);
        bed.expect(ONE);
        let registry = bed.registry().with_trigger(trigger);
        registry.reregister(&mut source, TWO, READ).unwrap();
        bed.expect(TWO);
    }
}

/// A wait that goes on, and one whose packet is on its way, count for the new registration.
#[test]
fn a_reregistration_has_the_new_token() {
    for trigger in TRIGGERS {
        let mut bed = Bed::new();
        let flag = Flag::auto();
        let mut source = bed.watch(&flag, ONE, Trigger::Edge);
        let registry = bed.registry().with_trigger(trigger);
        registry.reregister(&mut source, TWO, READ).unwrap();
        flag.set();
        bed.expect(TWO);
        flag.set();
        registry.reregister(&mut source, Token(3), READ).unwrap();
        registry.reregister(&mut source, Token(4), READ).unwrap();
        bed.expect(Token(4));
        bed.expect_silence();
    }
}

/// With little room in `Events` everybody is served.
#[test]
fn sources_take_turns() {
    let mut bed = Bed::new();
    bed.events = Events::with_capacity(1);
    let flag = Flag::manual();
    flag.set();
    for trigger in [Trigger::Edge, Trigger::Level] {
        let sources: Vec<_> = (0..10)
            .map(|n| bed.watch(&flag, Token(n), trigger))
            .collect();
        let mut seen = [false; 10];
        for _ in 0..10 {
            let events = bed.turn(PATIENCE);
            assert_eq!(events.len(), 1);
            seen[events[0].token().0] = true;
        }
        assert_eq!(seen, [true; 10], "{trigger:?}");
        drop(sources);
    }
}
