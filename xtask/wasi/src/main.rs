//! A program for WASI preview 1, run by `cargo xtask wasi`: what a queue does there.
//!
//! The standard input is a pipe. Whoever runs this writes `one`, then `two` when this has said `next`, and closes it when
//! this has said `the end`, its last line.

use std::io::{Error, ErrorKind, Read, Stdin};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use mio::wasi::SourceFd;
use mio::{Backend, Events, Interest, IoSource, Poll, Token, Trigger, Waker};

const SOURCE: Token = Token(7);

/// Long enough for whoever runs this, and no reason to wait for ever.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> Result<(), Error> {
    assert_eq!(Backend::default(), Backend::Wasi);
    timeouts_are_exact()?;
    nothing_to_wait_for_is_an_error()?;
    there_is_no_waker()?;
    a_level_lasts()?;
    a_oneshot_is_one()?;
    an_edge_comes_and_comes_again()?;
    Ok(())
}

fn queue() -> Result<(Poll, Events), Error> {
    Ok((Poll::new()?, Events::with_capacity(8)))
}

/// The tokens of the events of one poll.
fn turn(poll: &mut Poll, events: &mut Events, timeout: Duration) -> Result<Vec<Token>, Error> {
    poll.poll(events, Some(timeout))?;
    Ok(events.iter().map(|event| event.token()).collect())
}

fn timeouts_are_exact() -> Result<(), Error> {
    let (mut poll, mut events) = queue()?;
    for micros in [0, 1, 50, 700, 1500, 20_000] {
        let timeout = Duration::from_micros(micros);
        let mut best = Duration::MAX;
        for _ in 0..20 {
            let start = Instant::now();
            assert_eq!(turn(&mut poll, &mut events, timeout)?, []);
            let took = start.elapsed();
            assert!(took >= timeout, "{timeout:?} took {took:?}");
            best = best.min(took);
        }
        println!("a timeout of {timeout:?} took {best:?}");
        let late = best - timeout;
        assert!(late < Duration::from_micros(900), "{late:?} late");
    }
    Ok(())
}

fn nothing_to_wait_for_is_an_error() -> Result<(), Error> {
    let (mut poll, mut events) = queue()?;
    let error = poll.poll(&mut events, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    Ok(())
}

fn there_is_no_waker() -> Result<(), Error> {
    let (poll, _) = queue()?;
    let error = Waker::new(poll.registry(), Token(0)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    Ok(())
}

/// Undrained, the input stays ready.
fn a_level_lasts() -> Result<(), Error> {
    let (mut poll, mut events) = queue()?;
    let level = poll.registry().with_trigger(Trigger::Level);
    level.register(&mut SourceFd(&0), SOURCE, Interest::READABLE)?;
    for _ in 0..3 {
        assert_eq!(turn(&mut poll, &mut events, PATIENCE)?, [SOURCE]);
        let event = events.get(0).expect("an event");
        assert!(event.is_readable() && !event.is_writable(), "{event:?}");
    }
    level.deregister(&mut SourceFd(&0))?;
    let pause = Duration::from_millis(5);
    assert_eq!(turn(&mut poll, &mut events, pause)?, []);
    let error = level.deregister(&mut SourceFd(&0)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    Ok(())
}

fn a_oneshot_is_one() -> Result<(), Error> {
    let (mut poll, mut events) = queue()?;
    let pause = Duration::from_millis(5);
    let once = poll.registry().with_trigger(Trigger::Oneshot);
    once.register(&mut SourceFd(&0), SOURCE, Interest::READABLE)?;
    assert_eq!(turn(&mut poll, &mut events, PATIENCE)?, [SOURCE]);
    assert_eq!(turn(&mut poll, &mut events, pause)?, []);
    once.reregister(&mut SourceFd(&0), Token(8), Interest::READABLE)?;
    assert_eq!(turn(&mut poll, &mut events, PATIENCE)?, [Token(8)]);
    once.deregister(&mut SourceFd(&0))
}

/// The standard input. Reading it may block, so whoever reads has been told that there is something.
struct Input(Stdin);

impl AsFd for Input {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn an_edge_comes_and_comes_again() -> Result<(), Error> {
    let (mut poll, mut events) = queue()?;
    let pause = Duration::from_millis(20);
    let mut source = IoSource::new(Input(std::io::stdin()));
    let registry = poll.registry().try_clone()?;
    registry.register(&mut source, SOURCE, Interest::READABLE)?;
    let read = |source: &IoSource<Input>| -> Result<String, Error> {
        let mut buffer = [0; 16];
        let n = source.do_read(|input| input.0.lock().read(&mut buffer))?;
        Ok(String::from_utf8_lossy(&buffer[..n]).into_owned())
    };

    assert_eq!(turn(&mut poll, &mut events, PATIENCE)?, [SOURCE]);
    // Nothing is asked of the source any more, and the poll waits all the same.
    let start = Instant::now();
    assert_eq!(turn(&mut poll, &mut events, pause)?, []);
    assert!(start.elapsed() >= pause);

    assert_eq!(read(&source)?, "one");
    // Here no read of an empty pipe would block, so that is said in its place.
    let empty = || Err::<(), _>(ErrorKind::WouldBlock.into());
    assert!(source.do_read(|_| empty()).is_err());
    assert_eq!(turn(&mut poll, &mut events, pause)?, []);
    println!("next");
    assert_eq!(turn(&mut poll, &mut events, PATIENCE)?, [SOURCE]);
    assert_eq!(read(&source)?, "two");

    assert!(source.do_read(|_| empty()).is_err());
    println!("the end");
    assert_eq!(turn(&mut poll, &mut events, PATIENCE)?, [SOURCE]);
    assert_eq!(read(&source)?, "");
    registry.deregister(&mut source)
}
