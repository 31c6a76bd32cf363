//! Switches joined by cables in memory: what one writes the other reads, in pieces of any size.

#![allow(dead_code, reason = "each test file uses its part")]

use skywire_crypto::{Key, Records};
use skywire_routing::{Event, GroupHandle, LinkHandle, Switch};
pub use skywire_testkit::Dice;
use skywire_time::Millis;
use skywire_wire::{Body, Descriptor, NextHop, RouteId, Rule, TransportId};

/// What a socket and the network behind it hold.
const SOCKET_BYTES: usize = 64 * 1024;
pub const KEEP_ALIVE_MS: f64 = 30_000.0;

/// One direction of a cable.
#[derive(Default)]
struct Lane {
    /// Bytes that left one switch and have not reached the other.
    flying: Vec<u8>,
    /// The socket takes nothing: a write stays under way.
    jammed: bool,
}

struct Cable {
    /// Switch and link at each end.
    ends: [(usize, LinkHandle); 2],
    lanes: [Lane; 2],
}

pub struct World {
    pub switches: Vec<Switch>,
    /// Events by switch, in order; tests take them.
    pub events: Vec<Vec<Event>>,
    pub now: Millis,
    pub dice: Dice,
    /// The longest piece that a read brings.
    pub piece: usize,
    cables: Vec<Cable>,
}

impl World {
    pub fn new(switches: usize) -> World {
        World {
            switches: (0..switches).map(|_| Switch::new(RouteId(1), Millis::ZERO)).collect(),
            events: (0..switches).map(|_| Vec::new()).collect(),
            now: Millis::ZERO,
            dice: Dice::new(1),
            piece: 1 << 20,
            cables: Vec::new(),
        }
    }

    /// Joins two switches; the number of the cable and of the link at each end.
    pub fn join(&mut self, a: usize, b: usize, sealed: bool) -> (usize, LinkHandle, LinkHandle) {
        let cable = self.cables.len();
        let transport = transport(cable);
        let (left, right) = if sealed { (Some(records(7, 8)), Some(records(8, 7))) } else { (None, None) };
        let at_a = self.switches[a].add_link(transport, left, &[], self.now).expect("there is room");
        let at_b = self.switches[b].add_link(transport, right, &[], self.now).expect("there is room");
        self.cables.push(Cable { ends: [(a, at_a), (b, at_b)], lanes: [Lane::default(), Lane::default()] });
        (cable, at_a, at_b)
    }

    /// From now the socket at this end (0 or 1) of a cable takes nothing, or takes everything again.
    pub fn jam(&mut self, cable: usize, end: usize, jammed: bool) {
        self.cables[cable].lanes[end].jammed = jammed;
    }

    /// The link at one end is gone; the other end does not know.
    pub fn unplug(&mut self, cable: usize, end: usize) {
        let (switch, link) = self.cables[cable].ends[end];
        self.cables[cable].lanes = [Lane { jammed: true, ..Lane::default() }, Lane { jammed: true, ..Lane::default() }];
        self.switches[switch].remove_link(link, self.now);
        self.settle();
    }

    /// Lets bytes fly until nothing moves.
    pub fn settle(&mut self) {
        while self.step() {}
    }

    /// Lets time pass in small steps, each settled.
    pub fn pass(&mut self, ms: f64) {
        let end = self.now + Millis(ms);
        while self.now < end {
            self.now = (self.now + Millis(100.0)).earlier(end);
            for switch in &mut self.switches {
                if switch.poll_deadline().is_some_and(|at| at <= self.now) {
                    switch.handle_deadline(self.now);
                }
            }
            self.settle();
        }
    }

    /// The events of a switch since they were taken last.
    pub fn take_events(&mut self, switch: usize) -> Vec<Event> {
        self.drain_events();
        core::mem::take(&mut self.events[switch])
    }

    fn drain_events(&mut self) {
        for (switch, events) in self.switches.iter_mut().zip(&mut self.events) {
            while let Some(event) = switch.poll_event() {
                events.push(event);
            }
        }
    }

    /// Moves what each cable holds a little; `false`: nothing moves.
    pub fn step(&mut self) -> bool {
        let mut moved = false;
        for cable in &mut self.cables {
            for end in 0..2 {
                let ((from, link), (to, far)) = (cable.ends[end], cable.ends[1 - end]);
                let lane = &mut cable.lanes[end];
                if !lane.jammed && lane.flying.len() < SOCKET_BYTES {
                    let output = self.switches[from].output(link, self.now);
                    moved |= !output.is_empty();
                    lane.flying.extend_from_slice(output);
                    self.switches[from].output_written(link, self.now);
                }
                if lane.flying.is_empty() {
                    continue;
                }
                let area = self.switches[to].read_area(far);
                let count = area.len().min(lane.flying.len()).min(1 + self.dice.below(self.piece));
                if count > 0 {
                    area[..count].copy_from_slice(&lane.flying[..count]);
                    lane.flying.drain(..count);
                    self.switches[to].ingest(far, count, self.now);
                    moved = true;
                }
            }
        }
        self.drain_events();
        moved
    }

    /// How many bytes are on their way in a direction of a cable.
    pub fn flying(&self, cable: usize, end: usize) -> usize {
        self.cables[cable].lanes[end].flying.len()
    }
}

/// A connection between the two ends of a line of switches.
pub struct Connection {
    /// The groups at the first and the last switch.
    pub groups: [GroupHandle; 2],
    /// The route ids on the way there, by switch; the last one is that of the consume rule.
    pub there: Vec<RouteId>,
    /// The route ids on the way back, from the last switch to the first.
    pub back: Vec<RouteId>,
}

pub fn transport(cable: usize) -> TransportId {
    TransportId([cable as u8 + 1; 16])
}

pub fn records(send: u8, receive: u8) -> Records {
    Records::new(Key::new([send; 32]), Key::new([receive; 32]))
}

pub fn rule(route_id: RouteId, body: Body) -> Vec<u8> {
    Rule { keep_alive_ns: (KEEP_ALIVE_MS * 1e6) as i64, route_id, body }.encode()
}

/// A line of switches: the world, and for each cable its two links.
pub fn line(switches: usize, sealed: bool) -> (World, Vec<(LinkHandle, LinkHandle)>) {
    let mut world = World::new(switches);
    let links = (1..switches).map(|at| world.join(at - 1, at, sealed)).map(|(_, a, b)| (a, b)).collect();
    (world, links)
}

/// Saves the rules of a route over the switches of `path` and returns the ids (routing.md §2.4, §5).
pub fn save_route(world: &mut World, path: &[usize]) -> Vec<RouteId> {
    let now = world.now;
    let ids: Vec<RouteId> = path.iter().map(|&at| world.switches[at].reserve(1).expect("an id")).collect();
    for (step, &at) in path.iter().enumerate() {
        let descriptor = Descriptor([at as u8; 70]);
        let body = match path.get(step + 1) {
            None => Body::Consume { descriptor },
            Some(&next) => {
                // Cable k joins the switches k and k + 1.
                let next = NextHop { route_id: ids[step + 1], transport: transport(at.min(next)) };
                if step == 0 { Body::Forward { descriptor, next } } else { Body::Intermediary { next } }
            }
        };
        world.switches[at].save_rule(&rule(ids[step], body), now).expect("a rule");
    }
    ids
}

/// Rules and groups of a connection over a whole line, without keys yet.
pub fn open_groups(world: &mut World) -> Connection {
    let last = world.switches.len() - 1;
    let path: Vec<usize> = (0..=last).collect();
    let there = save_route(world, &path);
    let back = save_route(world, &path.iter().rev().copied().collect::<Vec<_>>());
    let now = world.now;
    let first_group = world.switches[0].add_group(there[0], back[last], now).expect("a group");
    let last_group = world.switches[last].add_group(back[0], there[last], now).expect("a group");
    Connection { groups: [first_group, last_group], there, back }
}

/// As [`open_groups`], with keys.
pub fn connect(world: &mut World) -> Connection {
    let connection = open_groups(world);
    secure(world, &connection);
    connection
}

pub fn secure(world: &mut World, connection: &Connection) {
    let (last, now) = (world.switches.len() - 1, world.now);
    assert!(world.switches[0].secure_group(connection.groups[0], records(1, 2), now));
    assert!(world.switches[last].secure_group(connection.groups[1], records(2, 1), now));
}

/// Everything that a group has received.
pub fn read_all(world: &mut World, switch: usize, group: GroupHandle) -> Vec<u8> {
    let mut all = Vec::new();
    let mut piece = vec![0; 10_000];
    loop {
        let count = world.switches[switch].read(group, &mut piece, world.now);
        if count == 0 {
            return all;
        }
        all.extend_from_slice(&piece[..count]);
        world.settle();
    }
}

/// Puts bytes on a link as its peer would, in plaintext.
pub fn feed(switch: &mut Switch, link: LinkHandle, mut input: &[u8], now: Millis) {
    while !input.is_empty() {
        let area = switch.read_area(link);
        let count = area.len().min(input.len());
        if count == 0 {
            return;
        }
        area[..count].copy_from_slice(&input[..count]);
        switch.ingest(link, count, now);
        input = &input[count..];
    }
}

/// How many rules are active.
pub fn active_rules(switch: &Switch, now: Millis) -> usize {
    let mut count = 0;
    switch.each_rule(now, |_, _| count += 1);
    count
}

/// One packet's bytes.
pub fn packet(kind: u8, route_id: RouteId, payload: &[u8]) -> Vec<u8> {
    skywire_wire::Packet { kind, route_id, payload }.encode().expect("a payload that fits")
}
