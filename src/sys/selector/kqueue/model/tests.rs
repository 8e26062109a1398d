//! Sentences of the manuals, each asked of the model.

use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use rustix::pipe::pipe;

use super::*;

const ADD: Flags = Flags::ADD;
const DELETE: Flags = Flags::DELETE;
const RECEIPT: Flags = Flags::RECEIPT;

fn queue() -> Queue {
    Queue::open().unwrap()
}

fn pair() -> (UnixStream, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    (near, far)
}

fn change(fd: &impl AsRawFd, filter: Filter, flags: Flags) -> Kevent {
    Kevent::new(fd.as_raw_fd() as usize, filter, flags, 0, 7)
}

/// Applies one change, without a receipt.
fn apply(queue: &Queue, change: Kevent) -> Result<(), Errno> {
    queue.change(&[change], &mut []).map(|answered| {
        assert_eq!(answered, 0);
    })
}

/// What there is to retrieve now.
fn events(queue: &Queue) -> Vec<Kevent> {
    let mut events = Vec::with_capacity(8);
    queue.wait(&mut events, Some(Duration::ZERO)).unwrap();
    events
}

/// How many events each of three polls retrieves while there is something to read.
fn counts(flags: Flags) -> [usize; 3] {
    let (queue, (near, mut far)) = (queue(), pair());
    apply(&queue, change(&near, Filter::Read, ADD | flags)).unwrap();
    far.write_all(b"x").unwrap();
    [(); 3].map(|()| events(&queue).len())
}

#[test]
fn an_entry_without_flags_is_returned_while_its_condition_holds() {
    assert_eq!(counts(Flags::default()), [1, 1, 1]);
}

#[test]
fn clear_resets_dispatch_disables_and_oneshot_deletes() {
    for flags in [Flags::CLEAR, Flags::DISPATCH, Flags::ONESHOT] {
        assert_eq!(counts(flags), [1, 0, 0], "{flags:?}");
    }
    for (flags, deleted) in [(Flags::DISPATCH, false), (Flags::ONESHOT, true)] {
        let (queue, (near, mut far)) = (queue(), pair());
        apply(&queue, change(&near, Filter::Read, ADD | flags)).unwrap();
        far.write_all(b"x").unwrap();
        assert_eq!(events(&queue).len(), 1);
        let enabled = apply(&queue, change(&near, Filter::Read, Flags::ENABLE));
        assert_eq!(enabled == Err(Errno::NOENT), deleted);
        assert_eq!(events(&queue).len(), usize::from(!deleted));
    }
}

#[test]
fn beside_clear_dispatch_does_not_count() {
    let (queue, (near, mut far)) = (queue(), pair());
    let flags = ADD | Flags::CLEAR | Flags::DISPATCH;
    apply(&queue, change(&near, Filter::Read, flags)).unwrap();
    for _ in 0..2 {
        far.write_all(b"x").unwrap();
        assert_eq!(events(&queue).len(), 1);
        assert!(events(&queue).is_empty());
    }
}

#[test]
fn what_happens_while_an_entry_is_disabled_is_returned_once_it_is_enabled() {
    let (queue, (near, mut far)) = (queue(), pair());
    let flags = ADD | Flags::CLEAR | Flags::DISABLE;
    apply(&queue, change(&near, Filter::Read, flags)).unwrap();
    far.write_all(b"x").unwrap();
    assert!(events(&queue).is_empty());
    apply(&queue, change(&near, Filter::Read, Flags::ENABLE)).unwrap();
    assert_eq!(events(&queue).len(), 1);
}

#[test]
fn a_condition_that_no_longer_holds_is_not_returned() {
    let (queue, (mut near, mut far)) = (queue(), pair());
    for flags in [Flags::default(), Flags::CLEAR] {
        apply(&queue, change(&near, Filter::Read, ADD | flags)).unwrap();
        far.write_all(b"x").unwrap();
        assert_eq!(near.read(&mut [0; 8]).unwrap(), 1);
        assert!(events(&queue).is_empty(), "{flags:?}");
        apply(&queue, change(&near, Filter::Read, DELETE)).unwrap();
    }
}

#[test]
fn readding_modifies_the_parameters_and_reports_nothing() {
    let (queue, (near, mut far)) = (queue(), pair());
    apply(&queue, change(&near, Filter::Read, ADD | Flags::CLEAR)).unwrap();
    far.write_all(b"x").unwrap();
    assert_eq!(events(&queue).len(), 1);
    let mut again = change(&near, Filter::Read, ADD);
    again.set_udata(8);
    apply(&queue, again).unwrap();
    assert!(events(&queue).is_empty(), "the flags are the old ones");
    far.write_all(b"x").unwrap();
    let events = events(&queue);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].udata(), 8);
    assert_eq!(events[0].data(), 2, "the number of bytes available");
}

#[test]
fn what_is_not_there_cannot_be_changed() {
    let (queue, (near, _far)) = (queue(), pair());
    for flags in [DELETE, Flags::ENABLE, Flags::DISABLE, Flags::default()] {
        assert_eq!(
            apply(&queue, change(&near, Filter::Write, flags)),
            Err(Errno::NOENT)
        );
    }
    // A number that no other test is given meanwhile: those are the lowest that are free.
    let high = rustix::io::fcntl_dupfd_cloexec(&near, 900).unwrap();
    let closed = change(&high, Filter::Read, ADD);
    drop(high);
    assert_eq!(apply(&queue, closed), Err(Errno::BADF));
}

#[test]
fn receipts_answer_in_order_and_keep_events_back() {
    let (queue, (near, mut far)) = (queue(), pair());
    far.write_all(b"x").unwrap();
    apply(&queue, change(&near, Filter::Read, ADD)).unwrap();
    let changes = [
        change(&near, Filter::Write, DELETE | RECEIPT),
        change(&near, Filter::Write, ADD | RECEIPT),
    ];
    let mut answers = [Kevent::default(); 4];
    assert_eq!(queue.change(&changes, &mut answers), Ok(2));
    assert!(answers[..2]
        .iter()
        .all(|answer| answer.flags().contains(Flags::ERROR)));
    assert_eq!(answers[0].data(), 2, "ENOENT");
    assert_eq!(answers[1].data(), 0);
    assert_eq!(events(&queue).len(), 2);
}

#[test]
fn without_room_for_a_receipt_the_rest_is_left_alone() {
    let (queue, (near, _far)) = (queue(), pair());
    let changes = [Filter::Write, Filter::Read].map(|filter| change(&near, filter, ADD | RECEIPT));
    assert_eq!(queue.change(&changes, &mut []), Ok(0));
    apply(&queue, change(&near, Filter::Write, DELETE)).unwrap();
    assert_eq!(
        apply(&queue, change(&near, Filter::Read, DELETE)),
        Err(Errno::NOENT)
    );
}

#[test]
fn closing_removes_an_entry_whatever_duplicates_there_are() {
    let (queue, (near, mut far)) = (queue(), pair());
    let duplicate = near.try_clone().unwrap();
    apply(&queue, change(&near, Filter::Read, ADD)).unwrap();
    drop(near);
    far.write_all(b"x").unwrap();
    assert!(events(&queue).is_empty());
    drop(duplicate);
}

#[test]
fn a_user_event_is_raised_and_cleared() {
    let queue = queue();
    let raise = Kevent::new(3, Filter::User, Flags::default(), TRIGGER, 9);
    assert_eq!(apply(&queue, raise), Err(Errno::NOENT));
    let add = Kevent::new(3, Filter::User, ADD | Flags::CLEAR, 0, 7);
    apply(&queue, add).unwrap();
    assert!(events(&queue).is_empty());
    for _ in 0..2 {
        apply(&queue, raise).unwrap();
    }
    let raised = events(&queue);
    assert_eq!(raised.len(), 1);
    assert_eq!(raised[0].filter(), Filter::User);
    assert_eq!(
        raised[0].udata(),
        9,
        "a change that only raises replaces it"
    );
    assert!(events(&queue).is_empty());
}

#[test]
fn an_end_is_said_by_the_filter_of_its_direction() {
    let (queue, (near, far)) = (queue(), pair());
    for filter in [Filter::Read, Filter::Write] {
        apply(&queue, change(&near, filter, ADD)).unwrap();
    }
    far.shutdown(std::net::Shutdown::Write).unwrap();
    for event in events(&queue) {
        let end = event.flags().contains(Flags::EOF);
        assert_eq!(end, event.filter() == Filter::Read, "{event:?}");
    }
    near.shutdown(std::net::Shutdown::Write).unwrap();
    let ends = events(&queue);
    assert_eq!(ends.len(), 2);
    assert!(ends.iter().all(|event| event.flags().contains(Flags::EOF)));
}

#[test]
fn a_pipe_without_a_reader_cannot_be_watched_for_writing() {
    let queue = queue();
    let (reader, writer) = pipe().unwrap();
    apply(&queue, change(&writer, Filter::Write, ADD)).unwrap();
    apply(&queue, change(&writer, Filter::Write, DELETE)).unwrap();
    drop(reader);
    let added = apply(&queue, change(&writer, Filter::Write, ADD));
    assert_eq!(added, Err(source::NO_READER));
    apply(&queue, change(&writer, Filter::Read, ADD)).unwrap();
    assert!(events(&queue)[0].flags().contains(Flags::EOF));
}

#[test]
fn a_file_is_readable_up_to_its_end() {
    let queue = queue();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"four").unwrap();
    apply(&queue, change(&file, Filter::Read, ADD)).unwrap();
    assert!(events(&queue).is_empty());
    std::io::Seek::rewind(&mut file).unwrap();
    apply(&queue, change(&file, Filter::Read, DELETE)).unwrap();
    apply(&queue, change(&file, Filter::Read, ADD)).unwrap();
    assert_eq!(events(&queue)[0].data(), 4);
    let writing = apply(&queue, change(&file, Filter::Write, ADD));
    assert_eq!(writing, Err(Errno::INVAL));
}

#[test]
fn a_timeout_is_limited() {
    let day = Duration::from_secs(24 * 60 * 60);
    let mut events = Vec::with_capacity(1);
    let later = queue().wait(&mut events, Some(day + Duration::from_nanos(1)));
    assert_eq!(later, Err(Errno::INVAL));
}
