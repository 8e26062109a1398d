//! The wiring: which parts make up each platform.
//!
//! This file and `facts.rs` are the only ones that name operating systems. What stands in the other files of this folder
//! is a mechanism; it is compiled where this file says so and needs no gate of its own.
//!
//! | part | what differs | choices |
//! | --- | --- | --- |
//! | [`queue`] | the backend, or the two of which a queue picks one | epoll, kqueue, `poll(2)`, AFD |
//! | [`handle`] | how the system names what it can watch | a file descriptor, a socket |
//! | [`signal`] | the flag in the kernel by which a `Waker` reaches a queue whose kernel has nothing better | `eventfd(2)`, a pipe; WASI has none |
//! | [`create`] | how a descriptor becomes close-on-exec and non-blocking | flags, `fcntl(2)` |
//! | [`socket`] | creating, accepting and connecting sockets | Unix, Windows, WASI |
//! | [`calls`], [`syscall`] | what a loop does with sockets; how Linux is called by number | rustix or not; an instruction, libc |
//! | [`datagrams`] | batches of datagrams | `sendmmsg(2)`, `WSASendMsg`, one by one |
//! | [`names`], [`peers`], [`buffers`] | what not all Unixes have of Unix sockets, and calls with several buffers | |
//! | [`facts`] | numbers and flags | |
//!
//! A Unix that is named nowhere gets what POSIX has: `poll(2)`, a pipe, `fcntl(2)`. A system that has more is added to
//! the lists of what it has.

#[cfg(not(any(unix, windows, target_os = "wasi")))]
compile_error!("mio has no backend for this system yet: see PLATFORMS.md");

/// Why a call of the C library has failed.
#[cfg(unix)]
#[allow(dead_code)] // not every system is called through it
mod errno;
mod facts;
pub(crate) mod selector;

/// How often a bare handle is looked at, where a queue learns nothing of its operations.
#[path = "selector/pace.rs"]
#[allow(dead_code)] // a build may have neither `poll(2)` nor AFD
mod pace;

// Not every system, and not every set of features, has a use for all of them.
#[allow(unused_imports)]
use self::facts::*;

// ---- The queue ------------------------------------------------------------------------------------------------------
//
// `--cfg mio_unsupported_force_poll_poll` builds any Unix as if it had nothing but `poll(2)`.

/// Linux and Android: epoll, and `poll(2)` on request.
#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    not(any(
        mio_unsupported_force_poll_poll,
        mio_model = "event_ports",
        mio_model = "kqueue"
    ))
))]
#[path = "selector"]
mod queue {
    #[cfg(feature = "poll-backend")]
    mod either;
    mod epoll;
    mod epoll_ppoll;
    mod epoll_pwait;
    #[cfg(target_os = "linux")]
    mod epoll_pwait2;
    #[cfg(all(
        target_os = "linux",
        target_arch = "x86_64",
        target_pointer_width = "64"
    ))]
    mod epoll_wait;
    #[cfg(feature = "poll-backend")]
    mod poll;
    #[cfg(test)]
    mod poll_event;
    #[cfg(feature = "poll-backend")]
    mod queues;
    // Of the other backends, what makes no system call: its tests run everywhere.
    #[cfg(test)]
    #[path = "event_ports/sources.rs"]
    #[allow(dead_code)] // there are no event ports here
    mod sources;
    #[cfg(any(feature = "poll-backend", test))]
    mod table;

    // Android's own library does not make this call, so its sandboxes need not know it.
    #[cfg(not(all(
        target_os = "linux",
        target_arch = "x86_64",
        target_pointer_width = "64"
    )))]
    use self::epoll_pwait as epoll_wait;

    // Sandboxes of older Androids kill a process that makes a system call they do not know.
    #[cfg(target_os = "android")]
    use self::epoll_ppoll as epoll_precise;
    #[cfg(target_os = "linux")]
    use self::epoll_pwait2 as epoll_precise;

    #[cfg(not(feature = "poll-backend"))]
    pub(crate) type Selector = epoll::Epoll;
    /// The first one is the default.
    #[cfg(feature = "poll-backend")]
    pub(crate) type Selector = either::Either<epoll::Epoll, poll::Poll<epoll::Event>>;
}

/// Apple systems and the BSDs: kqueue. `--cfg mio_model="kqueue"` builds Linux with it, on a model of the kernel's side.
#[cfg(all(
    any(
        mio_model = "kqueue",
        target_vendor = "apple",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd"
    ),
    not(mio_unsupported_force_poll_poll)
))]
#[path = "selector"]
mod queue {
    mod kqueue;

    #[cfg(mio_model = "kqueue")]
    #[path = "kqueue/model/mod.rs"]
    mod kernel;
    #[cfg(not(mio_model = "kqueue"))]
    #[path = "kqueue/system.rs"]
    mod kernel;

    // On NetBSD, `EVFILT_USER` is younger than the rest, and OpenBSD's manual does not know it.
    #[cfg(any(
        mio_unsupported_force_waker_pipe,
        target_os = "netbsd",
        target_os = "openbsd"
    ))]
    #[path = "kqueue/fd_signal.rs"]
    mod kqueue_signal;
    #[cfg(not(any(
        mio_unsupported_force_waker_pipe,
        target_os = "netbsd",
        target_os = "openbsd"
    )))]
    #[path = "kqueue/user_signal.rs"]
    mod kqueue_signal;

    /// The filter for lists of asynchronous operations, where there is one.
    #[cfg(target_os = "freebsd")]
    const KQUEUE_LIO: Option<i64> = Some(libc::EVFILT_LIO as i64);
    #[cfg(not(any(target_os = "freebsd", mio_model = "kqueue")))]
    const KQUEUE_LIO: Option<i64> = None;

    /// Whether an event for reading tells of urgent data.
    #[cfg(not(mio_model = "kqueue"))]
    const KQUEUE_OOBAND: bool = cfg!(target_vendor = "apple");

    pub(crate) type Selector = kqueue::Kqueue;
}

/// The halves of kqueue that make no system call, tested on every host.
#[cfg(any(
    test,
    mio_model = "kqueue",
    target_vendor = "apple",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
))]
#[path = "selector/kqueue"]
#[allow(dead_code)] // unless it is the backend
mod pure_kqueue {
    pub(crate) mod oneshots;
    pub(crate) mod rules;
}

/// illumos and Solaris: event ports, and `poll(2)` on request. On Linux, for tests: the same over a model of event ports.
#[cfg(all(
    any(
        mio_model = "event_ports",
        target_os = "illumos",
        target_os = "solaris"
    ),
    not(mio_unsupported_force_poll_poll)
))]
#[path = "selector"]
mod queue {
    #[cfg(feature = "poll-backend")]
    mod either;
    mod event_ports;
    #[cfg(feature = "poll-backend")]
    mod poll;
    mod poll_event;
    #[cfg_attr(mio_model = "event_ports", path = "event_ports/model.rs")]
    #[cfg_attr(not(mio_model = "event_ports"), path = "event_ports/system.rs")]
    mod port;
    #[path = "event_ports/event.rs"]
    mod port_event;
    mod queues;
    #[path = "event_ports/sources.rs"]
    mod sources;
    mod table;

    #[cfg(not(feature = "poll-backend"))]
    pub(crate) type Selector = event_ports::EventPorts;
    #[cfg(feature = "poll-backend")]
    pub(crate) type Selector =
        either::Either<event_ports::EventPorts, poll::Poll<port_event::Event>>;
}

/// Every other Unix: `poll(2)`. WASI, too; on preview 1 its `poll_oneoff` is asked.
#[cfg(any(
    target_os = "wasi",
    all(unix, mio_unsupported_force_poll_poll),
    all(
        unix,
        not(any(
            target_vendor = "apple",
            target_os = "android",
            target_os = "dragonfly",
            target_os = "freebsd",
            target_os = "illumos",
            target_os = "linux",
            target_os = "netbsd",
            target_os = "openbsd",
            target_os = "solaris"
        ))
    )
))]
#[path = "selector"]
mod queue {
    mod poll;
    mod poll_event;
    mod queues;
    mod table;

    pub(crate) type Selector = poll::Poll<poll_event::Event>;
}

#[cfg(any(all(test, unix), all(target_os = "wasi", target_env = "p1")))]
#[path = "selector/oneoff.rs"]
mod oneoff;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
#[path = "selector/oneoff_call.rs"]
mod oneoff_call;

/// Windows: AFD.
#[cfg(windows)]
#[path = "selector"]
mod queue {
    pub(crate) mod afd;

    pub(crate) type Selector = afd::Afd;
}

/// The halves that make no system call, also of named pipes and waitable handles, tested on every host.
#[cfg(all(test, not(windows)))]
#[allow(dead_code)] // the other halves use the rest
#[path = "selector/afd"]
mod pure_afd {
    #[cfg(loom)]
    mod due;
    mod flags;
    mod state;

    use self::flags::Flags;
    #[path = "../../named_pipe/state.rs"]
    mod pipe;
    #[path = "../../wait_handle/state.rs"]
    mod wait;
}

/// For kernels that keep each packet of a waker apart.
#[cfg(any(
    windows,
    mio_model = "event_ports",
    target_os = "illumos",
    target_os = "solaris",
    all(test, loom)
))]
#[path = "selector/sent.rs"]
#[allow(dead_code)] // a build may be asked to use nothing but `poll(2)`
mod sent;

/// What threads share of an event port without its lock, for the model checker.
#[cfg(all(test, loom))]
#[path = "selector/event_ports"]
mod shared_port {
    mod alert;
    mod watched;
}

/// Named pipes.
#[cfg(all(windows, feature = "os-ext"))]
pub(crate) mod named_pipe;

/// Waitable handles.
#[cfg(all(windows, feature = "os-ext"))]
pub(crate) mod wait_handle;

pub(crate) use self::queue::Selector;

/// An event as the system writes it.
pub(crate) type RawEvent = <Selector as selector::Selector>::Event;
/// What the backend keeps in an [`IoSource`](crate::IoSource).
pub(crate) type SourceState = <Selector as selector::Selector>::State;
/// The kernel's side of a [`Waker`](crate::Waker).
pub(crate) type WakeSignal = <Selector as selector::Selector>::Signal;

// ---- Handles, and how they are made ---------------------------------------------------------------------------------

#[cfg(not(windows))]
#[path = "handle/fd.rs"]
mod handle;
#[cfg(windows)]
#[path = "handle/socket.rs"]
mod handle;
#[cfg(feature = "log")]
pub(crate) use self::handle::is_blocking;
#[cfg(feature = "net")]
#[path = "handle/lent.rs"]
mod lent;
#[cfg(feature = "net")]
pub(crate) use self::handle::lend;
#[cfg(any(feature = "net", all(unix, feature = "os-ext")))]
pub(crate) use self::handle::OwnedHandle;
pub(crate) use self::handle::{AsHandle, Handle};
#[cfg(feature = "net")]
pub(crate) use self::lent::Lent;

/// Descriptors that are close-on-exec and non-blocking. Two steps where the calls take no flags.
/// `--cfg mio_model="posix"` has these on any Unix.
#[cfg(unix)]
#[cfg_attr(
    all(
        any(
            target_os = "android",
            target_os = "cygwin",
            target_os = "dragonfly",
            target_os = "freebsd",
            target_os = "fuchsia",
            target_os = "hurd",
            target_os = "illumos",
            target_os = "linux",
            target_os = "netbsd",
            target_os = "openbsd",
            target_os = "solaris"
        ),
        not(mio_model = "posix")
    ),
    path = "create/flags.rs"
)]
#[allow(dead_code)] // systems and features differ in what they make
mod create;
#[cfg(all(unix, feature = "os-ext"))]
pub(crate) use self::create::pipe_pair;

/// Several buffers in one call on a pipe.
#[cfg(all(
    unix,
    feature = "os-ext",
    any(target_os = "espidf", target_os = "horizon")
))]
#[path = "create/one_buffer.rs"]
mod one_buffer;
#[cfg(all(
    unix,
    feature = "os-ext",
    any(target_os = "espidf", target_os = "horizon")
))]
pub(crate) use self::one_buffer::{readv, writev};
#[cfg(all(
    unix,
    feature = "os-ext",
    not(any(target_os = "espidf", target_os = "horizon"))
))]
pub(crate) use rustix::io::{readv, writev};

// ---- What `poll(2)` and wakers need ---------------------------------------------------------------------------------
//
// `--cfg mio_unsupported_force_waker_pipe` makes it a pipe on every Unix.

/// The flag in the kernel that a waker raises.
#[cfg(all(
    any(target_os = "android", target_os = "linux"),
    not(mio_unsupported_force_waker_pipe)
))]
#[path = "wake/eventfd.rs"]
#[allow(dead_code)] // the models have flags of their own
mod signal;
#[cfg(all(
    unix,
    any(
        mio_unsupported_force_waker_pipe,
        not(any(target_os = "android", target_os = "linux"))
    )
))]
#[path = "wake/pipe.rs"]
#[allow(dead_code)] // kqueue and event ports have flags of their own
mod signal;
#[cfg(target_os = "wasi")]
#[path = "wake/none.rs"]
mod signal;

/// System calls by number: an instruction, or a function of the C library.
#[cfg(any(target_os = "android", target_os = "linux"))]
#[cfg_attr(
    all(target_arch = "x86_64", target_pointer_width = "64"),
    path = "syscall/x86_64.rs"
)]
#[cfg_attr(
    all(target_arch = "aarch64", target_pointer_width = "64"),
    path = "syscall/aarch64.rs"
)]
#[allow(dead_code)] // systems and features differ in what they call
mod syscall;
#[cfg(not(any(target_os = "android", target_os = "linux")))]
#[path = "syscall/none.rs"]
mod syscall;
pub(crate) use self::syscall::return_stack;

// ---- Sockets --------------------------------------------------------------------------------------------------------

#[cfg(all(unix, feature = "net"))]
#[path = "socket/unix.rs"]
pub(crate) mod socket;
#[cfg(all(windows, feature = "net"))]
#[path = "socket/windows/mod.rs"]
pub(crate) mod socket;

/// Preview 1 cannot make sockets.
#[cfg(all(target_os = "wasi", feature = "net"))]
#[cfg_attr(not(target_env = "p1"), path = "socket/wasi/connect.rs")]
#[cfg_attr(target_env = "p1", path = "socket/wasi/no_connect.rs")]
mod connect;
#[cfg(all(target_os = "wasi", feature = "net"))]
#[path = "socket/wasi/mod.rs"]
pub(crate) mod socket;

/// The same without rustix.
#[cfg(all(
    feature = "net",
    any(target_os = "android", target_os = "linux"),
    any(target_arch = "aarch64", target_arch = "x86_64"),
    target_pointer_width = "64",
    not(mio_model = "posix")
))]
#[path = "socket/calls_direct.rs"]
mod calls;
/// What a loop does with sockets, through rustix.
#[cfg(all(unix, feature = "net"))]
#[path = "socket/calls.rs"]
mod plain_calls;
#[cfg(all(
    unix,
    feature = "net",
    not(all(
        any(target_os = "android", target_os = "linux"),
        any(target_arch = "aarch64", target_arch = "x86_64"),
        target_pointer_width = "64",
        not(mio_model = "posix")
    ))
))]
use self::plain_calls as calls;

/// Several buffers in one call on a socket.
#[cfg(all(unix, feature = "net"))]
#[cfg_attr(
    any(target_os = "espidf", target_os = "horizon", target_os = "vita"),
    path = "socket/one_buffer.rs"
)]
#[cfg_attr(
    not(any(target_os = "espidf", target_os = "horizon", target_os = "vita")),
    path = "socket/buffers.rs"
)]
mod buffers;

/// Batches of datagrams: the parts for every system.
#[cfg(feature = "net")]
#[path = "socket/datagram/mod.rs"]
#[allow(dead_code)] // not every system has something to say beside a datagram
pub(crate) mod datagram;

/// Batches of datagrams: what the system has for them.
#[cfg(all(
    feature = "net",
    any(
        target_vendor = "apple",
        target_os = "android",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "illumos",
        target_os = "linux",
        target_os = "netbsd",
        target_os = "openbsd",
        target_os = "solaris"
    )
))]
#[path = "socket/messages"]
pub(crate) mod datagrams {
    mod batch;
    mod header;
    mod single;

    pub(crate) use self::batch::{dscp, enable, receive, send};

    // The numbers.
    #[cfg_attr(
        any(target_os = "android", target_os = "linux"),
        path = "kinds/linux.rs"
    )]
    #[cfg_attr(target_vendor = "apple", path = "kinds/apple.rs")]
    #[cfg_attr(target_os = "freebsd", path = "kinds/freebsd.rs")]
    #[cfg_attr(target_os = "netbsd", path = "kinds/netbsd.rs")]
    #[cfg_attr(
        any(target_os = "dragonfly", target_os = "openbsd"),
        path = "kinds/openbsd.rs"
    )]
    #[cfg_attr(
        any(target_os = "illumos", target_os = "solaris"),
        path = "kinds/solaris.rs"
    )]
    mod kinds;

    // The calls: many at once where that is a system call.
    #[cfg(any(target_os = "android", target_os = "linux", target_os = "netbsd"))]
    mod many;

    #[cfg(any(target_os = "android", target_os = "linux"))]
    mod direct;

    #[cfg(any(target_os = "android", target_os = "linux"))]
    use self::direct as calls;
    #[cfg(target_os = "netbsd")]
    use self::many as calls;
    #[cfg(not(any(target_os = "android", target_os = "linux", target_os = "netbsd")))]
    use self::single as calls;
}
#[cfg(all(windows, feature = "net"))]
#[path = "socket/datagram/wsamsg.rs"]
pub(crate) mod datagrams;
#[cfg(all(
    feature = "net",
    not(any(
        windows,
        target_vendor = "apple",
        target_os = "android",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "illumos",
        target_os = "linux",
        target_os = "netbsd",
        target_os = "openbsd",
        target_os = "solaris"
    ))
))]
#[path = "socket/datagram/plain.rs"]
pub(crate) mod datagrams;

/// The names of Unix sockets: paths, and others on Linux.
#[cfg(all(feature = "net", any(target_os = "android", target_os = "linux")))]
#[path = "socket/abstract_names.rs"]
mod names;
#[cfg(all(
    unix,
    feature = "net",
    not(any(target_os = "android", target_os = "linux"))
))]
#[path = "socket/path_names.rs"]
mod names;

/// The names that they and their peers have, which may be longer than `sun_path` on some systems.
#[cfg(all(
    unix,
    feature = "net",
    not(any(
        mio_model = "kqueue",
        target_vendor = "apple",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd"
    ))
))]
#[path = "socket/peers.rs"]
mod peers;
#[cfg(all(
    feature = "net",
    any(
        mio_model = "kqueue",
        target_vendor = "apple",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd"
    )
))]
#[path = "socket/long_peers.rs"]
mod peers;
