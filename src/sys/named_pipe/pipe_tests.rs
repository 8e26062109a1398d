//! What pipes do not do, but other things that are used as such.

use windows_sys::Win32::Foundation::ERROR_PIPE_LISTENING;

use super::*;
use crate::sys::queue::afd::Afd;
use crate::sys::selector::Selector as _;
use crate::Backend;

/// A server's end that nobody has connected to: an operation that were begun would say so.
fn pipe(number: u32) -> Arc<Pipe> {
    let name = format!(r"\\.\pipe\mio-unit-{}-{number}", std::process::id());
    let pipe = Pipe::new(create(name.as_ref()).unwrap());
    pipe.lock().outgoing = vec![7; 3];
    pipe
}

/// Whoever would try again at once would do so for ever.
#[test]
fn a_write_that_gets_no_further_fails() {
    let queue = Afd::open(Backend::Afd).unwrap();
    let pipe = pipe(1);
    let mut state = pipe.lock();
    pipe.has_written(&mut state, 0, 0, queue.operations());
    assert_eq!(state.writing, Writing::Failed(ERROR_TIMEOUT));

    // One that does is continued.
    pipe.has_written(&mut state, 1, 0, queue.operations());
    assert_eq!(state.writing, Writing::Failed(ERROR_PIPE_LISTENING));
    pipe.has_written(&mut state, 2, 0, queue.operations());
    assert_eq!(state.writing, Writing::Idle);
}

/// A serial port refuses everything so until its errors were looked at, if it is set up that way.
#[test]
fn what_is_refused_as_cancelled_fails() {
    let queue = Afd::open(Backend::Afd).unwrap();
    let pipe = pipe(2);
    let mut state = pipe.lock();
    state.has_read(0, ERROR_OPERATION_ABORTED);
    assert_eq!(state.reading, Reading::Failed(ERROR_OPERATION_ABORTED));
    pipe.has_written(&mut state, 0, ERROR_OPERATION_ABORTED, queue.operations());
    assert_eq!(state.writing, Writing::Failed(ERROR_OPERATION_ABORTED));
    pipe.has_connected(&mut state, ERROR_OPERATION_ABORTED, queue.operations());
    assert_eq!(
        state.connecting,
        Connecting::Failed(ERROR_OPERATION_ABORTED)
    );
}
