//! `mio::windows::NamedPipe`: servers and clients, bytes and messages, ends of all kinds.

#![cfg(all(windows, feature = "os-ext"))]

mod bed;
mod connecting;
mod data;
mod ends;
mod registration;
mod stress;
mod writing;
