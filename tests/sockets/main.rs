//! Every socket type and the pipes, method by method: results, errors, what the kernel makes of odd arguments, and that
//! nothing leaks into child processes or raises a signal.
//!
//! What concerns readiness runs on each backend of the build. Everything stays on the loopback interface and in temporary
//! folders. Where a sandbox denies something (IPv6, multicast), the test says so and passes.

#![cfg(all(any(unix, windows), feature = "net"))]

#[cfg(all(target_os = "linux", not(mio_model = "posix")))] // which takes a second step
mod exec_race;
#[cfg(not(any(windows, target_os = "fuchsia", target_os = "redox")))] // which have no limits to set
mod exhaustion;
#[path = "../facts/mod.rs"]
mod facts;
#[cfg(unix)]
mod flags;
#[cfg(unix)]
mod handles;
mod multicast;
#[cfg(not(any(windows, target_os = "fuchsia", target_os = "redox")))] // only for `exhaustion` there
mod own_process;
#[cfg(all(unix, feature = "os-ext"))]
mod pipes;
#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    not(mio_model = "kqueue")
))]
mod priority;
#[cfg(unix)]
mod raw;
#[cfg(not(any(windows, target_os = "fuchsia", target_os = "redox")))] // only for `own_process`
#[path = "../runner/mod.rs"]
mod runner;
#[cfg(target_os = "linux")]
mod sigpipe;
mod tcp_connect;
mod tcp_listener;
mod tcp_stream;
mod udp;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod udp_batch;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod unix_abstract;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod unix_ancillary;
#[cfg(unix)]
mod unix_datagram;
#[cfg(unix)]
mod unix_paths;
#[cfg(unix)]
mod unix_stream;
mod util;
