//! One link: its input up to whole packets, and its output up to sealed bytes.
//!
//! ```text
//! socket → input (records, cut anywhere) → plain (packets, cut anywhere) → the switch
//! the switch → lanes (packets, by route) → writing (records) → socket
//! ```
//!
//! Packets wait unsealed, since what is sealed has its place in the order. Only what the socket gets at once is sealed, when
//! it is asked for, and must stay where it is meanwhile; so a slow socket shows that it moves, too. Several packets share a
//! record, since borders of records carry no meaning on a link; that saves a tag and a key set-up for each.

use skywire_crypto::{
    FRAME_OVERHEAD_BYTES, Fault, MAX_FRAME_BODY_BYTES, MAX_FRAME_PLAINTEXT_BYTES, Opener, PREFIX_BYTES, Records,
    SEAL_OVERHEAD_BYTES, Sealer,
};
use skywire_time::Millis;
use skywire_wire::{HEADER_BYTES, Header, MAX_PAYLOAD_BYTES, RouteId, TransportId};

use crate::event::LinkFault;
use crate::handles::{GroupHandle, LinkHandle};
use crate::lanes::Lanes;

/// What one read may bring. Sixteen records: the calls around it cost little against opening them.
const INPUT_BYTES: usize = 64 * 1024;
/// Packets are parsed once so many bytes are opened, so that this buffer stays small. More than the largest packet, or
/// that one would never be whole.
const PLAIN_BYTES: usize = 128 * 1024;
/// Packets that wait for the socket. Beyond it whoever forwards to this link waits.
const OUTPUT_BYTES: usize = 512 * 1024;
/// What is sealed for the socket at once, up to a packet more: it cannot be overtaken. With its tags it fits into
/// [`INPUT_BYTES`] at the other end, or each write would be passed on there as a large one and a tiny one. A socket that
/// takes less than this in [`STALLED`], 10 KB/s, counts as broken.
const WRITE_BYTES: usize = 56 * 1024;
/// A local writer waits from here on, in its own lane: a long queue before one's own packets is latency and nothing else.
const LOCAL_OUTPUT_BYTES: usize = 256 * 1024;
/// Those who wait go on when so little is left.
const DRAINED_BYTES: usize = LOCAL_OUTPUT_BYTES / 2;
/// For the switch's own small packets, which cannot wait.
const RESERVE_BYTES: usize = 64 * 1024;
/// Output that has not moved for so long will not move any more. The links that wait for it are not read meanwhile, and
/// must not count as silent, which takes 9 s, for its sake.
const STALLED: Millis = Millis(6_000.0);

/// Data that comes in pieces of so many bytes at the most is chat: somebody waits for each of them.
pub const CHAT_BYTES: usize = 1024;
/// A link counts as one for chat for so long after it carried some: longer than a conversation of programs pauses.
const CHAT: Millis = Millis(1_000.0);

/// Why a link is not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Blocker {
    /// The output of another link is full.
    Link(LinkHandle),
    /// The inbox of a group is full.
    Group(GroupHandle),
}

/// A group whose writer waits for room.
#[derive(Clone, Copy)]
pub struct WaitingGroup {
    pub group: GroupHandle,
    /// The id that its packets carry here.
    pub route_id: RouteId,
}

/// When a route sent chat last.
struct Chat {
    route_id: RouteId,
    at: Millis,
}

/// Figures of a link.
#[derive(Clone, Copy, Default, Debug)]
pub struct LinkStats {
    /// Payload of packets, as v1.3 counts it (transports.md §4.3); of what is [`RouteId::HOP_LOCAL`] nothing, in either direction.
    pub sent_bytes: u64,
    pub received_bytes: u64,
    pub sent_packets: u64,
    pub received_packets: u64,
}

/// A link with or without records.
pub struct Link {
    pub transport: TransportId,
    pub blocked: Option<Blocker>,
    /// Links that wait for room in the output.
    pub waiting_links: Vec<LinkHandle>,
    /// Groups whose writers wait for room.
    pub waiting_groups: Vec<WaitingGroup>,
    pub stats: LinkStats,
    pub failed: bool,
    pub dirty: bool,
    crypto: Option<(Sealer, Opener)>,
    input: Vec<u8>,
    input_length: usize,
    plain: Vec<u8>,
    lanes: Lanes,
    /// The plaintext of what is being sealed, kept for its memory only.
    staging: Vec<u8>,
    writing: Vec<u8>,
    /// Since when the socket has had what it is writing.
    writing_since: Option<Millis>,
    /// The route that sent chat last, and when another than that did.
    chat: Option<Chat>,
    other_chat_at: Option<Millis>,
    /// Was there any traffic since [`Link::rest`] was called last?
    active: bool,
}

impl Link {
    /// Takes over the records of the handshake with what they hold, behind plaintext that came even before.
    pub fn new(transport: TransportId, records: Option<Records>, early: &[u8]) -> Link {
        let mut plain = early.to_vec();
        let mut input = Vec::new();
        let crypto = records.map(|records| {
            let (sealer, opener, partial, unread) = records.into_parts();
            plain.extend_from_slice(&unread);
            input = partial;
            (sealer, opener)
        });
        Link {
            transport,
            blocked: None,
            waiting_links: Vec::new(),
            waiting_groups: Vec::new(),
            stats: LinkStats::default(),
            failed: false,
            dirty: false,
            crypto,
            input_length: input.len(),
            input,
            plain,
            lanes: Lanes::default(),
            staging: Vec::new(),
            writing: Vec::new(),
            writing_since: None,
            chat: None,
            other_chat_at: None,
            active: true,
        }
    }

    /// Where the next bytes from the socket go; empty while the link is not to be read.
    pub fn read_area(&mut self) -> &mut [u8] {
        if self.blocked.is_some() || self.failed {
            return &mut [];
        }
        if self.input.len() < INPUT_BYTES {
            self.input.resize(INPUT_BYTES, 0);
        }
        &mut self.input[self.input_length..]
    }

    /// `count` bytes were put into the read area.
    pub fn received(&mut self, count: usize) {
        self.active = true;
        self.input_length = (self.input_length + count).min(self.input.len());
    }

    /// Opens what has come, up to a bound, and gives up the plaintext for parsing; [`Self::put_back`] takes the rest. What
    /// came before a fault is honest and is there, too.
    pub fn take_plain(&mut self) -> (Vec<u8>, Option<LinkFault>) {
        let mut plain = core::mem::take(&mut self.plain);
        let Some((_, opener)) = &mut self.crypto else {
            plain.extend_from_slice(&self.input[..self.input_length]);
            self.input_length = 0;
            return (plain, None);
        };
        let (mut at, mut fault) = (0, None);
        while plain.len() < PLAIN_BYTES && fault.is_none() {
            let rest = &self.input[at..self.input_length];
            let Some(prefix) = rest.first_chunk::<PREFIX_BYTES>() else { break };
            let length = usize::from(u16::from_be_bytes(*prefix));
            if !(SEAL_OVERHEAD_BYTES..=MAX_FRAME_BODY_BYTES).contains(&length) {
                fault = Some(LinkFault::Framing);
                break;
            }
            let Some(body) = rest.get(PREFIX_BYTES..PREFIX_BYTES + length) else { break };
            let end = plain.len();
            plain.resize(end + length - SEAL_OVERHEAD_BYTES, 0);
            match opener.open_into(body, &mut plain[end..]) {
                Ok(_) => at += PREFIX_BYTES + length,
                Err(cause) => {
                    plain.truncate(end);
                    fault = Some(if cause == Fault::Authentication { LinkFault::Record } else { LinkFault::Framing });
                }
            }
        }
        self.input.copy_within(at..self.input_length, 0);
        self.input_length -= at;
        (plain, fault)
    }

    /// Takes back what is no whole packet yet, or was not to be handled now.
    pub fn put_back(&mut self, mut plain: Vec<u8>, parsed: usize) {
        plain.drain(..parsed);
        if plain.is_empty() && plain.capacity() > 2 * PLAIN_BYTES {
            plain = Vec::new();
        }
        self.plain = plain;
    }

    /// May more packets come out of what is there?
    pub fn has_input(&self) -> bool {
        self.input_length > 0 && !self.failed
    }

    /// Is there room for a packet that is passed on?
    pub fn has_room(&self, payload: usize) -> bool {
        self.lanes.len() + HEADER_BYTES + payload <= OUTPUT_BYTES
    }

    /// Is there room for a record of a local writer, whose packets carry this id?
    pub fn has_local_room(&self, route_id: RouteId) -> bool {
        !self.failed && self.lanes.length_of(route_id) < LOCAL_OUTPUT_BYTES && self.has_room(MAX_FRAME_PLAINTEXT_BYTES)
    }

    /// Takes the links that waited for room, once there is some.
    pub fn take_waiting_links(&mut self) -> Vec<LinkHandle> {
        if self.lanes.len() < DRAINED_BYTES { core::mem::take(&mut self.waiting_links) } else { Vec::new() }
    }

    /// Takes the groups that waited for room and may write again: each as soon as its own lane has drained.
    pub fn take_waiting_groups(&mut self) -> Vec<GroupHandle> {
        if self.waiting_groups.is_empty() || !self.has_room(DRAINED_BYTES) {
            return Vec::new();
        }
        let drained = |waiting: &mut WaitingGroup| self.lanes.length_of(waiting.route_id) < DRAINED_BYTES;
        self.waiting_groups.extract_if(.., drained).map(|waiting| waiting.group).collect()
    }

    /// Appends one packet. `false`: it was dropped, since even the reserve is used up.
    pub fn append(&mut self, header: Header, payload: &[&[u8]]) -> bool {
        if self.failed || self.lanes.len() + header.packet_length() > OUTPUT_BYTES + RESERVE_BYTES + MAX_PAYLOAD_BYTES {
            return false;
        }
        self.active = true;
        self.lanes.push(header, payload);
        if header.route_id != RouteId::HOP_LOCAL {
            self.stats.sent_packets += 1;
            self.stats.sent_bytes += u64::from(header.size);
        }
        true
    }

    /// A route sends chat over this link, under this id.
    pub fn note_chat(&mut self, route_id: RouteId, now: Millis) {
        if let Some(chat) = &self.chat
            && chat.route_id != route_id
        {
            self.other_chat_at = Some(chat.at);
        }
        self.chat = Some(Chat { route_id, at: now });
    }

    /// Did another route than the one of this id send chat lately?
    pub fn carries_chat_beside(&self, route_id: RouteId, now: Millis) -> bool {
        let at = match &self.chat {
            Some(chat) if chat.route_id != route_id => Some(chat.at),
            _ => self.other_chat_at,
        };
        at.is_some_and(|at| now - at < CHAT)
    }

    /// Bytes for the socket. They stay where they are until [`Self::written`].
    pub fn output(&mut self, now: Millis) -> &[u8] {
        if self.writing_since.is_none() {
            self.seal_next();
            if !self.writing.is_empty() {
                self.writing_since = Some(now);
            }
        }
        self.dirty = false;
        &self.writing
    }

    /// The socket took all of [`Self::output`].
    pub fn written(&mut self) {
        if self.writing_since.take().is_some() {
            self.writing.clear();
        }
    }

    /// Is there output that no write is under way for?
    pub fn wants_write(&self) -> bool {
        self.writing_since.is_none() && !self.lanes.is_empty()
    }

    /// Gives the buffers back when there was no traffic since the last call: of many links most are idle.
    pub fn rest(&mut self) {
        let busy = core::mem::take(&mut self.active);
        if busy || self.input_length > 0 || !self.plain.is_empty() || self.is_writing() || self.wants_write() {
            return;
        }
        for buffer in [&mut self.input, &mut self.plain, &mut self.staging, &mut self.writing] {
            *buffer = Vec::new();
        }
        self.lanes = Lanes::default();
    }

    /// May [`Self::rest`] have something to do?
    pub fn holds_buffers(&self) -> bool {
        self.input.capacity() + self.plain.capacity() + self.writing.capacity() > 0 || self.lanes.holds_buffers()
    }

    /// Has the socket taken nothing for too long?
    pub fn is_stalled(&self, now: Millis) -> bool {
        self.writing_since.is_some_and(|since| now - since > STALLED)
    }

    /// Is a write under way?
    pub fn is_writing(&self) -> bool {
        self.writing_since.is_some()
    }

    /// Seals what the socket gets next.
    fn seal_next(&mut self) {
        let Some((sealer, _)) = &mut self.crypto else {
            return self.lanes.take(&mut self.writing, WRITE_BYTES);
        };
        self.staging.clear();
        self.lanes.take(&mut self.staging, WRITE_BYTES);
        for plaintext in self.staging.chunks(MAX_FRAME_PLAINTEXT_BYTES) {
            let end = self.writing.len();
            self.writing.resize(end + plaintext.len() + FRAME_OVERHEAD_BYTES, 0);
            // It fails only when all 2^64 counters are used up; then nothing leaves any more.
            let sealed = sealer.seal_into(plaintext, &mut self.writing[end..]);
            self.writing.truncate(end + sealed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_knows_for_a_second_that_another_route_sent_chat() {
        let mut link = Link::new(TransportId([1; 16]), None, &[]);
        assert!(!link.carries_chat_beside(RouteId(7), Millis(0.0)));
        link.note_chat(RouteId(7), Millis(0.0));
        assert!(!link.carries_chat_beside(RouteId(7), Millis(0.0)), "it was the same");
        assert!(link.carries_chat_beside(RouteId(8), Millis(999.0)));
        assert!(!link.carries_chat_beside(RouteId(8), Millis(1_000.0)));
        link.note_chat(RouteId(8), Millis(500.0));
        link.note_chat(RouteId(7), Millis(600.0));
        link.note_chat(RouteId(7), Millis(1_400.0));
        assert!(link.carries_chat_beside(RouteId(7), Millis(1_499.0)));
        assert!(!link.carries_chat_beside(RouteId(7), Millis(1_500.0)));
        assert!(
            link.carries_chat_beside(RouteId(8), Millis(1_500.0))
                && link.carries_chat_beside(RouteId(9), Millis(1_500.0))
        );
    }

    #[test]
    fn a_link_drops_what_is_appended_once_even_its_reserve_is_used_up() {
        let mut link = Link::new(TransportId([1; 16]), None, &[]);
        let payload = [7; 1_000];
        let header = Header { kind: 5, route_id: RouteId(1), size: payload.len() as u16 };
        let mut taken = 0;
        while link.append(header, &[&payload]) {
            taken += 1;
            assert!(taken < 1_000, "it is bounded");
        }
        assert!(!link.has_room(0), "what is passed on waits long before");
        let bound = OUTPUT_BYTES + RESERVE_BYTES + MAX_PAYLOAD_BYTES;
        assert!(link.lanes.len() <= bound && link.lanes.len() + header.packet_length() > bound);
        assert_eq!(
            (link.stats.sent_packets, link.stats.sent_bytes),
            (taken, 1_000 * taken),
            "dropped ones do not count"
        );
        link.output(Millis::ZERO);
        assert!(link.append(header, &[&payload]), "there is room again");
    }

    #[test]
    fn an_idle_link_gives_its_buffers_back_and_a_busy_one_keeps_what_it_holds() {
        let mut link = Link::new(TransportId([1; 16]), None, &[]);
        link.read_area()[..3].copy_from_slice(&[0; 3]);
        link.received(3);
        let (plain, _) = link.take_plain();
        link.put_back(plain, 0);
        for _ in 0..3 {
            link.rest();
            assert!(link.holds_buffers(), "a part of a packet is there");
        }
        let (plain, _) = link.take_plain();
        link.put_back(plain, 3);
        assert!(link.append(Header { kind: 0, route_id: RouteId(1), size: 2 }, &[&[7; 2]]));
        for _ in 0..3 {
            link.rest();
        }
        assert_eq!(link.output(Millis::ZERO), [0, 0, 0, 0, 1, 0, 2, 7, 7]);
        link.rest();
        assert_eq!(link.output(Millis::ZERO).len(), 9, "a write is under way");
        link.written();
        link.rest();
        assert!(!link.holds_buffers());
        assert_eq!(link.read_area().len(), INPUT_BYTES);
        assert!(link.output(Millis::ZERO).is_empty());
    }
}
