use super::*;
use crate::{Interest, Token, Trigger};

const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);
const TRIGGERS: [Trigger; 4] = [
    Trigger::Edge,
    Trigger::Level,
    Trigger::Oneshot,
    Trigger::EdgeOneshot,
];
/// An error that nothing here has a rule for.
const OTHER: u32 = 5;

fn wanted(interest: Interest, trigger: Trigger) -> Wanted {
    Wanted {
        token: Token(1),
        interest,
        trigger,
    }
}

/// A pipe that is connected, and registered if that is wanted.
fn connected(registered: Option<(Interest, Trigger)>) -> State {
    let mut state = State::new();
    state.connected = true;
    state.skips_packets = true;
    if let Some((interest, trigger)) = registered {
        state.register(wanted(interest, trigger), false).unwrap();
    }
    state
}

/// The read that is in flight, or that is begun here, brings these bytes.
fn bring(state: &mut State, bytes: &[u8]) {
    state.incoming = vec![0; state.appetite];
    state.incoming[..bytes.len()].copy_from_slice(bytes);
    state.reading = Reading::InFlight;
    assert_eq!(state.taken(Kind::Read, bytes.len(), 0), None);
}

/// What the next event says.
fn flags(state: &mut State) -> Option<Flags> {
    let (wanted, flags) = state.report()?;
    assert_eq!(wanted.token, Token(1));
    Some(flags)
}

#[test]
fn a_registration_is_made_once_and_changed_while_it_is_there() {
    let read = wanted(Interest::READABLE, Trigger::Edge);
    let mut state = State::new();
    let error = |result: Result<Before, Refusal>| result.unwrap_err();
    assert_eq!(error(state.register(read, true)), Refusal::NotRegistered);
    assert_eq!(state.deregister(), Err(Refusal::NotRegistered));
    state.register(read, false).unwrap();
    assert_eq!(
        error(state.register(read, false)),
        Refusal::AlreadyRegistered
    );
    state.register(read, true).unwrap();
    state.deregister().unwrap();
    state.register(read, false).unwrap();
}

#[test]
fn a_change_that_fails_is_undone() {
    let write = wanted(Interest::WRITABLE, Trigger::Oneshot);
    let mut state = connected(None);
    let before = state.register(write, false).unwrap();
    state.restore(before);
    assert_eq!(flags(&mut state), None);
    assert_eq!(state.deregister(), Err(Refusal::NotRegistered));

    // One that has reported stays silent.
    state.register(write, false).unwrap();
    assert_eq!(flags(&mut state), Some(Flags::SEND));
    let before = state.register(write, true).unwrap();
    state.restore(before);
    assert_eq!(flags(&mut state), None);
    state.deregister().unwrap();
}

#[test]
fn what_was_read_is_handed_out_in_pieces() {
    let mut state = connected(None);
    let mut buffer = [0; 4];
    assert_eq!(state.read(&mut buffer), Err(Refusal::WouldBlock));
    bring(&mut state, b"seconds");
    assert_eq!(state.read(&mut buffer), Ok(4));
    assert_eq!(&buffer, b"seco");
    assert_eq!(state.reading, Reading::Data { from: 4, to: 7 });
    assert_eq!(state.read(&mut buffer), Ok(3));
    assert_eq!(&buffer[..3], b"nds");
    assert_eq!(state.reading, Reading::Idle);
    assert_eq!(state.read(&mut buffer), Err(Refusal::WouldBlock));
}

#[test]
fn an_end_or_an_error_is_told_once() {
    for (code, told, flags_told) in [
        (
            code::BROKEN_PIPE,
            Ok(0),
            Flags::RECEIVE.and(Flags::DISCONNECT),
        ),
        (OTHER, Err(Refusal::Failed(OTHER)), Flags::RECEIVE),
        // Nobody is there yet.
        (
            code::PIPE_LISTENING,
            Err(Refusal::WouldBlock),
            Flags::RECEIVE,
        ),
    ] {
        let mut state = connected(Some((BOTH, Trigger::EdgeOneshot)));
        state.writing = Writing::InFlight;
        state.reading = Reading::InFlight;
        assert_eq!(state.taken(Kind::Read, 0, code), None);
        assert_eq!(flags(&mut state), Some(flags_told));
        assert_eq!(state.read(&mut [0; 4]), told);
        assert_eq!(state.read(&mut [0; 4]), Err(Refusal::WouldBlock));
    }
}

/// The rest of a message is read by the next call.
#[test]
fn a_part_of_a_message_is_data() {
    let mut state = connected(None);
    state.incoming = vec![7; state.appetite];
    state.reading = Reading::InFlight;
    assert_eq!(state.taken(Kind::Read, 3, code::MORE_DATA), None);
    assert_eq!(state.reading, Reading::Data { from: 0, to: 3 });
}

#[test]
fn a_full_read_leads_to_larger_ones() {
    let mut state = connected(None);
    bring(&mut state, &[1; SMALL - 1]);
    assert_eq!(state.appetite, SMALL);
    bring(&mut state, &[1; SMALL]);
    assert_eq!(state.appetite, LARGE);
}

#[test]
fn a_read_is_kept_waiting_for_who_wants_to_know() {
    assert!(!connected(None).keep_reading());
    for trigger in TRIGGERS {
        assert!(!connected(Some((Interest::WRITABLE, trigger))).keep_reading());
        let mut state = connected(Some((Interest::READABLE, trigger)));
        assert!(state.keep_reading());
        state.reading = Reading::InFlight;
        assert!(!state.keep_reading(), "one at a time");
        bring(&mut state, b"x");
        assert!(!state.keep_reading(), "its buffer is not free");
        state.disconnected();
        assert!(!state.keep_reading(), "nobody is there");
    }
}

#[test]
fn writes_take_what_the_medium_allows() {
    for (medium, length, taken) in [
        (Medium::Bytes, 0, None),
        (Medium::Other, 0, None),
        (Medium::Messages, 0, Some(0)),
        (Medium::Bytes, LARGE + 1, Some(LARGE)),
        (Medium::Other, LARGE + 1, Some(LARGE)),
        (Medium::Messages, LARGE + 1, Some(LARGE + 1)),
    ] {
        let mut state = connected(None);
        state.medium = medium;
        assert_eq!(state.write(&vec![1; length]), Ok(taken), "{medium:?}");
        assert_eq!(state.outgoing.len(), taken.unwrap_or(0));
    }
}

#[test]
fn one_write_at_a_time() {
    let mut state = connected(None);
    assert_eq!(state.write(b"one"), Ok(Some(3)));
    for busy in [Writing::InFlight, Writing::Stale] {
        state.writing = busy;
        assert_eq!(state.write(b"two"), Err(Refusal::WouldBlock));
        assert_eq!(state.outgoing, b"one");
    }
    state.writing = Writing::InFlight;
    assert_eq!(state.taken(Kind::Write, 3, 0), None);
    assert_eq!(state.write(b"two"), Ok(Some(3)));
}

/// Whoever would try again at once would do so for ever.
#[test]
fn a_write_that_gets_no_further_fails() {
    let mut state = connected(None);
    assert_eq!(state.write(b"one"), Ok(Some(3)));
    assert!(!state.has_written(0, 0));
    let failed = Err(Refusal::Failed(code::TIMEOUT));
    assert_eq!(state.write(b"two").map(drop), failed);

    // One that does is continued.
    assert_eq!(state.write(b"two"), Ok(Some(3)));
    assert!(state.has_written(1, 0));
    assert!(state.has_written(1, 0));
    assert!(!state.has_written(1, 0));
    assert_eq!((state.writing, state.written), (Writing::Idle, 3));
}

#[test]
fn a_write_that_has_failed_says_so_once() {
    let mut state = connected(Some((Interest::WRITABLE, Trigger::Edge)));
    assert_eq!(flags(&mut state), Some(Flags::SEND));
    assert_eq!(state.write(b"one"), Ok(Some(3)));
    state.writing = Writing::InFlight;
    assert_eq!(state.taken(Kind::Write, 0, OTHER), None);
    assert_eq!(flags(&mut state), Some(Flags::SEND.and(Flags::ABORT)));
    assert_eq!(state.write(b"two"), Err(Refusal::Failed(OTHER)));
    assert_eq!(state.write(b"two"), Ok(Some(3)));
}

#[test]
fn connecting_is_one_attempt() {
    for (code, told) in [
        (0, Ok(())),
        (code::PIPE_CONNECTED, Ok(())),
        (code::NO_DATA, Ok(())),
        (OTHER, Err(Refusal::Failed(OTHER))),
    ] {
        let mut state = State::new();
        state
            .register(wanted(Interest::WRITABLE, Trigger::Edge), false)
            .unwrap();
        state.check_connecting().unwrap();
        state.connecting = Connecting::InFlight;
        assert_eq!(state.check_connecting(), Err(Refusal::WouldBlock));
        assert_eq!(flags(&mut state), None);
        assert_eq!(state.taken(Kind::Connect, 0, code), None);
        assert_eq!(state.connected, told.is_ok());
        let failed = Flags::SEND.and(Flags::CONNECT_FAIL);
        let expected = if told.is_ok() { Flags::SEND } else { failed };
        assert_eq!(flags(&mut state), Some(expected));
        assert_eq!(state.check_connecting(), told);
        assert_eq!(state.check_connecting(), Ok(()));
        assert_eq!(state.take_error(), None);
    }
}

/// No packet tells of a client that came before anybody waited for it.
#[test]
fn a_client_that_is_there_already_is_an_edge() {
    let mut state = connected(Some((BOTH, Trigger::Edge)));
    assert_eq!(flags(&mut state), Some(Flags::SEND));
    assert!(!state.needs_notice());
    state.connected_at_once();
    assert!(state.needs_notice());
    assert_eq!(flags(&mut state), Some(Flags::SEND));
}

#[test]
fn the_error_of_an_attempt_is_taken_once() {
    let mut state = State::new();
    state.connecting = Connecting::InFlight;
    assert_eq!(state.take_error(), None);
    assert!(!state.has_connected(OTHER));
    assert_eq!(state.take_error(), Some(OTHER));
    assert_eq!(state.take_error(), None);
    assert_eq!(state.check_connecting(), Ok(()));
}

/// What happened on a connection that has ended is not reported for the next one.
#[test]
fn what_is_stale_says_nothing() {
    for code in [0, OTHER, code::OPERATION_ABORTED, code::BROKEN_PIPE] {
        let mut state = connected(Some((BOTH, Trigger::Edge)));
        state.incoming = vec![0; SMALL];
        state.outgoing = vec![0; 9];
        state.reading = Reading::InFlight;
        state.writing = Writing::InFlight;
        state.connecting = Connecting::InFlight;
        // However often.
        state.disconnected();
        state.disconnected();
        assert_eq!(state.taken(Kind::Read, 3, code), None);
        assert_eq!(state.taken(Kind::Write, 3, code), None);
        assert_eq!(state.taken(Kind::Connect, 0, code), None);
        assert_eq!(state.reading, Reading::Idle);
        assert_eq!(state.writing, Writing::Idle);
        assert_eq!(state.connecting, Connecting::Idle);
        assert!(!state.connected);
        assert_eq!(flags(&mut state), None);
    }
}

#[test]
fn what_was_not_fetched_ends_with_its_connection() {
    let mut state = connected(Some((BOTH, Trigger::Level)));
    bring(&mut state, b"x");
    state.writing = Writing::Failed(OTHER);
    state.connecting = Connecting::Failed(OTHER);
    state.disconnected();
    assert_eq!(state.read(&mut [0; 4]), Err(Refusal::WouldBlock));
    assert_eq!(state.check_written(), Ok(()));
    assert_eq!(state.check_connecting(), Ok(()));
    assert_eq!(flags(&mut state), None);
}

/// Until the packet of the last attempt has come, its memory is the system's.
#[test]
fn connecting_again_waits_for_what_is_stale() {
    let mut state = connected(None);
    state.connecting = Connecting::InFlight;
    state.disconnected();
    assert_eq!(state.check_connecting(), Err(Refusal::WouldBlock));
    let again = state.taken(Kind::Connect, 0, code::OPERATION_ABORTED);
    assert_eq!(again, Some(Kind::Connect));
    assert!(!state.connected);

    // But not once nobody wants it any more.
    for end in [State::disconnected, State::drop_by_user] {
        let mut state = connected(None);
        state.connecting = Connecting::InFlight;
        state.disconnected();
        assert_eq!(state.check_connecting(), Err(Refusal::WouldBlock));
        end(&mut state);
        assert_eq!(state.taken(Kind::Connect, 0, code::OPERATION_ABORTED), None);
    }
}

/// The thread that has begun it has ended, or somebody else has cancelled everything.
#[test]
fn what_others_cancel_is_begun_again() {
    const ABORTED: u32 = code::OPERATION_ABORTED;
    let mut state = connected(Some((Interest::READABLE, Trigger::Edge)));
    state.reading = Reading::InFlight;
    assert_eq!(state.taken(Kind::Read, 0, ABORTED), None);
    assert_eq!(flags(&mut state), None);
    assert!(state.keep_reading());

    state.connecting = Connecting::InFlight;
    let again = state.taken(Kind::Connect, 0, ABORTED);
    assert_eq!(again, Some(Kind::Connect));

    // From where it was.
    assert_eq!(state.write(b"one"), Ok(Some(3)));
    state.writing = Writing::InFlight;
    assert_eq!(state.taken(Kind::Write, 2, ABORTED), Some(Kind::Write));
    assert_eq!(state.written, 2);

    // Of a serial port it may have been the purpose.
    state.medium = Medium::Other;
    assert_eq!(state.taken(Kind::Write, 0, ABORTED), None);
    assert_eq!(state.check_written(), Err(Refusal::Failed(ABORTED)));

    // And of a pipe that was dropped it was.
    state.medium = Medium::Bytes;
    state.writing = Writing::InFlight;
    state.drop_by_user();
    assert_eq!(state.taken(Kind::Write, 0, ABORTED), None);
}

/// A serial port refuses everything so until its errors were looked at, if it is set up that way.
#[test]
fn what_is_refused_as_cancelled_fails() {
    const ABORTED: u32 = code::OPERATION_ABORTED;
    let mut state = connected(None);
    state.has_read(0, ABORTED);
    assert_eq!(state.reading, Reading::Failed(ABORTED));
    assert!(!state.has_written(0, ABORTED));
    assert_eq!(state.writing, Writing::Failed(ABORTED));
    assert!(!state.has_connected(ABORTED));
    assert_eq!(state.connecting, Connecting::Failed(ABORTED));
}

#[test]
fn packets_come_for_what_does_not_end_with_the_call() {
    let mut state = State::new();
    for skips in [false, true] {
        state.skips_packets = skips;
        let done = skips.then_some((3, 0));
        assert_eq!(state.expects_packet(Started::Done(3)), done);
        assert_eq!(state.expects_packet(Started::Pending), None);
        assert_eq!(
            state.expects_packet(Started::Failed(OTHER)),
            Some((0, OTHER))
        );
        // A success that looks like an error.
        let part = Started::Failed(code::MORE_DATA);
        assert_eq!(state.expects_packet(part), None);
    }
}

#[test]
fn an_edge_reports_what_is_new() {
    let mut state = connected(Some((BOTH, Trigger::Edge)));
    assert!(state.needs_notice());
    assert_eq!(flags(&mut state), Some(Flags::SEND));
    assert_eq!(flags(&mut state), None);
    assert!(!state.needs_notice());

    bring(&mut state, b"xy");
    assert_eq!(flags(&mut state), Some(Flags::RECEIVE));
    assert_eq!(state.read(&mut [0; 1]), Ok(1));
    // Of what was left, and what could be written all the time, nobody speaks again.
    assert_eq!(flags(&mut state), None);
    assert_eq!(state.read(&mut [0; 1]), Ok(1));
    assert!(state.keep_reading());
    bring(&mut state, b"z");
    assert_eq!(flags(&mut state), Some(Flags::RECEIVE));

    // Registering again is an edge of everything.
    state.register(wanted(BOTH, Trigger::Edge), true).unwrap();
    assert_eq!(flags(&mut state), Some(Flags::RECEIVE.and(Flags::SEND)));
}

/// What is read at once leaves no packet that would be the edge.
#[test]
fn data_that_is_there_at_once_is_an_edge() {
    let mut state = connected(Some((Interest::READABLE, Trigger::Edge)));
    bring(&mut state, b"x");
    assert_eq!(flags(&mut state), Some(Flags::RECEIVE));
    assert_eq!(state.read(&mut [0; 4]), Ok(1));
    assert!(state.keep_reading());
    state.has_read(1, 0);
    assert!(state.needs_notice());
    state.noticed = true;
    assert!(!state.needs_notice(), "one is enough");
    assert_eq!(state.taken(Kind::Notice, 0, 0), None);
    assert_eq!(flags(&mut state), Some(Flags::RECEIVE));
}

/// A write that needs no packet, of `bytes`.
fn write_at_once(state: &mut State, bytes: &[u8]) {
    assert_eq!(state.write(bytes), Ok(Some(bytes.len())));
    assert!(!state.has_written(bytes.len(), 0));
    state.written_at_once();
}

/// Who waits for an event after each write would wait for ever.
#[test]
fn a_write_that_is_over_at_once_is_an_edge() {
    for interest in [BOTH, Interest::WRITABLE] {
        let mut state = connected(Some((interest, Trigger::Edge)));
        assert_eq!(flags(&mut state), Some(Flags::SEND));
        for _ in 0..3 {
            assert!(!state.needs_notice());
            write_at_once(&mut state, b"one");
            assert!(state.needs_notice());
            state.noticed = true;
            write_at_once(&mut state, b"two");
            assert!(!state.needs_notice(), "one is enough");
            assert_eq!(state.taken(Kind::Notice, 0, 0), None);
            assert_eq!(flags(&mut state), Some(Flags::SEND));
            assert_eq!(flags(&mut state), None);
        }
    }
}

#[test]
fn a_write_that_is_over_at_once_is_told_to_who_asks_for_it() {
    let mut state = connected(Some((Interest::READABLE, Trigger::Edge)));
    write_at_once(&mut state, b"x");
    assert!(!state.needs_notice());

    // A level has its packet already.
    let mut state = connected(Some((BOTH, Trigger::Level)));
    state.noticed = true;
    write_at_once(&mut state, b"x");
    assert!(!state.needs_notice());

    for trigger in [Trigger::Oneshot, Trigger::EdgeOneshot] {
        let mut state = connected(Some((BOTH, trigger)));
        assert_eq!(flags(&mut state), Some(Flags::SEND));
        write_at_once(&mut state, b"x");
        assert!(!state.needs_notice());
        assert_eq!(flags(&mut state), None);
    }

    let mut state = connected(Some((BOTH, Trigger::Edge)));
    assert_eq!(flags(&mut state), Some(Flags::SEND));
    write_at_once(&mut state, b"x");
    state.noticed = true;
    state.deregister().unwrap();
    assert_eq!(state.taken(Kind::Notice, 0, 0), None);
    assert_eq!(flags(&mut state), None);
}

/// A server may do without `connect`, and be the first to speak.
#[test]
fn a_write_shows_that_there_is_a_client() {
    for trigger in TRIGGERS {
        let mut state = State::new();
        state.register(wanted(BOTH, trigger), false).unwrap();
        assert_eq!(state.write(b"x"), Ok(Some(1)));
        assert!(!state.has_written(0, OTHER));
        assert_eq!(state.check_written(), Err(Refusal::Failed(OTHER)));
        state.written_at_once();
        assert!(!state.needs_notice());

        write_at_once(&mut state, b"x");
        assert!(state.needs_notice());
        assert!(state.keep_reading());
        assert_eq!(flags(&mut state), Some(Flags::SEND));
    }
}

#[test]
fn a_level_reports_for_as_long_as_it_lasts() {
    let mut state = connected(Some((Interest::READABLE, Trigger::Level)));
    assert!(state.is_level());
    bring(&mut state, b"xy");
    for _ in 0..3 {
        assert_eq!(flags(&mut state), Some(Flags::RECEIVE));
        // The packet that has the next poll look speaks for whatever comes before it.
        state.noticed = true;
        assert_eq!(flags(&mut state), None);
        assert_eq!(state.taken(Kind::Notice, 0, 0), None);
    }
    assert_eq!(state.read(&mut [0; 2]), Ok(2));
    assert_eq!(flags(&mut state), None);
}

#[test]
fn a_one_shot_reports_once() {
    for trigger in [Trigger::Oneshot, Trigger::EdgeOneshot] {
        let mut state = connected(Some((BOTH, trigger)));
        assert!(!state.is_level());
        assert_eq!(flags(&mut state), Some(Flags::SEND));
        bring(&mut state, b"x");
        assert_eq!(flags(&mut state), None);
        assert!(!state.needs_notice());
        assert_eq!(state.read(&mut [0; 4]), Ok(1));
        assert!(!state.keep_reading(), "nobody would be told");
        bring(&mut state, b"y");
        state.register(wanted(BOTH, trigger), true).unwrap();
        assert!(state.needs_notice());
        assert_eq!(flags(&mut state), Some(Flags::RECEIVE.and(Flags::SEND)));
    }
}

#[test]
fn nothing_is_reported_without_a_registration() {
    for trigger in TRIGGERS {
        let mut state = connected(Some((BOTH, trigger)));
        bring(&mut state, b"x");
        assert!(state.needs_notice());
        state.deregister().unwrap();
        assert!(!state.needs_notice());
        assert_eq!(flags(&mut state), None);
    }
}
