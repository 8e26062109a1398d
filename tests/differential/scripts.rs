//! Scripts that are worth a name.
//!
//! What has to come out of them is not written here: the model knows. A script is chosen so that a queue which makes a
//! certain mistake differs from it. One that proptest has found is pasted as it was printed.

#[cfg(feature = "os-ext")]
mod bare;
mod edges;
mod endings;
mod sharing;
mod triggers;

use crate::script::Kind::{self, Datagram, Pipe, Tcp, Unix};
use crate::script::{Script, Step};

const KINDS: [Kind; 4] = [Unix, Tcp, Pipe, Datagram];

/// Runs a script, given in parts, with room for so many events in the polls after it.
#[track_caller]
fn run(parts: &[&[Step]], room: u8) {
    let script = Script {
        steps: parts.concat(),
        room,
    };
    if let Err(failure) = crate::run(&script) {
        panic!("{script:?}\n{failure}");
    }
}
