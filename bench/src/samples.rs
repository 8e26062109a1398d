//! What several subjects took, in several processes, and which of it counts.

use crate::stats::{quantile, Spread};

/// What one subject took in one process: a number for each sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Samples {
    /// While the core was ours alone.
    pub(crate) quiet: Vec<f64>,
    /// The others.
    pub(crate) disturbed: Vec<f64>,
}

impl Samples {
    pub(crate) fn push(&mut self, value: f64, quiet: bool) {
        if quiet {
            self.quiet.push(value);
        } else {
            self.disturbed.push(value);
        }
    }
}

/// What all subjects took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    /// Process by process, subject by subject.
    processes: Vec<Vec<Samples>>,
    /// With so many quiet samples a process counts.
    enough: usize,
}

impl Measured {
    /// Processes count that have so many quiet samples of each subject. If none has, everything counts, for something has
    /// to: see [`is_disturbed`](Measured::is_disturbed).
    pub(crate) fn new(enough: usize) -> Measured {
        Measured {
            processes: Vec::new(),
            enough,
        }
    }

    /// Adds what one more process found, in the order of the subjects.
    pub(crate) fn push(&mut self, process: Vec<Samples>) {
        self.processes.push(process);
    }

    /// Whether nothing is known of this work on an undisturbed core.
    pub(crate) fn is_disturbed(&self) -> bool {
        self.quiet().next().is_none()
    }

    /// How many samples there are, and how many of them do not count.
    pub(crate) fn left_out(&self) -> (usize, usize) {
        let all = self.processes.iter().flatten();
        let count = all.map(|samples| samples.quiet.len() + samples.disturbed.len());
        let count = count.sum();
        let counting = (0..self.subjects()).map(|subject| self.counting(subject).concat().len());
        (count, count - counting.sum::<usize>())
    }

    /// The same in words.
    pub(crate) fn remark(&self) -> String {
        let (all, left_out) = self.left_out();
        if self.is_disturbed() {
            format!("too few of {all} samples were quiet, so all count")
        } else {
            format!("{} of {all} samples count", all - left_out)
        }
    }

    /// The value below which the share `q` of what a subject took lies.
    pub(crate) fn quantile(&self, subject: usize, q: f64) -> f64 {
        let mut sorted = self.counting(subject).concat();
        sorted.sort_by(f64::total_cmp);
        quantile(&sorted, q)
    }

    /// The ratios of what `ours` took to what `theirs` did: in each process that of the lower quartiles, for what disturbs a
    /// sample only makes it longer; of the processes the spread.
    pub(crate) fn ratio(&self, ours: usize, theirs: usize) -> Spread {
        let lower = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            quantile(&values, 0.25)
        };
        let pairs = self.counting(ours).into_iter().zip(self.counting(theirs));
        let ratios: Vec<f64> = pairs
            .map(|(ours, theirs)| lower(ours) / lower(theirs))
            .collect();
        Spread::of(&ratios)
    }

    /// What counts of a subject, process by process.
    fn counting(&self, subject: usize) -> Vec<Vec<f64>> {
        if self.is_disturbed() {
            let all = self.processes.iter().map(|samples| {
                let Samples { quiet, disturbed } = &samples[subject];
                [&quiet[..], disturbed].concat()
            });
            return all.collect();
        }
        self.quiet()
            .map(|samples| samples[subject].quiet.clone())
            .collect()
    }

    /// The processes that had a core for themselves for long enough.
    fn quiet(&self) -> impl Iterator<Item = &Vec<Samples>> {
        let enough = |samples: &Samples| samples.quiet.len() >= self.enough;
        self.processes
            .iter()
            .filter(move |subjects| subjects.iter().all(enough))
    }

    fn subjects(&self) -> usize {
        self.processes.first().map_or(0, Vec::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(quiet: &[f64], disturbed: &[f64]) -> Samples {
        Samples {
            quiet: quiet.to_vec(),
            disturbed: disturbed.to_vec(),
        }
    }

    #[test]
    fn ratios_of_processes() {
        let mut measured = Measured::new(3);
        // One sample of ours was disturbed without a sign of it, and one process of theirs.
        for (ours, theirs) in [
            ([2.0, 9.0, 2.0], [4.0, 4.0, 4.0]),
            ([2.0, 2.0, 2.0], [8.0, 8.0, 8.0]),
            ([2.0, 2.0, 2.0], [4.0, 4.0, 4.0]),
        ] {
            measured.push(vec![samples(&ours, &[]), samples(&theirs, &[])]);
        }
        let spread = measured.ratio(0, 1);
        assert_eq!((spread.low, spread.middle), (0.375, 0.5));
        assert_eq!(measured.left_out(), (18, 0));
    }

    #[test]
    fn what_was_disturbed_does_not_count() {
        let mut measured = Measured::new(2);
        measured.push(vec![
            samples(&[1.0, 1.0], &[7.0]),
            samples(&[2.0, 2.0], &[7.0, 7.0]),
        ]);
        // Not enough of the second subject.
        measured.push(vec![samples(&[3.0, 3.0], &[]), samples(&[3.0], &[7.0])]);
        assert!(!measured.is_disturbed());
        assert_eq!(measured.ratio(0, 1).middle, 0.5);
        assert_eq!(measured.quantile(0, 1.0), 1.0);
        assert_eq!(measured.left_out(), (11, 7));
    }

    #[test]
    fn everything_counts_if_all_was_disturbed() {
        let mut measured = Measured::new(2);
        measured.push(vec![
            samples(&[3.0], &[3.0, 3.0]),
            samples(&[], &[6.0, 6.0]),
        ]);
        assert!(measured.is_disturbed());
        assert_eq!(measured.ratio(0, 1).middle, 0.5);
        assert_eq!(measured.left_out(), (5, 0));
    }
}
