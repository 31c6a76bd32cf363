//! The packet switch of a visor (design.md §4): links, the rule table and the ends of connections. Bytes of a link go in,
//! bytes for other links, bytes for local readers and events come out; a forwarded packet never leaves this folder.
//!
//! What cannot go on waits in bounded places: a packet for a full link or inbox stops the reading of the link that brought
//! it, local writers are told how much was taken.

mod groups;
mod packets;

use std::collections::{HashMap, VecDeque};

use skywire_crypto::{MAX_FRAME_BODY_BYTES, PREFIX_BYTES, Records};
use skywire_wire::{Header, Kind, Rule, RuleFault, TransportId};

use crate::event::{CloseReason, Event, LinkFault};
use crate::group::{Due, Group};
pub use crate::link::LinkStats;
use crate::link::{HOP_LOCAL, Link};
use crate::slots::Slots;
use crate::table::RuleTable;

/// Expired rules are collected at this pace (routing.md §2.6), ms.
const COLLECT_MS: f64 = 5_000.0;
/// While there are groups or writes under way, they are looked after at this pace, ms.
const TICK_MS: f64 = 500.0;
/// Events that wait for the shell; those that only repeat are dropped beyond it.
const MAX_EVENTS: usize = 4096;
const CLOSE_REQUESTED: u8 = 0;
/// What the ends of a route are told: without a text, a Close is a clean end.
const LINK_DOWN_TEXT: &[u8] = b"a transport of the route is down";

/// Packets that were dropped, by reason, and those that were passed on.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Counters {
    pub forwarded: u64,
    pub delivered: u64,
    pub unknown_type: u64,
    pub short_payload: u64,
    pub unknown_route: u64,
    pub expired_route: u64,
    pub wrong_link: u64,
    pub no_transport: u64,
    pub no_group: u64,
}

/// Figures of a group.
#[derive(Clone, Copy, Debug)]
pub struct GroupStats {
    pub sent_bytes: u64,
    pub received_bytes: u64,
    pub latency_ms: Option<f64>,
}

/// Why a group cannot be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFault {
    /// The handle names nothing.
    NoGroup,
    /// It has ended, or has no keys yet.
    NotOpen,
}

/// What the switch keeps with a rule.
#[derive(Default)]
struct Route {
    /// The transport that the first packet came over: no other may use the id (routing.md §10, W3).
    came_over: Option<TransportId>,
    /// The link to pass on to, as it was found last.
    goes_over: u32,
    /// The group that the rule, forward or consume, belongs to; 0: none.
    group: u32,
    /// Packets that came before the group was there.
    early: Vec<u8>,
}

/// See the top of the file.
pub struct Switch {
    table: RuleTable<Route>,
    links: Slots<Link>,
    by_transport: HashMap<TransportId, u32>,
    groups: Slots<Group>,
    events: VecDeque<Event>,
    dirty: VecDeque<u32>,
    counters: Counters,
    scratch: Vec<u8>,
    collect_at: f64,
    tick_at: Option<f64>,
}

impl Switch {
    /// An empty switch whose route ids begin with `first_route_id`.
    pub fn new(first_route_id: u32, now: f64) -> Switch {
        Switch {
            table: RuleTable::new(first_route_id),
            links: Slots::new(),
            by_transport: HashMap::new(),
            groups: Slots::new(),
            events: VecDeque::new(),
            dirty: VecDeque::new(),
            counters: Counters::default(),
            scratch: vec![0; PREFIX_BYTES + MAX_FRAME_BODY_BYTES],
            collect_at: now + COLLECT_MS,
            tick_at: None,
        }
    }

    // ---- links

    /// Adds the link of a transport; `early` is plaintext that was read before. 0 when there are too many links.
    pub fn add_link(&mut self, transport: TransportId, records: Option<Records>, early: &[u8], now: f64) -> u32 {
        let Some(handle) = self.links.insert(Link::new(transport, records, early)) else { return 0 };
        self.by_transport.insert(transport, handle);
        self.process(handle, now);
        handle
    }

    /// The link is gone: tells both sides of every route that used it, as far as they are known here.
    pub fn remove_link(&mut self, handle: u32, now: f64) {
        let Some(link) = self.links.remove(handle) else { return };
        if self.by_transport.get(&link.transport) == Some(&handle) {
            // Two links of one transport meet when one side dials anew: the other one may still work.
            let other = self.links.iter().find(|(_, other)| other.transport == link.transport && !other.failed);
            if let Some((other, _)) = other {
                self.by_transport.insert(link.transport, other);
            } else {
                self.by_transport.remove(&link.transport);
                self.fail_routes(link.transport, now);
            }
        }
        self.tell_writable(link.waiting_groups.into_iter().map(|(group, _)| group).collect());
        for waiting in link.waiting_links {
            self.resume(waiting, now);
        }
    }

    /// No link carries this transport any more.
    fn fail_routes(&mut self, transport: TransportId, now: f64) {
        let came_over: Vec<(u32, Option<(u32, TransportId)>)> = self
            .table
            .stored()
            .filter(|entry| entry.extra.came_over == Some(transport))
            .map(|entry| (entry.rule.route_id, entry.rule.next()))
            .collect();
        for (id, next) in came_over {
            match next {
                // As if the visor behind the link had failed and closed the route: its other end learns at once.
                Some((next_id, next_transport)) => {
                    self.table.delete(id);
                    self.send(next_transport, Kind::Error, next_id, &[LINK_DOWN_TEXT]);
                    self.send(next_transport, Kind::Close, next_id, &[&[CLOSE_REQUESTED]]);
                }
                None => {
                    if let Some(group) = self.table.peek(id).map(|entry| entry.extra.group) {
                        self.fail_group(group, CloseReason::LinkDown, b"", now);
                    }
                }
            }
        }
        for group in self.groups.handles() {
            if self.groups.get(group).is_some_and(|group| group.next_transport == transport) {
                self.fail_group(group, CloseReason::LinkDown, b"", now);
            }
        }
    }

    /// Where the next bytes of a link go; empty while it is not to be read.
    pub fn read_area(&mut self, handle: u32) -> &mut [u8] {
        self.links.get_mut(handle).map_or(&mut [], Link::read_area)
    }

    /// `count` bytes were put into the read area of a link.
    pub fn ingest(&mut self, handle: u32, count: usize, now: f64) {
        if let Some(link) = self.links.get_mut(handle) {
            link.received(count);
            self.schedule(self.collect_at);
            self.process(handle, now);
        }
    }

    /// Bytes for the socket of a link; they stay in place until [`Self::output_written`].
    pub fn output(&mut self, handle: u32, now: f64) -> &[u8] {
        self.schedule(now + TICK_MS);
        self.links.get_mut(handle).map_or(&[], |link| link.output(now))
    }

    /// The socket took the output.
    pub fn output_written(&mut self, handle: u32, now: f64) {
        let Some(link) = self.links.get_mut(handle) else { return };
        link.written();
        if link.wants_write() && !link.dirty {
            link.dirty = true;
            self.dirty.push_back(handle);
        }
        let (links, groups) = (link.take_waiting_links(), link.take_waiting_groups());
        self.tell_writable(groups);
        for waiting in links {
            self.resume(waiting, now);
        }
    }

    /// Figures of a link.
    pub fn link_stats(&self, handle: u32) -> Option<LinkStats> {
        self.links.get(handle).map(|link| link.stats)
    }

    /// Asks the visor at the other end of a link for a sign of life.
    pub fn send_transport_ping(&mut self, handle: u32, value: u64) {
        self.append(handle, Kind::TransportPing, HOP_LOCAL, &[&value.to_be_bytes()]);
    }

    // ---- rules

    /// Hands out `count` route ids and returns the first.
    pub fn reserve(&mut self, count: u32) -> Option<u32> {
        self.table.reserve(count)
    }

    /// Stores a rule. One of the same id is replaced, as if it had been deleted before.
    pub fn save_rule(&mut self, bytes: &[u8], now: f64) -> Result<(), RuleFault> {
        let rule = Rule::decode(bytes)?;
        self.delete_rule(rule.route_id, now);
        self.table.save(rule, now);
        self.schedule(self.collect_at);
        Ok(())
    }

    /// Forgets a rule; its group, if it has one, ends.
    pub fn delete_rule(&mut self, id: u32, now: f64) {
        if let Some(entry) = self.table.delete(id)
            && entry.extra.group != 0
        {
            self.fail_group(entry.extra.group, CloseReason::Expired, b"", now);
        }
    }

    /// Calls `each` with every active rule and how long it has been idle, ms.
    pub fn each_rule(&self, now: f64, mut each: impl FnMut(&Rule, f64)) {
        self.table.active(now).for_each(|entry| each(&entry.rule, now - entry.activity));
    }

    // ---- driving

    /// The next event. Every other call may add some.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next link that has output and no write under way. Every other call may add some.
    pub fn poll_dirty(&mut self) -> Option<u32> {
        while let Some(handle) = self.dirty.pop_front() {
            if let Some(link) = self.links.get_mut(handle) {
                link.dirty = false;
                if link.wants_write() {
                    return Some(handle);
                }
            }
        }
        None
    }

    /// When [`Self::handle_deadline`] is due. Every other call may change it.
    pub fn poll_deadline(&self) -> Option<f64> {
        self.tick_at
    }

    /// Does what is due: pings, keep-alives, ends of groups and rules, links that stand still.
    pub fn handle_deadline(&mut self, now: f64) {
        self.tick_at = None;
        for handle in self.groups.handles() {
            match self.groups.get(handle).and_then(|group| group.due(now)) {
                Some(Due::Ping) => {
                    self.send_ping(handle, false, now);
                }
                Some(Due::KeepAlive) => {
                    self.send_of_group(handle, Kind::KeepAlive, &[], now);
                    if let Some(group) = self.groups.get_mut(handle) {
                        group.kept_alive(now);
                    }
                }
                Some(Due::End(CloseReason::Local, _)) => self.end_group(handle, CloseReason::Local, b"", now),
                Some(Due::End(reason, text)) => self.fail_group(handle, reason, text.as_bytes(), now),
                None => {}
            }
        }
        for handle in self.links.handles() {
            if let Some(link) = self.links.get_mut(handle)
                && !link.failed
                && link.is_stalled(now)
            {
                link.failed = true;
                self.tell(Event::LinkFault { link: handle, fault: LinkFault::Stalled });
            }
        }
        if now >= self.collect_at {
            self.collect_at = now + COLLECT_MS;
            for handle in self.links.handles() {
                if let Some(link) = self.links.get_mut(handle) {
                    link.rest();
                }
            }
            let mut groups = Vec::new();
            self.table.collect(now, |entry| {
                // A group goes on without its forward rule (routing.md §2.7).
                if entry.rule.next().is_none() {
                    groups.push(entry.extra.group);
                }
            });
            for group in groups {
                self.fail_group(group, CloseReason::Expired, b"", now);
            }
        }
        let busy = self.groups.iter().any(|(_, group)| group.end.is_none())
            || self.links.iter().any(|(_, link)| link.is_writing());
        if busy {
            self.schedule(now + TICK_MS);
        }
        if self.table.count() > 0 || self.links.iter().any(|(_, link)| link.holds_buffers()) {
            self.schedule(self.collect_at);
        }
    }

    /// What was passed on and what was dropped.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    // ---- helpers of all parts

    /// The blocker of a link may be gone: goes on where it stopped, and tells when it can be read again.
    fn resume(&mut self, handle: u32, now: f64) {
        let Some(link) = self.links.get_mut(handle) else { return };
        if link.blocked.take().is_none() {
            return;
        }
        self.process(handle, now);
        if self.links.get(handle).is_some_and(|link| link.blocked.is_none() && !link.failed) {
            self.tell(Event::LinkResumed { link: handle });
        }
    }

    fn after_read(&mut self, handle: u32, now: f64) {
        let Some(group) = self.groups.get_mut(handle) else { return };
        if group.inbox.is_empty() {
            group.told_readable = false;
        }
        let (drained, caught_up) = (group.has_drained(), !group.is_behind());
        if drained {
            group.full_since = None;
            for waiting in core::mem::take(&mut group.waiting_links) {
                self.resume(waiting, now);
            }
        }
        if !caught_up {
            return;
        }
        let withheld = self.groups.get_mut(handle).map(|group| core::mem::take(&mut group.withheld));
        for timestamp in withheld.unwrap_or_default() {
            self.send_of_group(handle, Kind::Pong, &[&timestamp, &[0; 8]], now);
        }
    }

    /// Tells those that wait for room in a link.
    fn tell_writable(&mut self, groups: Vec<u32>) {
        for group in groups {
            if self
                .groups
                .get_mut(group)
                .is_some_and(|group| core::mem::take(&mut group.wants_link) && group.end.is_none())
            {
                self.tell(Event::GroupWritable { group });
            }
        }
    }

    /// Tells once that there is something; again only after all of it was taken.
    fn tell_readable(&mut self, handle: u32) {
        let Some(group) = self.groups.get_mut(handle) else { return };
        if !group.inbox.is_empty() && !group.told_readable {
            group.told_readable = true;
            self.events.push_back(Event::GroupReadable { group: handle });
        } else if group.frame_length().is_some() && !group.told_frame {
            group.told_frame = true;
            self.events.push_back(Event::GroupFrame { group: handle });
        }
    }

    /// Ends a group that has not ended, and tells the peer why if there is a way.
    fn fail_group(&mut self, handle: u32, reason: CloseReason, message: &[u8], now: f64) {
        if self.groups.get(handle).is_none_or(|group| group.end.is_some()) {
            return;
        }
        let text: &[u8] = match reason {
            _ if !message.is_empty() => message,
            CloseReason::LinkDown => LINK_DOWN_TEXT,
            CloseReason::Silence => b"nothing came over the route for too long",
            CloseReason::Expired => b"the rules of the route expired",
            _ => b"the route failed",
        };
        self.send_of_group(handle, Kind::Error, &[text], now);
        self.send_of_group(handle, Kind::Close, &[&[CLOSE_REQUESTED]], now);
        self.end_group(handle, reason, message, now);
    }

    /// The group has ended: its rules go, what arrived stays readable.
    fn end_group(&mut self, handle: u32, reason: CloseReason, message: &[u8], now: f64) {
        let Some(group) = self.groups.get_mut(handle) else { return };
        if group.end.is_some() {
            return;
        }
        group.end = Some(reason);
        let message = if message.is_empty() { core::mem::take(&mut group.error) } else { message.to_vec() };
        let (forward_id, consume_id) = (group.forward_id, group.consume_id);
        let waiting = core::mem::take(&mut group.waiting_links);
        self.give_up_rule(handle, forward_id);
        self.give_up_rule(handle, consume_id);
        self.events.push_back(Event::GroupClosed { group: handle, reason, message });
        // What they brought for this group has no rule any more.
        for link in waiting {
            self.resume(link, now);
        }
    }

    fn send_ping(&mut self, handle: u32, asked: bool, now: f64) -> Option<i64> {
        let group = self.groups.get_mut(handle)?;
        let (timestamp, throughput) = group.make_ping(asked, now);
        group.flow.also_mark(timestamp, now);
        self.send_of_group(handle, Kind::Ping, &[&timestamp.to_be_bytes(), &throughput.to_be_bytes()], now);
        Some(timestamp)
    }

    /// Sends a small packet on the way of a group.
    fn send_of_group(&mut self, handle: u32, kind: Kind, payload: &[&[u8]], now: f64) {
        let Some(group) = self.groups.get(handle) else { return };
        let (transport, next_id) = (group.next_transport, group.next_id);
        self.send(transport, kind, next_id, payload);
        self.touch_forward_rule(handle, now);
    }

    /// Something left on the way of a group.
    fn touch_forward_rule(&mut self, handle: u32, now: f64) {
        let Some(group) = self.groups.get(handle) else { return };
        if let Ok(entry) = self.table.peek_active(group.forward_id, now)
            && entry.extra.group == handle
        {
            entry.activity = now;
        }
    }

    /// A group needs a rule no more. What was saved under its id since is somebody else's.
    fn give_up_rule(&mut self, handle: u32, id: u32) {
        if self.table.peek(id).is_some_and(|entry| entry.extra.group == handle) {
            self.table.delete(id);
        }
    }

    fn send(&mut self, transport: TransportId, kind: Kind, route_id: u32, payload: &[&[u8]]) {
        if let Some(&link) = self.by_transport.get(&transport) {
            self.append(link, kind, route_id, payload);
        }
    }

    fn append(&mut self, handle: u32, kind: Kind, route_id: u32, payload: &[&[u8]]) {
        let Ok(size) = u16::try_from(payload.iter().map(|part| part.len()).sum::<usize>()) else { return };
        let Some(link) = self.links.get_mut(handle) else { return };
        if link.append(Header { kind: kind as u8, route_id, size }, payload) {
            self.mark_dirty(handle);
        }
    }

    fn mark_dirty(&mut self, handle: u32) {
        if let Some(link) = self.links.get_mut(handle)
            && !link.dirty
            && link.wants_write()
        {
            link.dirty = true;
            self.dirty.push_back(handle);
        }
    }

    fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// For events that a peer can cause as often as it likes, and that only repeat.
    fn tell_unless_flooded(&mut self, event: Event) {
        if self.events.len() < MAX_EVENTS {
            self.events.push_back(event);
        }
    }

    fn schedule(&mut self, at: f64) {
        // No `f64::min`: with it the module gets an intrinsic that needs an import.
        if self.tick_at.is_none_or(|earlier| at < earlier) {
            self.tick_at = Some(at);
        }
    }
}
