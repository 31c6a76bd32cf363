//! Whatever a peer sends, the switch neither panics nor grows. A failure names its seed.

mod world;

use skywire_routing::{Event, LinkFault};
use skywire_time::Millis;
use skywire_wire::RouteId;
use world::{Connection, Dice, connect, feed, line, open_groups, packet};

/// A packet that is likely to mean something: a live id, a known type, any payload.
fn any_packet(dice: &mut Dice, ids: &[RouteId]) -> Vec<u8> {
    let kind = if dice.below(8) == 0 { dice.below(256) } else { dice.below(10) } as u8;
    let id = if dice.below(8) == 0 { RouteId(dice.below(1 << 31) as u32) } else { ids[dice.below(ids.len())] };
    let length = [0, 1, 7, 8, 15, 16, 17, 100, 4_096, 60_000][dice.below(10)];
    packet(kind, id, &dice.bytes(length))
}

#[test]
fn any_packets_on_live_routes_are_survived() {
    for seed in 1..=60 {
        let (mut world, links) = line(3, false);
        world.dice = Dice::new(seed);
        let Connection { groups, there, back } =
            if seed % 2 == 0 { connect(&mut world) } else { open_groups(&mut world) };
        let mut ids = [there, back].concat();
        ids.push(RouteId::HOP_LOCAL);
        let entries = [(0, links[0].0), (1, links[0].1), (1, links[1].0), (2, links[1].1)];
        for _ in 0..200 {
            let (switch, link) = entries[world.dice.below(4)];
            let now = world.now;
            match world.dice.below(12) {
                0 => world.pass([10.0, 700.0, 4_000.0][seed as usize % 3]),
                1 => drop(world.switches[0].write(groups[0], &[1; 5_000], now)),
                2 => drop(world.switches[2].read(groups[1], &mut [0; 3_000], now)),
                3 => world.settle(),
                _ => {
                    let bytes = any_packet(&mut world.dice, &ids);
                    feed(&mut world.switches[switch], link, &bytes, now);
                }
            }
        }
        world.settle();
    }
}

#[test]
fn random_bytes_are_survived_by_links_of_both_kinds() {
    for seed in 1..=200 {
        let sealed = seed % 2 == 0;
        let (mut world, links) = line(2, sealed);
        world.dice = Dice::new(seed);
        connect(&mut world);
        for _ in 0..20 {
            let length = world.dice.below(3_000);
            let bytes = world.dice.bytes(length);
            feed(&mut world.switches[1], links[0].1, &bytes, Millis::ZERO);
        }
        world.settle();
    }
}

#[test]
fn one_flipped_bit_on_a_sealed_link_is_a_fault_told_once_and_what_came_before_is_honest() {
    for seed in 1..=100 {
        let (mut world, links) = line(2, true);
        world.dice = Dice::new(seed);
        let Connection { groups: [first, last], .. } = connect(&mut world);
        assert_eq!(world.switches[0].write(first, &[3; 10_000], Millis::ZERO), Ok(10_000));
        let mut sealed = world.switches[0].output(links[0].0, Millis::ZERO).to_vec();
        let at = world.dice.below(sealed.len());
        sealed[at] ^= 1 << world.dice.below(8);
        feed(&mut world.switches[1], links[0].1, &sealed, Millis::ZERO);
        let faults: Vec<Event> =
            world.take_events(1).into_iter().filter(|event| matches!(event, Event::LinkFault { .. })).collect();
        match faults.as_slice() {
            [Event::LinkFault { link, fault: LinkFault::Record | LinkFault::Framing }] => {
                assert_eq!(*link, links[0].1, "seed {seed}");
                assert!(world.switches[1].read_area(links[0].1).is_empty(), "it is not read any more");
            }
            // A length that grew waits for more bytes.
            [] => assert!(world.switches[1].message_length(last) < 10_000, "seed {seed}"),
            other => panic!("seed {seed}: {other:?}"),
        }
        let mut got = vec![0; 20_000];
        let count = world.switches[1].read(last, &mut got, Millis::ZERO);
        assert!(count < 10_000 && got[..count].iter().all(|&byte| byte == 3), "seed {seed}");
    }
}

#[test]
fn handles_that_name_nothing_are_harmless() {
    let (mut world, links) = line(2, true);
    let Connection { groups: [first, _], .. } = connect(&mut world);
    let switch = &mut world.switches[0];
    switch.remove_group(first, Millis::ZERO);
    switch.remove_link(links[0].0, Millis::ZERO);
    for bits in [0, first.into(), links[0].0.into(), u32::MAX, 0x7fff_0000] {
        let (link, group) = (bits.into(), bits.into());
        assert!(switch.read_area(link).is_empty());
        assert!(switch.output(link, Millis::ZERO).is_empty());
        switch.ingest(link, 10, Millis::ZERO);
        switch.output_written(link, Millis::ZERO);
        switch.remove_link(link, Millis::ZERO);
        switch.send_transport_ping(link, 1);
        switch.send_handshake(group, Millis::ZERO);
        switch.send_frame(group, b"x", Millis::ZERO);
        switch.close_group(group, b"x", Millis::ZERO);
        switch.remove_group(group, Millis::ZERO);
        assert!(switch.ping(group, Millis::ZERO).is_none());
        assert!(switch.take_frame(group, &mut [0; 9]).is_none());
        assert!(switch.link_stats(link).is_none());
        assert!(!switch.secure_group(group, world::records(1, 2), Millis::ZERO));
    }
}
