//! `mio::windows::WaitHandle`: objects of all kinds, triggers, ends, threads.

#![cfg(all(windows, feature = "os-ext"))]

mod bed;
mod ends;
mod objects;
mod refused;
mod stress;
mod triggers;
