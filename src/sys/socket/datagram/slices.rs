//! A part of a datagram that stands in several buffers.

use std::io::IoSlice;

/// The number of bytes in `slices`.
#[inline]
pub(crate) fn total(slices: &[IoSlice<'_>]) -> usize {
    slices.iter().map(|slice| slice.len()).sum()
}

/// Fills the beginning of `room` with slices that are the `length` bytes of `slices` from `offset` on, and tells how many
/// these are. `None` if there are more than `room` has space for. The part must lie within.
pub(crate) fn part<'a>(
    slices: &'a [IoSlice<'a>],
    offset: usize,
    length: usize,
    room: &mut [IoSlice<'a>],
) -> Option<usize> {
    let (mut skip, mut wanted) = (offset, length);
    let mut used = 0;
    for slice in slices {
        if wanted == 0 {
            break;
        }
        if skip >= slice.len() {
            skip -= slice.len();
            continue;
        }
        let piece = &slice[skip..];
        let piece = &piece[..piece.len().min(wanted)];
        *room.get_mut(used)? = IoSlice::new(piece);
        used += 1;
        wanted -= piece.len();
        skip = 0;
    }
    debug_assert_eq!(wanted, 0, "the part lies within");
    Some(used)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_part_is_what_it_would_be_in_one_piece(
            buffers in vec(vec(any::<u8>(), 0..20), 0..10),
            from: prop::sample::Index,
            to: prop::sample::Index,
        ) {
            let whole = buffers.concat();
            let (a, b) = (from.index(whole.len() + 1), to.index(whole.len() + 1));
            let (start, end) = (a.min(b), a.max(b));
            let slices: Vec<_> = buffers.iter().map(|buffer| IoSlice::new(buffer)).collect();
            prop_assert_eq!(total(&slices), whole.len());

            let mut room = [IoSlice::new(&[]); 10];
            let used = part(&slices, start, end - start, &mut room).unwrap();
            let joined: Vec<u8> = room[..used].iter().flat_map(|slice| slice.to_vec()).collect();
            prop_assert_eq!(&joined[..], &whole[start..end]);
            prop_assert!(room[..used].iter().all(|slice| !slice.is_empty()));
            // With less room than that it says so, and with just that it fits.
            prop_assert_eq!(part(&slices, start, end - start, &mut room[..used]), Some(used));
            if used > 0 {
                prop_assert_eq!(part(&slices, start, end - start, &mut room[..used - 1]), None);
            }
        }
    }
}
