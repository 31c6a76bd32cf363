//! The links of a switch: they come and go, bring bytes and take bytes.

use skywire_crypto::Records;
use skywire_time::Millis;
use skywire_wire::{Kind, RouteId, Rule, TransportId};

use super::state::{CLOSE_REQUESTED, LINK_DOWN_TEXT, Switch, TICK};
use crate::event::{CloseReason, Event};
use crate::handles::LinkHandle;
use crate::link::{Link, LinkStats};

impl Switch {
    /// Adds the link of a transport; `early` is plaintext that was read before. `None` when there are too many links.
    pub fn add_link(
        &mut self,
        transport: TransportId,
        records: Option<Records>,
        early: &[u8],
        now: Millis,
    ) -> Option<LinkHandle> {
        let handle = self.links.insert(Link::new(transport, records, early))?;
        self.by_transport.insert(transport, handle);
        self.process(handle, now);
        Some(handle)
    }

    /// The link is gone: tells both sides of every route that used it, as far as they are known here.
    pub fn remove_link(&mut self, handle: LinkHandle, now: Millis) {
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
        self.tell_writable(link.waiting_groups.into_iter().map(|waiting| waiting.group).collect(), now);
        for waiting in link.waiting_links {
            self.resume(waiting, now);
        }
    }

    /// No link carries this transport any more.
    fn fail_routes(&mut self, transport: TransportId, now: Millis) {
        let brought: Vec<Rule> = self
            .table
            .stored()
            .filter(|entry| entry.extra.came_over == Some(transport))
            .map(|entry| entry.rule)
            .collect();
        for rule in brought {
            match rule.next() {
                // As if the visor behind the link had failed and closed the route: its other end learns at once.
                Some(next) => {
                    self.table.delete(rule.route_id);
                    self.send(next, Kind::Error, &[LINK_DOWN_TEXT]);
                    self.send(next, Kind::Close, &[&[CLOSE_REQUESTED]]);
                }
                None => {
                    if let Some(group) = self.table.peek(rule.route_id).and_then(|entry| entry.extra.group) {
                        self.fail_group(group, CloseReason::LinkDown, b"", now);
                    }
                }
            }
        }
        for group in self.groups.handles() {
            if self.groups.get(group).is_some_and(|group| group.path.next.transport == transport) {
                self.fail_group(group, CloseReason::LinkDown, b"", now);
            }
        }
    }

    /// Where the next bytes of a link go; empty while it is not to be read.
    pub fn read_area(&mut self, handle: LinkHandle) -> &mut [u8] {
        self.links.get_mut(handle).map_or(&mut [], Link::read_area)
    }

    /// `count` bytes were put into the read area of a link.
    pub fn ingest(&mut self, handle: LinkHandle, count: usize, now: Millis) {
        if let Some(link) = self.links.get_mut(handle) {
            link.received(count);
            self.schedule(self.collect_at);
            self.process(handle, now);
        }
    }

    /// Bytes for the socket of a link; they stay in place until [`Self::output_written`].
    pub fn output(&mut self, handle: LinkHandle, now: Millis) -> &[u8] {
        self.schedule(now + TICK);
        self.links.get_mut(handle).map_or(&[], |link| link.output(now))
    }

    /// The socket took the output.
    pub fn output_written(&mut self, handle: LinkHandle, now: Millis) {
        let Some(link) = self.links.get_mut(handle) else { return };
        link.written();
        if link.wants_write() && !link.dirty {
            link.dirty = true;
            self.dirty.push_back(handle);
        }
        let (links, groups) = (link.take_waiting_links(), link.take_waiting_groups());
        self.tell_writable(groups, now);
        for waiting in links {
            self.resume(waiting, now);
        }
    }

    /// Figures of a link.
    pub fn link_stats(&self, handle: LinkHandle) -> Option<LinkStats> {
        self.links.get(handle).map(|link| link.stats)
    }

    /// Asks the visor at the other end of a link for a sign of life.
    pub fn send_transport_ping(&mut self, handle: LinkHandle, value: u64) {
        self.append(handle, Kind::TransportPing, RouteId::HOP_LOCAL, &[&value.to_be_bytes()]);
    }

    /// The next link that has output and no write under way. Every other call may add some.
    pub fn poll_dirty(&mut self) -> Option<LinkHandle> {
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

    /// The blocker of a link may be gone: goes on where it stopped, and tells when it can be read again.
    pub(super) fn resume(&mut self, handle: LinkHandle, now: Millis) {
        let Some(link) = self.links.get_mut(handle) else { return };
        if link.blocked.take().is_none() {
            return;
        }
        self.process(handle, now);
        if self.links.get(handle).is_some_and(|link| link.blocked.is_none() && !link.failed) {
            self.tell(Event::LinkResumed { link: handle });
        }
    }
}
