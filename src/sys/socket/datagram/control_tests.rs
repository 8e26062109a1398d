use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// 64-bit and 32-bit Linux and Windows, the latter as on Apple's systems; the BSDs on 64 bits, with two alignments; Solaris
/// on SPARC, where data may begin where no header does.
const LAYOUTS: [Layout; 5] = [
    layout(8, 16, 8),
    layout(4, 12, 4),
    layout(4, 16, 8),
    layout(4, 16, 16),
    layout(4, 12, 8),
];

const fn layout(length: usize, data: usize, align: usize) -> Layout {
    Layout {
        length,
        data,
        align,
    }
}

fn layouts() -> impl Strategy<Value = Layout> {
    prop::sample::select(&LAYOUTS[..])
}

/// What the macros of C compute on 64-bit Linux, where the header has 16 bytes.
#[test]
fn sizes_are_those_of_the_manual() {
    let linux = LAYOUTS[0];
    assert_eq!(linux.space(0), 16);
    assert_eq!(linux.space(1), 24);
    assert_eq!(linux.space(8), 24);
    assert_eq!(linux.space(12), 32);
    assert_eq!(linux.space(20), 40);
    let small = LAYOUTS[1];
    assert_eq!(small.space(0), 12);
    assert_eq!(small.space(2), 16);
    let bsd = LAYOUTS[2];
    assert_eq!(bsd.space(0), 16);
    assert_eq!(bsd.space(4), 24);
    let sparc = LAYOUTS[4];
    assert_eq!([0, 1, 4, 5].map(|n| sparc.space(n)), [16, 16, 16, 24]);
}

#[test]
fn bytes_are_those_of_the_kernel() {
    let mut buffer = [0xff; 24];
    let mut writer = Writer::new(LAYOUTS[0], &mut buffer);
    assert!(writer.push(17, 103, &1200_u16.to_ne_bytes()));
    assert_eq!(writer.used(), 24);
    let mut expected = Vec::new();
    expected.extend(18_u64.to_ne_bytes());
    expected.extend(17_i32.to_ne_bytes());
    expected.extend(103_i32.to_ne_bytes());
    expected.extend(1200_u16.to_ne_bytes());
    expected.extend([0; 6]);
    assert_eq!(buffer[..], expected);
}

#[test]
fn what_does_not_fit_changes_nothing() {
    for layout in LAYOUTS {
        let mut buffer = vec![0xaa; layout.space(4) + layout.space(5) - 1];
        let mut writer = Writer::new(layout, &mut buffer);
        assert!(writer.push(1, 2, &[3; 4]));
        assert!(!writer.push(4, 5, &[6; 5]));
        let used = writer.used();
        assert_eq!(used, layout.space(4));
        assert!(buffer[used..].iter().all(|&byte| byte == 0xaa));
        assert_eq!(Messages::new(layout, &buffer[..used]).count(), 1);
    }
}

#[test]
fn the_last_message_needs_no_padding() {
    let layout = LAYOUTS[0];
    let mut buffer = [0; 24];
    assert!(Writer::new(layout, &mut buffer).push(0, 1, &[7]));
    let messages: Vec<_> = Messages::new(layout, &buffer[..17]).collect();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].data, [7]);
}

#[test]
fn lengths_that_cannot_be_end_the_walk() {
    for layout in LAYOUTS {
        for length in [
            0,
            1,
            layout.header() as u64 - 1,
            65,
            u64::from(u32::MAX),
            u64::MAX,
        ] {
            let mut buffer = [0; 64];
            buffer[..8].copy_from_slice(&length.to_ne_bytes());
            assert_eq!(
                Messages::new(layout, &buffer).next(),
                None,
                "{layout:?} {length}"
            );
        }
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        layout in layouts(),
        messages in vec((any::<i32>(), any::<i32>(), vec(any::<u8>(), 0..40)), 0..8),
    ) {
        let room = messages.iter().map(|(_, _, data)| layout.space(data.len())).sum();
        let mut buffer = vec![0; room];
        let mut writer = Writer::new(layout, &mut buffer);
        for (level, kind, data) in &messages {
            prop_assert!(writer.push(*level, *kind, data));
        }
        prop_assert_eq!(writer.used(), room);
        let read: Vec<_> = Messages::new(layout, &buffer)
            .map(|message| (message.level, message.kind, message.data.to_vec()))
            .collect();
        prop_assert_eq!(read, messages);
    }

    /// Whatever stands in the buffer: the walk ends, and what it yields lies in the buffer, in order.
    #[test]
    fn nonsense_is_read_within_bounds(layout in layouts(), buffer in vec(any::<u8>(), 0..300)) {
        let bounds = buffer.as_ptr_range();
        let mut end = bounds.start;
        for message in Messages::new(layout, &buffer).take(1000) {
            let data = message.data.as_ptr_range();
            prop_assert!(end <= data.start && data.end <= bounds.end);
            end = data.end;
        }
        prop_assert!(Messages::new(layout, &buffer).count() <= buffer.len() / layout.header());
    }

    /// The same with lengths that are nearly right, which random bytes hardly ever are.
    #[test]
    fn near_nonsense_is_read_within_bounds(
        layout in layouts(),
        lengths in vec((0_u32..80, any::<i32>(), any::<i32>()), 0..8),
        cut in 0_usize..200,
    ) {
        let mut buffer = Vec::new();
        for (length, level, kind) in lengths {
            let mut header = length.to_ne_bytes().to_vec();
            header.resize(layout.length, 0);
            header.extend(level.to_ne_bytes());
            header.extend(kind.to_ne_bytes());
            header.resize(layout.aligned((length as usize).max(layout.header())), 0x55);
            buffer.extend(header);
        }
        buffer.truncate(cut);
        let bounds = buffer.as_ptr_range();
        for message in Messages::new(layout, &buffer) {
            prop_assert!(message.data.as_ptr_range().end <= bounds.end);
        }
    }
}
