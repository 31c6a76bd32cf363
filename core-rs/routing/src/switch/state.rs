//! What the switch holds, and what each of its parts needs: sending a small packet, telling an event, asking for a time.

use std::collections::{HashMap, VecDeque};

use skywire_crypto::{MAX_FRAME_BODY_BYTES, PREFIX_BYTES};
use skywire_session::Budget;
use skywire_time::Millis;
use skywire_wire::{Header, Kind, NextHop, RouteId, TransportId};

use crate::event::Event;
use crate::group::Group;
use crate::handles::{GroupHandle, LinkHandle, SessionHandle};
use crate::held::Held;
use crate::link::Link;
use crate::slots::Slots;
use crate::table::RuleTable;

/// Expired rules are collected at this pace (routing.md §2.6).
pub(super) const COLLECT: Millis = Millis(5_000.0);
/// While there are groups or writes under way, they are looked after at this pace.
pub(super) const TICK: Millis = Millis(500.0);
/// What all sessions of a visor may keep and promise, bytes.
const SESSION_BYTES: u64 = 64 * 1024 * 1024;
/// Events that wait for the shell; those that only repeat are dropped beyond it.
const MAX_EVENTS: usize = 4096;
/// The code of every Close that begins here.
pub(super) const CLOSE_REQUESTED: u8 = 0;
/// What the ends of a route are told: without a text, a Close is a clean end.
pub(super) const LINK_DOWN_TEXT: &[u8] = b"a transport of the route is down";

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

/// Why a group or a session cannot be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFault {
    /// The handle names nothing.
    NoGroup,
    /// It has ended, has no keys yet, or takes nothing more.
    NotOpen,
}

/// What the switch keeps with a rule.
#[derive(Default)]
pub(super) struct Route {
    /// The transport that the first packet came over: no other may use the id (routing.md §10, W3).
    pub came_over: Option<TransportId>,
    /// The link to pass on to, as it was found last.
    pub goes_over: Option<LinkHandle>,
    /// The group that the rule, forward or consume, belongs to.
    pub group: Option<GroupHandle>,
    /// Packets that came before the group was there.
    pub early: Vec<u8>,
}

/// See the top of `switch/mod.rs`.
pub struct Switch {
    pub(super) table: RuleTable<Route>,
    pub(super) links: Slots<LinkHandle, Link>,
    pub(super) by_transport: HashMap<TransportId, LinkHandle>,
    pub(super) groups: Slots<GroupHandle, Group>,
    pub(super) sessions: Slots<SessionHandle, Held>,
    /// The memory that all sessions share.
    pub(super) budget: Budget,
    pub(super) events: VecDeque<Event>,
    pub(super) dirty: VecDeque<LinkHandle>,
    pub(super) counters: Counters,
    pub(super) scratch: Vec<u8>,
    /// The plaintext of a record of a leg.
    pub(super) plain: Vec<u8>,
    pub(super) collect_at: Millis,
    pub(super) tick_at: Option<Millis>,
}

impl Switch {
    /// An empty switch whose route ids begin with `first_route_id`.
    pub fn new(first_route_id: RouteId, now: Millis) -> Switch {
        Switch {
            table: RuleTable::new(first_route_id),
            links: Slots::new(),
            by_transport: HashMap::new(),
            groups: Slots::new(),
            sessions: Slots::new(),
            budget: Budget::new(SESSION_BYTES),
            events: VecDeque::new(),
            dirty: VecDeque::new(),
            counters: Counters::default(),
            scratch: vec![0; PREFIX_BYTES + MAX_FRAME_BODY_BYTES],
            plain: vec![0; MAX_FRAME_BODY_BYTES],
            collect_at: now + COLLECT,
            tick_at: None,
        }
    }

    /// The next event. Every other call may add some.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What was passed on and what was dropped.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Sends a small packet to the next visor of a route.
    pub(super) fn send(&mut self, next: NextHop, kind: Kind, payload: &[&[u8]]) {
        if let Some(&link) = self.by_transport.get(&next.transport) {
            self.append(link, kind, next.route_id, payload);
        }
    }

    /// Sends a small packet over a link.
    pub(super) fn append(&mut self, handle: LinkHandle, kind: Kind, route_id: RouteId, payload: &[&[u8]]) {
        let Ok(size) = u16::try_from(payload.iter().map(|part| part.len()).sum::<usize>()) else { return };
        let Some(link) = self.links.get_mut(handle) else { return };
        if link.append(Header { kind: kind as u8, route_id, size }, payload) {
            self.mark_dirty(handle);
        }
    }

    /// A link has output: the shell is told, unless it knows.
    pub(super) fn mark_dirty(&mut self, handle: LinkHandle) {
        if let Some(link) = self.links.get_mut(handle)
            && !link.dirty
            && link.wants_write()
        {
            link.dirty = true;
            self.dirty.push_back(handle);
        }
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// For events that a peer can cause as often as it likes, and that only repeat.
    pub(super) fn tell_unless_flooded(&mut self, event: Event) {
        if self.events.len() < MAX_EVENTS {
            self.events.push_back(event);
        }
    }

    /// Something is due at this time.
    pub(super) fn schedule(&mut self, at: Millis) {
        self.tick_at = Some(self.tick_at.map_or(at, |earlier| earlier.earlier(at)));
    }
}
