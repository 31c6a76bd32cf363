//! The rule table against a plain map and a clock (routing.md §2.6–2.7), in any order of events. The switch around it has a
//! model of its own (`tests/core/switch_model_test.ts`).

use std::collections::{BTreeMap, BTreeSet};

use skywire_testkit::Dice;
use skywire_time::Millis;
use skywire_wire::{Body, Descriptor, NextHop, RouteId, Rule, RuleKind, TransportId};

use crate::table::{RuleTable, TableFault};

/// How far times are apart that differ at all: a power of two, so that sums of times are exact.
const INSTANT_MS: f64 = 0.25;
/// The last id is 2^32−2.
const FIRST_ID_NEVER_ISSUED: u64 = 0xffff_ffff;
/// How many ids around the first one are played with.
const ID_COUNT: usize = 7;
/// Where ids begin: at the very first one, somewhere, and so late that they run out.
const FIRST_IDS: [u32; 3] = [1, 77_000, 0xffff_fffa];
/// Of no time, some time, any time and less than none; all are multiples of 1/4 ms, but for the endless one.
const KEEP_ALIVES_NS: [i64; 6] = [0, 250_000, 100_000_000, 30_000_000_000, i64::MAX, -1_000_000];
/// Longer leaps would leave the range in which sums of times are exact.
const MAX_LEAP_MS: f64 = 3_600_000.0;
const COMMANDS: usize = 60;

/// Where a route id stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum State {
    Unreserved,
    Reserved,
    Active,
    Expired,
}
use State::{Active, Expired, Reserved, Unreserved};

/// What happened to an id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Happening {
    Reserve,
    ReserveInVain,
    Save,
    Lookup,
    LookupOf(u8),
    Touch,
    Time,
    AtTheEdge,
    BeyondTheEdge,
    Collect,
    Delete,
}
use Happening::*;

const CONSUME: u8 = RuleKind::Consume as u8;
const FORWARD: u8 = RuleKind::Forward as u8;
const INTERMEDIARY: u8 = RuleKind::Intermediary as u8;

type Visit = (Happening, State, State);

/// Every transition of routing.md §2.7, those that change nothing included, and both sides of the moment of expiry.
const TRANSITIONS: [Visit; 41] = [
    (Reserve, Unreserved, Reserved),
    // A rule that was saved under an id that nobody had reserved; the id is handed out all the same.
    (Reserve, Active, Active),
    (Reserve, Expired, Expired),
    (ReserveInVain, Unreserved, Unreserved),
    (Save, Unreserved, Active),
    (Save, Reserved, Active),
    (Save, Active, Active),
    (Save, Expired, Active),
    // A negative keep-alive has always run out.
    (Save, Unreserved, Expired),
    (Save, Reserved, Expired),
    (Lookup, Unreserved, Unreserved),
    (Lookup, Reserved, Reserved),
    (LookupOf(CONSUME), Active, Active),
    (LookupOf(CONSUME), Expired, Expired),
    (LookupOf(FORWARD), Active, Active),
    (LookupOf(FORWARD), Expired, Expired),
    (LookupOf(INTERMEDIARY), Active, Active),
    (LookupOf(INTERMEDIARY), Expired, Expired),
    (Touch, Unreserved, Unreserved),
    (Touch, Reserved, Reserved),
    (Touch, Active, Active),
    (Touch, Expired, Expired),
    (Time, Unreserved, Unreserved),
    (Time, Reserved, Reserved),
    (Time, Active, Active),
    (Time, Active, Expired),
    (Time, Expired, Expired),
    (AtTheEdge, Active, Active),
    (BeyondTheEdge, Expired, Expired),
    (Collect, Unreserved, Unreserved),
    (Collect, Reserved, Reserved),
    (Collect, Active, Active),
    (Collect, Expired, Reserved),
    (Collect, Expired, Unreserved),
    (Delete, Unreserved, Unreserved),
    (Delete, Reserved, Reserved),
    (Delete, Active, Reserved),
    (Delete, Active, Unreserved),
    (Delete, Expired, Reserved),
    (Delete, Expired, Unreserved),
    (Save, Active, Expired),
];

/// Too rare to wait for.
const OTHER_TRANSITIONS: [Visit; 3] =
    [(Save, Expired, Expired), (ReserveInVain, Active, Active), (ReserveInVain, Expired, Expired)];

struct Stored {
    rule: Rule,
    active_at: f64,
}

impl Stored {
    /// The last instant at which it is active.
    fn expiry(&self) -> f64 {
        self.active_at + self.rule.keep_alive_ns as f64 / 1e6
    }
}

/// The table as a map and a clock, and the real one, which gets the same calls.
struct Model<'a> {
    now: f64,
    first_id: u32,
    next_id: u64,
    stored: BTreeMap<u32, Stored>,
    table: RuleTable<()>,
    visits: &'a mut BTreeMap<Visit, u32>,
}

impl Model<'_> {
    fn new(first_id: u32, visits: &mut BTreeMap<Visit, u32>) -> Model<'_> {
        let table = RuleTable::new(RouteId(first_id));
        Model { now: 0.0, first_id, next_id: u64::from(first_id), stored: BTreeMap::new(), table, visits }
    }

    /// The id at a position: the first is never handed out, the others follow it.
    fn id_at(&self, position: usize) -> u32 {
        self.first_id - 1 + position as u32
    }

    fn all_ids(&self) -> Vec<u32> {
        (0..ID_COUNT).map(|position| self.id_at(position)).collect()
    }

    fn state_of(&self, id: u32) -> State {
        match self.stored.get(&id) {
            Some(entry) if self.now <= entry.expiry() => Active,
            Some(_) => Expired,
            None if id >= self.first_id && u64::from(id) < self.next_id => Reserved,
            None => Unreserved,
        }
    }

    fn fault_of(&self, id: u32) -> Option<TableFault> {
        match self.state_of(id) {
            Active => None,
            Expired => Some(TableFault::Expired),
            Reserved | Unreserved => Some(TableFault::NotFound),
        }
    }

    fn ids_that_are(&self, state: State) -> BTreeSet<u32> {
        self.stored.keys().copied().filter(|&id| self.state_of(id) == state).collect()
    }

    /// Does something, and counts what it did to the states of the ids that it is about.
    fn observe(&mut self, happening: Happening, ids: &[u32], act: impl FnOnce(&mut Self)) {
        let before: Vec<State> = ids.iter().map(|&id| self.state_of(id)).collect();
        act(self);
        for (&id, before) in ids.iter().zip(before) {
            *self.visits.entry((happening, before, self.state_of(id))).or_default() += 1;
        }
    }

    fn reserve(&mut self, count: u32) {
        let first = self.next_id;
        let covered: Vec<u32> = (first..first + u64::from(count)).filter_map(|id| u32::try_from(id).ok()).collect();
        let can = first + u64::from(count) <= FIRST_ID_NEVER_ISSUED;
        self.observe(if can { Reserve } else { ReserveInVain }, &covered, |model| {
            model.next_id += if can { u64::from(count) } else { 0 };
        });
        let expected = can.then_some(RouteId(first as u32));
        assert_eq!(self.table.reserve(count), expected);
    }

    fn save(&mut self, id: u32, rule: Rule) {
        let rule = Rule { route_id: RouteId(id), ..rule };
        self.observe(Save, &[id], |model| {
            model.stored.insert(id, Stored { rule, active_at: model.now });
        });
        self.table.save(rule, Millis(self.now));
    }

    /// A packet with the id comes: its rule is found while it is active, and only a consume rule lives on by that.
    fn lookup(&mut self, id: u32) {
        let fault = self.fault_of(id);
        let happening = self.stored.get(&id).map_or(Lookup, |entry| LookupOf(entry.rule.kind() as u8));
        self.observe(happening, &[id], |model| {
            let now = model.now;
            if let Some(entry) = model.stored.get_mut(&id)
                && entry.rule.kind() == RuleKind::Consume
                && fault.is_none()
            {
                entry.active_at = now;
            }
        });
        let now = Millis(self.now);
        match self.table.peek_active(RouteId(id), now) {
            Ok(entry) => {
                entry.note_lookup(now);
                assert_eq!((Some(entry.rule), fault), (self.stored.get(&id).map(|entry| entry.rule), None));
            }
            Err(other) => assert_eq!(Some(other), fault),
        }
    }

    /// A packet was passed on: its rule lives on if it is still active.
    fn touch(&mut self, id: u32) {
        let fault = self.fault_of(id);
        self.observe(Touch, &[id], |model| {
            let now = model.now;
            if let Some(entry) = model.stored.get_mut(&id)
                && fault.is_none()
            {
                entry.active_at = now;
            }
        });
        assert_eq!(self.table.touch(RouteId(id), Millis(self.now)).err(), fault);
    }

    /// A rule is forgotten; the second time nothing is left to forget.
    fn delete(&mut self, id: u32) {
        self.observe(Delete, &[id], |model| {
            model.stored.remove(&id);
        });
        self.table.delete(RouteId(id));
    }

    /// The expired rules go, and no others.
    fn collect(&mut self) {
        let expired = self.ids_that_are(Expired);
        self.observe(Collect, &self.all_ids(), |model| model.stored.retain(|id, _| !expired.contains(id)));
        assert_eq!(collect(&mut self.table, self.now), expired);
        assert_eq!(collect(&mut self.table, self.now), BTreeSet::new(), "at the same instant nothing is left");
    }

    /// Time passes, unless that moment is past or too far away; whether it did.
    fn advance(&mut self, to: f64) -> bool {
        let can = to >= self.now && to <= self.now + MAX_LEAP_MS;
        if can {
            self.observe(Time, &self.all_ids(), |model| model.now = to);
        }
        can
    }

    /// To the last instant at which a rule is active, or to the first at which it is not.
    fn advance_to_edge(&mut self, id: u32, beyond: bool) {
        let Some(edge) = self.stored.get(&id).map(Stored::expiry) else { return };
        if !self.advance(edge + if beyond { INSTANT_MS } else { 0.0 }) {
            return;
        }
        let (happening, state) = if beyond { (BeyondTheEdge, Expired) } else { (AtTheEdge, Active) };
        assert_eq!(self.state_of(id), state, "idle for as long as it may be is still active");
        self.observe(happening, &[id], |_| {});
    }

    /// Compares everything that can be seen without changing it: how many rules there are, and when each expires.
    fn check_all(&self) {
        assert_eq!(self.table.count(), self.stored.len());
        assert_eq!(active(&self.table, self.now), self.ids_that_are(Active));
        for (&id, entry) in &self.stored {
            let expiry = entry.expiry();
            // Where the double has no next quarter of a millisecond there is no edge to look at.
            if expiry + INSTANT_MS == expiry {
                continue;
            }
            assert!(active(&self.table, expiry).contains(&id), "{id} is active until {expiry}");
            assert!(!active(&self.table, expiry + INSTANT_MS).contains(&id), "{id} expires at {expiry}");
        }
    }

    fn step(&mut self, dice: &mut Dice) {
        let id = self.id_at(dice.below(ID_COUNT));
        match dice.below(9) {
            0 => self.reserve(dice.below(4) as u32),
            1 | 2 => self.save(id, any_rule(dice)),
            3 => self.lookup(id),
            4 => self.touch(id),
            5 => (0..=dice.below(2)).for_each(|_| self.delete(id)),
            6 => self.collect(),
            7 => {
                self.advance(self.now + dice.pick(&[0.0, INSTANT_MS, 60.0, 100.0, 30_000.0]));
            }
            _ => self.advance_to_edge(id, dice.below(2) == 0),
        }
    }
}

fn any_rule(dice: &mut Dice) -> Rule {
    let descriptor = Descriptor([dice.below(256) as u8; 70]);
    let next =
        NextHop { route_id: RouteId(dice.below(1 << 31) as u32), transport: TransportId([dice.below(256) as u8; 16]) };
    let body = match dice.below(3) {
        0 => Body::Consume { descriptor },
        1 => Body::Forward { descriptor, next },
        _ => Body::Intermediary { next },
    };
    Rule { keep_alive_ns: dice.pick(&KEEP_ALIVES_NS), route_id: RouteId(dice.below(1 << 31) as u32), body }
}

fn active(table: &RuleTable<()>, now: f64) -> BTreeSet<u32> {
    table.active(Millis(now)).map(|entry| entry.rule.route_id.0).collect()
}

fn collect(table: &mut RuleTable<()>, now: f64) -> BTreeSet<u32> {
    let mut gone = BTreeSet::new();
    table.collect(Millis(now), |entry| gone.extend([entry.rule.route_id.0]));
    gone
}

#[test]
fn the_table_does_what_a_map_and_a_clock_do_and_goes_through_every_state_and_transition() {
    let mut visits = BTreeMap::new();
    for seed in 0..3_000 {
        let mut dice = Dice::new(seed);
        let mut model = Model::new(dice.pick(&FIRST_IDS), &mut visits);
        for _ in 0..COMMANDS {
            model.step(&mut dice);
            model.check_all();
        }
    }
    let unseen: Vec<&Visit> =
        TRANSITIONS.iter().filter(|visit| visits.get(visit).is_none_or(|&count| count < 5)).collect();
    assert!(unseen.is_empty(), "each at least five times: {unseen:?}");
    let strange: Vec<&Visit> =
        visits.keys().filter(|visit| !TRANSITIONS.contains(visit) && !OTHER_TRANSITIONS.contains(visit)).collect();
    assert!(strange.is_empty(), "{strange:?}");
}

#[test]
fn a_rule_is_kept_for_as_long_as_one_packet_comes_within_its_keep_alive() {
    for seed in 0..100 {
        let mut dice = Dice::new(seed);
        let rule = Rule { keep_alive_ns: 100_000_000, ..any_rule(&mut dice) };
        let mut table = RuleTable::<()>::new(RouteId(1));
        let mut now = 0.0;
        table.save(rule, Millis(now));
        for _ in 0..dice.below(51) {
            now += dice.below(101) as f64;
            // A consume rule is looked up for each packet, the others are touched once it was passed on.
            let entry = table.peek_active(rule.route_id, Millis(now)).expect("it is active");
            entry.note_lookup(Millis(now));
            if rule.kind() != RuleKind::Consume {
                assert_eq!(table.touch(rule.route_id, Millis(now)), Ok(()));
            }
            assert_eq!(collect(&mut table, now), BTreeSet::new(), "seed {seed}");
        }
    }
}

#[test]
fn the_last_of_two_saves_wins_and_a_save_after_a_delete_is_a_save() {
    for seed in 0..100 {
        let mut dice = Dice::new(seed);
        let (first, second) = (any_rule(&mut dice), any_rule(&mut dice));
        let last = Rule { route_id: first.route_id, keep_alive_ns: 1_000_000, ..second };
        let mut table = RuleTable::<()>::new(RouteId(1));
        table.save(first, Millis::ZERO);
        if dice.below(2) == 0 {
            table.delete(first.route_id);
        }
        table.save(last, Millis::ZERO);
        assert_eq!(table.count(), 1);
        assert_eq!(table.peek_active(first.route_id, Millis(1.0)).map(|entry| entry.rule), Ok(last), "seed {seed}");
    }
}

#[test]
fn ids_are_handed_out_in_order_up_to_the_last_and_nothing_changes_when_they_run_out() {
    let mut table = RuleTable::<()>::new(RouteId(0xffff_fffa));
    assert_eq!(table.reserve(6), None);
    assert_eq!(table.reserve(3), Some(RouteId(0xffff_fffa)));
    assert_eq!(table.reserve(3), None);
    assert_eq!(table.reserve(2), Some(RouteId(0xffff_fffd)));
    assert_eq!(table.reserve(1), None);
    let mut zero = RuleTable::<()>::new(RouteId(0));
    assert_eq!(zero.reserve(2), Some(RouteId(1)), "0 is never handed out");
}
