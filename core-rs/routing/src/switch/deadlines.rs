//! What a switch does because time has passed.

use skywire_time::Millis;
use skywire_wire::Kind;

use super::state::{COLLECT, Switch, TICK};
use crate::event::{CloseReason, Event, LinkFault};
use crate::group::Due;
use crate::handles::GroupHandle;
use crate::leg::LEG_TICK;

impl Switch {
    /// When [`Self::handle_deadline`] is due. Every other call may change it.
    pub fn poll_deadline(&self) -> Option<Millis> {
        self.tick_at
    }

    /// Does what is due: pings, keep-alives, ends of groups and rules, links that stand still.
    pub fn handle_deadline(&mut self, now: Millis) {
        self.tick_at = None;
        self.look_after_legs(now);
        for handle in self.groups.handles() {
            if let Some(due) = self.groups.get(handle).and_then(|group| group.due(now)) {
                self.look_after_group(handle, due, now);
            }
        }
        self.fail_stalled_links(now);
        if now >= self.collect_at {
            self.collect_at = now + COLLECT;
            self.rest_links();
            self.rest_sessions();
            self.collect_rules(now);
        }
        self.schedule_next(now);
    }

    fn look_after_group(&mut self, handle: GroupHandle, due: Due, now: Millis) {
        match due {
            Due::Ping => {
                self.send_ping(handle, false, now);
            }
            Due::KeepAlive => {
                self.send_of_group(handle, Kind::KeepAlive, &[], now);
                if let Some(group) = self.groups.get_mut(handle) {
                    group.kept_alive(now);
                }
            }
            Due::End(CloseReason::Local, _) => self.end_group(handle, CloseReason::Local, b"", now),
            Due::End(reason, text) => self.fail_group(handle, reason, text.as_bytes(), now),
        }
    }

    fn fail_stalled_links(&mut self, now: Millis) {
        for handle in self.links.handles() {
            if let Some(link) = self.links.get_mut(handle)
                && !link.failed
                && link.is_stalled(now)
            {
                link.failed = true;
                self.tell(Event::LinkFault { link: handle, fault: LinkFault::Stalled });
            }
        }
    }

    fn rest_links(&mut self) {
        for handle in self.links.handles() {
            if let Some(link) = self.links.get_mut(handle) {
                link.rest();
            }
        }
    }

    fn rest_sessions(&mut self) {
        for handle in self.sessions.handles() {
            if let Some(held) = self.sessions.get_mut(handle) {
                held.session.rest();
            }
        }
    }

    fn collect_rules(&mut self, now: Millis) {
        let mut groups = Vec::new();
        self.table.collect(now, |entry| {
            // A group goes on without its forward rule (routing.md §2.7).
            if entry.rule.next().is_none() {
                groups.extend(entry.extra.group);
            }
        });
        for group in groups {
            self.fail_group(group, CloseReason::Expired, b"", now);
        }
    }

    fn schedule_next(&mut self, now: Millis) {
        let busy = self.groups.iter().any(|(_, group)| group.end.is_none())
            || self.links.iter().any(|(_, link)| link.is_writing());
        if busy {
            self.schedule(now + TICK);
        }
        if self.expects_data(now) {
            self.schedule(now + LEG_TICK);
        }
        if self.table.count() > 0 || self.links.iter().any(|(_, link)| link.holds_buffers()) {
            self.schedule(self.collect_at);
        }
    }
}
