//! Packets that wait for the socket of one link. Each route has a lane of its own, and lanes take turns, so that a small
//! packet does not wait behind all that others have sent before it. Within a lane order is kept: the records of a route
//! have counters without gaps.
//!
//! The turns are those of deficit round robin, with a head start for lanes that were empty, as in FQ-CoDel (RFC 8290, §4.2):
//! whoever sends less than its share hardly waits, whoever sends more shares what is left in equal parts, and each packet
//! costs the same few instructions however many lanes there are.

use std::collections::VecDeque;

use skywire_wire::{Header, RouteId};

/// Routes share a lane when their ids differ by a multiple of this. Ids are handed out one after the other, so the routes of
/// a quiet visor do not meet. It bounds memory, and what a peer can gain by having many routes.
const LANES: usize = 64;
/// What a lane sends in one turn, bytes: two packets of a full record, so that no packet of bulk needs two turns.
const QUANTUM: isize = 8 * 1024;
/// What a lane that is nearly empty may keep of the buffer that it once needed, bytes.
const KEPT_BYTES: usize = 16 * 1024;

/// See the top of the file.
#[derive(Default)]
pub struct Lanes {
    /// None before the first packet: of many links most are idle.
    lanes: Vec<Lane>,
    /// Lanes that were empty a moment ago. They come first, and only for one quantum, or many small packets would starve
    /// the others.
    fresh: VecDeque<u8>,
    /// The other lanes that wait for their turn.
    turns: VecDeque<u8>,
    /// The buffer of the lane that was emptied last, for the next that needs one: a busy route empties its lane with every
    /// write to the socket.
    spare: Vec<u8>,
    length: usize,
}

#[derive(Default)]
struct Lane {
    /// Whole packets, one after the other.
    bytes: Vec<u8>,
    /// Where the first one that was not taken begins.
    start: usize,
    /// What it may still send in this turn. A packet may overdraw it; that is paid back in the turns after.
    credit: isize,
    /// Is it in `fresh` or `turns`?
    waits: bool,
}

impl Lanes {
    /// Bytes that wait.
    #[inline]
    pub fn len(&self) -> usize {
        self.length
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Bytes that wait in the lane of a route.
    pub fn length_of(&self, route_id: RouteId) -> usize {
        self.lanes.get(lane_of(route_id)).map_or(0, Lane::length)
    }

    /// Is there a buffer to be given back?
    pub fn holds_buffers(&self) -> bool {
        !self.lanes.is_empty()
    }

    /// Puts a packet at the end of its route's lane.
    pub fn push(&mut self, header: Header, payload: &[&[u8]]) {
        if self.lanes.is_empty() {
            self.lanes.resize_with(LANES, Lane::default);
        }
        let index = lane_of(header.route_id);
        let lane = &mut self.lanes[index];
        if lane.bytes.capacity() == 0 {
            lane.bytes = core::mem::take(&mut self.spare);
        }
        lane.bytes.extend_from_slice(&header.encode());
        for part in payload {
            lane.bytes.extend_from_slice(part);
        }
        self.length += header.packet_length();
        if !lane.waits {
            lane.waits = true;
            lane.credit = QUANTUM;
            self.fresh.push_back(index as u8);
        }
    }

    /// Moves whole packets to the end of `out` until that holds `limit` bytes or more, or nothing waits.
    pub fn take(&mut self, out: &mut Vec<u8>, limit: usize) {
        while out.len() < limit && self.length > 0 {
            let fresh = !self.fresh.is_empty();
            let Some(index) = self.fresh.pop_front().or_else(|| self.turns.pop_front()) else { return };
            let lane = &mut self.lanes[usize::from(index)];
            let count = lane.send(out, limit);
            self.length -= count;
            if lane.length() > 0 && lane.credit > 0 {
                // `out` is full; the turn goes on with the next one.
                if fresh { self.fresh.push_front(index) } else { self.turns.push_front(index) }
            } else if lane.length() > 0 {
                lane.credit += QUANTUM;
                self.turns.push_back(index);
            } else {
                let buffer = lane.release();
                if buffer.capacity() > self.spare.capacity() {
                    self.spare = buffer;
                }
                // A lane that was fresh stands in line once more before it may be fresh again.
                lane.waits = fresh;
                if fresh {
                    self.turns.push_back(index);
                }
            }
        }
    }
}

impl Lane {
    fn length(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Moves packets while there is credit and `out` has room; how many bytes.
    fn send(&mut self, out: &mut Vec<u8>, limit: usize) -> usize {
        let room = limit.saturating_sub(out.len());
        let mut count = 0;
        while self.credit > 0 && count < room {
            let Some(header) = Header::decode(&self.bytes[self.start + count..]) else { break };
            count += header.packet_length();
            self.credit -= header.packet_length() as isize;
        }
        out.extend_from_slice(&self.bytes[self.start..self.start + count]);
        self.start += count;
        self.compact();
        count
    }

    /// Moves what is left to the front once more than half is gone, so that each byte is moved about once at most.
    fn compact(&mut self) {
        if self.start <= self.bytes.len() / 2 {
            return;
        }
        self.bytes.drain(..self.start);
        self.start = 0;
        // Without this, each lane could keep as much as the link may hold.
        if self.bytes.capacity() > KEPT_BYTES + 4 * self.bytes.len() && !self.bytes.is_empty() {
            self.bytes.shrink_to(KEPT_BYTES);
        }
    }

    /// Gives up the buffer of an empty lane.
    fn release(&mut self) -> Vec<u8> {
        self.start = 0;
        self.bytes.clear();
        core::mem::take(&mut self.bytes)
    }
}

#[inline]
fn lane_of(route_id: RouteId) -> usize {
    route_id.0 as usize % LANES
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use skywire_testkit::Dice;

    use super::*;

    const BULK: u32 = 1;
    const CHAT: u32 = 2;
    const WRITE_BYTES: usize = 64 * 1024;

    fn push(lanes: &mut Lanes, route_id: u32, payload: &[u8]) {
        lanes.push(Header { kind: 0, route_id: RouteId(route_id), size: payload.len() as u16 }, &[payload]);
    }

    /// Takes once; the packets by route id and payload.
    fn take(lanes: &mut Lanes, limit: usize) -> Vec<(u32, Vec<u8>)> {
        let mut out = Vec::new();
        lanes.take(&mut out, limit);
        let (mut packets, mut rest) = (Vec::new(), out.as_slice());
        while let Some(header) = Header::decode(rest) {
            let (packet, later) = rest.split_at(header.packet_length());
            packets.push((header.route_id.0, packet[7..].to_vec()));
            rest = later;
        }
        assert!(rest.is_empty(), "whole packets only");
        packets
    }

    #[test]
    fn a_packet_of_a_quiet_route_overtakes_what_another_has_waiting() {
        let mut lanes = Lanes::default();
        for _ in 0..100 {
            push(&mut lanes, BULK, &[7; 4096]);
        }
        push(&mut lanes, CHAT, b"first");
        // Whoever wrote all that was fresh, too: one quantum of it comes before.
        let before = take(&mut lanes, WRITE_BYTES).iter().position(|(route_id, _)| *route_id == CHAT);
        assert!(before.is_some_and(|before| before <= 2), "{before:?}");
        for _ in 0..3 {
            push(&mut lanes, CHAT, b"again");
            let before = take(&mut lanes, WRITE_BYTES).iter().position(|(route_id, _)| *route_id == CHAT);
            assert!(before.is_some_and(|before| before <= 2), "{before:?}");
        }
    }

    #[test]
    fn routes_that_always_have_something_get_equal_parts_whatever_the_size_of_their_packets() {
        let mut lanes = Lanes::default();
        let mut got: HashMap<u32, usize> = HashMap::new();
        for _ in 0..200 {
            for (route_id, size) in [(1, 60_000), (2, 4_096), (3, 40)] {
                while lanes.length_of(RouteId(route_id)) < 2 * WRITE_BYTES {
                    push(&mut lanes, route_id, &vec![0; size]);
                }
            }
            for (route_id, payload) in take(&mut lanes, WRITE_BYTES) {
                *got.entry(route_id).or_default() += payload.len() + 7;
            }
        }
        let (least, most) = (got.values().min().expect("three"), got.values().max().expect("three"));
        assert!(got.len() == 3 && most - least < 2 * WRITE_BYTES, "{got:?}");
    }

    #[test]
    fn many_quiet_routes_do_not_starve_a_busy_one() {
        let mut lanes = Lanes::default();
        let (mut bulk, mut total) = (0, 0);
        for round in 0..1_000 {
            while lanes.length_of(RouteId(0)) < WRITE_BYTES {
                push(&mut lanes, 0, &[0; 4096]);
            }
            // Each of 63 others always has its next 4 KiB just before it is asked for.
            for route_id in 1..LANES as u32 {
                if lanes.length_of(RouteId(route_id)) == 0 {
                    push(&mut lanes, route_id, &[round as u8; 4096]);
                }
            }
            for (route_id, payload) in take(&mut lanes, 8 * 1024) {
                total += payload.len();
                bulk += if route_id == 0 { payload.len() } else { 0 };
            }
        }
        assert!(bulk * LANES > total / 2, "{bulk} of {total} bytes");
    }

    #[test]
    fn order_within_a_route_is_kept_and_nothing_is_lost_whatever_happens() {
        for seed in 0..200 {
            let mut dice = Dice::new(seed);
            let mut lanes = Lanes::default();
            let (mut sent, mut got): (HashMap<u32, u32>, HashMap<u32, u32>) = Default::default();
            let (mut length, mut steps) = (0, 0);
            while steps < 400 || !lanes.is_empty() {
                steps += 1;
                if steps < 400 && dice.below(3) > 0 {
                    // Some share a lane: 5 and 69, 6 and 70.
                    let route_id = [0, 1, 2, 5, 6, 69, 70][dice.below(7)];
                    let number = sent.entry(route_id).or_default();
                    let mut payload = number.to_be_bytes().to_vec();
                    payload.resize(4 + [0, 30, 4_092, 65_000][dice.below(4)], route_id as u8);
                    *number += 1;
                    length += payload.len() + 7;
                    push(&mut lanes, route_id, &payload);
                } else {
                    for (route_id, payload) in take(&mut lanes, [1, 4_000, 64 * 1024][dice.below(3)]) {
                        let next = got.entry(route_id).or_default();
                        assert_eq!(payload[..4], next.to_be_bytes(), "seed {seed}, route {route_id}");
                        assert!(payload[4..].iter().all(|&byte| byte == route_id as u8), "seed {seed}");
                        *next += 1;
                        length -= payload.len() + 7;
                    }
                }
                assert_eq!(lanes.len(), length, "seed {seed}");
            }
            assert_eq!(sent, got, "seed {seed}");
        }
    }

    #[test]
    fn lanes_that_were_full_one_after_the_other_keep_little() {
        let mut lanes = Lanes::default();
        for route_id in 0..LANES as u32 {
            for _ in 0..128 {
                push(&mut lanes, route_id, &[0; 4096]);
            }
            // All but a few bytes leave.
            while lanes.length_of(RouteId(route_id)) > 4_200 {
                take(&mut lanes, 4_103);
            }
        }
        let kept: usize = lanes.lanes.iter().map(|lane| lane.bytes.capacity()).sum();
        assert!(kept < 4 * 1024 * 1024, "{kept} bytes");
        while !lanes.is_empty() {
            take(&mut lanes, WRITE_BYTES);
        }
        let kept: usize = lanes.lanes.iter().map(|lane| lane.bytes.capacity()).sum();
        assert_eq!(kept, 0);
    }
}
