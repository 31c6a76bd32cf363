//! Back-pressure: what is full stops what fills it, nothing grows without bound, and all of it goes on by itself.

mod world;

use skywire_routing::{CloseReason, Event, GroupHandle, LinkFault, LinkHandle, Switch};
use skywire_time::Millis;
use skywire_wire::{Body, Descriptor, NextHop, RouteId};
use world::{Connection, connect, feed, line, packet, read_all, records, rule, save_route, transport};

const MIB: usize = 1 << 20;

#[test]
fn a_full_link_stops_the_link_that_fills_it_and_no_other() {
    let (mut world, links) = line(3, true);
    let (_, other, far) = world.join(0, 1, true);
    let Connection { groups: [first, last], .. } = connect(&mut world);
    world.jam(1, 0, true);
    let sent = world.dice.bytes(4 * MIB);
    let mut done = 0;
    loop {
        let now = world.now;
        let taken = world.switches[0].write(first, &sent[done..], now).expect("the group is open");
        done += taken;
        world.settle();
        if taken == 0 {
            break;
        }
    }
    // The output of each of two switches, and what is on its way between.
    assert!(done < 3 * MIB / 2, "{done} bytes were taken");
    assert!(world.switches[1].read_area(links[0].1).is_empty(), "the link that brings more is not read");
    assert!(!world.switches[1].read_area(far).is_empty(), "the other is");
    assert!(!world.switches[1].read_area(links[1].0).is_empty());
    let _ = other;

    world.take_events(0);
    world.take_events(1);
    world.jam(1, 0, false);
    world.settle();
    assert!(world.take_events(1).contains(&Event::LinkResumed { link: links[0].1 }));
    assert!(world.take_events(0).contains(&Event::GroupWritable { group: first }));
    let mut got = read_all(&mut world, 2, last);
    while done < sent.len() {
        let now = world.now;
        done += world.switches[0].write(first, &sent[done..], now).expect("the group is open");
        world.settle();
        got.extend(read_all(&mut world, 2, last));
    }
    assert!(got == sent);
}

#[test]
fn a_small_packet_overtakes_the_bulk_of_another_route_at_every_link() {
    let (mut world, _) = line(3, true);
    let bulk = connect(&mut world);
    let chat = connect(&mut world);
    for jammed in [(0, 0), (1, 0)] {
        world.jam(jammed.0, jammed.1, true);
        let now = world.now;
        assert!(world.switches[0].write(bulk.groups[0], &vec![1; 250_000], now).expect("open") > 240_000);
        world.settle();
        assert_eq!(world.switches[0].write(chat.groups[0], b"hello", now), Ok(5));
        world.settle();
        // What the socket has taken cannot be overtaken; what waits behind it can.
        world.jam(jammed.0, jammed.1, false);
        let mut before = 0;
        while world.switches[2].message_length(chat.groups[1]) == 0 {
            assert!(world.step(), "it comes");
            before += world.switches[2].read(bulk.groups[1], &mut vec![0; MIB], now);
        }
        assert!(before < 2 * 64 * 1024 + 16 * 1024, "{before} bytes came before it");
        assert_eq!(read_all(&mut world, 2, chat.groups[1]), b"hello");
        world.settle();
        read_all(&mut world, 2, bulk.groups[1]);
        // Until the chat is forgotten, and much may be under way again.
        world.pass(2_000.0);
    }
}

#[test]
fn a_writer_with_an_empty_lane_writes_while_another_waits_for_room_in_the_same_link() {
    let (mut world, links) = line(2, true);
    let bulk = connect(&mut world);
    let chat = connect(&mut world);
    world.jam(0, 0, true);
    let bytes = vec![1; MIB];
    let taken = world.switches[0].write(bulk.groups[0], &bytes, Millis::ZERO).expect("open");
    assert!(taken < 300_000, "{taken} bytes were taken");
    assert_eq!(world.switches[0].write(chat.groups[0], &[2; 10_000], Millis::ZERO), Ok(10_000));
    world.take_events(0);
    let mut written = 0;
    while !world.take_events(0).contains(&Event::GroupWritable { group: bulk.groups[0] }) {
        written += world.switches[0].output(links[0].0, Millis::ZERO).len();
        world.switches[0].output_written(links[0].0, Millis::ZERO);
        assert!(written < 400_000, "it is told");
    }
    assert!(world.switches[0].write(bulk.groups[0], &bytes, Millis::ZERO).expect("open") > 100_000);
}

#[test]
fn a_reader_that_is_slow_stops_the_sender_and_nobody_else() {
    let (mut world, links) = line(2, true);
    let Connection { groups: [first, last], .. } = connect(&mut world);
    let sent = world.dice.bytes(40 * MIB);
    let mut done = 0;
    loop {
        let now = world.now;
        let taken = world.switches[0].write(first, &sent[done..], now).expect("the group is open");
        done += taken;
        world.settle();
        if taken == 0 {
            break;
        }
    }
    assert!(done < 20 * MIB, "{done} bytes were taken");
    assert!(!world.switches[1].read_area(links[0].1).is_empty(), "the link serves others");
    world.pass(60_000.0);
    assert!(!closed(&world.take_events(1), last), "nobody has to read in a hurry");
    world.take_events(0);
    let mut got = read_all(&mut world, 1, last);
    assert!(world.take_events(0).contains(&Event::GroupWritable { group: first }));
    while done < sent.len() {
        let now = world.now;
        done += world.switches[0].write(first, &sent[done..], now).expect("the group is open");
        world.settle();
        got.extend(read_all(&mut world, 1, last));
    }
    assert!(got == sent);
}

#[test]
fn a_reader_may_pause_for_minutes() {
    let (mut world, _) = line(3, true);
    let Connection { groups: [first, last], .. } = connect(&mut world);
    let sent = world.dice.bytes(24 * MIB);
    let (mut done, mut got) = (0, Vec::new());
    for pause_ms in [0.0, 600_000.0, 600_000.0] {
        loop {
            let now = world.now;
            let taken = world.switches[0].write(first, &sent[done..], now).expect("the group is open");
            done += taken;
            world.settle();
            if taken == 0 {
                break;
            }
        }
        world.pass(pause_ms);
        let before = got.len();
        got.extend(read_all(&mut world, 2, last));
        assert!(got.len() > before, "it goes on after a pause of {pause_ms} ms");
    }
    while got.len() < sent.len() {
        let now = world.now;
        done += world.switches[0].write(first, &sent[done..], now).expect("the group is open");
        world.settle();
        got.extend(read_all(&mut world, 2, last));
    }
    assert!(got == sent);
}

#[test]
fn a_pong_that_was_dropped_stops_a_writer_until_the_next_ping_only() {
    let (mut world, links) = line(2, false);
    let Connection { groups: [first, last], .. } = connect(&mut world);
    let bytes = vec![1; 4 * MIB];
    while world.switches[0].write(first, &bytes, Millis::ZERO).is_ok_and(|taken| taken > 0) {
        // All of it arrives, and no answer comes back.
        let output = world.switches[0].output(links[0].0, Millis::ZERO).to_vec();
        world.switches[0].output_written(links[0].0, Millis::ZERO);
        feed(&mut world.switches[1], links[0].1, &output, Millis::ZERO);
        world.switches[1].read(last, &mut vec![0; MIB], Millis::ZERO);
        while !world.switches[1].output(links[0].1, Millis::ZERO).is_empty() {
            world.switches[1].output_written(links[0].1, Millis::ZERO);
        }
    }
    world.take_events(0);
    world.pass(3_500.0);
    assert!(world.take_events(0).contains(&Event::GroupWritable { group: first }));
}

/// A switch with a plain link, and a group whose peer sends without regard to Pongs, as v1.3 does, until the link is full.
fn overrun() -> (Switch, LinkHandle, GroupHandle) {
    let mut peer = records(2, 1);
    let (mut switch, link, group) = plain_end();
    flood(&mut switch, link, &mut peer, Millis::ZERO);
    (switch, link, group)
}

/// Sends data until the link is not read any more.
fn flood(switch: &mut Switch, link: LinkHandle, peer: &mut skywire_crypto::Records, now: Millis) {
    let mut sealed = [0; 4096];
    while !switch.read_area(link).is_empty() {
        let length = peer.seal_into(&[7; 4070], &mut sealed).expect("it fits");
        feed(switch, link, &packet(0, RouteId(2), &sealed[..length]), now);
    }
}

/// A switch with a plain link and a group on it, which receives under id 2.
fn plain_end() -> (Switch, LinkHandle, GroupHandle) {
    let mut switch = Switch::new(RouteId(1), Millis::ZERO);
    let link = switch.add_link(transport(0), None, &[], Millis::ZERO).expect("there is room");
    let descriptor = Descriptor([1; 70]);
    let forward = Body::Forward { descriptor, next: NextHop { route_id: RouteId(9), transport: transport(0) } };
    switch.save_rule(&rule(RouteId(1), forward), Millis::ZERO).expect("a rule");
    switch.save_rule(&rule(RouteId(2), Body::Consume { descriptor }), Millis::ZERO).expect("a rule");
    let group = switch.add_group(RouteId(1), RouteId(2), Millis::ZERO).expect("a group");
    assert!(switch.secure_group(group, records(1, 2), Millis::ZERO));
    (switch, link, group)
}

#[test]
fn a_peer_of_v13_is_stopped_with_its_link_until_the_reader_goes_on() {
    let (mut switch, link, group) = overrun();
    let mut piece = vec![0; MIB];
    let mut got = 0;
    while switch.read_area(link).is_empty() {
        let count = switch.read(group, &mut piece, Millis(1_000.0));
        assert!(count > 0 && piece[..count].iter().all(|&byte| byte == 7));
        got += count;
    }
    assert!(got < 20 * MIB, "{got} bytes had to be read");
    let events: Vec<Event> = core::iter::from_fn(|| switch.poll_event()).collect();
    assert!(events.contains(&Event::LinkResumed { link }));
}

#[test]
fn a_reader_that_reads_slowly_keeps_a_connection_of_v13_and_lets_its_link_go_on_in_between() {
    let mut peer = records(2, 1);
    let (mut switch, link, group) = plain_end();
    let mut piece = vec![0; 128 * 1024];
    let mut filled = 0;
    for tick in 0..120 {
        // 128 KB/s
        let now = Millis(f64::from(tick) * 1_000.0);
        if !switch.read_area(link).is_empty() {
            flood(&mut switch, link, &mut peer, now);
            filled += 1;
        }
        assert!(switch.read(group, &mut piece, now) == piece.len() && piece.iter().all(|&byte| byte == 7));
        switch.handle_deadline(now);
    }
    let ended = core::iter::from_fn(|| switch.poll_event()).any(|event| matches!(event, Event::GroupClosed { .. }));
    assert!(!ended && filled > 20, "{filled}");
}

#[test]
fn a_full_inbox_of_a_group_that_says_goodbye_stops_no_link() {
    let (mut switch, link, group) = overrun();
    switch.close_group(group, b"", Millis::ZERO);
    assert!(!switch.read_area(link).is_empty(), "nobody will read, so nothing has to wait");
    // The answer is found behind the data that waited.
    feed(&mut switch, link, &packet(1, RouteId(2), &[0]), Millis::ZERO);
    let events: Vec<Event> = core::iter::from_fn(|| switch.poll_event()).collect();
    let local = Event::GroupClosed { group, reason: CloseReason::Local, message: Vec::new() };
    assert!(events.contains(&local) && events.contains(&Event::LinkResumed { link }));
}

#[test]
fn a_stalled_neighbour_does_not_silence_the_routes_that_only_share_a_link_with_its_own() {
    // 0 → 1 → 2 fills the link between 1 and 2, which stands still; 0 ↔ 1 shares the other link.
    let (mut world, links) = line(3, true);
    let transit = world::save_route(&mut world, &[0, 1, 2]);
    let there = world::save_route(&mut world, &[0, 1]);
    let back = world::save_route(&mut world, &[1, 0]);
    let first = world.switches[0].add_group(there[0], back[1], Millis::ZERO).expect("a group");
    let last = world.switches[1].add_group(back[0], there[1], Millis::ZERO).expect("a group");
    assert!(world.switches[0].secure_group(first, records(1, 2), Millis::ZERO));
    assert!(world.switches[1].secure_group(last, records(2, 1), Millis::ZERO));
    world.jam(1, 0, true);
    let mut sealer = records(7, 8);
    let plain = packet(0, transit[1], &vec![5; 60_000]);
    let mut frames = vec![0; skywire_crypto::Records::sealed_length(plain.len())];
    world.switches[1].send_transport_ping(links[1].0, 1);
    let now = world.now;
    assert!(!world.switches[1].output(links[1].0, now).is_empty(), "a write that never ends is under way");
    while !world.switches[1].read_area(links[0].1).is_empty() {
        sealer.seal_into(&plain, &mut frames).expect("they fit");
        feed(&mut world.switches[1], links[0].1, &frames, now);
    }
    world.pass(7_000.0);
    let fault = Event::LinkFault { link: links[1].0, fault: LinkFault::Stalled };
    assert!(world.take_events(1).contains(&fault));
    let now = world.now;
    world.switches[1].remove_link(links[1].0, now);
    assert!(!world.switches[1].read_area(links[0].1).is_empty(), "the shared link goes on");
    assert!(!closed(&world.take_events(1), last));
}

#[test]
fn a_reader_that_never_reads_loses_its_connection_and_frees_the_link() {
    let (mut switch, link, group) = overrun();
    for tick in 0..12 {
        switch.handle_deadline(Millis(f64::from(tick) * 500.0));
    }
    let events: Vec<Event> = core::iter::from_fn(|| switch.poll_event()).collect();
    assert!(events.iter().any(|event| matches!(
        event,
        Event::GroupClosed { group: ended, reason: CloseReason::Fault, .. } if *ended == group
    )));
    assert!(!switch.read_area(link).is_empty(), "the link serves others again");
}

fn closed(events: &[Event], group: GroupHandle) -> bool {
    events.iter().any(|event| matches!(event, Event::GroupClosed { group: ended, .. } if *ended == group))
}

#[test]
fn a_socket_that_takes_nothing_for_six_seconds_is_a_fault() {
    let (mut world, links) = line(2, true);
    connect(&mut world);
    world.pass(1_000.0);
    // A write is under way that never ends.
    world.jam(0, 0, true);
    world.switches[0].send_transport_ping(links[0].0, 1);
    let now = world.now;
    assert!(!world.switches[0].output(links[0].0, now).is_empty());
    world.take_events(0);
    world.pass(5_500.0);
    assert!(!world.take_events(0).iter().any(|event| matches!(event, Event::LinkFault { .. })));
    world.pass(1_500.0);
    let fault = Event::LinkFault { link: links[0].0, fault: LinkFault::Stalled };
    assert_eq!(world.take_events(0).iter().filter(|event| **event == fault).count(), 1, "told once");
    assert!(world.switches[0].read_area(links[0].0).is_empty());
}

#[test]
fn output_stays_in_place_until_it_is_written() {
    let (mut world, links) = line(2, true);
    let Connection { groups: [first, _], .. } = connect(&mut world);
    let switch = &mut world.switches[0];
    assert_eq!(switch.write(first, &[1; 9_000], Millis::ZERO), Ok(9_000));
    let (address, copy) = {
        let output = switch.output(links[0].0, Millis::ZERO);
        (output.as_ptr(), output.to_vec())
    };
    for _ in 0..30 {
        assert_eq!(switch.write(first, &[2; 4_000], Millis::ZERO), Ok(4_000));
        let output = switch.output(links[0].0, Millis::ZERO);
        assert!(output.as_ptr() == address && output == copy);
    }
    switch.output_written(links[0].0, Millis::ZERO);
    assert_eq!(switch.poll_dirty(), Some(links[0].0));
    assert!(switch.output(links[0].0, Millis::ZERO).len() > 15 * 4_000);
    assert_eq!(switch.poll_dirty(), None, "a write is under way");
}

#[test]
fn a_slow_socket_that_moves_is_no_fault() {
    let (mut world, links) = line(2, true);
    let Connection { groups: [first, _], .. } = connect(&mut world);
    let link = links[0].0;
    let taken = world.switches[0].write(first, &vec![1; MIB], Millis::ZERO).expect("the group is open");
    let mut parts = 0;
    // 64 KiB in six seconds, nearly: some 11 KB/s.
    while !world.switches[0].output(link, world.now).is_empty() {
        world.now = world.now + Millis(5_900.0);
        let now = world.now;
        world.switches[0].output_written(link, now);
        world.switches[0].handle_deadline(now);
        parts += 1;
        assert!(parts < 100);
    }
    assert!(taken > 100_000 && parts > 1, "{taken} bytes, {parts} parts");
    assert!(!world.take_events(0).iter().any(|event| matches!(event, Event::LinkFault { .. })));
}

#[test]
fn a_flood_of_pings_neither_grows_memory_nor_blocks() {
    let (mut world, links) = line(2, false);
    let Connection { there, .. } = connect(&mut world);
    world.jam(0, 1, true);
    let pings: Vec<u8> = (0..1_000).flat_map(|_| packet(4, there[1], &[0; 16])).collect();
    for _ in 0..200 {
        feed(&mut world.switches[1], links[0].1, &pings, Millis::ZERO);
    }
    let mut waiting = 0;
    loop {
        let output = world.switches[1].output(links[0].1, Millis::ZERO).len();
        if output == 0 {
            break;
        }
        waiting += output;
        world.switches[1].output_written(links[0].1, Millis::ZERO);
    }
    assert!(waiting < MIB, "{waiting} bytes of pongs wait");
    assert!(!world.switches[1].read_area(links[0].1).is_empty());
}

#[test]
fn events_are_bounded_when_a_peer_floods_and_nobody_polls() {
    let (mut world, links) = line(2, false);
    let connection = connect(&mut world);
    let handshakes: Vec<u8> = (0..5_000).flat_map(|_| packet(3, connection.there[1], &[1])).collect();
    let pongs: Vec<u8> = (0..5_000).flat_map(|_| packet(9, RouteId::HOP_LOCAL, &[0; 8])).collect();
    feed(&mut world.switches[1], links[0].1, &handshakes, Millis::ZERO);
    feed(&mut world.switches[1], links[0].1, &pongs, Millis::ZERO);
    assert!(world.take_events(1).len() < 5_000);
}

#[test]
fn a_route_that_returns_over_its_own_link_waits_for_itself_and_goes_on() {
    let (mut world, links) = line(2, false);
    // 0 → 1 → 0: the middle sends back over the link that brings.
    let ids = save_route(&mut world, &[0, 1, 0]);
    world.jam(0, 1, true);
    let mut sent = 0;
    while !world.switches[1].read_area(links[0].1).is_empty() {
        feed(&mut world.switches[1], links[0].1, &packet(0, ids[1], &[5; 60_000]), Millis::ZERO);
        sent += 1;
        assert!(sent < 100);
    }
    world.jam(0, 1, false);
    world.settle();
    assert!(!world.switches[1].read_area(links[0].1).is_empty());
    assert!(world.take_events(1).contains(&Event::LinkResumed { link: links[0].1 }));
}

#[test]
fn the_largest_packet_fits_through_everything() {
    for sealed in [false, true] {
        let (mut world, links) = line(3, sealed);
        let ids = save_route(&mut world, &[0, 1, 2]);
        let payload = world.dice.bytes(65_535);
        if sealed {
            // Straight to the middle: an edge never makes such packets.
            let mut sealer = world::records(7, 8);
            let plain = packet(0, ids[1], &payload);
            let mut frames = vec![0; skywire_crypto::Records::sealed_length(plain.len())];
            sealer.seal_into(&plain, &mut frames).expect("they fit");
            feed(&mut world.switches[1], links[0].1, &frames, Millis::ZERO);
        } else {
            feed(&mut world.switches[1], links[0].1, &packet(0, ids[1], &payload), Millis::ZERO);
        }
        world.settle();
        assert_eq!(world.switches[1].counters().forwarded, 1);
        assert_eq!(world.switches[2].link_stats(links[1].1).expect("there").received_bytes, 65_535);
    }
}
