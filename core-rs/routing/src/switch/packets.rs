//! The packet path: from the bytes of a link to the link or group that a packet is for (routing.md §3).

use skywire_time::Millis;
use skywire_wire::{HEADER_BYTES, Header, Kind, RouteId, RuleKind, TransportId};

use super::state::{CLOSE_REQUESTED, Switch};
use crate::event::{CloseReason, Event};
use crate::handles::{GroupHandle, LinkHandle};
use crate::link::{Blocker, CHAT_BYTES};
use crate::table::{Entry, TableFault};

/// Packets for a consume rule whose group is not there yet, bytes.
const MAX_EARLY_BYTES: usize = 64 * 1024;
/// What is kept of the text of a peer's Error packet, bytes.
const MAX_ERROR_BYTES: usize = 1024;

/// Where a packet came from, and when.
#[derive(Clone, Copy)]
struct Arrival {
    link: LinkHandle,
    transport: TransportId,
    now: Millis,
}

enum Outcome {
    Done,
    /// And counted as such.
    Dropped,
    Blocked(Blocker),
}

impl Switch {
    /// Handles what a link has brought, until there is no whole packet or something is full.
    pub(super) fn process(&mut self, handle: LinkHandle, now: Millis) {
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
                    Outcome::Done | Outcome::Dropped => at += header.packet_length(),
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
            None => self.consume(header, kind, payload, arrival),
            Some(_) if kind == Kind::KeepAlive && entry.rule.kind() == RuleKind::Forward => Outcome::Done,
            // The id of a forward rule is nobody's next id: only a stray Close carries it, and ends the rule.
            Some(_) if kind == Kind::Close && entry.rule.kind() == RuleKind::Forward => {
                drop_counted(&mut self.counters.no_group)
            }
            Some(_) => self.forward(header, kind, payload, arrival),
        };
        if kind == Kind::Close && !matches!(outcome, Outcome::Blocked(_)) {
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

    fn handle_hop_local(&mut self, from: LinkHandle, route_id: RouteId, kind: Kind, payload: &[u8]) -> Outcome {
        if route_id != RouteId::HOP_LOCAL {
            return drop_counted(&mut self.counters.unknown_route);
        }
        let Some(value) = payload.first_chunk::<8>() else { return Outcome::Done };
        if kind == Kind::TransportPing {
            self.append(from, Kind::TransportPong, RouteId::HOP_LOCAL, &[value]);
        } else {
            self.tell_unless_flooded(Event::TransportPong { link: from, value: u64::from_be_bytes(*value) });
        }
        Outcome::Done
    }

    /// Passes a packet on. Its payload is what routing.md §3.3 says, so that no peer sees a form it does not know.
    fn forward(&mut self, header: Header, kind: Kind, payload: &[u8], arrival: Arrival) -> Outcome {
        let Some(Entry { rule, extra, .. }) = self.table.peek_mut(header.route_id) else { return Outcome::Done };
        let Some(next) = rule.next() else { return Outcome::Done };
        let links = &self.links;
        let known = extra.goes_over.filter(|&link| links.get(link).is_some_and(|link| !link.failed));
        let Some(to) = known.or_else(|| self.by_transport.get(&next.transport).copied()) else {
            return drop_counted(&mut self.counters.no_transport);
        };
        extra.goes_over = Some(to);
        let Some(link) = self.links.get_mut(to) else { return Outcome::Done };
        if link.failed {
            return drop_counted(&mut self.counters.no_transport);
        }
        if !link.has_room(payload.len()) {
            link.waiting_links.push(arrival.link);
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
        if link.append(Header { kind: kind as u8, route_id: next.route_id, size }, &[first, rest]) {
            if kind == Kind::Data && payload.len() <= CHAT_BYTES {
                link.note_chat(next.route_id, arrival.now);
            }
            self.counters.forwarded += 1;
            self.mark_dirty(to);
            let _ = self.table.touch(header.route_id, arrival.now);
        }
        Outcome::Done
    }

    /// Hands a packet to the group it is for.
    fn consume(&mut self, header: Header, kind: Kind, payload: &[u8], arrival: Arrival) -> Outcome {
        let Some(Entry { extra, .. }) = self.table.peek_mut(header.route_id) else { return Outcome::Done };
        let group = extra.group.and_then(|handle| Some((handle, self.groups.get_mut(handle)?)));
        let Some((handle, group)) = group else {
            if kind != Kind::KeepAlive && kind != Kind::Close && extra.early.len() + payload.len() < MAX_EARLY_BYTES {
                extra.early.extend_from_slice(&header.encode());
                extra.early.extend_from_slice(payload);
            } else if kind != Kind::KeepAlive {
                return drop_counted(&mut self.counters.no_group);
            }
            return Outcome::Done;
        };
        if kind == Kind::Data && group.is_full() {
            group.waiting_links.push(arrival.link);
            group.full_since.get_or_insert(arrival.now);
            return Outcome::Blocked(Blocker::Group(handle));
        }
        self.counters.delivered += 1;
        self.deliver(handle, kind, payload, arrival.now);
        Outcome::Done
    }

    pub(super) fn deliver(&mut self, handle: GroupHandle, kind: Kind, payload: &[u8], now: Millis) {
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
                if group.leg.is_some() {
                    return self.deliver_to_session(handle, payload, now);
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
                if let Some(leg) = &group.leg {
                    let session = leg.session;
                    self.acknowledge(session, now);
                }
                let Some(group) = self.groups.get_mut(handle) else { return };
                if group.is_behind() {
                    group.withhold(*timestamp);
                } else {
                    self.send_of_group(handle, Kind::Pong, &[timestamp, &[0; 8]], now);
                }
            }
            Kind::Pong => {
                let Some(bytes) = payload.first_chunk::<8>() else { return };
                let timestamp = i64::from_be_bytes(*bytes);
                let asked = group.path.take_pong(timestamp, now);
                if group.leg.is_some() {
                    self.leg_answered(handle, now);
                } else if group.wants_window && group.path.flow.has_room() {
                    group.wants_window = false;
                    self.tell(Event::GroupWritable { group: handle });
                }
                if asked {
                    self.tell_unless_flooded(Event::Pong { group: handle, timestamp });
                }
            }
            Kind::Error => group.error = payload[..payload.len().min(MAX_ERROR_BYTES)].to_vec(),
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
}

fn drop_counted(counter: &mut u64) -> Outcome {
    *counter += 1;
    Outcome::Dropped
}
