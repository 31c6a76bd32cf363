//! The rules of a switch: ids are handed out, rules saved and deleted, and groups hold on to theirs.

use skywire_time::Millis;
use skywire_wire::{RouteId, Rule, RuleFault};

use super::state::Switch;
use crate::event::CloseReason;
use crate::handles::GroupHandle;

impl Switch {
    /// Hands out `count` route ids and returns the first.
    pub fn reserve(&mut self, count: u32) -> Option<RouteId> {
        self.table.reserve(count)
    }

    /// Stores a rule. One of the same id is replaced, as if it had been deleted before.
    pub fn save_rule(&mut self, bytes: &[u8], now: Millis) -> Result<(), RuleFault> {
        let rule = Rule::decode(bytes)?;
        self.delete_rule(rule.route_id, now);
        self.table.save(rule, now);
        self.schedule(self.collect_at);
        Ok(())
    }

    /// Forgets a rule; its group, if it has one, ends.
    pub fn delete_rule(&mut self, id: RouteId, now: Millis) {
        if let Some(entry) = self.table.delete(id)
            && let Some(group) = entry.extra.group
        {
            self.fail_group(group, CloseReason::Expired, b"", now);
        }
    }

    /// Calls `each` with every active rule and how long it has been idle.
    pub fn each_rule(&self, now: Millis, mut each: impl FnMut(&Rule, Millis)) {
        self.table.active(now).for_each(|entry| each(&entry.rule, now - entry.activity));
    }

    /// Something left on the way of a group.
    pub(super) fn touch_forward_rule(&mut self, handle: GroupHandle, now: Millis) {
        let Some(group) = self.groups.get(handle) else { return };
        if let Ok(entry) = self.table.peek_active(group.path.forward, now)
            && entry.extra.group == Some(handle)
        {
            entry.activity = now;
        }
    }

    /// A group needs a rule no more. What was saved under its id since is somebody else's.
    pub(super) fn give_up_rule(&mut self, handle: GroupHandle, id: RouteId) {
        if self.table.peek(id).is_some_and(|entry| entry.extra.group == Some(handle)) {
            self.table.delete(id);
        }
    }
}
