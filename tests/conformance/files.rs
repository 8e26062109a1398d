//! Descriptors that are no socket or pipe, and numbers that are no descriptor.

use std::fs::File;
use std::io::{ErrorKind, Seek as _, Write as _};
use std::os::fd::{AsRawFd, RawFd};

use mio::unix::SourceFd;
use mio::{Backend, Interest, Token};
use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::backends::{refuses_files, watches_positions};
use crate::bed::{during, Bed, BOTH, TRIGGERS};
use crate::system::descriptors;

const SOURCE: Token = Token(51);

/// What can be read and written at any time is either refused at once, or always ready.
#[track_caller]
fn refused_or_always_ready(backend: Backend, fd: RawFd, interest: Interest) {
    for trigger in TRIGGERS {
        let _during = during(trigger);
        let mut bed = Bed::new(backend);
        let registry = bed.with(trigger);
        let registered = registry.register(&mut SourceFd(&fd), SOURCE, interest);
        if refuses_files(backend) {
            assert_eq!(registered.unwrap_err().kind(), ErrorKind::PermissionDenied);
            let absent = registry.deregister(&mut SourceFd(&fd)).unwrap_err();
            assert!(
                [ErrorKind::NotFound, ErrorKind::PermissionDenied].contains(&absent.kind()),
                "{absent}"
            );
        } else {
            registered.unwrap();
            bed.expect(SOURCE, interest);
            registry.deregister(&mut SourceFd(&fd)).unwrap();
        }
        bed.expect_silence();
    }
}

pub(crate) fn regular_file(backend: Backend) {
    let mut file = tempfile::tempfile().unwrap();
    if watches_positions(backend) {
        let mut bed = Bed::new(backend);
        let fd = file.as_raw_fd();
        bed.registry()
            .register(&mut SourceFd(&fd), SOURCE, Interest::READABLE)
            .unwrap();
        bed.expect_silence();
        bed.registry().deregister(&mut SourceFd(&fd)).unwrap();
    } else {
        refused_or_always_ready(backend, file.as_raw_fd(), BOTH);
    }
    file.write_all(b"x").unwrap();
    file.rewind().unwrap();
    refused_or_always_ready(backend, file.as_raw_fd(), Interest::READABLE);
}

pub(crate) fn directory(backend: Backend) {
    let directory = File::open("/").unwrap();
    refused_or_always_ready(backend, directory.as_raw_fd(), Interest::READABLE);
}

pub(crate) fn null_device(backend: Backend) {
    for path in ["/dev/null", "/dev/zero"] {
        let _during = during(path);
        let device = File::options().read(true).write(true).open(path).unwrap();
        refused_or_always_ready(backend, device.as_raw_fd(), BOTH);
    }
}

/// A terminal is a source like any other. The master of a new one stands for it: nobody else has it open.
pub(crate) fn terminal(backend: Backend) {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    #[cfg(not(target_os = "redox"))] // where nobody gets a terminal without asking
    let flags = flags | OFlags::NOCTTY;
    let Ok(terminal) = rustix::fs::open("/dev/ptmx", flags, rustix::fs::Mode::empty()) else {
        return; // a container without any
    };
    let fd = terminal.as_raw_fd();
    let mut bed = Bed::new(backend);
    bed.registry()
        .register(&mut SourceFd(&fd), SOURCE, BOTH)
        .unwrap();
    bed.expect(SOURCE, Interest::WRITABLE);
    bed.registry().deregister(&mut SourceFd(&fd)).unwrap();
    bed.expect_silence();
}

/// Numbers that were never opened, or cannot be: an error from each call, and nothing is left behind.
pub(crate) fn not_a_descriptor(backend: Backend) {
    // The system gives out the lowest numbers first, so the last one is free.
    let last = RawFd::try_from(descriptors()).unwrap_or(1 << 20) - 1;
    for fd in [-1, -100, RawFd::MIN, last, RawFd::MAX] {
        let _during = during(fd);
        let mut bed = Bed::new(backend);
        let registry = bed.registry();
        let source = &mut SourceFd(&fd);
        let error = registry.register(source, SOURCE, BOTH).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(Errno::BADF.raw_os_error()));
        // Not open comes before not registered on some systems, and after it on others.
        let absent = |error: std::io::Error| {
            let code = error.raw_os_error();
            [Errno::BADF, Errno::NOENT]
                .map(|errno| Some(errno.raw_os_error()))
                .contains(&code)
        };
        assert!(absent(
            registry.reregister(source, SOURCE, BOTH).unwrap_err()
        ));
        assert!(absent(registry.deregister(source).unwrap_err()));
        bed.expect_silence();
    }
}
