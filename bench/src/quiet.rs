//! Whether the core is ours alone.
//!
//! A processor of a virtual machine is, as a rule, one of two threads of a core, and the other one may be somebody else's.
//! While that one works, everything here takes longer: the same arithmetic up to twice as long, the kernel half as long
//! again. Most of what is added is the same for every subject, so it draws every ratio towards one. It comes and goes
//! within milliseconds or minutes, and no counter of the machine shows it.
//!
//! But a fixed amount of arithmetic does, as much of it at a time as the core has units for. A sample counts if that took
//! hardly longer, before the sample and after it, than it ever did.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Hardly longer. On a core of its own the arithmetic varies by two to eight hundredths, beside somebody else it takes
/// 1.12 to 2 times as long.
const HARDLY: f64 = 1.1;

/// How often the arithmetic is done before anything is measured: some tens of milliseconds.
const TO_BEGIN_WITH: usize = 10_000;

/// A core, and its full speed as far as it has been seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Core {
    /// The shortest time that the arithmetic has taken, in nanoseconds.
    fastest: f64,
}

impl Core {
    /// Looks for the full speed.
    pub(crate) fn new() -> Core {
        let mut core = Core::known(f64::INFINITY);
        for _ in 0..TO_BEGIN_WITH {
            core.is_ours();
        }
        core
    }

    /// One whose full speed was found before.
    pub(crate) fn known(fastest: f64) -> Core {
        Core { fastest }
    }

    pub(crate) fn fastest(self) -> f64 {
        self.fastest
    }

    /// Whether it runs at full speed at this moment.
    pub(crate) fn is_ours(&mut self) -> bool {
        self.compare(arithmetic())
    }

    /// Waits until it does, but not longer than that.
    pub(crate) fn wait(&mut self, most: Duration) -> bool {
        let start = Instant::now();
        loop {
            if self.is_ours() {
                return true;
            }
            if start.elapsed() > most {
                return false;
            }
        }
    }

    fn compare(&mut self, taken: f64) -> bool {
        self.fastest = self.fastest.min(taken);
        taken <= HARDLY * self.fastest
    }
}

/// Does it, and tells how many nanoseconds that took.
fn arithmetic() -> f64 {
    let start = Instant::now();
    // Six chains that do not depend on each other, of what processors have no vectors for.
    let mut chains: [u64; 6] = black_box([1, 2, 3, 4, 5, 6]);
    for _ in 0..3_000 {
        for link in &mut chains {
            *link = link.wrapping_add(5).rotate_left(7);
        }
    }
    black_box(chains);
    start.elapsed().as_nanos() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_little_longer_than_the_fastest_is_full_speed() {
        let mut core = Core::known(f64::INFINITY);
        assert!(core.compare(1_100.0));
        assert!(core.compare(1_000.0));
        assert!(core.compare(1_090.0));
        assert!(!core.compare(1_150.0));
        assert_eq!(core.fastest(), 1_000.0);
    }

    #[test]
    fn the_arithmetic_is_done() {
        // Eighteen thousand additions, of which no core does more than ten at a time, at no more than ten gigahertz.
        assert!(arithmetic() > 180.0);
    }

    #[test]
    fn waiting_ends() {
        let start = Instant::now();
        assert!(!Core::known(0.0).wait(Duration::from_millis(1)));
        assert!(start.elapsed() > Duration::from_millis(1));
    }
}
