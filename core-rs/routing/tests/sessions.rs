//! Sessions over the groups of two switches that are joined by several cables: each cable carries one leg.

mod world;

use skywire_routing::{CloseReason, Event, GroupHandle, LegSpec, SessionHandle, WriteFault};
use skywire_session::{LegStart, Over, RESET_ABORTED};
use skywire_wire::{Body, Descriptor, NextHop};
use world::{World, records, rule, transport};

struct Ends {
    world: World,
    sessions: [SessionHandle; 2],
}

/// Two switches, so many cables, and a session without legs.
fn ends(cables: usize) -> Ends {
    let mut world = World::new(2);
    for _ in 0..cables {
        world.join(0, 1, true);
    }
    let sessions = [0, 1].map(|at: usize| world.switches[at].add_session().expect("there is memory"));
    Ends { world, sessions }
}

impl Ends {
    /// Groups with keys over a cable.
    fn groups(&mut self, cable: usize) -> [GroupHandle; 2] {
        let (now, world) = (self.world.now, &mut self.world);
        let ids = [0, 1].map(|at: usize| world.switches[at].reserve(2).expect("ids"));
        let second = |at: usize| skywire_wire::RouteId(ids[at].0 + 1);
        let descriptor = Descriptor([7; 70]);
        for at in [0, 1] {
            let next = NextHop { route_id: second(1 - at), transport: transport(cable) };
            let switch = &mut world.switches[at];
            switch.save_rule(&rule(ids[at], Body::Forward { descriptor, next }), now).expect("a rule");
            switch.save_rule(&rule(second(at), Body::Consume { descriptor }), now).expect("a rule");
        }
        [0, 1].map(|at: usize| {
            let switch = &mut world.switches[at];
            let group = switch.add_group(ids[at], second(at), now).expect("a group");
            let (send, receive) = if at == 0 { (1, 2) } else { (2, 1) };
            assert!(switch.secure_group(group, records(send, receive), now));
            group
        })
    }

    fn spec(&self, at: usize, in_use: bool) -> LegSpec {
        let other = self.world.switches[1 - at].session_state(self.sessions[1 - at]).expect("it is there");
        let (received, leads) = (other.figures.received, at == 0);
        let start = LegStart { leads, in_use: in_use && leads, received, limit: received + other.window };
        LegSpec { start, is_confirmed: leads }
    }

    /// A leg over a cable, as both ends see it after the handshake.
    fn leg(&mut self, cable: usize, in_use: bool) -> [GroupHandle; 2] {
        let groups = self.groups(cable);
        for at in [1, 0] {
            let spec = self.spec(at, in_use);
            let now = self.world.now;
            assert!(self.world.switches[at].add_leg(self.sessions[at], groups[at], spec, now));
        }
        self.world.settle();
        groups
    }

    fn write(&mut self, at: usize, bytes: &[u8]) -> usize {
        let now = self.world.now;
        let taken = self.world.switches[at].session_write(self.sessions[at], bytes, now).expect("it is open");
        self.world.settle();
        taken
    }

    fn read(&mut self, at: usize) -> Vec<u8> {
        let (mut all, mut piece) = (Vec::new(), vec![0; 100_000]);
        loop {
            let count = self.world.switches[at].session_read(self.sessions[at], &mut piece, self.world.now);
            if count == 0 {
                return all;
            }
            all.extend_from_slice(&piece[..count]);
            self.world.settle();
        }
    }

    fn finish(&mut self, at: usize, stops: bool) {
        let now = self.world.now;
        self.world.switches[at].session_finish(self.sessions[at], stops, now);
        self.world.settle();
    }

    fn over(&mut self, at: usize) -> Option<Over> {
        self.world.take_events(at).into_iter().find_map(|event| match event {
            Event::SessionOver { over, .. } => Some(over),
            _ => None,
        })
    }
}

#[test]
fn a_session_carries_both_directions_and_each_ends_by_itself() {
    let mut it = ends(1);
    let groups = it.leg(0, true);
    assert!(it.world.take_events(1).contains(&Event::LegConfirmed { group: groups[1] }));
    assert_eq!(it.write(0, b"there"), 5);
    assert!(it.world.take_events(1).contains(&Event::SessionReadable { session: it.sessions[1] }));
    it.finish(0, false);
    assert_eq!(it.read(1), b"there");
    let state = it.world.switches[1].session_state(it.sessions[1]).expect("it is there");
    assert!(state.is_read_out && !state.is_stopped && !state.is_done);
    assert_eq!(it.write(1, b"and back"), 8);
    assert_eq!(it.read(0), b"and back");
    it.finish(1, false);
    assert_eq!((it.over(0), it.over(1)), (Some(Over::Done), Some(Over::Done)));
}

#[test]
fn bytes_survive_legs_that_die_and_go_on_over_the_next() {
    let mut it = ends(6);
    let sent = it.world.dice.bytes(3_000_000);
    let (mut done, mut got) = (0, Vec::new());
    for cable in 0..6 {
        it.leg(cable, true);
        let until = sent.len() * (cable + 1) / 6;
        while done < until {
            let now = it.world.now;
            done += it.world.switches[0].session_write(it.sessions[0], &sent[done..until], now).expect("it is open");
            for _ in 0..20 {
                it.world.step();
            }
            if it.world.dice.below(3) > 0 {
                got.extend(it.read(1));
            }
        }
        if cable < 5 {
            it.world.unplug(cable, 0);
            it.world.unplug(cable, 1);
        }
    }
    it.world.settle();
    got.extend(it.read(1));
    assert!(got == sent, "{} of {}", got.len(), sent.len());
}

#[test]
fn a_leg_that_brings_nothing_is_told_of_and_one_that_waits_takes_over() {
    let mut it = ends(2);
    let used = it.leg(0, true);
    let waits = it.leg(1, false);
    it.world.pass(1_000.0);
    it.world.take_events(0);
    it.world.jam(0, 0, true);
    it.world.jam(0, 1, true);
    assert_eq!(it.write(0, b"where is it"), 11);
    it.world.pass(600.0);
    assert!(it.world.take_events(0).contains(&Event::LegSilent { group: used[0] }));
    assert_eq!(it.read(1), b"where is it");
    it.world.jam(0, 0, false);
    it.world.jam(0, 1, false);
    it.world.pass(4_000.0);
    let events = it.world.take_events(0);
    assert!(
        events.contains(&Event::LegHeard { group: used[0] }) && !events.contains(&Event::LegSilent { group: waits[0] })
    );
    assert_eq!(it.read(1), b"", "what came twice is read once");
}

#[test]
fn a_reader_that_waits_for_more_learns_that_its_leg_is_silent() {
    let mut it = ends(1);
    let leg = it.leg(0, true);
    it.world.pass(500.0);
    it.write(1, b"the beginning of something");
    it.world.jam(0, 0, true);
    it.world.jam(0, 1, true);
    it.world.take_events(0);
    it.world.pass(600.0);
    assert!(it.world.take_events(0).contains(&Event::LegSilent { group: leg[0] }));
}

#[test]
fn an_idle_session_is_not_taken_for_silent() {
    let mut it = ends(1);
    it.leg(0, true);
    it.write(1, b"hello");
    it.world.pass(60_000.0);
    for at in [0, 1] {
        let events = it.world.take_events(at);
        assert!(!events.iter().any(|event| matches!(event, Event::LegSilent { .. } | Event::GroupClosed { .. })));
    }
}

#[test]
fn nothing_counts_before_the_first_record_of_the_initiator() {
    let mut it = ends(1);
    let groups = it.groups(0);
    let (now, spec) = (it.world.now, it.spec(1, true));
    assert!(it.world.switches[1].add_leg(it.sessions[1], groups[1], spec, now));
    assert_eq!(it.write(1, b"early"), 0, "nobody has said what is taken");
    it.world.pass(1_000.0);
    assert!(!it.world.take_events(1).contains(&Event::LegConfirmed { group: groups[1] }));
    let (now, spec) = (it.world.now, it.spec(0, true));
    assert!(it.world.switches[0].add_leg(it.sessions[0], groups[0], spec, now));
    it.world.settle();
    let events = it.world.take_events(1);
    assert!(events.contains(&Event::LegConfirmed { group: groups[1] }));
    assert!(events.contains(&Event::SessionWritable { session: it.sessions[1] }));
    assert_eq!(it.write(1, b"early"), 5);
    assert_eq!(it.read(0), b"early");
}

#[test]
fn the_far_end_hears_that_a_session_was_given_up() {
    let mut it = ends(1);
    it.leg(0, true);
    it.write(0, b"last words");
    let now = it.world.now;
    it.world.switches[0].session_reset(it.sessions[0], RESET_ABORTED, b"enough", now);
    it.world.settle();
    assert_eq!(it.over(1), Some(Over::Reset { code: RESET_ABORTED, text: b"enough".to_vec() }));
    assert_eq!(it.read(1), b"last words", "what came is still to be read");
    let now = it.world.now;
    assert_eq!(it.world.switches[1].session_write(it.sessions[1], b"what", now), Err(WriteFault::NotOpen));
}

#[test]
fn a_session_that_is_forgotten_leaves_its_groups_and_takes_no_memory() {
    let mut it = ends(1);
    let groups = it.leg(0, true);
    it.world.switches[0].remove_session(it.sessions[0]);
    assert!(it.world.switches[0].session_state(it.sessions[0]).is_none());
    let now = it.world.now;
    it.world.switches[0].close_group(groups[0], b"", now);
    it.world.settle();
    let closed = Event::GroupClosed { group: groups[1], reason: CloseReason::Remote, message: Vec::new() };
    assert!(it.world.take_events(1).contains(&closed));
    // As many as there were before fit again.
    let count = |it: &mut Ends| (0..).take_while(|_| it.world.switches[0].add_session().is_some()).count();
    let more = count(&mut it);
    let mut fresh = ends(0);
    fresh.world.switches[0].remove_session(fresh.sessions[0]);
    assert_eq!(more, count(&mut fresh));
}
