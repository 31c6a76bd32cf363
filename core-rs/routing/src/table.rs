//! The rule table: which route ids were handed out, and what to do with packets that carry them (routing.md §2.6–2.7).
//!
//! A stored rule is *active* while it has been idle for no longer than its keep-alive, then *expired* until it is
//! collected. Looking a consume rule up is activity of it; other rules are touched when a packet was passed on.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use skywire_time::Millis;
use skywire_wire::{RouteId, Rule};

/// No id at or above this is handed out.
const FIRST_ID_NEVER_ISSUED: u64 = u32::MAX as u64;
const NS_PER_MS: f64 = 1e6;

/// Why there is no rule to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFault {
    /// Nothing is stored under the id.
    NotFound,
    /// The rule has been idle for too long.
    Expired,
}

/// A stored rule with what its user keeps beside it.
pub struct Entry<X> {
    pub rule: Rule,
    /// When the rule was last active.
    pub activity: Millis,
    pub extra: X,
}

impl<X> Entry<X> {
    /// Has it been idle for longer than it may? Equality is still alive.
    pub fn timed_out(&self, now: Millis) -> bool {
        now - self.activity > Millis(self.rule.keep_alive_ns as f64 / NS_PER_MS)
    }

    /// A packet asked for it: of a consume rule that is activity.
    #[inline]
    pub fn note_lookup(&mut self, now: Millis) {
        if self.rule.next().is_none() {
            self.activity = now;
        }
    }
}

/// Rules by route id. `X` is what the switch keeps with each.
pub struct RuleTable<X> {
    next_id: u64,
    entries: HashMap<RouteId, Entry<X>, BuildHasherDefault<IdHasher>>,
}

impl<X: Default> RuleTable<X> {
    /// An empty table whose first id is `first_id`; 0 counts as 1. A random one keeps packets of a former life of this
    /// visor from hitting rules of this one (routing.md §10, Q8).
    pub fn new(first_id: RouteId) -> Self {
        RuleTable { next_id: u64::from(first_id.0.max(1)), entries: HashMap::default() }
    }

    /// Hands out `count` consecutive ids and returns the first; `None`, with no change, when there are not so many left.
    pub fn reserve(&mut self, count: u32) -> Option<RouteId> {
        let (first, after) = (self.next_id, self.next_id + u64::from(count));
        if after > FIRST_ID_NEVER_ISSUED {
            return None;
        }
        self.next_id = after;
        u32::try_from(first).ok().map(RouteId)
    }

    /// Stores a rule under its id, replacing what was there; it is active from now.
    pub fn save(&mut self, rule: Rule, now: Millis) {
        self.entries.insert(rule.route_id, Entry { rule, activity: now, extra: X::default() });
    }

    /// Notes activity of an active rule.
    pub fn touch(&mut self, id: RouteId, now: Millis) -> Result<(), TableFault> {
        self.peek_active(id, now)?.activity = now;
        Ok(())
    }

    /// The active rule of an id. Whoever acts on it for a packet calls [`Entry::note_lookup`].
    #[inline]
    pub fn peek_active(&mut self, id: RouteId, now: Millis) -> Result<&mut Entry<X>, TableFault> {
        let entry = self.entries.get_mut(&id).ok_or(TableFault::NotFound)?;
        if entry.timed_out(now) { Err(TableFault::Expired) } else { Ok(entry) }
    }

    /// What is stored under an id, active or not, without counting as activity.
    pub fn peek(&self, id: RouteId) -> Option<&Entry<X>> {
        self.entries.get(&id)
    }

    /// As [`Self::peek`], to change what is kept beside the rule.
    pub fn peek_mut(&mut self, id: RouteId) -> Option<&mut Entry<X>> {
        self.entries.get_mut(&id)
    }

    /// Forgets a rule; an id that has none is fine.
    pub fn delete(&mut self, id: RouteId) -> Option<Entry<X>> {
        self.entries.remove(&id)
    }

    /// All active rules, in no order.
    pub fn active(&self, now: Millis) -> impl Iterator<Item = &Entry<X>> {
        self.entries.values().filter(move |entry| !entry.timed_out(now))
    }

    /// All stored rules, in no order.
    pub fn stored(&self) -> impl Iterator<Item = &Entry<X>> {
        self.entries.values()
    }

    /// How many rules are stored, expired ones included.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// Removes all expired rules and gives them to `each`.
    pub fn collect(&mut self, now: Millis, mut each: impl FnMut(Entry<X>)) {
        self.entries.extract_if(|_, entry| entry.timed_out(now)).for_each(|(_, entry)| each(entry));
    }
}

/// Ids are handed out by us, or random: multiplying by an odd constant spreads them enough, and costs one instruction for
/// each packet where the standard hash costs some twenty.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(u32::from(byte));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.0 = (self.0 ^ u64::from(value)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }
}

#[cfg(test)]
mod tests {
    use skywire_wire::{Body, NextHop, TransportId};

    use super::*;

    fn rule(route_id: u32, keep_alive_ms: i64, body: Body) -> Rule {
        Rule { keep_alive_ns: keep_alive_ms * 1_000_000, route_id: RouteId(route_id), body }
    }

    fn intermediary(route_id: u32, keep_alive_ms: i64) -> Rule {
        rule(
            route_id,
            keep_alive_ms,
            Body::Intermediary { next: NextHop { route_id: RouteId(9), transport: TransportId([7; 16]) } },
        )
    }

    fn consume(route_id: u32, keep_alive_ms: i64) -> Rule {
        rule(route_id, keep_alive_ms, Body::Consume { descriptor: skywire_wire::Descriptor([2; 70]) })
    }

    #[test]
    fn reservations_follow_each_other_and_end_below_the_last_id() {
        let mut table = RuleTable::<()>::new(RouteId(0));
        assert_eq!(table.reserve(3), Some(RouteId(1)));
        assert_eq!(table.reserve(0), Some(RouteId(4)));
        assert_eq!(table.reserve(1), Some(RouteId(4)));
        let mut table = RuleTable::<()>::new(RouteId(u32::MAX - 2));
        assert_eq!(table.reserve(3), None);
        assert_eq!(table.reserve(2), Some(RouteId(u32::MAX - 2)));
        assert_eq!(table.reserve(1), None);
    }

    #[test]
    fn lookup_is_activity_of_consume_rules_only() {
        let mut table = RuleTable::<()>::new(RouteId(1));
        table.save(intermediary(1, 100), Millis::ZERO);
        table.save(consume(2, 100), Millis::ZERO);
        let mut lookup = |id, at| table.peek_active(RouteId(id), Millis(at)).map(|entry| entry.note_lookup(Millis(at)));
        assert_eq!((lookup(1, 90.0), lookup(2, 90.0)), (Ok(()), Ok(())));
        assert_eq!(lookup(1, 101.0), Err(TableFault::Expired));
        assert_eq!(lookup(2, 190.0), Ok(()), "equality is alive");
        assert_eq!(table.touch(RouteId(1), Millis(101.0)), Err(TableFault::Expired));
        assert_eq!(table.touch(RouteId(3), Millis::ZERO), Err(TableFault::NotFound));
    }

    #[test]
    fn collection_removes_exactly_the_expired() {
        let mut table = RuleTable::<()>::new(RouteId(1));
        table.save(intermediary(1, 100), Millis::ZERO);
        table.save(intermediary(2, 300), Millis::ZERO);
        table.save(intermediary(3, -1), Millis::ZERO);
        assert_eq!((table.count(), table.active(Millis(200.0)).count()), (3, 1));
        let mut gone = Vec::new();
        table.collect(Millis(200.0), |entry| gone.push(entry.rule.route_id.0));
        gone.sort_unstable();
        assert_eq!((gone, table.count()), (vec![1, 3], 1));
    }
}
