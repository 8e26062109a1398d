//! Numbers, flags and interests in which systems differ, where they have the same parts.

/// Whether a process can start another program, which inherits what is not close-on-exec.
#[cfg(unix)]
#[allow(dead_code)] // of use where that is a step of its own
pub(super) const STARTS_PROGRAMS: bool = cfg!(not(any(
    target_os = "espidf",
    target_os = "horizon",
    target_os = "vita"
)));

/// Whether rustix makes system calls itself. Errors have 16 bits then, of which the kernel's have twelve. libc's `errno`
/// is an `int`.
#[cfg(any(target_os = "android", target_os = "linux"))]
#[allow(dead_code)] // a build may have no calls beside those of rustix
pub(super) const DIRECT: bool =
    std::mem::size_of::<rustix::io::Errno>() == std::mem::size_of::<u16>();

/// Whether kqueue counts timeouts in microseconds. Apple's did up to macOS 10.14, and still counts in ticks of its clock,
/// of which a microsecond has a whole number.
#[allow(dead_code)] // where there is no kqueue
pub(super) const KQUEUE_MICROSECONDS: bool = cfg!(target_vendor = "apple");

/// What `poll(2)` is called here.
#[cfg(not(windows))]
#[allow(dead_code)] // a build may have no `poll(2)` in it
pub(super) const POLL: crate::Backend = if cfg!(all(target_os = "wasi", target_env = "p1")) {
    crate::Backend::Wasi
} else {
    crate::Backend::Poll
};

/// Names of Unix sockets that are no paths.
#[cfg(all(feature = "net", target_os = "android"))]
pub(super) use std::os::android::net::SocketAddrExt;
#[cfg(all(feature = "net", target_os = "linux"))]
pub(super) use std::os::linux::net::SocketAddrExt;

#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub(super) use super::oneoff_call::{poll, PollFd};
/// The call, and what it is asked.
#[cfg(not(any(
    windows,
    mio_model = "solaris",
    all(target_os = "wasi", target_env = "p1")
)))]
#[allow(unused_imports)] // as above
pub(super) use rustix::event::{poll, PollFd};
/// The same in the flags of Solaris: `--cfg mio_model="solaris"`, beside `--cfg mio_model="event_ports"`.
#[cfg(mio_model = "solaris")]
#[path = "selector/event_ports/model_flags.rs"]
pub(super) mod model_flags;
#[cfg(mio_model = "solaris")]
pub(super) use self::model_flags::{poll, PollFd};

/// What `poll(2)` has on some systems only; elsewhere no flag at all.
#[cfg(not(windows))]
#[allow(dead_code)] // a build may have no `poll(2)` in it
pub(super) mod poll_flags {
    use rustix::event::PollFlags;

    /// The number is no open descriptor.
    #[cfg(not(target_os = "espidf"))]
    pub(crate) const NVAL: PollFlags = PollFlags::NVAL;
    #[cfg(target_os = "espidf")]
    pub(crate) const NVAL: PollFlags = PollFlags::empty();

    /// Whether a descriptor can be asked about with no flag at all, for what comes unasked.
    pub(crate) const ASKS_FOR_NOTHING: bool = cfg!(not(target_os = "wasi"));

    /// There is priority data.
    #[cfg(not(target_os = "wasi"))]
    pub(crate) const PRI: PollFlags = PollFlags::PRI;
    #[cfg(target_os = "wasi")]
    pub(crate) const PRI: PollFlags = PollFlags::empty();

    /// The peer has shut down writing.
    #[cfg(any(
        target_os = "freebsd",
        target_os = "illumos",
        all(
            any(target_os = "android", target_os = "linux"),
            not(any(mio_model = "solaris", target_arch = "sparc", target_arch = "sparc64"))
        )
    ))]
    pub(crate) const RDHUP: PollFlags = PollFlags::RDHUP;
    #[cfg(not(any(
        target_os = "freebsd",
        target_os = "illumos",
        all(
            any(target_os = "android", target_os = "linux"),
            not(any(mio_model = "solaris", target_arch = "sparc", target_arch = "sparc64"))
        )
    )))]
    pub(crate) const RDHUP: PollFlags = PollFlags::empty();
}

/// How a socket does not raise `SIGPIPE`: by a flag of each call that sends, or an option of the socket. Redox and the
/// Vita have neither.
#[cfg(all(unix, feature = "net"))]
pub(super) mod sigpipe {
    use rustix::net::SendFlags;

    #[cfg(not(any(target_vendor = "apple", target_os = "redox", target_os = "vita")))]
    pub(crate) const SEND: SendFlags = SendFlags::NOSIGNAL;
    #[cfg(any(target_vendor = "apple", target_os = "redox", target_os = "vita"))]
    pub(crate) const SEND: SendFlags = SendFlags::empty();

    #[cfg(target_vendor = "apple")]
    pub(crate) use rustix::net::sockopt::set_socket_nosigpipe;
    #[cfg(not(target_vendor = "apple"))]
    #[allow(dead_code)] // called where sockets are made in steps
    pub(crate) fn set_socket_nosigpipe(
        _: impl std::os::fd::AsFd,
        _: bool,
    ) -> rustix::io::Result<()> {
        Ok(())
    }
}

/// The length of a listener's queue: as long as the system allows, where it clamps the number.
#[cfg(all(feature = "net", any(unix, windows)))]
pub(super) const BACKLOG: i32 = if cfg!(any(
    windows,
    target_vendor = "apple",
    target_os = "android",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "linux",
    target_os = "netbsd",
    target_os = "openbsd"
)) {
    i32::MAX
} else if cfg!(any(target_os = "haiku", target_os = "horizon")) {
    20 // they refuse much more
} else {
    1024
};

/// The kernel takes no more buffers than this in one call. POSIX promises 16, and `--cfg mio_model="posix"` has no more.
#[cfg(all(unix, feature = "net"))]
#[allow(dead_code)] // where a call takes several
pub(super) const IOV_MAX: usize = if cfg!(all(
    any(
        target_vendor = "apple",
        target_os = "android",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "linux",
        target_os = "netbsd",
        target_os = "nto",
        target_os = "openbsd"
    ),
    not(mio_model = "posix")
)) {
    1024
} else {
    16
};

/// The room for a path in the address of a Unix socket (`sun_path`), in bytes.
#[cfg(all(unix, feature = "net"))]
pub(super) const SUN_PATH: usize = if cfg!(any(
    target_vendor = "apple",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "horizon",
    target_os = "netbsd",
    target_os = "nto",
    target_os = "openbsd"
)) {
    104
} else if cfg!(target_os = "haiku") {
    126
} else if cfg!(target_os = "aix") {
    1023
} else {
    108
};

/// Socket addresses begin with their length.
#[cfg(all(unix, feature = "net"))]
pub(super) const ADDRESS_HAS_LENGTH: bool = cfg!(any(
    target_vendor = "apple",
    target_os = "aix",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "haiku",
    target_os = "hurd",
    target_os = "netbsd",
    target_os = "openbsd"
));

/// The call that accepts, with room for an address of any length, which rustix does not have.
#[cfg(all(feature = "net", target_vendor = "apple"))]
pub(super) mod accepting {
    pub(crate) use libc::accept;
}
#[cfg(all(
    feature = "net",
    any(
        mio_model = "kqueue",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd"
    )
))]
#[path = "socket/accept4.rs"]
pub(super) mod accepting;

/// `sizeof(struct sockaddr_in6)`. Solaris has a field of its own at its end, and takes no address without it.
#[cfg(all(unix, feature = "net"))]
pub(super) const ADDRESS_V6: usize = if cfg!(any(target_os = "illumos", target_os = "solaris")) {
    32
} else {
    28
};

#[cfg(any(target_os = "linux", target_os = "android"))]
impl crate::Interest {
    /// Asks for events when there is priority data, such as TCP's out-of-band byte or a change of a sysfs file
    /// (`EPOLLPRI`). Linux and Android only. [`is_priority`](crate::event::Event::is_priority) has an example.
    pub const PRIORITY: crate::Interest = crate::interest::of_some_systems::PRIORITY;
}

#[cfg(any(
    target_vendor = "apple",
    target_os = "dragonfly",
    target_os = "freebsd"
))]
impl crate::Interest {
    /// Asks for events when a POSIX asynchronous operation completes (`EVFILT_AIO`). FreeBSD, DragonFly and Apple systems
    /// only.
    ///
    /// Such an operation is not registered with a queue, but names it: in its `sigevent`, with the queue's descriptor and
    /// the token. So this is for sources that start operations themselves; a descriptor registered for nothing else is
    /// not watched. [`is_aio`](crate::event::Event::is_aio) has an example.
    pub const AIO: crate::Interest = crate::interest::of_some_systems::AIO;
}

#[cfg(target_os = "freebsd")]
impl crate::Interest {
    /// Asks for events when a list of asynchronous operations completes (`EVFILT_LIO`). FreeBSD only.
    ///
    /// As with [`AIO`](crate::Interest::AIO), the list names the queue itself. [`is_lio`](crate::event::Event::is_lio) has an example.
    pub const LIO: crate::Interest = crate::interest::of_some_systems::LIO;
}

#[cfg(all(test, any(target_os = "android", target_os = "linux")))]
mod tests {
    use super::DIRECT;

    #[test]
    fn calls_go_through_libc_where_those_of_rustix_do() {
        assert_eq!(DIRECT, !cfg!(rustix_use_libc));
    }
}
