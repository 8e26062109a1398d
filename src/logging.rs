//! What the feature `log` writes, or nothing.

use crate::{Interest, Token, Trigger};

/// Where the records say that they come from: what the user called, not where it is written.
#[cfg(feature = "log")]
const TARGET: &str = "mio::registry";

/// Traces a change of a registration. A load and a comparison when nobody listens.
#[inline]
pub(crate) fn registration(change: &str, wanted: Option<(Token, Interest, Trigger)>) {
    #[cfg(feature = "log")]
    if log::log_enabled!(target: TARGET, log::Level::Trace) {
        write(change, wanted);
    }
    #[cfg(not(feature = "log"))]
    let _ = (change, wanted);
}

#[cfg(feature = "log")]
#[cold]
#[inline(never)]
fn write(change: &str, wanted: Option<(Token, Interest, Trigger)>) {
    match wanted {
        Some((token, interest, trigger)) => {
            log::trace!(target: TARGET, "{change}: token {}, {interest:?}, {trigger:?}", token.0);
        }
        None => log::trace!(target: TARGET, "{change}"),
    }
}
