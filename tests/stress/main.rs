//! Many threads, many descriptors, signals, and no descriptors left: what only shows under load.
//!
//! Each scenario runs in a process of its own, this program started again ([`common::in_child`]): limits and signal
//! handlers belong to a process, and a descriptor that another test's child has inherited for a moment keeps its
//! registration in an epoll queue. It runs on every backend of the build.
//!
//! A scenario goes on for a second on each backend, or for as many as `MIO_STRESS_SECONDS` says. What is drawn by chance
//! follows from a seed, which a failure shows and `MIO_STRESS_SEED` sets.
//!
//! The tests in [`injected`] are ignored here. `cargo xtask inject` runs each of them under strace, which makes a system
//! call of theirs fail. So is one of [`wakers`] that takes long, which `cargo xtask stress` begins with.

#![cfg(any(unix, windows))]

mod bytes;
mod common;
#[cfg(all(
    feature = "net",
    not(any(windows, target_os = "fuchsia", target_os = "redox")) // which have no limits to set
))]
mod exhaustion;
#[cfg(unix)]
mod injected;
#[cfg(all(unix, feature = "net"))]
mod injected_sockets;
#[cfg(all(feature = "net", any(target_os = "android", target_os = "linux")))]
mod injected_udp;
mod many;
#[path = "../pair/mod.rs"]
mod pair;
mod registries;
#[path = "../runner/mod.rs"]
mod runner;
#[cfg(unix)]
mod signals;
mod wakers;
