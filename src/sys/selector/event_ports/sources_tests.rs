//! The registrations of an event port: which associations they ask for, which events count, and what becomes due.

use std::cell::{Cell, RefCell};
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;

use super::super::table::POLL_RDHUP;
use super::{Ask, Plan, Sources, PAUSE};
use crate::sys::selector::{Direction, Wanted};
use crate::{Interest, Token, Trigger};

pub(super) const IN: PollFlags = PollFlags::IN;
pub(super) const OUT: PollFlags = PollFlags::OUT;
pub(super) const HUP: PollFlags = PollFlags::HUP;
pub(super) const NOTHING: PollFlags = PollFlags::empty();
pub(super) const RDHUP: PollFlags = POLL_RDHUP;

pub(super) const R: Interest = Interest::READABLE;
pub(super) const W: Interest = Interest::WRITABLE;
pub(super) const RW: Interest = R.add(W);

/// Whether a descriptor is registered by its number alone.
pub(super) const SOURCE: bool = false;
const BARE: bool = true;

/// A port that notes what it was asked, and refuses it if told to.
#[derive(Default)]
pub(super) struct Port {
    asked: RefCell<Vec<Ask>>,
    refuses: Cell<Option<Errno>>,
}

impl Port {
    pub(super) fn associate(&self, ask: &Ask) -> Result<(), Errno> {
        match self.refuses.get() {
            Some(errno) => Err(errno),
            None => {
                self.asked.borrow_mut().push(ask.clone());
                Ok(())
            }
        }
    }

    /// The associations that were asked for since this was last called: descriptor and flags.
    pub(super) fn asked(&self) -> Vec<(RawFd, PollFlags)> {
        let asked = self.asked.take();
        asked.iter().map(|ask| (ask.fd, ask.flags)).collect()
    }

    /// The ticket of the one association that was asked for since.
    pub(super) fn ticket(&self) -> usize {
        let asked = self.asked.take();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked[0].ticket
    }
}

pub(super) fn wanted(token: usize, interest: Interest, trigger: Trigger) -> Wanted {
    Wanted {
        token: Token(token),
        interest,
        trigger,
    }
}

/// One source, 5, under token 50, and the ticket of its association.
pub(super) fn source(
    port: &Port,
    interest: Interest,
    trigger: Trigger,
    bare: bool,
) -> (Sources, usize) {
    let mut sources = Sources::default();
    sources
        .insert(5, wanted(50, interest, trigger), bare, |ask| {
            port.associate(ask)
        })
        .unwrap();
    let ticket = port.ticket();
    (sources, ticket)
}

pub(super) fn due(sources: &mut Sources, port: &Port, now: Instant) -> Plan {
    sources.associate_due(now, |ask| port.associate(ask))
}

/// An event of descriptor 5. Nobody doubts it.
pub(super) fn event(
    sources: &mut Sources,
    ticket: usize,
    flags: PollFlags,
    now: Instant,
) -> Option<(Token, PollFlags)> {
    sources.answer((5, ticket), flags, now, |_, _| panic!("nobody doubts it"))
}

/// While a thread waits.
pub(super) fn rearm(sources: &mut Sources, port: &Port, direction: Direction) -> Result<(), Errno> {
    sources.rearm(5, direction, true, |ask| port.associate(ask))
}

#[test]
fn a_registration_is_an_association_of_all_that_is_wanted() {
    let port = Port::default();
    for (interest, flags) in [(R, IN | RDHUP), (W, OUT), (RW, IN | OUT | RDHUP)] {
        let mut sources = Sources::default();
        let wanted = wanted(50, interest, Trigger::Edge);
        sources
            .insert(5, wanted, SOURCE, |ask| port.associate(ask))
            .unwrap();
        assert_eq!(port.asked(), [(5, flags)]);
        assert!(!sources.any_due());
    }
}

#[test]
fn the_table_knows_what_is_registered() {
    let port = Port::default();
    let (mut sources, _) = source(&port, R, Trigger::Edge, SOURCE);
    let again = sources.insert(5, wanted(1, R, Trigger::Edge), SOURCE, |ask| {
        port.associate(ask)
    });
    assert_eq!(again, Err(Errno::EXIST));
    for fd in [-1, 4, 6, RawFd::MIN, RawFd::MAX] {
        let wanted = wanted(1, R, Trigger::Edge);
        let replaced = sources.replace(fd, wanted, BARE, |ask| port.associate(ask));
        assert_eq!(replaced, Err(Errno::NOENT));
        assert_eq!(
            sources.remove(fd, || panic!("not registered")),
            Err(Errno::NOENT)
        );
        assert_eq!(
            sources.rearm(fd, Direction::Read, true, |ask| port.associate(ask)),
            Ok(())
        );
    }
    assert_eq!(port.asked(), []);
}

/// A number that is no descriptor must not reach the table, which is indexed by it.
#[test]
fn what_the_system_refuses_is_not_registered() {
    let port = Port::default();
    let mut sources = Sources::default();
    for (fd, errno) in [
        (-1, Errno::BADF),
        (RawFd::MAX, Errno::BADF),
        (5, Errno::AGAIN),
    ] {
        port.refuses.set(Some(errno));
        let wanted = wanted(1, R, Trigger::Edge);
        let refused = sources.insert(fd, wanted, BARE, |ask| port.associate(ask));
        assert_eq!(refused, Err(errno));
        assert_eq!(
            sources.remove(fd, || panic!("not registered")),
            Err(Errno::NOENT)
        );
    }
}

#[test]
fn an_event_ends_its_association() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, R, Trigger::Edge, SOURCE);
    assert_eq!(event(&mut sources, ticket, IN, now), Some((Token(50), IN)));
    // Another thread of a forked process has fetched it, too, or it was never withdrawn.
    assert_eq!(event(&mut sources, ticket, IN, now), None);
    // No association, nothing to end.
    assert_eq!(sources.remove(5, || panic!("it has ended")), Ok(()));
}

#[test]
fn what_is_left_of_an_edge_is_associated_before_the_next_wait() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, RW, Trigger::Edge, SOURCE);
    event(&mut sources, ticket, OUT, now).unwrap();
    assert_eq!(port.asked(), [], "not at once");
    assert_eq!(due(&mut sources, &port, now), Plan::default());
    assert_eq!(port.asked(), [(5, IN | RDHUP)]);
    assert!(!sources.any_due());
}

/// Draining makes the association that was due, so that it costs nothing more.
#[test]
fn who_drains_an_edge_has_associated_it() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, R, Trigger::Edge, SOURCE);
    event(&mut sources, ticket, IN, now).unwrap();
    rearm(&mut sources, &port, Direction::Read).unwrap();
    assert_eq!(port.asked(), [(5, IN | RDHUP)]);
    due(&mut sources, &port, now);
    assert_eq!(port.asked(), []);
}

#[test]
fn a_direction_is_armed_alone() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, RW, Trigger::Edge, SOURCE);
    event(&mut sources, ticket, IN | OUT, now).unwrap();
    rearm(&mut sources, &port, Direction::Write).unwrap();
    assert_eq!(port.asked(), [(5, OUT | RDHUP)]);
    rearm(&mut sources, &port, Direction::Read).unwrap();
    let ticket = {
        let asked = port.asked.borrow();
        assert_eq!(asked.last().unwrap().flags, IN | OUT | RDHUP);
        asked.last().unwrap().ticket
    };
    assert_eq!(event(&mut sources, ticket, IN, now), Some((Token(50), IN)));
}

#[test]
fn a_level_is_associated_again_and_again() {
    let now = Instant::now();
    for bare in [SOURCE, BARE] {
        let port = Port::default();
        let (mut sources, mut ticket) = source(&port, RW, Trigger::Level, bare);
        for _ in 0..3 {
            assert_eq!(
                event(&mut sources, ticket, OUT, now),
                Some((Token(50), OUT))
            );
            assert_eq!(due(&mut sources, &port, now), Plan::default());
            assert!(!sources.any_due());
            ticket = port.ticket();
        }
    }
}

#[test]
fn a_oneshot_is_never_due() {
    let now = Instant::now();
    for trigger in [Trigger::Oneshot, Trigger::EdgeOneshot] {
        for bare in [SOURCE, BARE] {
            let port = Port::default();
            let (mut sources, ticket) = source(&port, RW, trigger, bare);
            assert_eq!(
                event(&mut sources, ticket, OUT, now),
                Some((Token(50), OUT))
            );
            rearm(&mut sources, &port, Direction::Unknown).unwrap();
            assert!(!sources.any_due());
            due(&mut sources, &port, now);
            assert_eq!(port.asked(), []);
            let again = wanted(51, R, trigger);
            sources
                .replace(5, again, bare, |ask| port.associate(ask))
                .unwrap();
            let ticket = port.ticket();
            assert_eq!(event(&mut sources, ticket, IN, now), Some((Token(51), IN)));
        }
    }
}

/// The end comes unasked, and the system must not be asked for anything then, or it would come again and again.
#[test]
fn a_source_whose_end_was_reported_is_not_due() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, R, Trigger::Edge, SOURCE);
    event(&mut sources, ticket, HUP, now).unwrap();
    assert!(!sources.any_due());
    rearm(&mut sources, &port, Direction::Read).unwrap();
    assert_eq!(port.asked(), [(5, IN | RDHUP)]);
}

/// An event was fetched, and before it is looked at, another thread changes the registration.
#[test]
fn an_event_about_the_past_is_dropped() {
    let now = Instant::now();
    for trigger in [Trigger::Edge, Trigger::Level, Trigger::Oneshot] {
        let port = Port::default();
        let (mut sources, old) = source(&port, R, trigger, SOURCE);
        let again = wanted(51, RW, trigger);
        sources
            .replace(5, again, SOURCE, |ask| port.associate(ask))
            .unwrap();
        let replaced = port.ticket();
        assert_eq!(event(&mut sources, old, IN, now), None);

        assert_eq!(sources.remove(5, || Ok(())), Ok(()));
        assert_eq!(event(&mut sources, replaced, IN, now), None);
        // The number is that of another source now.
        let other = wanted(52, R, trigger);
        sources
            .insert(5, other, SOURCE, |ask| port.associate(ask))
            .unwrap();
        let new = port.ticket();
        assert_eq!(event(&mut sources, old, IN, now), None);
        assert_eq!(event(&mut sources, replaced, IN, now), None);
        assert!(!sources.any_due(), "its association is untouched");
        assert_eq!(event(&mut sources, new, IN, now), Some((Token(52), IN)));
    }
}

/// The same if it was armed: what has replaced the association says for itself what is ready.
#[test]
fn an_event_from_before_more_was_armed_is_dropped() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, RW, Trigger::Edge, SOURCE);
    event(&mut sources, ticket, OUT, now).unwrap();
    due(&mut sources, &port, now);
    let reading = port.ticket();
    rearm(&mut sources, &port, Direction::Write).unwrap();
    let both = port.ticket();
    assert_eq!(event(&mut sources, reading, IN, now), None);
    assert_eq!(event(&mut sources, both, IN, now), Some((Token(50), IN)));
}

#[test]
fn an_event_from_before_an_operation_that_blocked_is_doubted() {
    let now = Instant::now();
    for trigger in [Trigger::Edge, Trigger::Level, Trigger::Oneshot] {
        for (truth, said) in [(NOTHING, None), (OUT, Some((Token(50), OUT)))] {
            let port = Port::default();
            let (mut sources, ticket) = source(&port, RW, trigger, SOURCE);
            rearm(&mut sources, &port, Direction::Read).unwrap();
            assert_eq!(port.asked(), [], "it was armed already");
            let answer = sources.answer((5, ticket), IN, now, |fd, asked| {
                assert_eq!((fd, asked), (5, IN | OUT | RDHUP));
                Some(truth)
            });
            assert_eq!(answer, said);
            if said.is_none() {
                // Nothing was reported, so all of it is asked for once more.
                due(&mut sources, &port, now);
                let asked = port.asked.take();
                assert_eq!(asked[0].flags, IN | OUT | RDHUP);
                // And that was not doubted by anybody.
                let event = event(&mut sources, asked[0].ticket, IN, now);
                assert_eq!(event, Some((Token(50), IN)));
            }
        }
    }
}

#[test]
fn a_look_that_fails_leaves_it_at_what_the_event_says() {
    let port = Port::default();
    let (mut sources, ticket) = source(&port, R, Trigger::Edge, SOURCE);
    rearm(&mut sources, &port, Direction::Read).unwrap();
    let answer = sources.answer((5, ticket), IN, Instant::now(), |_, _| None);
    assert_eq!(answer, Some((Token(50), IN)));
}

#[test]
fn a_dissociation_that_finds_nothing_is_fine() {
    let port = Port::default();
    for (says, expected) in [
        (Ok(()), Ok(())),
        (Err(Errno::NOENT), Ok(())),
        (Err(Errno::BADF), Err(Errno::BADF)),
        (Err(Errno::ACCESS), Err(Errno::ACCESS)),
    ] {
        let (mut sources, _) = source(&port, R, Trigger::Edge, SOURCE);
        assert_eq!(sources.remove(5, || says), expected);
        // Gone, whatever the system said.
        assert_eq!(
            sources.remove(5, || panic!("it is gone")),
            Err(Errno::NOENT)
        );
    }
}

#[test]
fn a_change_that_is_refused_leaves_the_registration() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, old) = source(&port, R, Trigger::Edge, SOURCE);
    port.refuses.set(Some(Errno::AGAIN));
    let again = wanted(51, W, Trigger::Edge);
    let refused = sources.replace(5, again, SOURCE, |ask| port.associate(ask));
    assert_eq!(refused, Err(Errno::AGAIN));
    assert!(sources.has_put_off());
    assert!(!sources.has_put_off(), "said once");

    // Whether the port has it still is not said, so it is associated anew.
    port.refuses.set(None);
    assert_eq!(event(&mut sources, old, IN, now), None);
    due(&mut sources, &port, now);
    let asked = port.asked.take();
    assert_eq!(asked[0].flags, IN | RDHUP);
    let event = event(&mut sources, asked[0].ticket, IN, now);
    assert_eq!(event, Some((Token(50), IN)));
}

#[test]
fn a_change_of_what_is_no_descriptor_any_more_ends_the_registration() {
    let port = Port::default();
    let (mut sources, _) = source(&port, R, Trigger::Edge, BARE);
    port.refuses.set(Some(Errno::BADF));
    let again = wanted(51, W, Trigger::Edge);
    let refused = sources.replace(5, again, BARE, |ask| port.associate(ask));
    assert_eq!(refused, Err(Errno::BADF));
    assert_eq!(
        sources.remove(5, || panic!("it is gone")),
        Err(Errno::NOENT)
    );
}

/// A full port refuses what was due. It is tried again after a pause, until there is room.
#[test]
fn what_is_refused_stays_due() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, R, Trigger::Level, SOURCE);
    event(&mut sources, ticket, IN, now).unwrap();
    port.refuses.set(Some(Errno::AGAIN));
    for _ in 0..3 {
        assert_eq!(due(&mut sources, &port, now).until, Some(now + PAUSE));
        assert!(sources.any_due());
    }
    port.refuses.set(None);
    assert_eq!(due(&mut sources, &port, now), Plan::default());
    assert_eq!(port.asked(), [(5, IN | RDHUP)]);
    assert!(!sources.any_due());
}

#[test]
fn a_system_that_cannot_be_asked_for_nothing_is_not_asked_again_and_again() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, W, Trigger::Edge, SOURCE);
    event(&mut sources, ticket, OUT, now).unwrap();
    port.refuses.set(Some(Errno::INVAL));
    assert_eq!(due(&mut sources, &port, now), Plan::default());
    assert!(!sources.any_due());
    port.refuses.set(None);
    rearm(&mut sources, &port, Direction::Write).unwrap();
    assert_eq!(port.asked(), [(5, OUT)]);
}

#[test]
fn arming_that_is_refused_is_put_off() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, R, Trigger::Edge, SOURCE);
    event(&mut sources, ticket, IN, now).unwrap();
    due(&mut sources, &port, now);
    port.asked();
    port.refuses.set(Some(Errno::NOMEM));
    assert_eq!(
        rearm(&mut sources, &port, Direction::Read),
        Err(Errno::NOMEM)
    );
    assert!(sources.has_put_off());
    port.refuses.set(None);
    due(&mut sources, &port, now);
    assert_eq!(port.asked(), [(5, IN | RDHUP)]);
}

/// Nobody tells of a bare descriptor that it was closed, but the system says so when it is associated again.
#[test]
fn a_descriptor_that_was_closed_without_a_word_is_forgotten() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, R, Trigger::Level, BARE);
    event(&mut sources, ticket, IN, now).unwrap();
    port.refuses.set(Some(Errno::BADF));
    assert_eq!(due(&mut sources, &port, now), Plan::default());
    assert!(!sources.any_due());
    port.refuses.set(None);
    let other = wanted(51, R, Trigger::Level);
    assert_eq!(
        sources.insert(5, other, BARE, |ask| port.associate(ask)),
        Ok(())
    );
}

/// A source that was due is gone, and its number is registered again. The new registration is not due for that.
#[test]
fn what_is_due_is_a_registration_and_not_a_number() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, R, Trigger::Level, SOURCE);
    event(&mut sources, ticket, IN, now).unwrap();
    sources.remove(5, || panic!("it has ended")).unwrap();
    let other = wanted(51, R, Trigger::Level);
    sources
        .insert(5, other, SOURCE, |ask| port.associate(ask))
        .unwrap();
    let new = port.ticket();
    due(&mut sources, &port, now);
    assert_eq!(port.asked(), []);
    assert!(!sources.any_due());
    assert_eq!(event(&mut sources, new, IN, now), Some((Token(51), IN)));
}

/// The list of what is due does not grow with what comes and goes.
#[test]
fn a_bare_descriptor_that_comes_and_goes_is_due_once() {
    let mut now = Instant::now();
    let port = Port::default();
    let (mut sources, mut ticket) = source(&port, R, Trigger::Edge, BARE);
    for _ in 0..10 {
        event(&mut sources, ticket, IN, now).unwrap();
        sources.remove(5, || Ok(())).unwrap();
        let again = wanted(50, R, Trigger::Edge);
        sources
            .insert(5, again, BARE, |ask| port.associate(ask))
            .unwrap();
        let first = port.ticket();
        event(&mut sources, first, IN, now).unwrap();
        now += Duration::from_millis(10);
        due(&mut sources, &port, now);
        assert_eq!(sources.due.len(), 1);
        ticket = port.ticket();
    }
}

#[test]
fn a_bare_descriptor_that_stays_ready_is_asked_for_ever_more_slowly() {
    let mut now = Instant::now();
    let port = Port::default();
    let (mut sources, mut ticket) = source(&port, R, Trigger::Edge, BARE);
    for millis in [0, 1, 2, 4, 4] {
        event(&mut sources, ticket, IN, now).unwrap();
        if millis > 0 {
            let plan = due(&mut sources, &port, now);
            assert_eq!(plan.until, Some(now + Duration::from_millis(millis)));
            assert!(!plan.impatient);
            assert_eq!(port.asked(), []);
        }
        now += Duration::from_millis(millis);
        // It was ready, so the wait has to find out whether it is.
        assert!(due(&mut sources, &port, now).impatient);
        ticket = port.ticket();
    }
}

#[test]
fn a_bare_descriptor_that_is_seen_unready_starts_afresh() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, R, Trigger::Edge, BARE);
    event(&mut sources, ticket, IN, now).unwrap();
    assert!(due(&mut sources, &port, now).impatient);
    let ticket = port.ticket();
    // The port had nothing of it.
    sources.port_is_empty(now);
    assert_eq!(due(&mut sources, &port, now), Plan::default());
    assert!(!sources.any_due());
    assert_eq!(port.asked(), [], "the association is as good as before");
    assert_eq!(event(&mut sources, ticket, IN, now), Some((Token(50), IN)));
    assert!(due(&mut sources, &port, now).impatient);
}

/// What the port cannot show to who watches it: levels and bare descriptors between their report and the next wait.
#[test]
fn edges_can_be_shown_and_the_rest_is_hidden() {
    let now = Instant::now();
    for (trigger, bare, hidden) in [
        (Trigger::Edge, SOURCE, false),
        (Trigger::Edge, BARE, true),
        (Trigger::Level, SOURCE, true),
        (Trigger::Level, BARE, true),
        (Trigger::Oneshot, SOURCE, false),
    ] {
        let port = Port::default();
        let (mut sources, ticket) = source(&port, RW, trigger, bare);
        event(&mut sources, ticket, OUT, now).unwrap();
        sources.associate_edges(now, |ask| port.associate(ask));
        assert_eq!(sources.any_hidden(true), hidden, "{trigger:?} {bare}");
        let shown = trigger == Trigger::Edge && !bare;
        assert_eq!(port.asked().len(), usize::from(shown));

        // With the next wait all of it is in the port, or nothing is wanted of it.
        due(&mut sources, &port, now);
        assert!(!sources.any_hidden(true), "{trigger:?} {bare}");
    }
}

#[test]
fn a_pause_does_not_count_as_hidden_unless_there_was_something() {
    let now = Instant::now();
    let port = Port::default();
    let (mut sources, ticket) = source(&port, R, Trigger::Edge, BARE);
    event(&mut sources, ticket, IN, now).unwrap();
    due(&mut sources, &port, now);
    let ticket = port.ticket();
    event(&mut sources, ticket, IN, now).unwrap();
    assert!(due(&mut sources, &port, now).until.is_some());
    assert!(!sources.any_hidden(false));
    assert!(sources.any_hidden(true));
}
