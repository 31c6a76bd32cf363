//! The packet switch of a visor (design.md §4): links, the rule table and the ends of connections. Bytes of a link go in,
//! bytes for other links, bytes for local readers and events come out; a forwarded packet never leaves this file.
//!
//! What cannot go on waits in bounded places: a packet for a full link or inbox stops the reading of the link that brought
//! it, local writers are told how much was taken.

use std::collections::{HashMap, VecDeque};

use skywire_crypto::{MAX_FRAME_BODY_BYTES, MAX_FRAME_PLAINTEXT_BYTES, PREFIX_BYTES, Records};
use skywire_wire::{Body, HEADER_BYTES, Header, Kind, Rule, RuleFault, TransportId};

use crate::event::{CloseReason, Event, LinkFault};
use crate::group::{Due, Group};
pub use crate::link::LinkStats;
use crate::link::{Blocker, Link};
use crate::slots::Slots;
use crate::table::{Entry, RuleTable, TableFault};

/// Expired rules are collected at this pace (routing.md §2.6), ms.
const COLLECT_MS: f64 = 5_000.0;
/// While there are groups or writes under way, they are looked after at this pace, ms.
const TICK_MS: f64 = 500.0;
/// Events that wait for the shell; those that only repeat are dropped beyond it.
const MAX_EVENTS: usize = 4096;
/// Packets for a consume rule whose group is not there yet, bytes.
const MAX_EARLY_BYTES: usize = 64 * 1024;
/// The route id of packets between two neighbours.
const HOP_LOCAL: u32 = 0;
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
    /// The group that the rule belongs to; 0: none.
    group: u32,
    /// Packets that came before the group was there.
    early: Vec<u8>,
}

/// Where a packet came from, and when.
#[derive(Clone, Copy)]
struct Arrival {
    link: u32,
    transport: TransportId,
    now: f64,
}

enum Outcome {
    Done,
    Blocked(Blocker),
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
    /// An empty switch. Route ids begin in the lower half of their range, so that they last.
    pub fn new(first_route_id: u32, now: f64) -> Switch {
        Switch {
            table: RuleTable::new(first_route_id >> 1),
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
        self.tell_writable(link.waiting_groups);
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
        link.part_written();
        if link.wants_write() && !link.dirty {
            link.dirty = true;
            self.dirty.push_back(handle);
        }
        if !link.has_drained() {
            return;
        }
        let (links, groups) = (core::mem::take(&mut link.waiting_links), core::mem::take(&mut link.waiting_groups));
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

    // ---- groups

    /// Begins a group on a saved forward and consume rule. `None` when one of them is missing or has a group.
    pub fn add_group(&mut self, forward_id: u32, consume_id: u32, now: f64) -> Option<u32> {
        let forward = self.table.peek(forward_id)?;
        let Body::Forward { next_id, next_transport, .. } = forward.rule.body else { return None };
        let consume = self.table.peek(consume_id)?;
        if !matches!(consume.rule.body, Body::Consume { .. }) || consume.extra.group != 0 {
            return None;
        }
        let group = Group::new((consume_id, forward_id), (next_id, next_transport), now);
        let handle = self.groups.insert(group)?;
        let early = self.table.peek_mut(consume_id).map_or_else(Vec::new, |entry| {
            entry.extra.group = handle;
            core::mem::take(&mut entry.extra.early)
        });
        let mut rest = early.as_slice();
        while let Some(header) = Header::decode(rest) {
            let (packet, later) = rest.split_at(header.packet_length().min(rest.len()));
            if let Some(kind) = Kind::of(header.kind) {
                self.deliver(handle, kind, &packet[HEADER_BYTES..], now);
            }
            rest = later;
        }
        self.schedule(now + TICK_MS);
        Some(handle)
    }

    /// Sends a Handshake packet that asks for encryption.
    pub fn send_handshake(&mut self, handle: u32, now: f64) {
        self.send_of_group(handle, Kind::Handshake, &[&[1]], now);
    }

    /// Takes the next Noise message that came; its length.
    pub fn take_frame(&mut self, handle: u32, out: &mut [u8]) -> Option<usize> {
        let group = self.groups.get_mut(handle)?;
        let length = group.take_frame(out)?;
        group.told_frame = false;
        self.tell_readable(handle);
        Some(length)
    }

    /// Sends a Noise message in one Data packet.
    pub fn send_frame(&mut self, handle: u32, message: &[u8], now: f64) {
        let Ok(length) = u16::try_from(message.len()) else { return };
        self.send_of_group(handle, Kind::Data, &[&length.to_be_bytes(), message], now);
    }

    /// Installs the keys of a group; what came early is opened. `false`: there is no such group.
    pub fn secure_group(&mut self, handle: u32, records: Records, now: f64) -> bool {
        let Some(group) = self.groups.get_mut(handle) else { return false };
        if group.secure(records, now).is_err() {
            self.fail_group(handle, CloseReason::Fault, b"a record does not open", now);
        }
        self.tell_readable(handle);
        true
    }

    /// Seals what the first hop has room for; how many bytes were taken. When not all were, `GroupWritable` follows.
    pub fn write(&mut self, handle: u32, bytes: &[u8], now: f64) -> Result<usize, WriteFault> {
        let group = self.groups.get_mut(handle).ok_or(WriteFault::NoGroup)?;
        if group.end.is_some() || group.is_closing() || !group.is_secure() {
            return Err(WriteFault::NotOpen);
        }
        let Some(&link_handle) = self.by_transport.get(&group.next_transport) else {
            self.fail_group(handle, CloseReason::LinkDown, b"", now);
            return Err(WriteFault::NotOpen);
        };
        let Some(link) = self.links.get_mut(link_handle) else { return Err(WriteFault::NotOpen) };
        let mut taken = 0;
        for record in bytes.chunks(MAX_FRAME_PLAINTEXT_BYTES) {
            if !link.has_local_room() || !group.flow.has_room() {
                break;
            }
            let sealed = group.seal(record, &mut self.scratch, now);
            if sealed == 0 {
                break;
            }
            let header = Header { kind: Kind::Data as u8, route_id: group.next_id, size: sealed as u16 };
            if !link.append(header, &[&self.scratch[..sealed]]) {
                break;
            }
            group.sent_bytes += sealed as u64;
            group.flow.sent(sealed);
            taken += record.len();
            if group.flow.wants_mark() {
                let (timestamp, throughput) = group.make_ping(false, now);
                group.flow.mark(timestamp, now);
                let header = Header { kind: Kind::Ping as u8, route_id: group.next_id, size: 16 };
                link.append(header, &[&timestamp.to_be_bytes(), &throughput.to_be_bytes()]);
            }
        }
        if taken < bytes.len() {
            group.wants_window = !group.flow.has_room();
            if !link.has_local_room() && !group.wants_link {
                group.wants_link = true;
                link.waiting_groups.push(handle);
            }
        }
        let forward_id = group.forward_id;
        self.mark_dirty(link_handle);
        let _ = self.table.touch(forward_id, now);
        Ok(taken)
    }

    /// Reads as a stream; 0 when there is nothing now.
    pub fn read(&mut self, handle: u32, into: &mut [u8], now: f64) -> usize {
        let Some(group) = self.groups.get_mut(handle) else { return 0 };
        let count = group.inbox.read(into);
        self.after_read(handle, now);
        count
    }

    /// How long the next record is, or the rest of one read in part; 0: nothing is there.
    pub fn message_length(&self, handle: u32) -> usize {
        self.groups.get(handle).map_or(0, |group| group.inbox.message_length())
    }

    /// Sends a Ping; its answer comes as `Pong` with the timestamp returned.
    pub fn ping(&mut self, handle: u32, now: f64) -> Option<i64> {
        self.send_ping(handle, true, now)
    }

    /// Figures of a group.
    pub fn group_stats(&self, handle: u32) -> Option<GroupStats> {
        self.groups.get(handle).map(|group| GroupStats {
            sent_bytes: group.sent_bytes,
            received_bytes: group.received_bytes,
            latency_ms: group.latency_ms,
        })
    }

    /// Says goodbye: an Error packet when there is a text, then Close. `GroupClosed` follows within 2 s.
    pub fn close_group(&mut self, handle: u32, error: &[u8], now: f64) {
        let Some(group) = self.groups.get_mut(handle) else { return };
        if group.end.is_some() || group.is_closing() {
            return;
        }
        group.begin_close(now);
        let forward_id = group.forward_id;
        let waiting = core::mem::take(&mut group.waiting_links);
        if !error.is_empty() {
            self.send_of_group(handle, Kind::Error, &[error], now);
        }
        self.send_of_group(handle, Kind::Close, &[&[CLOSE_REQUESTED]], now);
        self.table.delete(forward_id);
        self.schedule(now + TICK_MS);
        // Nobody reads what they brought for it any more, and the answer is behind that.
        for link in waiting {
            self.resume(link, now);
        }
    }

    /// Forgets a group and its rules; a peer that was not told learns it from a Close.
    pub fn remove_group(&mut self, handle: u32, now: f64) {
        self.close_group(handle, b"", now);
        let Some(group) = self.groups.remove(handle) else { return };
        // One that had ended gave its rules up then: what is under their ids now is somebody else's.
        if group.end.is_none() {
            self.table.delete(group.forward_id);
            self.table.delete(group.consume_id);
        }
        for waiting in group.waiting_links {
            self.resume(waiting, now);
        }
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
            self.table.collect(now, |entry| groups.push(entry.extra.group));
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

    // ---- packets

    /// Handles what a link has brought, until there is no whole packet or something is full.
    fn process(&mut self, handle: u32, now: f64) {
        loop {
            let Some(link) = self.links.get_mut(handle) else { return };
            if link.blocked.is_some() || link.failed {
                return;
            }
            let arrival = Arrival { link: handle, transport: link.transport, now };
            let (plain, fault) = link.take_plain();
            let mut at = 0;
            let mut blocked = None;
            while let Some(header) = Header::decode(&plain[at..]) {
                let Some(payload) = plain.get(at + HEADER_BYTES..at + header.packet_length()) else { break };
                match self.handle(header, payload, arrival) {
                    Outcome::Done => at += header.packet_length(),
                    Outcome::Blocked(blocker) => {
                        blocked = Some(blocker);
                        break;
                    }
                }
            }
            let Some(link) = self.links.get_mut(handle) else { return };
            link.put_back(plain, at);
            link.blocked = blocked;
            if let Some(fault) = fault {
                link.failed = true;
                return self.tell(Event::LinkFault { link: handle, fault });
            }
            if blocked.is_some() || at == 0 || !link.has_input() {
                return;
            }
        }
    }

    fn handle(&mut self, header: Header, payload: &[u8], arrival: Arrival) -> Outcome {
        let Arrival { link: from, transport, now } = arrival;
        let Some(kind) = Kind::of(header.kind) else { return drop_counted(&mut self.counters.unknown_type) };
        if payload.len() < kind.min_payload() {
            return drop_counted(&mut self.counters.short_payload);
        }
        if matches!(kind, Kind::TransportPing | Kind::TransportPong) {
            return self.handle_hop_local(from, header.route_id, kind, payload);
        }
        let entry = match self.table.peek_active(header.route_id, now) {
            Ok(entry) => entry,
            Err(TableFault::NotFound) => return drop_counted(&mut self.counters.unknown_route),
            Err(TableFault::Expired) => return drop_counted(&mut self.counters.expired_route),
        };
        if *entry.extra.came_over.get_or_insert(transport) != transport {
            return drop_counted(&mut self.counters.wrong_link);
        }
        // Only now: whoever injects packets must not keep a route alive.
        entry.note_lookup(now);
        let outcome = match entry.rule.next() {
            None => self.consume(header, kind, payload, (from, now)),
            Some(_) if kind == Kind::KeepAlive && entry.rule.kind() == 1 => return Outcome::Done,
            // The id of a forward rule is nobody's next id: only a stray Close carries it, and ends the rule.
            Some(_) if kind == Kind::Close && entry.rule.kind() == 1 => {
                self.counters.no_group += 1;
                Outcome::Done
            }
            Some(_) => self.forward(header, kind, payload, (from, now)),
        };
        if kind == Kind::Close && matches!(outcome, Outcome::Done) {
            self.table.delete(header.route_id);
        }
        if let Outcome::Done = outcome
            && let Some(link) = self.links.get_mut(from)
        {
            link.stats.received_packets += 1;
            link.stats.received_bytes += payload.len() as u64;
        }
        outcome
    }

    fn handle_hop_local(&mut self, from: u32, route_id: u32, kind: Kind, payload: &[u8]) -> Outcome {
        if route_id != HOP_LOCAL {
            return drop_counted(&mut self.counters.unknown_route);
        }
        let Some(value) = payload.first_chunk::<8>() else { return Outcome::Done };
        if kind == Kind::TransportPing {
            self.append(from, Kind::TransportPong, HOP_LOCAL, &[value]);
        } else {
            self.tell_unless_flooded(Event::TransportPong { link: from, value: u64::from_be_bytes(*value) });
        }
        Outcome::Done
    }

    /// Passes a packet on. Its payload is what routing.md §3.3 says, so that no peer sees a form it does not know.
    fn forward(&mut self, header: Header, kind: Kind, payload: &[u8], (from, now): (u32, f64)) -> Outcome {
        let Some(Entry { rule, extra, .. }) = self.table.peek_mut(header.route_id) else { return Outcome::Done };
        let Some((next_id, transport)) = rule.next() else { return Outcome::Done };
        if self.links.get(extra.goes_over).is_none_or(|link| link.failed) {
            let Some(&link) = self.by_transport.get(&transport) else {
                return drop_counted(&mut self.counters.no_transport);
            };
            extra.goes_over = link;
        }
        let to = extra.goes_over;
        let Some(link) = self.links.get_mut(to) else { return Outcome::Done };
        if link.failed {
            return drop_counted(&mut self.counters.no_transport);
        }
        if !link.has_room(payload.len()) {
            link.waiting_links.push(from);
            return Outcome::Blocked(Blocker::Link(to));
        }
        let (first, rest): (&[u8], &[u8]) = match kind {
            Kind::Data | Kind::Error => (payload, &[]),
            Kind::KeepAlive => (&[], &[]),
            Kind::Handshake => (if payload[0] == 0 { &[0] } else { &[1] }, &[]),
            Kind::Close => (&payload[..1], &[]),
            Kind::Ping => (&payload[..16], &[]),
            _ => (&payload[..8], &[0; 8]),
        };
        let size = (first.len() + rest.len()) as u16;
        if link.append(Header { kind: kind as u8, route_id: next_id, size }, &[first, rest]) {
            self.counters.forwarded += 1;
            self.mark_dirty(to);
            let _ = self.table.touch(header.route_id, now);
        }
        Outcome::Done
    }

    /// Hands a packet to the group it is for.
    fn consume(&mut self, header: Header, kind: Kind, payload: &[u8], (from, now): (u32, f64)) -> Outcome {
        let Some(Entry { extra, .. }) = self.table.peek_mut(header.route_id) else { return Outcome::Done };
        let handle = extra.group;
        let Some(group) = self.groups.get_mut(handle) else {
            if kind != Kind::KeepAlive && kind != Kind::Close && extra.early.len() + payload.len() < MAX_EARLY_BYTES {
                extra.early.extend_from_slice(&header.encode());
                extra.early.extend_from_slice(payload);
            } else if kind != Kind::KeepAlive {
                self.counters.no_group += 1;
            }
            return Outcome::Done;
        };
        if kind == Kind::Data && group.is_full() {
            group.waiting_links.push(from);
            group.full_since.get_or_insert(now);
            return Outcome::Blocked(Blocker::Group(handle));
        }
        self.counters.delivered += 1;
        self.deliver(handle, kind, payload, now);
        Outcome::Done
    }

    fn deliver(&mut self, handle: u32, kind: Kind, payload: &[u8], now: f64) {
        let Some(group) = self.groups.get_mut(handle) else { return };
        if group.end.is_some() {
            return;
        }
        group.heard(now);
        match kind {
            Kind::Data => {
                if group.is_closing() {
                    return;
                }
                if group.receive(payload).is_err() {
                    return self.fail_group(handle, CloseReason::Fault, b"a record does not open", now);
                }
                self.tell_readable(handle);
            }
            Kind::Handshake => {
                let encrypt = payload.first().is_some_and(|&byte| byte != 0);
                self.tell_unless_flooded(Event::GroupHandshake { group: handle, encrypt });
            }
            Kind::Ping => {
                let Some(timestamp) = payload.first_chunk::<8>() else { return };
                if group.is_behind() {
                    group.withhold(*timestamp);
                } else {
                    self.send_of_group(handle, Kind::Pong, &[timestamp, &[0; 8]], now);
                }
            }
            Kind::Pong => {
                let Some(bytes) = payload.first_chunk::<8>() else { return };
                let timestamp = i64::from_be_bytes(*bytes);
                let asked = group.take_pong(timestamp, now);
                if group.wants_window && group.flow.has_room() {
                    group.wants_window = false;
                    self.tell(Event::GroupWritable { group: handle });
                }
                if asked {
                    self.tell_unless_flooded(Event::Pong { group: handle, timestamp });
                }
            }
            Kind::Error => group.error = payload[..payload.len().min(1024)].to_vec(),
            Kind::Close => {
                if group.is_closing() {
                    return self.end_group(handle, CloseReason::Local, b"", now);
                }
                let code = payload.first().copied().unwrap_or(CLOSE_REQUESTED);
                self.send_of_group(handle, Kind::Close, &[&[code]], now);
                self.end_group(handle, CloseReason::Remote, b"", now);
            }
            Kind::KeepAlive | Kind::TransportPing | Kind::TransportPong => {}
        }
    }

    // ---- helpers of the above

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
        self.table.delete(forward_id);
        self.table.delete(consume_id);
        self.events.push_back(Event::GroupClosed { group: handle, reason, message });
        // What they brought for this group has no rule any more.
        for link in waiting {
            self.resume(link, now);
        }
    }

    fn send_ping(&mut self, handle: u32, asked: bool, now: f64) -> Option<i64> {
        let group = self.groups.get_mut(handle)?;
        let (timestamp, throughput) = group.make_ping(asked, now);
        group.flow.also_mark(timestamp);
        self.send_of_group(handle, Kind::Ping, &[&timestamp.to_be_bytes(), &throughput.to_be_bytes()], now);
        Some(timestamp)
    }

    /// Sends a small packet on the way of a group.
    fn send_of_group(&mut self, handle: u32, kind: Kind, payload: &[&[u8]], now: f64) {
        let Some(group) = self.groups.get(handle) else { return };
        let (transport, next_id, forward_id) = (group.next_transport, group.next_id, group.forward_id);
        self.send(transport, kind, next_id, payload);
        let _ = self.table.touch(forward_id, now);
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

fn drop_counted(counter: &mut u64) -> Outcome {
    *counter += 1;
    Outcome::Done
}
