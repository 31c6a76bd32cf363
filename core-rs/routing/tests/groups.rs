//! The life of route groups over a line of switches (routing.md §4), and what happens when something breaks.

mod world;

use skywire_routing::{CloseReason, Event, GroupHandle, WriteFault};
use skywire_time::Millis;
use skywire_wire::RouteId;
use world::{
    Connection, KEEP_ALIVE_MS, World, active_rules, connect, feed, line, open_groups, packet, read_all, secure,
    transport,
};

const DATA: u8 = 0;
const CLOSE: u8 = 1;
const PING: u8 = 4;
const ERROR: u8 = 6;

fn closed(events: &[Event], group: GroupHandle) -> Option<(CloseReason, String)> {
    events.iter().find_map(|event| match event {
        Event::GroupClosed { group: of, reason, message } if *of == group => {
            Some((*reason, String::from_utf8_lossy(message).into_owned()))
        }
        _ => None,
    })
}

fn write_all(world: &mut World, switch: usize, group: GroupHandle, bytes: &[u8]) {
    let now = world.now;
    assert_eq!(world.switches[switch].write(group, bytes, now), Ok(bytes.len()));
    world.settle();
}

#[test]
fn a_line_carries_both_directions_through_its_middle() {
    for sealed in [false, true] {
        let (mut world, _) = line(3, sealed);
        let Connection { groups: [first, last], .. } = connect(&mut world);
        write_all(&mut world, 0, first, b"there");
        write_all(&mut world, 2, last, b"and back");
        assert_eq!(read_all(&mut world, 2, last), b"there");
        assert_eq!(read_all(&mut world, 0, first), b"and back");
        assert!(world.take_events(2).contains(&Event::GroupReadable { group: last }));
        assert_eq!(world.switches[1].counters().forwarded, 2);
    }
}

#[test]
fn bytes_arrive_whatever_the_pieces_in_which_links_are_read() {
    for seed in 0..20 {
        let (mut world, _) = line(4, true);
        world.dice = world::Dice::new(seed);
        world.piece = [1, 7, 100, 5000][seed as usize % 4];
        let Connection { groups: [first, last], .. } = connect(&mut world);
        let length = if world.piece < 10 { 9_000 } else { 200_000 };
        let sent = world.dice.bytes(length);
        let (mut done, mut got) = (0, Vec::new());
        while done < sent.len() {
            let end = sent.len().min(done + 1 + world.dice.below(20_000));
            let now = world.now;
            done += world.switches[0].write(first, &sent[done..end], now).expect("the group is open");
            world.settle();
            got.extend(read_all(&mut world, 3, last));
        }
        assert!(got == sent, "seed {seed}");
    }
}

#[test]
fn records_keep_the_borders_of_writes() {
    let (mut world, _) = line(2, true);
    let Connection { groups: [first, last], .. } = connect(&mut world);
    for length in [1, 4070, 20] {
        write_all(&mut world, 0, first, &vec![length as u8; length]);
    }
    for length in [1, 4070, 20] {
        assert_eq!(world.switches[1].message_length(last), length);
        let mut record = vec![0; length];
        let now = world.now;
        assert_eq!(world.switches[1].read(last, &mut record, now), length);
        assert_eq!(record, vec![length as u8; length]);
    }
    assert_eq!(world.switches[1].message_length(last), 0);
}

#[test]
fn packets_before_the_group_wait_for_it() {
    let (mut world, links) = line(2, false);
    let path = [0, 1];
    let there = world::save_route(&mut world, &path);
    let back = world::save_route(&mut world, &[1, 0]);
    // The initiator is quick: its Handshake and its first Noise message come before the responder's group is made.
    feed(&mut world.switches[1], links[0].1, &packet(3, there[1], &[1]), Millis::ZERO);
    feed(&mut world.switches[1], links[0].1, &packet(DATA, there[1], b"\x00\x03abc"), Millis::ZERO);
    assert_eq!(world.take_events(1), []);
    let group = world.switches[1].add_group(back[0], there[1], Millis::ZERO).expect("both rules are there");
    let events = world.take_events(1);
    assert!(events.contains(&Event::GroupHandshake { group, encrypt: true }), "{events:?}");
    assert!(events.contains(&Event::GroupFrame { group }), "{events:?}");
    assert_eq!(world.switches[1].counters().delivered, 2);
    let mut frame = [0; 100];
    assert_eq!(world.switches[1].take_frame(group, &mut frame), Some(3));
    assert_eq!(&frame[..3], b"abc");
    assert_eq!(world.switches[1].take_frame(group, &mut frame), None);
}

#[test]
fn packets_before_the_group_are_bounded() {
    let (mut world, links) = line(2, false);
    let there = world::save_route(&mut world, &[0, 1]);
    for _ in 0..100 {
        feed(&mut world.switches[1], links[0].1, &packet(DATA, there[1], &[7; 4000]), Millis::ZERO);
    }
    let dropped = world.switches[1].counters().no_group;
    assert!((80..100).contains(&dropped), "{dropped}");
    let kept = world.switches[1].link_stats(links[0].1).expect("a link").received_packets;
    assert_eq!(kept, 100 - dropped, "what was dropped does not count as received");
}

#[test]
fn data_behind_the_last_handshake_message_is_opened_once_there_are_keys() {
    let (mut world, _) = line(2, true);
    let connection = open_groups(&mut world);
    let [first, last] = connection.groups;
    let now = world.now;
    assert_eq!(world.switches[1].write(last, b"x", now), Err(WriteFault::NotOpen), "no keys, no plaintext");
    // The responder has keys once it has sent its message, and goes on at once.
    world.switches[1].send_frame(last, b"message 2", now);
    assert!(world.switches[1].secure_group(last, world::records(2, 1), now));
    write_all(&mut world, 1, last, b"early");
    let mut frame = [0; 100];
    assert_eq!(world.switches[0].take_frame(first, &mut frame), Some(9));
    assert!(world.switches[0].secure_group(first, world::records(1, 2), now));
    assert_eq!(read_all(&mut world, 0, first), b"early");
}

#[test]
fn what_waits_for_keys_is_bounded_and_a_peer_that_sends_more_loses_the_group() {
    let (mut world, links) = line(2, false);
    let Connection { groups: [_, last], there, .. } = open_groups(&mut world);
    let frame = [&4_094u16.to_be_bytes()[..], &[7; 4_094]].concat();
    for _ in 0..16 {
        feed(&mut world.switches[1], links[0].1, &packet(DATA, there[1], &frame), Millis::ZERO);
    }
    assert_eq!(closed(&world.take_events(1), last), None, "64 KiB may wait");
    feed(&mut world.switches[1], links[0].1, &packet(DATA, there[1], &[0]), Millis::ZERO);
    assert_eq!(closed(&world.take_events(1), last).map(|it| it.0), Some(CloseReason::Fault));
}

#[test]
fn data_that_comes_after_our_close_is_dropped_unseen() {
    for honest in [true, false] {
        let (mut world, links) = line(2, false);
        let Connection { groups: [first, last], back, .. } = connect(&mut world);
        let now = world.now;
        assert_eq!(world.switches[1].write(last, b"too late", now), Ok(8));
        world.switches[0].close_group(first, b"", now);
        if honest {
            world.settle();
        } else {
            feed(&mut world.switches[0], links[0].0, &packet(DATA, back[1], &[9; 40]), now);
        }
        assert!(!world.take_events(0).contains(&Event::GroupReadable { group: first }));
        assert_eq!(world.switches[0].message_length(first), 0);
        world.settle();
        world.pass(3_000.0);
        assert_eq!(world.switches[0].read(first, &mut [0; 9], now), 0);
        let stats = world.switches[0].group_stats(first).expect("it was not removed");
        assert_eq!(stats.received_bytes, 0);
    }
}

#[test]
fn of_the_text_of_an_error_packet_1024_bytes_are_told() {
    let (mut world, links) = line(2, false);
    let Connection { groups: [_, last], there, .. } = connect(&mut world);
    let packets = [packet(ERROR, there[1], &[b'x'; 60_000]), packet(CLOSE, there[1], &[0])].concat();
    feed(&mut world.switches[1], links[0].1, &packets, Millis::ZERO);
    assert_eq!(closed(&world.take_events(1), last), Some((CloseReason::Remote, "x".repeat(1024))));
}

#[test]
fn the_other_end_is_told_why_a_group_failed() {
    let told = |fail: fn(&mut World, Connection)| {
        let (mut world, _) = line(2, true);
        let connection = connect(&mut world);
        let last = connection.groups[1];
        fail(&mut world, connection);
        world.settle();
        closed(&world.take_events(1), last).expect("it ends")
    };
    let expired = told(|world, connection| world.switches[0].delete_rule(connection.back[1], Millis::ZERO));
    assert_eq!(expired, (CloseReason::Remote, "the rules of the route expired".into()));
    let silent = told(|world, _| {
        // The answers are lost, and a deadline is looked after 10 s late.
        world.now = Millis(10_000.0);
        world.switches[0].handle_deadline(Millis(10_000.0));
    });
    assert_eq!(silent, (CloseReason::Remote, "nothing came over the route for too long".into()));
}

#[test]
fn a_close_removes_every_rule_and_is_answered_once() {
    for text in [&b""[..], b"no listener on port"] {
        let (mut world, _) = line(4, true);
        let Connection { groups: [first, last], .. } = connect(&mut world);
        write_all(&mut world, 0, first, b"last words");
        let now = world.now;
        world.switches[0].close_group(first, text, now);
        world.settle();
        let (at_first, at_last) = (world.take_events(0), world.take_events(3));
        assert_eq!(closed(&at_first, first), Some((CloseReason::Local, String::new())));
        let text = String::from_utf8_lossy(text).into_owned();
        assert_eq!(closed(&at_last, last), Some((CloseReason::Remote, text)));
        assert_eq!(read_all(&mut world, 3, last), b"last words", "what came before the end can be read");
        for switch in &world.switches {
            assert_eq!(active_rules(switch, world.now), 0);
            assert_eq!(switch.counters().unknown_route, 0, "no Close too many");
        }
        assert_eq!(world.switches[0].write(first, b"x", now), Err(WriteFault::NotOpen));
        assert_eq!(world.switches[3].write(last, b"x", now), Err(WriteFault::NotOpen));
    }
}

#[test]
fn a_close_without_an_answer_ends_after_two_seconds() {
    let (mut world, _) = line(3, true);
    let Connection { groups: [first, _], .. } = connect(&mut world);
    world.jam(1, 0, true);
    let now = world.now;
    world.switches[0].close_group(first, b"", now);
    world.pass(1_900.0);
    assert_eq!(closed(&world.take_events(0), first), None);
    world.pass(700.0);
    assert_eq!(closed(&world.take_events(0), first), Some((CloseReason::Local, String::new())));
}

#[test]
fn both_ends_may_close_at_the_same_time() {
    let (mut world, _) = line(3, true);
    let Connection { groups: [first, last], .. } = connect(&mut world);
    let now = world.now;
    world.switches[0].close_group(first, b"", now);
    world.switches[2].close_group(last, b"", now);
    world.pass(100.0);
    for (switch, group) in [(0, first), (2, last)] {
        assert_eq!(closed(&world.take_events(switch), group), Some((CloseReason::Local, String::new())));
        assert_eq!(active_rules(&world.switches[switch], world.now), 0);
    }
    assert_eq!(active_rules(&world.switches[1], world.now), 0);
}

#[test]
fn a_close_of_an_old_route_does_not_close_its_successor() {
    let (mut world, links) = line(2, false);
    let old = open_groups(&mut world);
    let new = open_groups(&mut world);
    secure(&mut world, &new);
    feed(&mut world.switches[1], links[0].1, &packet(CLOSE, old.there[1], &[0]), Millis::ZERO);
    let events = world.take_events(1);
    assert_eq!(closed(&events, old.groups[1]), Some((CloseReason::Remote, String::new())));
    assert_eq!(closed(&events, new.groups[1]), None);
}

#[test]
fn an_idle_connection_stays_open_and_knows_its_latency() {
    let (mut world, _) = line(3, true);
    let Connection { groups: [first, last], .. } = connect(&mut world);
    world.pass(120_000.0);
    for (switch, group) in [(0, first), (2, last)] {
        assert_eq!(closed(&world.take_events(switch), group), None);
        let stats = world.switches[switch].group_stats(group).expect("the group is there");
        assert_eq!(stats.rtt, Some(Millis::ZERO));
        assert_eq!(stats.received_bytes, 0, "pings are no data");
    }
    assert_eq!(active_rules(&world.switches[1], world.now), 2);
}

#[test]
fn a_ping_asked_for_is_told_and_has_a_timestamp_of_its_own() {
    let (mut world, _) = line(3, true);
    let Connection { groups: [first, _], .. } = connect(&mut world);
    world.now = Millis(1_000.25);
    let now = world.now;
    let stamps: Vec<i64> = (0..3).map(|_| world.switches[0].ping(first, now).expect("the group is there")).collect();
    assert!(stamps.windows(2).all(|pair| pair[0] < pair[1]), "{stamps:?}");
    world.now = Millis(1_000.75);
    world.settle();
    let pongs: Vec<i64> = world
        .take_events(0)
        .iter()
        .filter_map(|event| if let Event::Pong { timestamp, .. } = event { Some(*timestamp) } else { None })
        .collect();
    assert_eq!(pongs, stamps);
    assert_eq!(world.switches[0].group_stats(first).and_then(|stats| stats.rtt), Some(Millis(0.5)));
    assert_eq!(world.take_events(2), []);
}

#[test]
fn silence_ends_a_group_after_nine_seconds() {
    let (mut world, _) = line(3, true);
    let Connection { groups: [first, last], .. } = connect(&mut world);
    world.jam(1, 0, true);
    world.jam(1, 1, true);
    world.pass(8_900.0);
    assert_eq!(closed(&world.take_events(0), first), None);
    world.pass(1_000.0);
    assert_eq!(closed(&world.take_events(0), first).map(|it| it.0), Some(CloseReason::Silence));
    assert_eq!(closed(&world.take_events(2), last).map(|it| it.0), Some(CloseReason::Silence));
}

#[test]
fn a_group_without_keys_is_ended_by_its_rules_only() {
    let (mut world, _) = line(2, true);
    let Connection { groups: [first, _], .. } = open_groups(&mut world);
    world.pass(29_000.0);
    assert_eq!(closed(&world.take_events(0), first), None);
    world.pass(7_000.0);
    assert_eq!(closed(&world.take_events(0), first).map(|it| it.0), Some(CloseReason::Expired));
    assert_eq!(active_rules(&world.switches[0], world.now), 0);
}

#[test]
fn a_deleted_consume_rule_ends_its_group() {
    let (mut world, _) = line(2, true);
    let Connection { groups: [first, last], back, .. } = connect(&mut world);
    let now = world.now;
    world.switches[0].delete_rule(back[1], now);
    world.settle();
    assert_eq!(closed(&world.take_events(0), first).map(|it| it.0), Some(CloseReason::Expired));
    assert_eq!(closed(&world.take_events(1), last).map(|it| it.0), Some(CloseReason::Remote));
}

#[test]
fn a_first_hop_that_dies_ends_the_group_at_once() {
    let (mut world, _) = line(3, true);
    let Connection { groups: [first, last], .. } = connect(&mut world);
    // The middle pongs, so that it knows which link each route comes over.
    world.pass(3_500.0);
    world.unplug(0, 0);
    world.unplug(0, 1);
    assert_eq!(closed(&world.take_events(0), first).map(|it| it.0), Some(CloseReason::LinkDown));
    let (reason, message) = closed(&world.take_events(2), last).expect("the far end learns of it without time passing");
    assert_eq!(reason, CloseReason::Remote);
    assert!(message.contains("transport"), "{message}");
    assert_eq!(world.switches[0].write(first, b"x", world.now), Err(WriteFault::NotOpen));
}

#[test]
fn a_middle_that_dies_is_known_at_both_ends_at_once() {
    let (mut world, _) = line(5, true);
    let Connection { groups: [first, last], .. } = connect(&mut world);
    world.pass(3_500.0);
    // Switch 2 dies: its neighbours lose their links.
    world.unplug(1, 0);
    world.unplug(2, 1);
    assert_eq!(closed(&world.take_events(0), first).map(|it| it.0), Some(CloseReason::Remote));
    assert_eq!(closed(&world.take_events(4), last).map(|it| it.0), Some(CloseReason::Remote));
    for switch in [0, 4] {
        assert_eq!(active_rules(&world.switches[switch], world.now), 0);
    }
}

#[test]
fn packets_of_a_route_are_taken_from_the_link_of_its_first_one_only() {
    let (mut world, _) = line(2, false);
    let (_, _, stranger) = world.join(0, 1, false);
    let Connection { groups: [first, last], there, .. } = connect(&mut world);
    write_all(&mut world, 0, first, b"honest");
    let now = world.now;
    let injected = [packet(CLOSE, there[1], &[0]), packet(DATA, there[1], b"junk"), packet(PING, there[1], &[0; 16])];
    feed(&mut world.switches[1], stranger, &injected.concat(), now);
    assert_eq!(world.switches[1].counters().wrong_link, 3);
    assert_eq!(closed(&world.take_events(1), last), None);
    assert_eq!(read_all(&mut world, 1, last), b"honest");
}

#[test]
fn packets_from_a_wrong_link_do_not_keep_a_route_alive() {
    let (mut world, _) = line(2, false);
    let (_, _, stranger) = world.join(0, 1, false);
    let connection = open_groups(&mut world);
    let (there, last) = (connection.there[1], connection.groups[1]);
    let now = world.now;
    world.switches[0].send_handshake(connection.groups[0], now);
    world.settle();
    // From here the honest side is cut off.
    world.jam(0, 0, true);
    for _ in 0..20 {
        world.pass(2_000.0);
        let now = world.now;
        feed(&mut world.switches[1], stranger, &packet(2, there, &[]), now);
    }
    assert_eq!(closed(&world.take_events(1), last).map(|it| it.0), Some(CloseReason::Expired));
}

#[test]
fn a_record_that_does_not_open_ends_the_group_and_tells_the_peer() {
    let (mut world, links) = line(2, false);
    let Connection { groups: [first, last], there, .. } = connect(&mut world);
    feed(&mut world.switches[1], links[0].1, &packet(DATA, there[1], &[0, 24, 1, 2, 3, 4]), Millis::ZERO);
    feed(&mut world.switches[1], links[0].1, &packet(DATA, there[1], &[9; 40]), Millis::ZERO);
    world.settle();
    assert_eq!(closed(&world.take_events(1), last).map(|it| it.0), Some(CloseReason::Fault));
    assert_eq!(closed(&world.take_events(0), first).map(|it| it.0), Some(CloseReason::Remote));
}

#[test]
fn an_empty_data_packet_and_an_empty_record_are_nothing() {
    let (mut world, links) = line(2, false);
    let Connection { groups: [first, last], there, .. } = connect(&mut world);
    feed(&mut world.switches[1], links[0].1, &packet(DATA, there[1], &[]), Millis::ZERO);
    assert_eq!(world.take_events(1), []);
    assert_eq!(world.switches[0].write(first, &[], Millis::ZERO), Ok(0));
    write_all(&mut world, 0, first, b"x");
    assert_eq!(read_all(&mut world, 1, last), b"x");
}

#[test]
fn a_removed_group_takes_its_rules_along_and_tells_its_peer() {
    let (mut world, _) = line(3, true);
    let Connection { groups: [first, last], .. } = connect(&mut world);
    let now = world.now;
    world.switches[0].remove_group(first, now);
    world.settle();
    assert_eq!(closed(&world.take_events(2), last).map(|it| it.0), Some(CloseReason::Remote));
    assert_eq!(active_rules(&world.switches[0], now), 0);
    assert_eq!(world.switches[0].write(first, b"x", now), Err(WriteFault::NoGroup));
    assert_eq!(world.switches[0].read(first, &mut [0; 9], now), 0);
    assert!(world.switches[0].group_stats(first).is_none());
}

#[test]
fn a_group_needs_a_forward_and_a_consume_rule_that_are_free() {
    let (mut world, _) = line(2, true);
    let Connection { there, back, .. } = connect(&mut world);
    let switch = &mut world.switches[0];
    assert_eq!(switch.add_group(there[0], back[1], Millis::ZERO), None, "it has one");
    assert_eq!(switch.add_group(back[1], there[0], Millis::ZERO), None, "the wrong way round");
    assert_eq!(switch.add_group(there[0], RouteId(999), Millis::ZERO), None);
    assert_eq!(switch.add_group(RouteId(999), back[1], Millis::ZERO), None);
}

#[test]
fn a_rule_saved_over_one_of_a_group_ends_the_group_and_outlives_it() {
    for consume in [false, true] {
        let (mut world, _) = line(2, false);
        let Connection { groups: [first, _], there, back, .. } = connect(&mut world);
        let again = stranger(if consume { back[1] } else { there[0] });
        world.switches[0].save_rule(&again, Millis::ZERO).expect("a rule");
        assert_eq!(closed(&world.take_events(0), first).map(|it| it.0), Some(CloseReason::Expired));
        world.switches[0].remove_group(first, Millis::ZERO);
        assert_eq!(active_rules(&world.switches[0], world.now), 1, "the rule is not that of the old group");
    }
}

#[test]
fn a_group_that_a_stray_close_took_the_forward_rule_of_leaves_the_next_rule_of_that_id_alone() {
    let (mut world, links) = line(2, false);
    let Connection { groups: [first, _], there, .. } = connect(&mut world);
    feed(&mut world.switches[0], links[0].0, &packet(1, there[0], &[0]), Millis::ZERO);
    world.switches[0].save_rule(&stranger(there[0]), Millis::ZERO).expect("a rule");
    world.pass(KEEP_ALIVE_MS * 0.9);
    let mut idle = Millis::ZERO;
    world.switches[0].each_rule(world.now, |rule, since| {
        if rule.route_id == there[0] {
            idle = since;
        }
    });
    assert!(idle > Millis(KEEP_ALIVE_MS * 0.8), "what the group sends does not keep it alive");
    world.switches[0].remove_group(first, Millis::ZERO);
    assert_eq!(active_rules(&world.switches[0], world.now), 1);
}

/// A rule that has nothing to do with any group.
fn stranger(id: RouteId) -> Vec<u8> {
    world::rule(id, skywire_wire::Body::Consume { descriptor: skywire_wire::Descriptor([3; 70]) })
}

#[test]
fn an_old_link_may_go_after_its_successor_came() {
    let (mut world, links) = line(2, false);
    let switch = &mut world.switches[0];
    let again = switch.add_link(transport(0), None, &[], Millis::ZERO).expect("there is room");
    let Connection { groups: [first, _], .. } = open_groups(&mut world);
    let switch = &mut world.switches[0];
    assert!(switch.secure_group(first, world::records(1, 2), Millis::ZERO));
    switch.remove_link(links[0].0, Millis::ZERO);
    assert_eq!(closed(&world.take_events(0), first), None);
    let switch = &mut world.switches[0];
    assert_eq!(switch.write(first, b"x", Millis::ZERO), Ok(1));
    assert!(!switch.output(again, Millis::ZERO).is_empty());
}

#[test]
fn a_route_goes_on_over_a_new_link_of_its_transport_while_the_old_one_is_there() {
    let (mut world, links) = line(2, false);
    let Connection { groups: [first, last], there, .. } = connect(&mut world);
    write_all(&mut world, 0, first, b"old ");
    let now = world.now;
    let again = world.switches[1].add_link(transport(0), None, &[], now).expect("there is room");
    assert_eq!(world.switches[0].write(first, b"new", now), Ok(3));
    let output = world.switches[0].output(links[0].0, now).to_vec();
    world.switches[0].output_written(links[0].0, now);
    feed(&mut world.switches[1], again, &output, now);
    assert_eq!(read_all(&mut world, 1, last), b"old new");
    world.switches[1].remove_link(links[0].1, now);
    assert_eq!(closed(&world.take_events(1), last), None);
    feed(&mut world.switches[1], again, &packet(PING, there[1], &[0; 16]), now);
    assert_eq!(world.switches[1].counters().wrong_link, 0);
    world.switches[1].remove_link(again, now);
    assert_eq!(closed(&world.take_events(1), last).map(|it| it.0), Some(CloseReason::LinkDown));
}

#[test]
fn a_writer_that_waited_for_a_link_goes_on_when_another_takes_its_place() {
    let (mut world, links) = line(2, false);
    let Connection { groups: [first, _], .. } = connect(&mut world);
    let now = world.now;
    assert!(world.switches[0].write(first, &[1; 1 << 20], now).is_ok_and(|taken| taken < 1 << 20));
    let again = world.switches[0].add_link(transport(0), None, &[], now).expect("there is room");
    world.take_events(0);
    world.switches[0].remove_link(links[0].0, now);
    assert_eq!(world.take_events(0), [Event::GroupWritable { group: first }]);
    assert!(world.switches[0].write(first, &[1; 10], now).is_ok_and(|taken| taken == 10));
    assert!(!world.switches[0].output(again, now).is_empty());
}

#[test]
fn a_packet_lost_on_the_way_ends_the_connection_instead_of_leaving_a_hole() {
    let (mut world, links) = line(2, false);
    let Connection { groups: [first, last], .. } = connect(&mut world);
    write_all(&mut world, 0, first, b"before");
    let now = world.now;
    assert_eq!(world.switches[0].write(first, b"lost", now), Ok(4));
    assert!(!world.switches[0].output(links[0].0, now).is_empty());
    world.switches[0].output_written(links[0].0, now);
    write_all(&mut world, 0, first, b"after");
    let (reason, message) = closed(&world.take_events(1), last).expect("it ends");
    assert_eq!(reason, CloseReason::Fault);
    assert!(message.contains("record"), "{message}");
    assert_eq!(read_all(&mut world, 1, last), b"before");
    assert_eq!(closed(&world.take_events(0), first), Some((CloseReason::Remote, message)));
}

#[test]
fn a_successor_that_fails_leaves_the_old_link_in_charge() {
    let (mut world, links) = line(2, false);
    let again = world.switches[0].add_link(transport(0), None, &[], Millis::ZERO).expect("there is room");
    let Connection { groups: [first, _], .. } = open_groups(&mut world);
    let switch = &mut world.switches[0];
    assert!(switch.secure_group(first, world::records(1, 2), Millis::ZERO));
    switch.remove_link(again, Millis::ZERO);
    assert_eq!(switch.write(first, b"x", Millis::ZERO), Ok(1));
    assert!(!switch.output(links[0].0, Millis::ZERO).is_empty());
    assert_eq!(closed(&world.take_events(0), first), None);
    world.switches[0].remove_link(links[0].0, Millis::ZERO);
    assert_eq!(closed(&world.take_events(0), first).map(|it| it.0), Some(CloseReason::LinkDown));
}

#[test]
fn transport_pings_are_answered_by_the_neighbour() {
    let (mut world, links) = line(2, true);
    world.switches[0].send_transport_ping(links[0].0, 0x0102_0304_0506_0708);
    world.settle();
    assert_eq!(world.take_events(0), [Event::TransportPong { link: links[0].0, value: 0x0102_0304_0506_0708 }]);
    for (switch, link) in [(0, links[0].0), (1, links[0].1)] {
        let stats = world.switches[switch].link_stats(link).expect("there");
        assert_eq!(
            (stats.sent_packets, stats.received_packets),
            (0, 0),
            "what the ends say to each other is no traffic"
        );
    }
    assert_eq!(world.take_events(1), []);
}

#[test]
fn a_link_that_comes_back_takes_routes_up_again() {
    let (mut world, links) = line(2, false);
    let there = world::save_route(&mut world, &[0, 1]);
    let now = world.now;
    // Nothing came over the link yet, so its end means nothing to the route.
    world.switches[1].remove_link(links[0].1, now);
    let again = world.switches[1].add_link(transport(0), None, &packet(3, there[1], &[1]), now).expect("there is room");
    assert_eq!(world.switches[1].counters().unknown_route, 0);
    let stats = world.switches[1].link_stats(again).expect("the link is there");
    assert_eq!((stats.received_packets, stats.received_bytes), (1, 1), "early bytes are input like any other");
}
