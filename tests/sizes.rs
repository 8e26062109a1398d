//! What users rely on without calling it: sizes, auto traits, and which traits make objects.
//!
//! A source is as large as what it wraps, because servers keep hundreds of thousands of them. Debug builds remember beside
//! each source with which queue it is registered, in one more word. On Windows a source knows its registration, which takes
//! three words.

use std::mem::size_of;
use std::panic::{RefUnwindSafe, UnwindSafe};

use mio::event::{Event, Iter, Source};
use mio::{Backend, Builder, Events, Interest, IoSource, Poll, Registry, Token, Trigger, Waker};

/// The size of a source that wraps a `T`.
const fn wrapped<T>() -> usize {
    match (cfg!(windows), cfg!(debug_assertions)) {
        (false, false) => size_of::<T>(),
        (false, true) => size_of::<(T, usize)>(),
        (true, false) => size_of::<(T, [usize; 3])>(),
        (true, true) => size_of::<(T, [usize; 4])>(),
    }
}

/// Fails to compile if `T` may not be moved to, shared with or observed after a panic of another thread.
const fn ordinary<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + ?Sized>() {}

const _: () = {
    ordinary::<Backend>();
    ordinary::<Builder>();
    ordinary::<Event>();
    ordinary::<Events>();
    ordinary::<Interest>();
    ordinary::<Iter<'_>>();
    ordinary::<Poll>();
    ordinary::<Registry>();
    ordinary::<Token>();
    ordinary::<Trigger>();
    ordinary::<Waker>();
};

/// An `IoSource` is as ordinary as what it holds.
const _: () = {
    ordinary::<IoSource<std::net::TcpStream>>();
    ordinary::<IoSource<&std::net::TcpStream>>();
    ordinary::<IoSource<Box<std::net::TcpStream>>>();
};

// What is handed out in bulk is copied, not cloned.
const fn copied<T: Copy + Eq + std::fmt::Debug>() {}
const _: () = {
    copied::<Backend>();
    copied::<Interest>();
    copied::<Token>();
    copied::<Trigger>();
};

/// `Source` makes objects, borrowed and owned, and a `Box` of one is a source again.
const _: Option<&mut dyn Source> = None;
const fn source<T: Source + ?Sized>() {}
const _: () = {
    source::<dyn Source>();
    source::<dyn Source + Send + Sync>();
    source::<Box<dyn Source>>();
    source::<Box<Box<dyn Source + Send>>>();
    source::<Box<IoSource<std::net::UdpSocket>>>();
};

#[test]
fn an_interest_is_a_byte_also_when_it_may_be_missing() {
    assert_eq!(size_of::<Interest>(), 1);
    assert_eq!(size_of::<Option<Interest>>(), 1);
}

#[test]
fn a_token_is_a_word() {
    assert_eq!(size_of::<Token>(), size_of::<usize>());
}

#[test]
fn small_choices_are_a_byte() {
    assert_eq!(size_of::<Backend>(), 1);
    assert_eq!(size_of::<Trigger>(), 1);
}

/// Thousands of them are copied out of the kernel at a time.
#[test]
fn an_event_is_as_small_as_the_kernel_makes_it() {
    let most = match Backend::default() {
        Backend::EventPorts => 24,
        // `struct kevent`: FreeBSD's has four words more than the others.
        Backend::Kqueue => 64,
        // A packet of a completion port has four words.
        Backend::Afd => 32,
        _ => 16,
    };
    assert!(size_of::<Event>() <= most);
    #[cfg(all(
        target_os = "linux",
        target_arch = "x86_64",
        not(any(
            mio_model = "event_ports",
            mio_model = "kqueue",
            mio_unsupported_force_poll_poll
        ))
    ))]
    assert_eq!(size_of::<Event>(), 12, "packed on this architecture");
}

#[test]
fn queues_and_registries_are_small() {
    let word = size_of::<usize>();
    assert!(size_of::<Registry>() <= 2 * word);
    assert_eq!(size_of::<Poll>(), size_of::<Registry>());
    assert_eq!(size_of::<Events>(), size_of::<Vec<Event>>());
}

#[test]
fn an_io_source_is_as_large_as_what_it_holds() {
    assert_eq!(
        size_of::<IoSource<std::net::TcpStream>>(),
        wrapped::<std::net::TcpStream>()
    );
    assert_eq!(
        size_of::<IoSource<Box<std::net::TcpStream>>>(),
        wrapped::<Box<std::net::TcpStream>>()
    );
}

#[cfg(feature = "net")]
mod net {
    use super::*;
    use mio::net;

    const _: () = {
        ordinary::<net::TcpListener>();
        ordinary::<net::TcpStream>();
        ordinary::<net::UdpSocket>();
        source::<net::TcpListener>();
        source::<net::TcpStream>();
        source::<net::UdpSocket>();
    };

    const _: () = {
        ordinary::<net::udp::Offload>();
        ordinary::<net::udp::Transmit<'_>>();
        ordinary::<net::udp::Datagrams<'_>>();
        ordinary::<net::udp::ReceiveMeta>();
        copied::<net::udp::ReceiveMeta>();
        copied::<net::udp::Capabilities>();
        copied::<net::udp::Config>();
        copied::<net::udp::Ecn>();
    };

    #[test]
    fn sockets_are_as_large_as_those_of_the_standard_library() {
        assert_eq!(
            size_of::<net::TcpListener>(),
            wrapped::<std::net::TcpListener>()
        );
        assert_eq!(
            size_of::<net::TcpStream>(),
            wrapped::<std::net::TcpStream>()
        );
        assert_eq!(
            size_of::<net::UdpSocket>(),
            wrapped::<std::net::UdpSocket>()
        );
    }

    /// A descriptor is never -1, so a slab of optional connections costs nothing either.
    #[test]
    fn sockets_that_may_be_missing_are_not_larger() {
        assert_eq!(
            size_of::<Option<net::TcpListener>>(),
            wrapped::<std::net::TcpListener>()
        );
        assert_eq!(
            size_of::<Option<net::TcpStream>>(),
            wrapped::<std::net::TcpStream>()
        );
        assert_eq!(
            size_of::<Option<net::UdpSocket>>(),
            wrapped::<std::net::UdpSocket>()
        );
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::net as std_net;

        use super::*;

        const _: () = {
            ordinary::<net::UnixDatagram>();
            ordinary::<net::UnixListener>();
            ordinary::<net::UnixStream>();
            source::<net::UnixDatagram>();
            source::<net::UnixListener>();
            source::<net::UnixStream>();
        };

        #[test]
        fn sockets_are_as_large_as_those_of_the_standard_library() {
            assert_eq!(
                size_of::<net::UnixDatagram>(),
                wrapped::<std_net::UnixDatagram>()
            );
            assert_eq!(
                size_of::<net::UnixListener>(),
                wrapped::<std_net::UnixListener>()
            );
            assert_eq!(
                size_of::<net::UnixStream>(),
                wrapped::<std_net::UnixStream>()
            );
        }
    }
}

#[cfg(all(feature = "os-ext", windows))]
mod os_ext {
    use super::*;
    use mio::windows::NamedPipe;

    const _: () = {
        ordinary::<NamedPipe>();
        source::<NamedPipe>();
    };
}

#[cfg(all(feature = "os-ext", unix))]
mod os_ext {
    use std::os::fd::{OwnedFd, RawFd};

    use super::*;
    use mio::unix::{pipe, SourceFd};

    const _: () = {
        ordinary::<pipe::Receiver>();
        ordinary::<pipe::Sender>();
        ordinary::<SourceFd<'_>>();
        source::<pipe::Receiver>();
        source::<pipe::Sender>();
        source::<SourceFd<'_>>();
    };

    #[test]
    fn pipe_ends_are_as_large_as_a_descriptor() {
        assert_eq!(size_of::<pipe::Receiver>(), wrapped::<OwnedFd>());
        assert_eq!(size_of::<pipe::Sender>(), wrapped::<OwnedFd>());
    }

    #[test]
    fn a_bare_descriptor_is_a_reference() {
        assert_eq!(size_of::<SourceFd<'_>>(), size_of::<&RawFd>());
    }
}
