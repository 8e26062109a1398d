//! [`Pace`]: edges of bare handles, of whose operations nobody tells.

use std::time::{Duration, Instant};

/// How soon a direction of a bare handle is asked for again.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Reports since the direction was last seen unready, up to [`SLOWEST`](Pace::SLOWEST).
    pub(crate) reports: u32,
    /// Not asked for before this time.
    pub(crate) until: Option<Instant>,
}

impl Pace {
    const SLOWEST: u32 = 4;

    /// The first report is followed by another look at once, the further ones after 1, 2 and 4 ms.
    pub(crate) fn reported(&mut self, now: Instant) {
        self.reports = (self.reports + 1).min(Pace::SLOWEST);
        self.until = match self.reports {
            1 => None,
            reports => now.checked_add(Duration::from_millis(1 << (reports - 2))),
        };
    }
}
