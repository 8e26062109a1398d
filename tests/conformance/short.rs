//! Operations on streams that move less than they were asked for, and nothing behind them that would block.

use mio::{Backend, Interest, Token, Trigger};

use crate::backends::rearms_on_wouldblock;
use crate::bed::{during, said_of, Bed, BOTH};
use crate::links::{readers, writers};

const SOURCE: Token = Token(11);

/// More than any of the streams here has room for.
const MUCH: usize = 16 << 20;

/// A reader that got less than it asked for knows that the source is empty, and need not see it say so.
pub(crate) fn read_then_new_byte(backend: Backend) {
    for mut link in readers() {
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        bed.registry()
            .register(link.source(), SOURCE, Interest::READABLE)
            .unwrap();
        for _ in 0..3 {
            link.feed(10);
            bed.expect(SOURCE, Interest::READABLE);
            assert_eq!(link.near.read(&mut [0; 64]).unwrap(), 10);
            if !link.is_stream && rearms_on_wouldblock(backend) {
                assert_eq!(link.drain(), 0);
            }
            link.feed(1);
            bed.expect(SOURCE, Interest::READABLE);
            assert_eq!(link.near.read(&mut [0; 64]).unwrap(), 1);
            if !link.is_stream && rearms_on_wouldblock(backend) {
                assert_eq!(link.drain(), 0);
            }
        }
    }
}

/// A writer that could write less than it wanted knows that the source is full.
pub(crate) fn write_then_room(backend: Backend) {
    let much = vec![7; MUCH];
    for mut link in writers() {
        if link.is_datagram() {
            continue; // sends all or nothing
        }
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        bed.registry()
            .register(link.source(), SOURCE, Interest::WRITABLE)
            .unwrap();
        for _ in 0..3 {
            bed.expect(SOURCE, Interest::WRITABLE);
            assert!(link.near.write(&much).unwrap() < much.len());
            if !link.is_stream && rearms_on_wouldblock(backend) {
                link.fill();
            }
            link.relieve();
        }
        bed.expect(SOURCE, Interest::WRITABLE);
    }
}

/// The same through several buffers, of which the first are full.
#[cfg(feature = "net")]
pub(crate) fn vectored_read_then_new_byte(backend: Backend) {
    use std::io::{IoSliceMut, Read};

    let mut bed = Bed::new(backend);
    let (mut near, far) = crate::links::tcp_pair();
    bed.registry()
        .register(&mut near, SOURCE, Interest::READABLE)
        .unwrap();
    for _ in 0..3 {
        crate::links::write_whole(&far, 10);
        crate::links::wait_for(&near, crate::system::PollFlags::IN);
        bed.expect(SOURCE, Interest::READABLE);
        let (mut first, mut second, mut third) = ([0; 8], [0; 8], [0; 8]);
        let mut buffers = [
            IoSliceMut::new(&mut first),
            IoSliceMut::new(&mut second),
            IoSliceMut::new(&mut third),
        ];
        assert_eq!(near.read_vectored(&mut buffers).unwrap(), 10);
    }
}

/// The same for writing.
#[cfg(feature = "net")]
pub(crate) fn vectored_write_then_room(backend: Backend) {
    use std::io::{IoSlice, Write};

    let much = vec![7; MUCH / 4];
    let (mut near, far) = crate::links::tcp_pair();
    let mut bed = Bed::new(backend);
    bed.registry()
        .register(&mut near, SOURCE, Interest::WRITABLE)
        .unwrap();
    for _ in 0..3 {
        bed.expect(SOURCE, Interest::WRITABLE);
        let buffers = [(); 4].map(|()| IoSlice::new(&much));
        assert!(near.write_vectored(&buffers).unwrap() < MUCH);
        crate::links::relieve(&near, &far);
    }
    bed.expect(SOURCE, Interest::WRITABLE);
}

/// Whoever got all that was asked for has reason to ask for more, and not to be told of what is left.
pub(crate) fn full_read_arms_nothing(backend: Backend) {
    for mut link in readers() {
        if !link.is_stream {
            continue;
        }
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        bed.registry()
            .register(link.source(), SOURCE, Interest::READABLE)
            .unwrap();
        link.feed(10);
        bed.expect(SOURCE, Interest::READABLE);
        assert_eq!(link.near.read(&mut []).unwrap(), 0);
        bed.expect_silence();
        assert_eq!(link.near.read(&mut [0; 4]).unwrap(), 4);
        bed.expect_silence();
    }
}

/// The end stays what it is: whoever finds it again and again is not told of it each time.
pub(crate) fn end_arms_nothing(backend: Backend) {
    for mut link in readers() {
        if !link.is_stream {
            continue;
        }
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        bed.registry()
            .register(link.source(), SOURCE, Interest::READABLE)
            .unwrap();
        link.feed(10);
        bed.expect(SOURCE, Interest::READABLE);
        assert_eq!(link.near.read(&mut [0; 64]).unwrap(), 10);
        link.hang_up();
        bed.gather(&"the end", |seen| said_of(SOURCE, seen).is_some());
        bed.exhaust();
        for _ in 0..3 {
            assert_eq!(link.near.read(&mut [0; 64]).unwrap(), 0);
            bed.expect_silence();
        }
    }
}

/// A peek takes nothing, so what it has seen is still there.
#[cfg(feature = "net")]
pub(crate) fn peek_arms_nothing(backend: Backend) {
    let mut bed = Bed::new(backend);
    let (mut near, far) = crate::links::tcp_pair();
    crate::links::write_whole(&far, 3);
    crate::links::wait_for(&near, crate::system::PollFlags::IN);
    bed.registry()
        .register(&mut near, SOURCE, Interest::READABLE)
        .unwrap();
    bed.expect(SOURCE, Interest::READABLE);
    assert_eq!(near.peek(&mut [0; 64]).unwrap(), 3);
    bed.expect_silence();
}

/// A short read is about reading.
pub(crate) fn read_leaves_writing_alone(backend: Backend) {
    for mut link in readers() {
        if !link.is_stream || !link.interest.is_writable() {
            continue;
        }
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        bed.registry()
            .register(link.source(), SOURCE, BOTH)
            .unwrap();
        bed.expect(SOURCE, Interest::WRITABLE);
        for _ in 0..3 {
            link.feed(10);
            bed.expect(SOURCE, Interest::READABLE);
            assert_eq!(link.near.read(&mut [0; 64]).unwrap(), 10);
            bed.expect_silence();
        }
    }
}

/// A short write is about writing.
pub(crate) fn write_leaves_reading_alone(backend: Backend) {
    let much = vec![7; MUCH];
    for mut link in writers() {
        // TCP goes on sending by itself, and then has room.
        if !link.is_stream || !link.interest.is_readable() || link.name == "TcpStream" {
            continue;
        }
        let _during = during(link.name);
        let mut bed = Bed::new(backend);
        link.feed(1);
        bed.registry()
            .register(link.source(), SOURCE, BOTH)
            .unwrap();
        bed.expect(SOURCE, BOTH);
        assert!(link.near.write(&much).unwrap() < much.len());
        bed.expect_silence();
    }
}

/// A one-shot that has fired waits for nothing but to be registered again.
pub(crate) fn oneshot_is_not_armed(backend: Backend) {
    for trigger in [Trigger::Oneshot, Trigger::EdgeOneshot] {
        for mut link in readers() {
            if !link.is_stream {
                continue;
            }
            let _during = during((link.name, trigger));
            let mut bed = Bed::new(backend);
            bed.with(trigger)
                .register(link.source(), SOURCE, Interest::READABLE)
                .unwrap();
            link.feed(10);
            bed.expect(SOURCE, Interest::READABLE);
            assert_eq!(link.near.read(&mut [0; 64]).unwrap(), 10);
            link.feed(1);
            bed.expect_silence();
        }
    }
}
