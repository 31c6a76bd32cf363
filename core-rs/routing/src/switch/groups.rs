//! The groups of a switch, which are the ends of connections: what a local reader or writer asks of them, and how they end.

use skywire_crypto::{MAX_FRAME_PLAINTEXT_BYTES, Records};
use skywire_time::Millis;
use skywire_wire::{Body, HEADER_BYTES, Header, Kind, RouteId};

use super::state::{CLOSE_REQUESTED, LINK_DOWN_TEXT, Switch, TICK, WriteFault};
use crate::event::{CloseReason, Event};
use crate::group::Group;
use crate::handles::GroupHandle;
use crate::link::{CHAT_BYTES, WaitingGroup};
use crate::path::Path;

/// Figures of a group.
#[derive(Clone, Copy, Debug)]
pub struct GroupStats {
    pub sent_bytes: u64,
    pub received_bytes: u64,
    /// The latest round trip.
    pub rtt: Option<Millis>,
}

impl Switch {
    /// Begins a group on a saved forward and consume rule. `None` when one of them is missing or has a group.
    pub fn add_group(&mut self, forward: RouteId, consume: RouteId, now: Millis) -> Option<GroupHandle> {
        let entry = self.table.peek(forward)?;
        let Body::Forward { next, .. } = entry.rule.body else { return None };
        if entry.extra.group.is_some() {
            return None;
        }
        let entry = self.table.peek(consume)?;
        if !matches!(entry.rule.body, Body::Consume { .. }) || entry.extra.group.is_some() {
            return None;
        }
        let handle = self.groups.insert(Group::new(Path::new(forward, consume, next, now), now))?;
        if let Some(entry) = self.table.peek_mut(forward) {
            entry.extra.group = Some(handle);
        }
        let early = self.table.peek_mut(consume).map_or_else(Vec::new, |entry| {
            entry.extra.group = Some(handle);
            core::mem::take(&mut entry.extra.early)
        });
        let mut rest = early.as_slice();
        while let Some(header) = Header::decode(rest) {
            let (packet, later) = rest.split_at(header.packet_length().min(rest.len()));
            if let Some(kind) = Kind::of(header.kind) {
                self.counters.delivered += 1;
                self.deliver(handle, kind, &packet[HEADER_BYTES..], now);
            }
            rest = later;
        }
        self.schedule(now + TICK);
        Some(handle)
    }

    /// Sends a Handshake packet that asks for encryption.
    pub fn send_handshake(&mut self, handle: GroupHandle, now: Millis) {
        self.send_of_group(handle, Kind::Handshake, &[&[1]], now);
    }

    /// Takes the next Noise message that came; its length.
    pub fn take_frame(&mut self, handle: GroupHandle, out: &mut [u8]) -> Option<usize> {
        let group = self.groups.get_mut(handle)?;
        let length = group.take_frame(out)?;
        group.told_frame = false;
        self.tell_readable(handle);
        Some(length)
    }

    /// Sends a Noise message in one Data packet.
    pub fn send_frame(&mut self, handle: GroupHandle, message: &[u8], now: Millis) {
        let Ok(length) = u16::try_from(message.len()) else { return };
        self.send_of_group(handle, Kind::Data, &[&length.to_be_bytes(), message], now);
    }

    /// Installs the keys of a group; what came early is opened. `false`: there is no such group.
    pub fn secure_group(&mut self, handle: GroupHandle, records: Records, now: Millis) -> bool {
        let Some(group) = self.groups.get_mut(handle) else { return false };
        if group.secure(records, now).is_err() {
            self.fail_group(handle, CloseReason::Fault, b"a record does not open", now);
        }
        self.tell_readable(handle);
        true
    }

    /// Seals what the first hop has room for; how many bytes were taken. When not all were, `GroupWritable` follows.
    pub fn write(&mut self, handle: GroupHandle, bytes: &[u8], now: Millis) -> Result<usize, WriteFault> {
        let group = self.groups.get_mut(handle).ok_or(WriteFault::NoGroup)?;
        if group.end.is_some() || group.is_closing() || !group.is_secure() || group.leg.is_some() {
            return Err(WriteFault::NotOpen);
        }
        let Some(&link_handle) = self.by_transport.get(&group.path.next.transport) else {
            self.fail_group(handle, CloseReason::LinkDown, b"", now);
            return Err(WriteFault::NotOpen);
        };
        let Some(link) = self.links.get_mut(link_handle) else { return Err(WriteFault::NotOpen) };
        let route_id = group.path.next.route_id;
        if bytes.len() <= CHAT_BYTES {
            link.note_chat(route_id, now);
        }
        group.path.flow.set_beside_chat(link.carries_chat_beside(route_id, now));
        let mut taken = 0;
        for record in bytes.chunks(MAX_FRAME_PLAINTEXT_BYTES) {
            if !link.has_local_room(route_id) || !group.path.flow.has_room() {
                break;
            }
            let sealed = group.seal(record, &mut self.scratch, now);
            if sealed == 0 {
                break;
            }
            let header = Header { kind: Kind::Data as u8, route_id, size: sealed as u16 };
            if !link.append(header, &[&self.scratch[..sealed]]) {
                break;
            }
            group.sent_bytes += sealed as u64;
            group.path.flow.sent(sealed);
            taken += record.len();
            if group.path.flow.wants_mark() {
                let ping = group.path.mark(group.received_bytes, now).encode();
                link.append(Header { kind: Kind::Ping as u8, route_id, size: ping.len() as u16 }, &[&ping]);
            }
        }
        if taken < bytes.len() {
            group.wants_window = !group.path.flow.has_room();
            if !link.has_local_room(route_id) && !group.wants_link {
                group.wants_link = true;
                link.waiting_groups.push(WaitingGroup { group: handle, route_id });
            }
        }
        self.mark_dirty(link_handle);
        self.touch_forward_rule(handle, now);
        Ok(taken)
    }

    /// Reads as a stream; 0 when there is nothing now.
    pub fn read(&mut self, handle: GroupHandle, into: &mut [u8], now: Millis) -> usize {
        let Some(group) = self.groups.get_mut(handle) else { return 0 };
        let count = group.inbox.read(into);
        self.after_read(handle, now);
        count
    }

    /// How long the next record is, or the rest of one read in part; 0: nothing is there.
    pub fn message_length(&self, handle: GroupHandle) -> usize {
        self.groups.get(handle).map_or(0, |group| group.inbox.message_length())
    }

    /// Sends a Ping; its answer comes as `Pong` with the timestamp returned.
    pub fn ping(&mut self, handle: GroupHandle, now: Millis) -> Option<i64> {
        self.send_ping(handle, true, now)
    }

    /// Figures of a group.
    pub fn group_stats(&self, handle: GroupHandle) -> Option<GroupStats> {
        self.groups.get(handle).map(|group| GroupStats {
            sent_bytes: group.sent_bytes,
            received_bytes: group.received_bytes,
            rtt: group.path.rtt,
        })
    }

    /// Says goodbye: an Error packet when there is a text, then Close. `GroupClosed` follows within 2 s.
    pub fn close_group(&mut self, handle: GroupHandle, error: &[u8], now: Millis) {
        let Some(group) = self.groups.get_mut(handle) else { return };
        if group.end.is_some() || group.is_closing() {
            return;
        }
        group.begin_close(now);
        let leg = group.leg.take();
        let forward_id = group.path.forward;
        let waiting = core::mem::take(&mut group.waiting_links);
        if !error.is_empty() {
            self.send_of_group(handle, Kind::Error, &[error], now);
        }
        self.send_of_group(handle, Kind::Close, &[&[CLOSE_REQUESTED]], now);
        self.give_up_rule(handle, forward_id);
        self.schedule(now + TICK);
        self.lose_leg(handle, leg, now);
        // Nobody reads what they brought for it any more, and the answer is behind that.
        for link in waiting {
            self.resume(link, now);
        }
    }

    /// Forgets a group and its rules; a peer that was not told learns it from a Close.
    pub fn remove_group(&mut self, handle: GroupHandle, now: Millis) {
        self.close_group(handle, b"", now);
        let Some(group) = self.groups.remove(handle) else { return };
        self.give_up_rule(handle, group.path.forward);
        self.give_up_rule(handle, group.path.consume);
        for waiting in group.waiting_links {
            self.resume(waiting, now);
        }
    }

    fn after_read(&mut self, handle: GroupHandle, now: Millis) {
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
    pub(super) fn tell_writable(&mut self, groups: Vec<GroupHandle>, now: Millis) {
        for handle in groups {
            let Some(group) = self.groups.get_mut(handle) else { continue };
            if !core::mem::take(&mut group.wants_link) || group.end.is_some() {
                continue;
            }
            match &group.leg {
                Some(leg) => {
                    let session = leg.session;
                    self.pump(session, now);
                }
                None => self.tell(Event::GroupWritable { group: handle }),
            }
        }
    }

    /// Tells once that there is something; again only after all of it was taken.
    pub(super) fn tell_readable(&mut self, handle: GroupHandle) {
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
    pub(super) fn fail_group(&mut self, handle: GroupHandle, reason: CloseReason, message: &[u8], now: Millis) {
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
    pub(super) fn end_group(&mut self, handle: GroupHandle, reason: CloseReason, message: &[u8], now: Millis) {
        let Some(group) = self.groups.get_mut(handle) else { return };
        if group.end.is_some() {
            return;
        }
        group.end = Some(reason);
        let leg = group.leg.take();
        let message = if message.is_empty() { core::mem::take(&mut group.error) } else { message.to_vec() };
        let (forward_id, consume_id) = (group.path.forward, group.path.consume);
        let waiting = core::mem::take(&mut group.waiting_links);
        self.give_up_rule(handle, forward_id);
        self.give_up_rule(handle, consume_id);
        self.events.push_back(Event::GroupClosed { group: handle, reason, message });
        self.lose_leg(handle, leg, now);
        // What they brought for this group has no rule any more.
        for link in waiting {
            self.resume(link, now);
        }
    }

    pub(super) fn send_ping(&mut self, handle: GroupHandle, asked: bool, now: Millis) -> Option<i64> {
        let group = self.groups.get_mut(handle)?;
        let ping = group.path.ping(asked, group.received_bytes, now);
        if let Some(leg) = &mut group.leg {
            leg.asked(now);
        }
        self.send_of_group(handle, Kind::Ping, &[&ping.encode()], now);
        Some(ping.timestamp)
    }

    /// Sends a small packet on the way of a group.
    pub(super) fn send_of_group(&mut self, handle: GroupHandle, kind: Kind, payload: &[&[u8]], now: Millis) {
        let Some(group) = self.groups.get(handle) else { return };
        self.send(group.path.next, kind, payload);
        self.touch_forward_rule(handle, now);
    }
}
