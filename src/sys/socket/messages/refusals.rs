//! What is left out of a transmit that the system refuses, and what is learned when it goes out then.
//!
//! A refusal does not say what it is about. `EIO` says that the device or the route cannot cut segments. `EINVAL` may mean
//! the segments, or their length, or a control message that the system does not know. So each is left out in turn: first
//! the segments are cut here, then the congestion mark goes. If the datagram goes out, that was it. If nothing is left to
//! leave out, the error is about the datagram.

use rustix::io::Errno;

use crate::sys::datagram::about_segments;

/// What the next attempt leaves out.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// The segments go one by one.
    pub(crate) one_by_one: bool,
    /// There is no congestion mark.
    pub(crate) unmarked: bool,
}

/// What was learned for good.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lesson {
    /// The system does not cut segments.
    pub(crate) no_segments: bool,
    /// The system does not take marks.
    pub(crate) no_marks: bool,
}

/// What of one transmit of a batch was refused so far.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Refusals {
    transmit: usize,
    /// The error with segments.
    segments: Option<Errno>,
    mark: bool,
}

impl Refusals {
    /// What is to be left out of the transmit with this index.
    #[inline]
    pub(crate) fn attempt(&self, transmit: usize) -> Attempt {
        let same = self.transmit == transmit;
        Attempt {
            one_by_one: same && self.segments.is_some(),
            unmarked: same && self.mark,
        }
    }

    /// The transmit was refused as it was: with segments, with a mark. Whether it is worth another attempt.
    #[cold]
    pub(crate) fn refused(
        &mut self,
        transmit: usize,
        errno: Errno,
        segments: bool,
        mark: bool,
    ) -> bool {
        if self.transmit != transmit {
            *self = Refusals {
                transmit,
                ..Refusals::default()
            };
        }
        if segments && matches!(errno, Errno::IO | Errno::INVAL | Errno::MSGSIZE) {
            self.segments = Some(errno);
            true
        } else if mark && matches!(errno, Errno::INVAL | Errno::NOPROTOOPT | Errno::OPNOTSUPP) {
            self.mark = true;
            true
        } else {
            false
        }
    }

    /// A datagram of this transmit went out, of so many bytes. What that says of the refusals before.
    #[inline]
    pub(crate) fn went_out(&self, transmit: usize, length: usize) -> Lesson {
        let Attempt {
            one_by_one,
            unmarked,
        } = self.attempt(transmit);
        match self.segments {
            // Which of the two it was is not known, but the second attempt had no segments.
            _ if unmarked => Lesson {
                no_marks: true,
                ..Lesson::default()
            },
            Some(errno) if one_by_one => {
                let (certain, never) = (errno == Errno::IO, errno == Errno::MSGSIZE);
                Lesson {
                    no_segments: about_segments(certain, never, length),
                    ..Lesson::default()
                }
            }
            _ => Lesson::default(),
        }
    }

    /// Forgets it, unless the transmit with this index is the one that it is about.
    #[inline]
    pub(crate) fn keep_for(&mut self, transmit: usize) {
        if self.transmit != transmit {
            *self = Refusals::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Attempt = Attempt {
        one_by_one: false,
        unmarked: false,
    };

    #[test]
    fn nothing_refused_is_nothing_learned() {
        let refusals = Refusals::default();
        assert_eq!(refusals.attempt(0), NOTHING);
        assert_eq!(refusals.went_out(0, 100), Lesson::default());
    }

    #[test]
    fn segments_are_left_out_first() {
        for (errno, length, no_segments) in [
            (Errno::IO, 100, true),
            (Errno::IO, 9_000, true),
            (Errno::INVAL, 1_232, true),
            (Errno::INVAL, 1_233, false),
            (Errno::MSGSIZE, 100, false),
        ] {
            let mut refusals = Refusals::default();
            assert!(refusals.refused(3, errno, true, true));
            let attempt = Attempt {
                one_by_one: true,
                unmarked: false,
            };
            assert_eq!(refusals.attempt(3), attempt);
            assert_eq!(refusals.attempt(4), NOTHING);
            let lesson = Lesson {
                no_segments,
                no_marks: false,
            };
            assert_eq!(refusals.went_out(3, length), lesson);
            // Nothing is left that could be left out, but of the mark after some errors.
            assert!(!refusals.refused(3, errno, false, false));
            assert_eq!(
                refusals.refused(3, errno, false, true),
                errno == Errno::INVAL
            );
        }
    }

    #[test]
    fn then_the_mark_is() {
        for first in [None, Some(Errno::INVAL)] {
            for errno in [Errno::INVAL, Errno::NOPROTOOPT, Errno::OPNOTSUPP] {
                let mut refusals = Refusals::default();
                if let Some(first) = first {
                    assert!(refusals.refused(1, first, true, true));
                }
                assert!(refusals.refused(1, errno, false, true));
                let attempt = Attempt {
                    one_by_one: first.is_some(),
                    unmarked: true,
                };
                assert_eq!(refusals.attempt(1), attempt);
                let lesson = Lesson {
                    no_segments: false,
                    no_marks: true,
                };
                assert_eq!(refusals.went_out(1, 100), lesson);
                assert!(!refusals.refused(1, errno, false, false));
            }
        }
    }

    #[test]
    fn other_errors_are_about_the_datagram() {
        for errno in [Errno::AGAIN, Errno::CONNREFUSED, Errno::PERM, Errno::NOBUFS] {
            let mut refusals = Refusals::default();
            assert!(!refusals.refused(0, errno, true, true));
            assert_eq!(refusals.attempt(0), NOTHING);
        }
    }

    #[test]
    fn each_transmit_has_its_own() {
        let mut refusals = Refusals::default();
        assert!(refusals.refused(0, Errno::IO, true, false));
        assert!(!refusals.refused(1, Errno::PERM, true, false));
        assert_eq!(refusals.attempt(0), NOTHING);
        assert!(refusals.refused(1, Errno::IO, true, false));
        refusals.keep_for(1);
        assert_ne!(refusals.attempt(1), NOTHING);
        refusals.keep_for(2);
        assert_eq!(refusals.attempt(1), NOTHING);
    }
}
