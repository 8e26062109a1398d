//! What is left out of a transmit that the system refuses, and what is learned when it goes out then.
//!
//! A refusal does not say what it is about. `EIO` of Linux says that the device or the route cannot cut segments. `EINVAL`
//! may mean the segments, or their length, or a control message that the system does not know. So each is left out in turn:
//! first the segments are cut here, then the congestion mark goes. If the datagram goes out, that was it. If nothing is left
//! to leave out, the error is about the datagram.

use super::about_segments;

/// What an error may be about, by its number. Others are about the datagram.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[allow(dead_code)] // each system has some of them
pub(crate) enum Reason {
    /// Segments cannot be cut.
    NoSegments,
    /// A datagram is too long, which may be one of the segments.
    TooLong,
    /// The system does not know a control message.
    Unknown,
    /// Segments cannot be cut, or the system does not know a control message.
    NoSegmentsOrUnknown,
    /// Anything.
    Invalid,
}

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
    segments: Option<Reason>,
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
        reason: Option<Reason>,
        segments: bool,
        mark: bool,
    ) -> bool {
        if self.transmit != transmit {
            *self = Refusals {
                transmit,
                ..Refusals::default()
            };
        }
        let Some(reason) = reason else {
            return false;
        };
        if segments && reason != Reason::Unknown {
            self.segments = Some(reason);
            true
        } else if mark && !matches!(reason, Reason::NoSegments | Reason::TooLong) {
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
            Some(reason) if one_by_one => {
                let certain = matches!(reason, Reason::NoSegments | Reason::NoSegmentsOrUnknown);
                Lesson {
                    no_segments: about_segments(certain, reason == Reason::TooLong, length),
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
        for (reason, length, no_segments) in [
            (Reason::NoSegments, 100, true),
            (Reason::NoSegments, 9_000, true),
            (Reason::NoSegmentsOrUnknown, 9_000, true),
            (Reason::Invalid, 1_232, true),
            (Reason::Invalid, 1_233, false),
            (Reason::TooLong, 100, false),
        ] {
            let mut refusals = Refusals::default();
            assert!(refusals.refused(3, Some(reason), true, true));
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
            assert!(!refusals.refused(3, Some(reason), false, false));
            assert_eq!(
                refusals.refused(3, Some(reason), false, true),
                matches!(reason, Reason::Invalid | Reason::NoSegmentsOrUnknown)
            );
        }
    }

    #[test]
    fn then_the_mark_is() {
        for first in [None, Some(Reason::Invalid)] {
            for reason in [
                Reason::Invalid,
                Reason::Unknown,
                Reason::NoSegmentsOrUnknown,
            ] {
                let mut refusals = Refusals::default();
                if first.is_some() {
                    assert!(refusals.refused(1, first, true, true));
                }
                assert!(refusals.refused(1, Some(reason), false, true));
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
                assert!(!refusals.refused(1, Some(reason), false, false));
            }
        }
    }

    /// Of a control message that is not known it is the mark that is left out, also beside segments.
    #[test]
    fn the_mark_alone_is() {
        let mut refusals = Refusals::default();
        assert!(refusals.refused(0, Some(Reason::Unknown), true, true));
        let attempt = Attempt {
            one_by_one: false,
            unmarked: true,
        };
        assert_eq!(refusals.attempt(0), attempt);
        assert!(!refusals.refused(0, Some(Reason::Unknown), true, false));
    }

    #[test]
    fn other_errors_are_about_the_datagram() {
        let mut refusals = Refusals::default();
        assert!(!refusals.refused(0, None, true, true));
        assert_eq!(refusals.attempt(0), NOTHING);
    }

    #[test]
    fn each_transmit_has_its_own() {
        let mut refusals = Refusals::default();
        assert!(refusals.refused(0, Some(Reason::NoSegments), true, false));
        assert!(!refusals.refused(1, None, true, false));
        assert_eq!(refusals.attempt(0), NOTHING);
        assert!(refusals.refused(1, Some(Reason::NoSegments), true, false));
        refusals.keep_for(1);
        assert_ne!(refusals.attempt(1), NOTHING);
        refusals.keep_for(2);
        assert_eq!(refusals.attempt(1), NOTHING);
    }
}
