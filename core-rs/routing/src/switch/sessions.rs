//! The sessions of a switch, and the groups that are their legs (sessions.md): records of a leg go into its session, frames
//! of a session go over those of its legs that have room, and a leg that brings nothing is told of.

use skywire_session::{LegId, LegStart, Over, Session, SessionFigures};
use skywire_time::Millis;
use skywire_wire::{Header, Kind};

use super::state::{Switch, TICK, WriteFault};
use crate::event::{CloseReason, Event};
use crate::handles::{GroupHandle, SessionHandle};
use crate::held::Held;
use crate::leg::{GroupLeg, LEG_TICK, LegDue};
use crate::link::{CHAT_BYTES, WaitingGroup};

/// How a group becomes a leg.
#[derive(Clone, Copy, Debug)]
pub struct LegSpec {
    pub start: LegStart,
    /// The other end has proven that it is there; otherwise nothing of `start` counts before its first record.
    pub is_confirmed: bool,
}

/// How a session is.
#[derive(Clone, Copy, Debug)]
pub struct SessionState {
    pub figures: SessionFigures,
    /// How many bytes beyond those received it takes.
    pub window: u64,
    /// All that the other end wrote was read.
    pub is_read_out: bool,
    /// The other end takes nothing any more.
    pub is_stopped: bool,
    /// Both directions are done.
    pub is_done: bool,
}

impl Switch {
    /// Begins a session without legs; `None` when all memory for sessions is in use.
    pub fn add_session(&mut self) -> Option<SessionHandle> {
        if !self.budget.has_room() {
            return None;
        }
        let session = Session::new(&mut self.budget);
        self.sessions.insert(Held::new(session))
    }

    /// Makes a group with keys a leg of a session, and takes what it has received. `false`: one of them is not there.
    pub fn add_leg(&mut self, session: SessionHandle, group: GroupHandle, spec: LegSpec, now: Millis) -> bool {
        let Some(it) = self.groups.get_mut(group) else { return false };
        if it.end.is_some() || it.is_closing() || !it.is_secure() || it.leg.is_some() {
            return false;
        }
        let Some(held) = self.sessions.get_mut(session) else { return false };
        it.leg = Some(GroupLeg::new(session, (!spec.is_confirmed).then_some(spec.start), now));
        if spec.is_confirmed {
            let _ = held.session.add_leg(leg_id(group), spec.start);
        }
        // The first round trip says how long silence may be.
        self.send_ping(group, false, now);
        self.take_inbox(group, now);
        self.pump(session, now);
        self.schedule(now + LEG_TICK);
        true
    }

    /// Shall a leg carry data, or wait until no other does?
    pub fn use_leg(&mut self, session: SessionHandle, group: GroupHandle, in_use: bool, now: Millis) {
        if let Some(held) = self.sessions.get_mut(session) {
            held.session.use_leg(leg_id(group), in_use);
            self.pump(session, now);
        }
    }

    /// Does the initiator want a leg to carry data?
    pub fn is_leg_used(&self, session: SessionHandle, group: GroupHandle) -> bool {
        self.sessions.get(session).is_some_and(|held| held.session.is_used(leg_id(group)))
    }

    /// Keeps what there is room for until the other end has it; how many bytes. When not all were, `SessionWritable` follows.
    pub fn session_write(&mut self, handle: SessionHandle, bytes: &[u8], now: Millis) -> Result<usize, WriteFault> {
        let mut taken = 0;
        loop {
            let held = self.sessions.get_mut(handle).ok_or(WriteFault::NoGroup)?;
            let count = held.session.write(&bytes[taken..], &mut self.budget).map_err(|_| WriteFault::NotOpen)?;
            taken += count;
            held.wants_room = taken < bytes.len();
            if count > 0 {
                self.schedule(now + LEG_TICK);
            }
            self.pump(handle, now);
            if count == 0 || taken == bytes.len() {
                return Ok(taken);
            }
        }
    }

    /// Reads as a stream; 0 when there is nothing now.
    pub fn session_read(&mut self, handle: SessionHandle, into: &mut [u8], now: Millis) -> usize {
        let Some(held) = self.sessions.get_mut(handle) else { return 0 };
        let count = held.session.read(into, &mut self.budget);
        held.told_readable &= held.session.message_length() > 0;
        self.pump(handle, now);
        count
    }

    /// How long the next message is, or the rest of one read in part; 0: nothing is there.
    pub fn session_message_length(&self, handle: SessionHandle) -> usize {
        self.sessions.get(handle).map_or(0, |held| held.session.message_length())
    }

    /// Ends the direction from here; `stops`: this side does not read any more either.
    pub fn session_finish(&mut self, handle: SessionHandle, stops: bool, now: Millis) {
        if let Some(held) = self.sessions.get_mut(handle) {
            held.session.finish(stops, &mut self.budget);
            self.pump(handle, now);
            self.schedule(now + LEG_TICK);
        }
    }

    /// Gives up both directions; the other end is told as far as there is a leg.
    pub fn session_reset(&mut self, handle: SessionHandle, code: u8, text: &[u8], now: Millis) {
        if let Some(held) = self.sessions.get_mut(handle) {
            held.session.reset(code, text, &mut self.budget);
            self.pump(handle, now);
        }
    }

    pub fn session_state(&self, handle: SessionHandle) -> Option<SessionState> {
        self.sessions.get(handle).map(|Held { session, .. }| SessionState {
            figures: session.figures(),
            window: session.position().1,
            is_read_out: session.is_read_out(),
            is_stopped: session.is_stopped(),
            is_done: session.over() == Some(&Over::Done),
        })
    }

    /// Forgets a session; its groups are nobody's legs any more.
    pub fn remove_session(&mut self, handle: SessionHandle) {
        let Some(mut held) = self.sessions.remove(handle) else { return };
        held.session.release(&mut self.budget);
        for group in self.groups.handles() {
            if let Some(group) = self.groups.get_mut(group)
                && group.leg.as_ref().is_some_and(|leg| leg.session == handle)
            {
                group.leg = None;
            }
        }
    }

    /// Takes the payload of a Data packet of a leg.
    pub(super) fn deliver_to_session(&mut self, handle: GroupHandle, payload: &[u8], now: Millis) {
        let Some(group) = self.groups.get_mut(handle) else { return };
        match group.receive_into(payload, &mut self.plain) {
            Err(_) => self.fail_group(handle, CloseReason::Fault, b"a record does not open", now),
            Ok(Some(length)) => {
                if let Some(session) = self.take_record(handle, length, now) {
                    self.pump(session, now);
                }
            }
            Ok(None) => self.take_inbox(handle, now),
        }
    }

    /// Hands over what the inbox of a leg holds.
    fn take_inbox(&mut self, handle: GroupHandle, now: Millis) {
        let mut session = None;
        while let Some(group) = self.groups.get_mut(handle) {
            let length = group.inbox.message_length();
            if length == 0 {
                break;
            }
            group.inbox.read(&mut self.plain[..length]);
            session = self.take_record(handle, length, now);
        }
        if let Some(session) = session {
            self.pump(session, now);
        }
    }

    /// Hands the record in `plain` to the session; that session, which is to be pumped.
    fn take_record(&mut self, handle: GroupHandle, length: usize, now: Millis) -> Option<SessionHandle> {
        if length == 0 {
            return None;
        }
        let leg = self.groups.get_mut(handle)?.leg.as_mut()?;
        let session = leg.session;
        let held = self.sessions.get_mut(session)?;
        leg.data_at = now;
        let mut confirmed = false;
        if let Some(start) = leg.start.take() {
            let _ = held.session.add_leg(leg_id(handle), start);
            confirmed = true;
        }
        // A fault ends the session, which is told of by its end.
        let _ = held.session.take(leg_id(handle), &self.plain[..length], &mut self.budget);
        if confirmed {
            self.tell(Event::LegConfirmed { group: handle });
        }
        self.schedule(now + LEG_TICK);
        Some(session)
    }

    /// A group that was a leg has ended.
    pub(super) fn lose_leg(&mut self, handle: GroupHandle, leg: Option<GroupLeg>, now: Millis) {
        let Some(leg) = leg else { return };
        if let Some(held) = self.sessions.get_mut(leg.session) {
            held.session.remove_leg(leg_id(handle));
            self.pump(leg.session, now);
        }
    }

    /// A ping over a leg was answered.
    pub(super) fn leg_answered(&mut self, handle: GroupHandle, now: Millis) {
        let Some(leg) = self.groups.get_mut(handle).and_then(|group| group.leg.as_mut()) else { return };
        let session = leg.session;
        if leg.answered(now) {
            if let Some(held) = self.sessions.get_mut(session) {
                held.session.set_silent(leg_id(handle), false);
            }
            self.tell(Event::LegHeard { group: handle });
        }
        self.pump(session, now);
    }

    /// A leg asks whether this end lives. The answer leaves anyway, and what was received is told along with it.
    pub(super) fn acknowledge(&mut self, session: SessionHandle, now: Millis) {
        if let Some(held) = self.sessions.get_mut(session) {
            held.session.tick();
            held.ticked_at = now;
            self.pump(session, now);
        }
    }

    /// Asks legs whether they live, and tells of those that do not.
    pub(super) fn look_after_legs(&mut self, now: Millis) {
        for handle in self.groups.handles() {
            let Some(group) = self.groups.get_mut(handle) else { continue };
            let (rtt, ended) = (group.path.rtt, group.end.is_some());
            let Some(leg) = &mut group.leg else { continue };
            let session = leg.session;
            let Some(held) = self.sessions.get_mut(session) else { continue };
            if ended || leg.start.is_some() {
                continue;
            }
            let (busy, beside) = (held.session.is_busy(), held.session.has_other(leg_id(handle)));
            match leg.due(rtt, busy, beside, now) {
                Some(LegDue::Ask) => {
                    self.send_ping(handle, false, now);
                }
                Some(LegDue::Silent) => {
                    held.session.set_silent(leg_id(handle), true);
                    self.tell(Event::LegSilent { group: handle });
                }
                None => {}
            }
            if let Some(held) = self.sessions.get_mut(session)
                && now - held.ticked_at >= TICK
            {
                held.session.tick();
                held.ticked_at = now;
            }
            self.pump(session, now);
        }
    }

    /// Is data under way on a leg?
    pub(super) fn expects_data(&self, now: Millis) -> bool {
        self.groups.iter().any(|(_, group)| {
            group.leg.as_ref().is_some_and(|leg| {
                let busy = self.sessions.get(leg.session).is_some_and(|held| held.session.is_busy());
                group.end.is_none() && !leg.is_silent && leg.is_expectant(busy, now)
            })
        })
    }

    /// Sends what a session has over the legs that have room, and tells its reader and writer.
    pub(super) fn pump(&mut self, handle: SessionHandle, now: Millis) {
        let mut index = 0;
        while let Some(leg) = self.sessions.get(handle).and_then(|held| held.session.leg_at(index)) {
            index += 1;
            self.pump_leg(handle, leg.0.into(), now);
        }
        self.tell_of_session(handle);
    }

    fn pump_leg(&mut self, session: SessionHandle, handle: GroupHandle, now: Millis) {
        let Switch { sessions, groups, links, by_transport, budget, scratch, .. } = self;
        let (Some(held), Some(group)) = (sessions.get_mut(session), groups.get_mut(handle)) else { return };
        if group.end.is_some() || group.is_closing() {
            return;
        }
        let next = group.path.next;
        let Some(&link_handle) = by_transport.get(&next.transport) else {
            return self.fail_group(handle, CloseReason::LinkDown, b"", now);
        };
        let Some(link) = links.get_mut(link_handle) else { return };
        let route_id = next.route_id;
        let mut sent = false;
        loop {
            if !link.has_local_room(route_id) {
                if !group.wants_link {
                    group.wants_link = true;
                    link.waiting_groups.push(WaitingGroup { group: handle, route_id });
                }
                break;
            }
            let Some(frame) = held.session.next(leg_id(handle), group.path.flow.has_room(), budget) else { break };
            if !sent {
                group.path.flow.set_beside_chat(link.carries_chat_beside(route_id, now));
            }
            if is_chat(frame) {
                link.note_chat(route_id, now);
            }
            let sealed = group.seal(frame, scratch, now);
            let header = Header { kind: Kind::Data as u8, route_id, size: sealed as u16 };
            if sealed == 0 || !link.append(header, &[&scratch[..sealed]]) {
                // The record is lost, and with it the order of the leg.
                return self.fail_group(handle, CloseReason::Fault, b"the route took no more", now);
            }
            sent = true;
            group.sent_bytes += sealed as u64;
            group.path.flow.sent(sealed);
            if group.path.flow.wants_mark() {
                let ping = group.path.mark(group.received_bytes, now).encode();
                link.append(Header { kind: Kind::Ping as u8, route_id, size: ping.len() as u16 }, &[&ping]);
            }
        }
        if sent {
            self.mark_dirty(link_handle);
            self.touch_forward_rule(handle, now);
        }
    }

    fn tell_of_session(&mut self, handle: SessionHandle) {
        let Some(held) = self.sessions.get_mut(handle) else { return };
        let session = &held.session;
        let has_end = session.is_read_out() && !core::mem::replace(&mut held.told_end, session.is_read_out());
        if has_end || (session.message_length() > 0 && !held.told_readable) {
            held.told_readable = session.message_length() > 0;
            self.events.push_back(Event::SessionReadable { session: handle });
        }
        if held.wants_room && session.is_writable(&self.budget) {
            held.wants_room = false;
            self.events.push_back(Event::SessionWritable { session: handle });
        }
        if let Some(over) = session.over()
            && !held.told_over
        {
            held.told_over = true;
            self.events.push_back(Event::SessionOver { session: handle, over: over.clone() });
        }
    }
}

fn leg_id(group: GroupHandle) -> LegId {
    LegId(group.into())
}

/// Is this a small piece of data, for which somebody waits?
fn is_chat(frame: &[u8]) -> bool {
    frame.len() <= CHAT_BYTES && frame.first() == Some(&0)
}
