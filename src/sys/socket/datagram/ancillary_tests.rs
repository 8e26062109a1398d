use std::io::IoSlice;
use std::net::SocketAddr;
use std::slice::from_ref;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::net::udp::Dscp;

/// Numbers that no system has, so that a mix-up shows.
const KINDS: Kinds = Kinds {
    layout: Layout {
        length: 8,
        data: 16,
        align: 8,
    },
    v4: 1001,
    v6: 1002,
    tos: Some(1),
    tos_is_byte: false,
    received_tos: Some(1),
    tclass: 2,
    info_v4: InfoV4::InterfaceFirst(3),
    info_v6: 4,
    segments: Some(SEGMENTS),
};

const SEGMENTS: Segments = Segments {
    level: 1003,
    size: 5,
    wide: false,
    coalesced: 6,
};

/// What a system has that knows less: a byte, and the messages of the BSDs.
const BSD: Kinds = Kinds {
    tos_is_byte: true,
    received_tos: Some(9),
    info_v4: InfoV4::Apart {
        address: 3,
        interface: 7,
    },
    segments: None,
    ..KINDS
};

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A socket that is bound to no address, with a DSCP for IPv4, and half of that for IPv6.
fn socket(v6: bool, dscp: u8) -> Offload {
    let any = if v6 { "[::]:1" } else { "0.0.0.0:1" };
    let dscp = Dscp {
        v4: dscp,
        v6: dscp / 2,
    };
    Offload::new(address(any), dscp, None)
}

/// Level, kind, data.
type Written = (i32, i32, Vec<u8>);

/// What is written for `transmit`.
fn written(transmit: &Transmit<'_>, v6: bool, dscp: u8, segment: Option<u16>) -> Vec<Written> {
    if !Kinds::needed(transmit, segment) {
        return Vec::new();
    }
    written_with(&KINDS, transmit, &socket(v6, dscp), segment)
}

fn written_with(
    kinds: &Kinds,
    transmit: &Transmit<'_>,
    socket: &Offload,
    segment: Option<u16>,
) -> Vec<Written> {
    let mut room = Room([0xff; SEND_ROOM]);
    let used = kinds.write(transmit, socket, true, segment, &mut room);
    Messages::new(kinds.layout, &room.0[..used])
        .map(|message| (message.level, message.kind, message.data.to_vec()))
        .collect()
}

fn int(value: i32) -> Vec<u8> {
    value.to_ne_bytes().to_vec()
}

#[test]
fn nothing_to_say_is_nothing() {
    let contents = [IoSlice::new(b"x")];
    for v6 in [false, true] {
        assert_eq!(written(&Transmit::to_peer(&contents), v6, 0xb8, None), []);
    }
}

#[test]
fn a_mark_keeps_the_rest_of_its_byte() {
    let contents = [IoSlice::new(b"x")];
    let to = |text| Transmit::to(address(text), &contents).with_ecn(Ecn::Ce);
    let v4 = (1001, 1, int(0xb8 | 3));
    let v6 = (1002, 2, int(0x5c | 3));
    assert_eq!(written(&to("1.2.3.4:5"), false, 0xb8, None), from_ref(&v4));
    assert_eq!(written(&to("1.2.3.4:5"), true, 0xb8, None), from_ref(&v4));
    let mapped = to("[::ffff:1.2.3.4]:5");
    assert_eq!(written(&mapped, true, 0xb8, None), from_ref(&v4));
    assert_eq!(written(&to("[1::2]:5"), true, 0xb8, None), from_ref(&v6));
    let peer = Transmit::to_peer(&contents).with_ecn(Ecn::Ce);
    assert_eq!(written(&peer, false, 0xb8, None), from_ref(&v4));
    assert_eq!(written(&peer, true, 0xb8, None), [v4, v6]);
}

#[test]
fn a_source_is_of_the_family_of_the_destination() {
    let contents = [IoSlice::new(b"x")];
    let info_v4 = (1001, 3, [&int(7)[..], &[10, 0, 0, 1], &[0; 4]].concat());
    for source in ["10.0.0.1", "::ffff:10.0.0.1"] {
        for (v6, to) in [
            (false, "1.2.3.4:5"),
            (true, "1.2.3.4:5"),
            (true, "[::ffff:1.2.3.4]:5"),
        ] {
            let transmit = Transmit::to(address(to), &contents)
                .with_source(source.parse().unwrap())
                .with_interface(7);
            assert_eq!(written(&transmit, v6, 0, None), from_ref(&info_v4));
        }
    }
    let transmit = Transmit::to(address("[1::2]:5"), &contents)
        .with_source("3::4".parse().unwrap())
        .with_interface(7);
    let ip: Ipv6Addr = "3::4".parse().unwrap();
    let info_v6 = [&ip.octets()[..], &int(7)].concat();
    assert_eq!(written(&transmit, true, 0, None), [(1002, 4, info_v6)]);
}

#[test]
fn other_sources_do_not_fit() {
    let contents = [IoSlice::new(b"x")];
    let (v4, v6) = (["10.0.0.1", "::ffff:10.0.0.1"], ["3::4", "::1"]);
    let fits = |socket_v6, destination: Option<&str>, source: &str| {
        let mut transmit = Transmit::to_peer(&contents).with_source(source.parse().unwrap());
        transmit.destination = destination.map(address);
        source_fits(&transmit, socket_v6)
    };
    for (socket_v6, to, of_v4) in [
        (false, Some("1.2.3.4:5"), true),
        (false, None, true),
        (true, Some("1.2.3.4:5"), true),
        (true, Some("[::ffff:1.2.3.4]:5"), true),
        (true, Some("[1::2]:5"), false),
    ] {
        for (sources, are_v4) in [(v4, true), (v6, false)] {
            for source in sources {
                assert_eq!(
                    fits(socket_v6, to, source),
                    of_v4 == are_v4,
                    "{source} {to:?}"
                );
            }
        }
        for unspecified in ["0.0.0.0", "::", "::ffff:0.0.0.0"] {
            assert!(fits(socket_v6, to, unspecified));
        }
    }
    // Which family the peer has is not known.
    assert!(v4.iter().chain(&v6).all(|source| fits(true, None, source)));
    assert!(source_fits(&Transmit::to_peer(&contents), false));
}

#[test]
fn everything_at_once_has_room() {
    let contents = [IoSlice::new(b"x")];
    let transmit = Transmit::to_peer(&contents)
        .with_ecn(Ecn::Ect0)
        .with_source("3::4".parse().unwrap());
    let messages = written(&transmit, true, 0, Some(1200));
    let kinds: Vec<_> = messages.iter().map(|message| message.1).collect();
    assert_eq!(kinds, [1, 2, 4, 5]);
    assert_eq!(messages[3], (1003, 5, 1200_u16.to_ne_bytes().to_vec()));
}

/// What is read out of messages, for a datagram of 100 bytes.
fn read(messages: &[(i32, i32, &[u8])]) -> ReceiveMeta {
    read_with(&KINDS, false, messages)
}

fn read_with(kinds: &Kinds, v6: bool, messages: &[(i32, i32, &[u8])]) -> ReceiveMeta {
    let mut room = [0; RECEIVE_ROOM];
    let mut writer = Writer::new(kinds.layout, &mut room);
    for (level, kind, data) in messages {
        assert!(writer.push(*level, *kind, data));
    }
    let used = writer.used();
    let mut meta = ReceiveMeta::new(address("1.2.3.4:5"), 100, false);
    kinds.read(&room[..used], v6, &mut meta);
    meta
}

#[test]
fn what_is_received_is_understood() {
    let info_v4 = [&int(7)[..], &[10, 0, 0, 1], &[224, 0, 0, 1]].concat();
    let meta = read(&[
        (1001, 1, &[0xb9]),
        (1001, 3, &info_v4),
        (1003, 6, &int(30)),
        (9, 9, b"timestamp"),
    ]);
    assert_eq!(meta.ecn, Some(Ecn::Ect1));
    assert_eq!(meta.destination, Some("224.0.0.1".parse().unwrap()));
    assert_eq!(meta.interface, NonZeroU32::new(7));
    assert_eq!((meta.len, meta.stride), (100, 30));

    let info_v6 = [&[0xfe; 16][..], &int(0)].concat();
    let meta = read(&[(1002, 2, &int(2)), (1002, 4, &info_v6)]);
    assert_eq!(meta.ecn, Some(Ecn::Ect0));
    assert_eq!(meta.destination, Some(Ipv6Addr::from([0xfe; 16]).into()));
    assert_eq!(meta.interface, None);
    assert_eq!(meta.stride, 100);
}

#[test]
fn what_is_cut_off_is_left_out() {
    let meta = read(&[
        (1001, 1, &[]),
        (1002, 2, &[1]),
        (1001, 3, &[1; 11]),
        (1002, 4, &[1; 19]),
        (1003, 6, &[1; 3]),
    ]);
    assert_eq!(meta.ecn, None);
    assert_eq!(meta.destination, None);
    assert_eq!(meta.stride, 100);
}

#[test]
fn a_stride_is_never_nonsense() {
    for (stride, expected) in [(0, 100), (-1, 100), (1, 1), (100, 100), (i32::MAX, 100)] {
        let meta = read(&[(1003, 6, &int(stride))]);
        assert_eq!(meta.stride, expected);
    }
}

/// What differs on Windows, and of addresses on NetBSD.
#[test]
fn addresses_before_interfaces_and_wide_segments() {
    const WINDOWS: Kinds = Kinds {
        info_v4: InfoV4::AddressFirst(3),
        segments: Some(Segments {
            wide: true,
            ..SEGMENTS
        }),
        ..KINDS
    };
    let contents = [IoSlice::new(b"x")];
    let transmit = Transmit::to(address("1.2.3.4:5"), &contents)
        .with_source("10.0.0.1".parse().unwrap())
        .with_interface(7);
    let messages = written_with(&WINDOWS, &transmit, &socket(false, 0), Some(1200));
    let info = [&[10, 0, 0, 1][..], &int(7)].concat();
    assert_eq!(messages, [(1001, 3, info.clone()), (1003, 5, int(1200))]);

    let meta = read_with(&WINDOWS, false, &[(1001, 3, &info)]);
    assert_eq!(meta.destination, Some("10.0.0.1".parse().unwrap()));
    assert_eq!(meta.interface, NonZeroU32::new(7));
}

#[test]
fn addresses_and_interfaces_apart() {
    let contents = [IoSlice::new(b"x")];
    let to = Transmit::to(address("1.2.3.4:5"), &contents);
    let any = socket(false, 0xb8);
    let from = to.with_source("10.0.0.1".parse().unwrap());
    let expected = (1001, 3, vec![10, 0, 0, 1]);
    // An interface alone cannot be chosen.
    for transmit in [from, from.with_interface(7)] {
        let messages = written_with(&BSD, &transmit, &any, None);
        assert_eq!(messages, from_ref(&expected));
    }
    assert_eq!(written_with(&BSD, &to.with_interface(7), &any, None), []);
    // Whoever is bound to the address need not say so, and must not.
    for (local, source, messages) in [
        ("10.0.0.1:5", "10.0.0.1", &[][..]),
        ("10.0.0.1:5", "::ffff:10.0.0.1", &[]),
        ("[::ffff:10.0.0.1]:5", "10.0.0.1", &[]),
        ("10.0.0.2:5", "10.0.0.1", from_ref(&expected)),
    ] {
        let bound = Offload::new(address(local), Dscp::default(), None);
        let transmit = to.with_source(source.parse().unwrap());
        assert_eq!(written_with(&BSD, &transmit, &bound, None), messages);
    }
    // IPv6 is the same everywhere.
    let far = Transmit::to(address("[1::2]:5"), &contents).with_interface(7);
    let info = [&[0; 16][..], &int(7)].concat();
    assert_eq!(
        written_with(&BSD, &far, &socket(true, 0), None),
        [(1002, 4, info)]
    );

    // `struct sockaddr_dl`: length, family, index, and a name.
    let link = [&[20, 18][..], &7_u16.to_ne_bytes(), b"\x06\x03\0\0em0"].concat();
    let messages: [(i32, i32, &[u8]); 2] = [(1001, 3, &[10, 0, 0, 1]), (1001, 7, &link)];
    for (v6, destination) in [(false, "10.0.0.1"), (true, "::ffff:10.0.0.1")] {
        let meta = read_with(&BSD, v6, &messages);
        assert_eq!(meta.destination, Some(destination.parse().unwrap()));
        assert_eq!(meta.interface, NonZeroU32::new(7));
    }
    let cut = read_with(
        &BSD,
        false,
        &[(1001, 3, &[10, 0, 0]), (1001, 7, &[20, 18, 7])],
    );
    assert_eq!((cut.destination, cut.interface), (None, None));
}

#[test]
fn marks_that_are_bytes_and_those_that_are_none() {
    let contents = [IoSlice::new(b"x")];
    let v4 = Transmit::to(address("1.2.3.4:5"), &contents).with_ecn(Ecn::Ce);
    let byte = (1001, 1, vec![0xb8 | 3]);
    assert_eq!(
        written_with(&BSD, &v4, &socket(false, 0xb8), None),
        from_ref(&byte)
    );
    let without = Kinds {
        tos: None,
        received_tos: None,
        ..BSD
    };
    assert_eq!(written_with(&without, &v4, &socket(false, 0xb8), None), []);
    let v6 = Transmit::to(address("[1::2]:5"), &contents).with_ecn(Ecn::Ce);
    let class = (1002, 2, int(3));
    assert_eq!(
        written_with(&without, &v6, &socket(true, 0), None),
        from_ref(&class)
    );

    // Under a number of its own, as a byte or an `int`.
    for data in [vec![0xb9], int(0xb9)] {
        let meta = read_with(&BSD, false, &[(1001, 9, &data), (1001, 1, &[2])]);
        assert_eq!(meta.ecn, Some(Ecn::Ect1));
    }
    assert_eq!(read_with(&without, false, &[(1001, 1, &[2])]).ecn, None);
}

/// What is refused goes without.
#[test]
fn a_mark_can_be_left_out() {
    let contents = [IoSlice::new(b"x")];
    let transmit = Transmit::to(address("1.2.3.4:5"), &contents).with_ecn(Ecn::Ce);
    let mut room = Room([0; SEND_ROOM]);
    let used = KINDS.write(&transmit, &socket(false, 0), false, None, &mut room);
    assert_eq!(used, 0);
}

/// Addresses of IPv4 are mapped on a socket of IPv6, as they are in the source.
#[test]
fn destinations_are_mapped() {
    let info = [&int(7)[..], &[0; 4], &[224, 0, 0, 1]].concat();
    let meta = read_with(&KINDS, true, &[(1001, 3, &info)]);
    assert_eq!(meta.destination, Some("::ffff:224.0.0.1".parse().unwrap()));
}

proptest! {
    #[test]
    fn nonsense_is_survived(control in vec(any::<u8>(), 0..RECEIVE_ROOM), len in 0_usize..200) {
        let mut meta = ReceiveMeta::new(address("1.2.3.4:5"), len, false);
        KINDS.read(&control, len % 2 == 0, &mut meta);
        prop_assert!(meta.stride <= meta.len);
        let datagrams = meta.datagrams(&[0; 200]).count();
        prop_assert!(datagrams >= 1 && datagrams <= len.max(1));
    }

    /// Headers that are right, with data that is not.
    #[test]
    fn nonsense_in_messages_is_survived(
        messages in vec((1000_i32..1005, 0_i32..8, vec(any::<u8>(), 0..24)), 0..6),
        cut in 0_usize..RECEIVE_ROOM,
    ) {
        let mut room = [0; RECEIVE_ROOM];
        let mut writer = Writer::new(KINDS.layout, &mut room);
        for (level, kind, data) in &messages {
            let _ = writer.push(*level, *kind, data);
        }
        let used = writer.used().min(cut);
        let mut meta = ReceiveMeta::new(address("1.2.3.4:5"), 64, false);
        KINDS.read(&room[..used], false, &mut meta);
        BSD.read(&room[..used], true, &mut meta);
        prop_assert!((1..=64).contains(&meta.stride));
    }
}
