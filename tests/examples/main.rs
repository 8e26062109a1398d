//! The examples, each started as a program of its own and talked to from outside, by clients of the standard library.
//!
//! What is waited for is waited for with a limit, so a fault is a failure and never a hang.

#![cfg(all(any(unix, windows), feature = "net", feature = "os-ext"))]

#[cfg(unix)]
mod chat;
#[cfg(unix)]
mod child_output;
mod client;
mod http_hello;
mod program;
mod proxy;
#[path = "../runner/mod.rs"]
mod runner;
mod tcp_echo;
mod udp_blast;
mod udp_echo;
