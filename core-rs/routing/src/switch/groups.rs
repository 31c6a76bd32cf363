//! The ends of connections: what a local reader or writer asks of its group.

use skywire_crypto::{MAX_FRAME_PLAINTEXT_BYTES, Records};
use skywire_wire::{Body, HEADER_BYTES, Header, Kind};

use super::{CLOSE_REQUESTED, GroupStats, Switch, TICK_MS, WriteFault};
use crate::event::CloseReason;
use crate::group::Group;
use crate::link::CHAT_BYTES;

impl Switch {
    /// Begins a group on a saved forward and consume rule. `None` when one of them is missing or has a group.
    pub fn add_group(&mut self, forward_id: u32, consume_id: u32, now: f64) -> Option<u32> {
        let forward = self.table.peek(forward_id)?;
        let Body::Forward { next_id, next_transport, .. } = forward.rule.body else { return None };
        if forward.extra.group != 0 {
            return None;
        }
        let consume = self.table.peek(consume_id)?;
        if !matches!(consume.rule.body, Body::Consume { .. }) || consume.extra.group != 0 {
            return None;
        }
        let group = Group::new((consume_id, forward_id), (next_id, next_transport), now);
        let handle = self.groups.insert(group)?;
        if let Some(forward) = self.table.peek_mut(forward_id) {
            forward.extra.group = handle;
        }
        let early = self.table.peek_mut(consume_id).map_or_else(Vec::new, |entry| {
            entry.extra.group = handle;
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
        if bytes.len() <= CHAT_BYTES {
            link.note_chat(group.next_id, now);
        }
        group.flow.set_beside_chat(link.carries_chat_beside(group.next_id, now));
        let mut taken = 0;
        for record in bytes.chunks(MAX_FRAME_PLAINTEXT_BYTES) {
            if !link.has_local_room(group.next_id) || !group.flow.has_room() {
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
            if !link.has_local_room(group.next_id) && !group.wants_link {
                group.wants_link = true;
                link.waiting_groups.push((handle, group.next_id));
            }
        }
        self.mark_dirty(link_handle);
        self.touch_forward_rule(handle, now);
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
        self.give_up_rule(handle, forward_id);
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
        self.give_up_rule(handle, group.forward_id);
        self.give_up_rule(handle, group.consume_id);
        for waiting in group.waiting_links {
            self.resume(waiting, now);
        }
    }
}
