//! A part of a datagram that stands in several buffers.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::slice;

/// The number of bytes in `slices`.
#[inline]
pub(crate) fn total(slices: &[IoSlice<'_>]) -> usize {
    match slices {
        // Most are in one piece, and a loop costs more than they do.
        [one] => one.len(),
        slices => slices.iter().map(|slice| slice.len()).sum(),
    }
}

/// The `length` bytes of `slices` from `offset` on, as slices that are written to the beginning of `room`; and what is left
/// of the room. `None` if they are more than it has space for. The part must lie within.
///
/// No bytes are one empty slice: `sendmsg(2)` of POSIX may refuse a message without a buffer (`EMSGSIZE`), and Apple systems
/// and illumos do.
#[allow(clippy::type_complexity)] // a part and a rest
pub(crate) fn part<'a, 'r>(
    slices: &'a [IoSlice<'a>],
    offset: usize,
    length: usize,
    room: &'r mut [MaybeUninit<IoSlice<'a>>],
) -> Option<(&'r [IoSlice<'a>], &'r mut [MaybeUninit<IoSlice<'a>>])> {
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
        room.get_mut(used)?.write(IoSlice::new(piece));
        used += 1;
        wanted -= piece.len();
        skip = 0;
    }
    debug_assert_eq!(wanted, 0, "the part lies within");
    if used == 0 {
        room.first_mut()?.write(IoSlice::new(&[]));
        used = 1;
    }
    let (part, rest) = room.split_at_mut(used);
    // SAFETY: All of them were written above.
    let part = unsafe { slice::from_raw_parts(part.as_ptr().cast(), used) };
    Some((part, rest))
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

            const SLICE: MaybeUninit<IoSlice<'_>> = MaybeUninit::uninit();
            let mut room = [SLICE; 10];
            let (found, rest) = part(&slices, start, end - start, &mut room).unwrap();
            let joined: Vec<u8> = found.iter().flat_map(|slice| slice.to_vec()).collect();
            prop_assert_eq!(&joined[..], &whole[start..end]);
            let used = found.len();
            if start == end {
                prop_assert_eq!(used, 1);
            } else {
                prop_assert!(found.iter().all(|slice| !slice.is_empty()));
            }
            prop_assert_eq!(rest.len(), 10 - used);
            // With less room than that it says so, and with just that it fits.
            prop_assert!(part(&slices, start, end - start, &mut room[..used]).is_some());
            prop_assert!(part(&slices, start, end - start, &mut room[..used - 1]).is_none());
        }
    }
}
