//! What is armed while nobody waits: the next wait tells the system, of all of it at once.

use std::os::fd::RawFd;
use std::time::Instant;

use super::tests::{
    due, event, rearm, source, wanted, Port, HUP, IN, NOTHING, OUT, R, RDHUP, RW, SOURCE, W,
};
use super::{Ask, Sources};
use crate::sys::selector::Direction;
use crate::{Token, Trigger};

fn arm(sources: &mut Sources, direction: Direction) {
    let nothing = |ask: &Ask| panic!("there is no hurry: {ask:?}");
    sources.rearm(5, direction, false, nothing).unwrap();
}

/// One call, as for a source that nobody has armed.
#[test]
fn both_directions_are_associated_together() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, RW, Trigger::Edge, SOURCE);
    event(&mut sources, ticket, IN | OUT, now).unwrap();
    arm(&mut sources, Direction::Read);
    arm(&mut sources, Direction::Write);
    due(&mut sources, &port, now);
    assert_eq!(port.asked(), [(5, IN | OUT | RDHUP)]);
    assert!(!sources.any_due());
    due(&mut sources, &port, now);
    assert_eq!(port.asked(), []);
}

/// Less than was asked for came, then nothing: the system was not asked in between, so nothing of it can be old.
#[test]
fn what_is_not_associated_yet_is_not_doubted() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, R, Trigger::Edge, SOURCE);
    event(&mut sources, ticket, IN, now).unwrap();
    arm(&mut sources, Direction::Read);
    arm(&mut sources, Direction::Read);
    due(&mut sources, &port, now);
    let ticket = port.ticket();
    // This would panic if somebody looked.
    assert_eq!(event(&mut sources, ticket, IN, now), Some((Token(50), IN)));
}

/// An association for one direction is there, and another one is armed.
#[test]
fn more_is_due_beside_an_association() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, RW, Trigger::Edge, SOURCE);
    event(&mut sources, ticket, OUT, now).unwrap();
    due(&mut sources, &port, now);
    let reading = port.ticket();
    arm(&mut sources, Direction::Write);
    assert!(sources.any_due());
    due(&mut sources, &port, now);
    let both = port.ticket();
    assert_eq!(event(&mut sources, reading, IN, now), None);
    assert_eq!(event(&mut sources, both, OUT, now), Some((Token(50), OUT)));
}

/// The reason to be in a hurry comes later than the first direction.
#[test]
fn who_is_in_a_hurry_associates_all_that_is_armed() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, RW, Trigger::Edge, SOURCE);
    event(&mut sources, ticket, IN | OUT, now).unwrap();
    arm(&mut sources, Direction::Read);
    rearm(&mut sources, &port, Direction::Write).unwrap();
    assert_eq!(port.asked(), [(5, IN | OUT | RDHUP)]);
    due(&mut sources, &port, now);
    assert_eq!(port.asked(), []);
}

#[test]
fn an_end_that_was_reported_is_asked_for_again() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, W, Trigger::Edge, SOURCE);
    event(&mut sources, ticket, HUP, now).unwrap();
    assert!(!sources.any_due());
    arm(&mut sources, Direction::Write);
    due(&mut sources, &port, now);
    assert_eq!(port.asked(), [(5, OUT)]);
}

/// It comes unasked, after everything that was asked for, and there may have been an error before that looked like
/// something to read.
#[test]
fn an_end_names_the_directions_that_were_reported_before() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, RW, Trigger::Edge, SOURCE);
    event(&mut sources, ticket, OUT, now).unwrap();
    due(&mut sources, &port, now);
    event(&mut sources, port.ticket(), IN | RDHUP, now).unwrap();
    due(&mut sources, &port, now);
    assert_eq!(
        event(&mut sources, port.ticket(), HUP, now),
        Some((Token(50), IN | OUT | HUP))
    );
    due(&mut sources, &port, now);
    assert_eq!(port.asked(), [], "it would come again and again");
}

/// Registered anew and drained over and over, with no wait in between.
#[test]
fn the_list_does_not_grow() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, _) = source(&port, R, Trigger::Edge, SOURCE);
    let mut room = 0;
    for round in 0..1000 {
        let again = wanted(50, R, Trigger::Edge);
        sources
            .replace(5, again, SOURCE, |ask| port.associate(ask))
            .unwrap();
        let ticket = port.ticket();
        event(&mut sources, ticket, IN, now).unwrap();
        arm(&mut sources, Direction::Read);
        if round == 10 {
            room = sources.due.capacity();
        }
    }
    assert_eq!(sources.due.capacity(), room);
    due(&mut sources, &port, now);
    assert_eq!(port.asked(), [(5, IN | RDHUP)]);
}

#[test]
fn what_is_gone_is_not_associated() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, R, Trigger::Edge, SOURCE);
    event(&mut sources, ticket, IN, now).unwrap();
    arm(&mut sources, Direction::Read);
    sources
        .remove(5, || panic!("an event has ended it"))
        .unwrap();
    due(&mut sources, &port, now);
    assert_eq!(port.asked(), [] as [(RawFd, _); 0]);
    assert_eq!(event(&mut sources, ticket, NOTHING, now), None);
}
