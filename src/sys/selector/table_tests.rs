//! The table of a queue: which questions it asks, which answers become events, and what is silent afterwards.

#[path = "table_model_tests.rs"]
mod model;

use std::collections::BTreeMap;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use super::{requested, Plan, Question, POLL_RDHUP as RDHUP};
use crate::interest::of_some_systems::PRIORITY;
use crate::sys::selector::{Direction, Wanted};
use crate::{Interest, Token, Trigger};

type Table = super::Table;

const IN: PollFlags = PollFlags::IN;
const OUT: PollFlags = PollFlags::OUT;
const PRI: PollFlags = crate::sys::poll_flags::PRI;
const ERR: PollFlags = PollFlags::ERR;
const HUP: PollFlags = PollFlags::HUP;
const NVAL: PollFlags = PollFlags::NVAL;
const NOTHING: PollFlags = PollFlags::empty();

const R: Interest = Interest::READABLE;
const W: Interest = Interest::WRITABLE;
const RW: Interest = R.add(W);

/// Whether a descriptor is registered by its number alone.
const SOURCE: bool = false;
const BARE: bool = true;

fn wanted(token: usize, interest: Interest, trigger: Trigger) -> Wanted {
    Wanted {
        token: Token(token),
        interest,
        trigger,
    }
}

/// A table with one source, 5, under token 50.
fn table_of(interest: Interest, trigger: Trigger, bare: bool) -> Table {
    let mut table = Table::default();
    assert!(table.insert(5, wanted(50, interest, trigger), bare));
    table
}

fn ask(table: &Table, now: Instant) -> (Plan, Vec<Question>) {
    let mut questions = Vec::new();
    let plan = table.questions(now, &mut questions);
    (plan, questions)
}

/// What is asked now, by descriptor.
fn asked(table: &Table, now: Instant) -> Vec<(RawFd, PollFlags)> {
    let (_, questions) = ask(table, now);
    questions.iter().map(|q| (q.fd, q.asked)).collect()
}

/// Asks once and answers the one question, which there must be, with `answer`.
fn round(table: &mut Table, answer: PollFlags, now: Instant) -> Option<PollFlags> {
    let (_, questions) = ask(table, now);
    assert_eq!(questions.len(), 1, "{questions:?}");
    let event = table.answer(&questions[0], answer, now);
    event.map(|(_, flags)| flags)
}

#[test]
fn a_descriptor_is_registered_once() {
    let mut table = Table::default();
    assert!(!table.replace(3, wanted(1, R, Trigger::Edge), SOURCE));
    assert!(!table.remove(3));
    assert!(table.insert(3, wanted(1, R, Trigger::Edge), SOURCE));
    assert!(!table.insert(3, wanted(2, W, Trigger::Edge), BARE));
    assert!(table.replace(3, wanted(3, W, Trigger::Edge), SOURCE));
    assert!(table.remove(3));
    assert!(!table.remove(3));
    assert!(!table.replace(3, wanted(1, R, Trigger::Edge), SOURCE));
    assert!(!table.rearm(3, Direction::Unknown));
}

#[test]
fn numbers_that_are_no_descriptors_are_not_found() {
    let mut table = table_of(R, Trigger::Edge, SOURCE);
    for fd in [-1, RawFd::MIN, 4, 6, RawFd::MAX] {
        assert!(!table.remove(fd));
        assert!(!table.rearm(fd, Direction::Read));
        assert!(!table.replace(fd, wanted(1, R, Trigger::Edge), BARE));
    }
    assert_eq!(asked(&table, Instant::now()), [(5, IN | RDHUP)]);
}

#[test]
fn an_interest_asks_for_its_flags() {
    for (interest, flags) in [
        (R, IN | RDHUP),
        (W, OUT),
        (PRIORITY, PRI),
        (RW, IN | RDHUP | OUT),
        (RW | PRIORITY, IN | RDHUP | OUT | PRI),
    ] {
        assert_eq!(requested(interest), flags);
    }
}

#[test]
fn the_end_of_the_stream_is_asked_for_with_reading_alone() {
    let now = Instant::now();
    assert_eq!(
        asked(&table_of(RW, Trigger::Level, SOURCE), now),
        [(5, IN | OUT | RDHUP)]
    );
    assert_eq!(asked(&table_of(W, Trigger::Level, SOURCE), now), [(5, OUT)]);
}

#[test]
fn an_event_carries_what_is_wanted() {
    let now = Instant::now();
    let mut table = table_of(RW, Trigger::Edge, SOURCE);
    let (_, questions) = ask(&table, now);
    let (wanted, flags) = table.answer(&questions[0], IN | RDHUP, now).unwrap();
    assert_eq!((wanted.token, flags), (Token(50), IN | RDHUP));
}

#[test]
fn a_level_is_reported_for_as_long_as_it_lasts() {
    let now = Instant::now();
    for bare in [SOURCE, BARE] {
        let mut table = table_of(RW, Trigger::Level, bare);
        for _ in 0..5 {
            assert_eq!(round(&mut table, IN | OUT, now), Some(IN | OUT));
            assert_eq!(round(&mut table, IN | HUP, now), Some(IN | HUP));
        }
        assert_eq!(round(&mut table, NOTHING, now), None);
        assert_eq!(ask(&table, now).0, Plan::default());
    }
}

#[test]
fn a_reported_direction_is_silent_until_it_is_armed() {
    let now = Instant::now();
    let mut table = table_of(RW, Trigger::Edge, SOURCE);
    assert_eq!(round(&mut table, OUT, now), Some(OUT));
    assert_eq!(asked(&table, now), [(5, IN | RDHUP)]);
    assert_eq!(round(&mut table, IN, now), Some(IN));
    assert_eq!(asked(&table, now), [(5, RDHUP)]);

    assert!(table.rearm(5, Direction::Read));
    assert!(!table.rearm(5, Direction::Read), "armed already");
    assert_eq!(asked(&table, now), [(5, IN | RDHUP)]);
    assert!(table.rearm(5, Direction::Write));
    assert_eq!(asked(&table, now), [(5, IN | OUT | RDHUP)]);
}

#[test]
fn each_direction_is_armed_alone() {
    let now = Instant::now();
    let all = RW | PRIORITY;
    for (direction, expected) in [
        (Direction::Read, IN | PRI | RDHUP),
        (Direction::Write, OUT | RDHUP),
        (Direction::Unknown, IN | OUT | PRI | RDHUP),
    ] {
        let mut table = table_of(all, Trigger::Edge, SOURCE);
        assert_eq!(round(&mut table, IN | OUT | PRI, now), Some(IN | OUT | PRI));
        assert_eq!(asked(&table, now), [(5, RDHUP)]);
        assert!(table.rearm(5, direction));
        assert_eq!(asked(&table, now), [(5, expected)]);
    }
}

#[test]
fn a_direction_without_interest_is_never_armed() {
    let now = Instant::now();
    let mut table = table_of(R, Trigger::Edge, SOURCE);
    assert_eq!(round(&mut table, IN, now), Some(IN));
    assert!(!table.rearm(5, Direction::Write));
    assert_eq!(asked(&table, now), [(5, RDHUP)]);
}

/// The end comes unasked, and has to be told of even while nothing is asked.
#[test]
fn the_end_is_reported_once_after_everything_was_reported() {
    let now = Instant::now();
    for end in [ERR, HUP, ERR | HUP] {
        let mut table = table_of(W, Trigger::Edge, SOURCE);
        assert_eq!(round(&mut table, OUT, now), Some(OUT));
        assert_eq!(round(&mut table, end, now), Some(end | OUT));
        assert_eq!(
            asked(&table, now),
            [],
            "the system call would not wait any more"
        );
        assert!(table.rearm(5, Direction::Write));
        assert_eq!(round(&mut table, end, now), Some(end | OUT));
    }
}

/// The flags of the end cannot be slowed down by not asking for them, so they slow down the whole descriptor.
#[test]
fn the_end_of_a_bare_descriptor_has_a_pace_whatever_is_asked() {
    let mut now = Instant::now();
    for interest in [R, W, RW, PRIORITY] {
        let mut table = table_of(interest, Trigger::Edge, BARE);
        assert!(round(&mut table, HUP, now).is_some());
        assert!(round(&mut table, HUP, now).is_some());
        assert_eq!(asked(&table, now), [], "{interest:?}");
        now += Duration::from_millis(1);
        assert!(round(&mut table, HUP, now).is_some());
    }
}

#[test]
fn a_oneshot_is_silent_in_both_directions_until_it_is_replaced() {
    let now = Instant::now();
    for trigger in [Trigger::Oneshot, Trigger::EdgeOneshot] {
        for bare in [SOURCE, BARE] {
            let mut table = table_of(RW, trigger, bare);
            assert_eq!(round(&mut table, NOTHING, now), None);
            assert_eq!(round(&mut table, OUT, now), Some(OUT));
            assert_eq!(asked(&table, now), []);
            assert!(!table.rearm(5, Direction::Unknown));
            assert_eq!(asked(&table, now), []);
            assert!(table.replace(5, wanted(51, R, trigger), bare));
            assert_eq!(asked(&table, now), [(5, IN | RDHUP)]);
        }
    }
}

/// `poll(2)` cannot be asked to be silent about these, so a source that has them is left out as a whole.
#[test]
fn a_broken_source_is_reported_in_every_direction_and_left_out() {
    let now = Instant::now();
    for broken in [ERR, HUP, ERR | HUP] {
        let mut table = table_of(RW, Trigger::Edge, SOURCE);
        assert_eq!(round(&mut table, broken, now), Some(broken | IN | OUT));
        assert_eq!(asked(&table, now), []);

        // Reading on until it would block, as after `ConnectionRefused` of a datagram, arms it again.
        assert!(table.rearm(5, Direction::Read));
        assert_eq!(round(&mut table, NOTHING, now), None);
        assert_eq!(round(&mut table, broken, now), Some(broken | IN | OUT));
        assert_eq!(asked(&table, now), []);
    }
}

#[test]
fn a_broken_oneshot_reports_what_the_system_said() {
    let now = Instant::now();
    let mut table = table_of(RW, Trigger::Oneshot, SOURCE);
    assert_eq!(
        round(&mut table, OUT | ERR | HUP, now),
        Some(OUT | ERR | HUP)
    );
    assert_eq!(asked(&table, now), []);
}

#[test]
fn an_answer_counts_for_what_is_wanted_now() {
    let now = Instant::now();
    let mut table = table_of(W, Trigger::Edge, SOURCE);
    let (_, old) = ask(&table, now);
    assert!(table.replace(5, wanted(51, R, Trigger::Edge), SOURCE));
    assert!(table.answer(&old[0], OUT, now).is_none());
    // The wrong answer has disarmed nothing.
    assert_eq!(asked(&table, now), [(5, IN | RDHUP)]);
}

#[test]
fn an_answer_about_an_earlier_registration_is_dropped() {
    let now = Instant::now();
    for answer in [IN, HUP, ERR, NVAL] {
        let mut table = table_of(R, Trigger::Level, SOURCE);
        let (_, old) = ask(&table, now);
        assert!(table.remove(5));
        assert!(table.answer(&old[0], answer, now).is_none(), "{answer:?}");
        assert!(table.insert(5, wanted(51, R, Trigger::Level), SOURCE));
        assert!(table.answer(&old[0], answer, now).is_none(), "{answer:?}");
        // The new one is there, untouched.
        assert_eq!(round(&mut table, IN, now), Some(IN));
    }
}

#[test]
fn a_descriptor_that_was_closed_without_a_word_is_forgotten() {
    let now = Instant::now();
    let mut table = table_of(R, Trigger::Level, BARE);
    assert!(table.insert(6, wanted(60, R, Trigger::Level), BARE));
    let (_, questions) = ask(&table, now);
    assert!(table.answer(&questions[0], NVAL, now).is_none());
    assert_eq!(asked(&table, now), [(6, IN | RDHUP)]);
    assert!(!table.remove(5));
    assert!(table.insert(5, wanted(51, R, Trigger::Level), BARE));
}

/// The pause after which a bare descriptor that was ready is asked for again.
fn pause(table: &Table, now: Instant) -> Option<Duration> {
    let (plan, questions) = ask(table, now);
    assert!(!plan.impatient && questions.is_empty(), "{plan:?}");
    plan.until.map(|until| until - now)
}

#[test]
fn a_bare_descriptor_that_stays_ready_is_asked_for_ever_more_slowly() {
    let mut now = Instant::now();
    let mut table = table_of(R, Trigger::Edge, BARE);
    assert_eq!(ask(&table, now).0, Plan::default());
    assert_eq!(round(&mut table, IN, now), Some(IN));

    // It may have been drained and filled: the next look comes at once, and does not wait.
    let (plan, questions) = ask(&table, now);
    assert_eq!((plan.impatient, plan.until), (true, None));
    assert_eq!(questions.len(), 1);

    for millis in [1, 2, 4, 4, 4] {
        assert_eq!(round(&mut table, IN, now), Some(IN));
        assert_eq!(pause(&table, now), Some(Duration::from_millis(millis)));
        // Just before the pause ends, what is left of it.
        now += Duration::from_micros(millis * 1000 - 1);
        assert_eq!(pause(&table, now), Some(Duration::from_micros(1)));
        now += Duration::from_micros(1);
        assert!(ask(&table, now).0.impatient, "the pause is over");
    }
}

#[test]
fn a_bare_descriptor_that_is_seen_unready_starts_afresh() {
    let now = Instant::now();
    let mut table = table_of(R, Trigger::Edge, BARE);
    for _ in 0..2 {
        assert_eq!(round(&mut table, IN, now), Some(IN));
    }
    let later = now + Duration::from_millis(1);
    assert_eq!(round(&mut table, NOTHING, later), None);
    assert_eq!(ask(&table, later).0, Plan::default());

    // As at the beginning: at once, then after 1 ms.
    assert_eq!(round(&mut table, IN, later), Some(IN));
    assert_eq!(round(&mut table, IN, later), Some(IN));
    assert_eq!(pause(&table, later), Some(Duration::from_millis(1)));
}

#[test]
fn the_directions_of_a_bare_descriptor_have_their_own_pace() {
    let now = Instant::now();
    let mut table = table_of(RW, Trigger::Edge, BARE);
    for _ in 0..2 {
        assert_eq!(round(&mut table, OUT, now), Some(OUT));
    }
    // Writing pauses; reading, which is not ready, may be waited for meanwhile.
    let (plan, questions) = ask(&table, now);
    assert!(!plan.impatient);
    assert_eq!(plan.until, Some(now + Duration::from_millis(1)));
    assert_eq!(questions[0].asked, IN | RDHUP);

    // What comes in then neither shortens nor prolongs the pause.
    assert_eq!(round(&mut table, IN, now), Some(IN));
    let (plan, questions) = ask(&table, now);
    assert!(plan.impatient);
    assert_eq!(plan.until, Some(now + Duration::from_millis(1)));
    assert_eq!(questions[0].asked, IN | RDHUP);
}

#[test]
fn replacing_a_bare_descriptor_ends_its_pause() {
    let now = Instant::now();
    let mut table = table_of(R, Trigger::Edge, BARE);
    for _ in 0..2 {
        assert_eq!(round(&mut table, IN, now), Some(IN));
    }
    assert_eq!(pause(&table, now), Some(Duration::from_millis(1)));
    assert!(table.replace(5, wanted(51, R, Trigger::Edge), BARE));
    let (plan, questions) = ask(&table, now);
    assert_eq!(plan, Plan::default());
    assert_eq!(questions.len(), 1);
}

#[test]
fn a_broken_bare_descriptor_pauses_too() {
    let mut now = Instant::now();
    let mut table = table_of(RW, Trigger::Edge, BARE);
    for millis in [0, 1, 2, 4, 4] {
        assert_eq!(round(&mut table, HUP, now), Some(HUP | IN | OUT));
        if millis > 0 {
            assert_eq!(pause(&table, now), Some(Duration::from_millis(millis)));
        }
        now += Duration::from_millis(millis);
    }
}

/// Serves `capacity` questions as a poll does, all of them being answered with `IN`, and returns the tokens.
fn serve(table: &mut Table, capacity: usize, now: Instant) -> Vec<usize> {
    let (_, questions) = ask(table, now);
    let mut tokens = Vec::new();
    for question in &questions {
        if tokens.len() == capacity {
            table.start_with(question);
            break;
        }
        let event = table.answer(question, IN, now);
        tokens.extend(event.map(|(wanted, _)| wanted.token.0));
    }
    tokens
}

/// Sources that are not asked about take no turns from those that are.
#[test]
fn silent_sources_do_not_shift_the_turns() {
    let now = Instant::now();
    let mut table = Table::default();
    for fd in 0..10 {
        let trigger = if fd < 5 {
            Trigger::Oneshot
        } else {
            Trigger::Level
        };
        assert!(table.insert(fd, wanted(fd as usize, R, trigger), SOURCE));
    }
    // The one-shots have their turn, and are silent from then on.
    assert_eq!(serve(&mut table, 5, now), [0, 1, 2, 3, 4]);
    let turns: Vec<_> = (0..10).flat_map(|_| serve(&mut table, 1, now)).collect();
    assert_eq!(turns, [5, 6, 7, 8, 9, 5, 6, 7, 8, 9]);
}

#[test]
fn a_small_capacity_serves_everybody_in_turn() {
    let now = Instant::now();
    for capacity in [1, 2, 3, 7, 10, 11] {
        let mut table = Table::default();
        for fd in 0..10 {
            assert!(table.insert(fd, wanted(fd as usize, R, Trigger::Level), SOURCE));
        }
        let mut served = BTreeMap::<usize, usize>::new();
        for _ in 0..100 {
            for token in serve(&mut table, capacity, now) {
                *served.entry(token).or_default() += 1;
            }
        }
        assert_eq!(served.len(), 10, "capacity {capacity}: {served:?}");
        let (least, most) = (served.values().min(), served.values().max());
        assert!(
            most.unwrap() - least.unwrap() <= 1,
            "capacity {capacity}: {served:?}"
        );
    }
}

/// What the system saw may have been read since, by who registered anew; a one-shot must not be spent on it.
#[test]
fn an_answer_to_an_older_question_spends_no_oneshot() {
    let now = Instant::now();
    let mut table = table_of(R, Trigger::Oneshot, SOURCE);
    let (_, old) = ask(&table, now);
    assert!(table.replace(5, wanted(51, R, Trigger::Oneshot), SOURCE));
    assert!(table.answer(&old[0], IN, now).is_none());
    assert_eq!(round(&mut table, IN, now), Some(IN));
}

/// Who has read just what there was, and did not see `WouldBlock`, still learns of the end, once.
#[test]
fn the_end_of_the_stream_is_reported_after_reading_was() {
    let now = Instant::now();
    let mut table = table_of(R, Trigger::Edge, SOURCE);
    assert_eq!(round(&mut table, IN, now), Some(IN));
    assert_eq!(round(&mut table, RDHUP, now), Some(IN | RDHUP));
    assert_eq!(asked(&table, now), [(5, NOTHING)]);
}
