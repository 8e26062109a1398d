//! # Interception
//!
//! Some tools work by standing between a program and the C library. A library is preloaded (`LD_PRELOAD` on Linux), and
//! its `connect`, `recv` or `epoll_wait` is called instead of libc's. Proxychains sends connections through a proxy so,
//! torsocks through Tor, and test tools inject errors. MemorySanitizer and ThreadSanitizer replace the same functions
//! to learn what a call has written.
//!
//! # What they do not see
//!
//! On Linux this crate makes its system calls through [rustix](https://docs.rs/rustix), which by default goes to the
//! kernel directly. No function of libc is called, so none is intercepted:
//!
//! | made directly | made through libc |
//! | --- | --- |
//! | `socket`, `socketpair`, `bind`, `listen`, `connect`, `accept4` | `shutdown`, `getsockname`, `getpeername` |
//! | `recvfrom`, `sendto`, `readv`, `writev`, `sendmsg`, `recvmsg`, `read`, `write` | socket options, but for `SO_REUSEADDR` of listeners and the question [`only_v6`](crate::net::UdpSocket::only_v6) |
//! | `epoll_create1`, `epoll_ctl`, `epoll_wait`, `ppoll`, `eventfd2`, `pipe2` | `close` of queues and wakers |
//! | `sendmmsg`, `recvmmsg`; `ioctl` of pipes; `close` of sockets and pipes | |
//!
//! `epoll_pwait2` is made through libc's `syscall`, and so are the calls for batches of datagrams on other processors than
//! x86-64. A build that goes through libc makes none of these: it waits with `ppoll`, and fetches events after that. On
//! Android, and on architectures for which rustix has no code of
//! its own, such as PowerPC, everything goes through libc anyway.
//!
//! Behind a direct call on some processors of AMD, this crate covers what the kernel leaves in the processor's stack of
//! return addresses; a build through libc does not. `ARCHITECTURE.md` has that under "The return stack".
//!
//! Tools that look from the kernel's side are not concerned. strace, seccomp filters, perf, eBPF, gVisor and network
//! namespaces see every call.
//!
//! # Why it is so
//!
//! A call that is inlined into the caller's loop down to the instruction that enters the kernel is cheaper than one
//! through a function. `ARCHITECTURE.md` has the reasons, under "No `ret` after the kernel".
//!
//! # How to build a program that they see
//!
//! rustix can go through libc instead. Either of the two does it, for the whole program.
//!
//! In the `Cargo.toml` of the final program. Cargo builds rustix once, with all features that anybody asks for:
//!
//! ```toml
//! [dependencies]
//! rustix = { version = "1", features = ["use-libc"] }
//! ```
//!
//! Or from outside, without a change to any file:
//!
//! ```sh
//! RUSTFLAGS="--cfg=rustix_use_libc" cargo build --release
//! ```
//!
//! Nothing else changes, neither in what the crate does nor in its interface. A library should leave the choice to the
//! program and not ask for `use-libc` itself.
//!
//! To see which of the two a program is, look at what it imports. One that goes through libc needs `epoll_ctl`:
//!
//! ```sh
//! nm --dynamic --undefined-only target/release/program | grep -w epoll_ctl
//! ```
//!
//! # Sanitizers
//!
//! MemorySanitizer believes that memory which only the kernel has written is uninitialised, unless it saw the call.
//! Build with one of the above for it. ThreadSanitizer takes some of its knowledge of which thread waited for which
//! from the same functions; build so for it, too. AddressSanitizer finds what it is for in either build, but it checks
//! the buffers that are given to the kernel only where it sees the call.
