//! One link: its input up to whole packets, and its output up to sealed bytes.
//!
//! ```text
//! socket → input (records, cut anywhere) → plain (packets, cut anywhere) → the switch
//! the switch → staging (one record's plaintext) → filling ⇄ writing → socket
//! ```
//!
//! Output has two buffers: while the socket takes one, which must stay where it is, packets go to the other. The socket gets
//! it in parts, so that a slow one shows that it moves. Several packets share a record, since borders of records carry no
//! meaning on a link; that saves a tag and a key set-up for each.

use skywire_crypto::{
    FRAME_OVERHEAD_BYTES, Fault, MAX_FRAME_BODY_BYTES, MAX_FRAME_PLAINTEXT_BYTES, Opener, PREFIX_BYTES, Records,
    SEAL_OVERHEAD_BYTES, Sealer,
};
use skywire_wire::{HEADER_BYTES, Header, MAX_PAYLOAD_BYTES, TransportId};

use crate::event::LinkFault;

/// The route id of packets between two neighbours.
pub const HOP_LOCAL: u32 = 0;
/// What one read may bring. Sixteen records: the calls around it cost little against opening them.
const INPUT_BYTES: usize = 64 * 1024;
/// Packets are parsed once so many bytes are opened, so that this buffer stays small. More than the largest packet, or
/// that one would never be whole.
const PLAIN_BYTES: usize = 128 * 1024;
/// Sealed bytes that wait for the socket, in each of the two buffers. Beyond it whoever forwards to this link waits.
const OUTPUT_BYTES: usize = 512 * 1024;
/// What the socket gets at once. A socket that takes less than this in [`STALLED_MS`], 11 KB/s, counts as broken.
const WRITE_BYTES: usize = 64 * 1024;
/// Local writers wait from here on: a long queue before one's own packets is latency and nothing else.
const LOCAL_OUTPUT_BYTES: usize = 256 * 1024;
/// For the switch's own small packets, which cannot wait.
const RESERVE_BYTES: usize = 64 * 1024;
/// Output that has not moved for so long will not move any more, ms. The links that wait for it are not read meanwhile, and
/// must not count as silent, which takes 9 s, for its sake.
const STALLED_MS: f64 = 6_000.0;

/// Why a link is not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Blocker {
    /// The output of another link is full.
    Link(u32),
    /// The inbox of a group is full.
    Group(u32),
}

/// Figures of a link.
#[derive(Clone, Copy, Default, Debug)]
pub struct LinkStats {
    /// Payload of packets, as v1.3 counts it (transports.md §4.3); of what is [`HOP_LOCAL`] nothing, in either direction.
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
    pub waiting_links: Vec<u32>,
    /// Groups whose writers wait for room.
    pub waiting_groups: Vec<u32>,
    pub stats: LinkStats,
    pub failed: bool,
    pub dirty: bool,
    crypto: Option<(Sealer, Opener)>,
    input: Vec<u8>,
    input_length: usize,
    plain: Vec<u8>,
    staging: Vec<u8>,
    filling: Vec<u8>,
    writing: Vec<u8>,
    /// How much of `writing` the socket has taken.
    written: usize,
    /// Since when the socket has had the part that it is writing.
    writing_since: Option<f64>,
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
            staging: Vec::new(),
            filling: Vec::new(),
            writing: Vec::new(),
            written: 0,
            writing_since: None,
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
        self.queued() + payload + HEADER_BYTES + 2 * FRAME_OVERHEAD_BYTES <= OUTPUT_BYTES
    }

    /// Is there room for a record of a local writer?
    pub fn has_local_room(&self) -> bool {
        !self.failed && self.queued() < LOCAL_OUTPUT_BYTES
    }

    /// Is so much free again that those who wait should go on?
    pub fn has_drained(&self) -> bool {
        self.queued() < LOCAL_OUTPUT_BYTES / 2
    }

    /// Appends one packet. `false`: it was dropped, since even the reserve is used up.
    pub fn append(&mut self, header: Header, payload: &[&[u8]]) -> bool {
        if self.failed || self.queued() + header.packet_length() > OUTPUT_BYTES + RESERVE_BYTES + MAX_PAYLOAD_BYTES {
            return false;
        }
        self.active = true;
        self.push(&header.encode());
        for part in payload {
            self.push(part);
        }
        if header.route_id != HOP_LOCAL {
            self.stats.sent_packets += 1;
            self.stats.sent_bytes += u64::from(header.size);
        }
        true
    }

    /// Bytes for the socket. They stay where they are until [`Self::part_written`].
    pub fn output(&mut self, now: f64) -> &[u8] {
        if self.writing_since.is_none() {
            if self.written == self.writing.len() {
                self.seal_staging();
                self.writing.clear();
                self.written = 0;
                core::mem::swap(&mut self.filling, &mut self.writing);
            }
            if !self.writing.is_empty() {
                self.writing_since = Some(now);
            }
        }
        self.dirty = false;
        &self.writing[self.written..self.part_end()]
    }

    /// The socket took all of [`Self::output`].
    pub fn part_written(&mut self) {
        if self.writing_since.take().is_some() {
            self.written = self.part_end();
        }
    }

    /// Is there output that no write is under way for?
    pub fn wants_write(&self) -> bool {
        let left = self.written < self.writing.len() || !self.filling.is_empty() || !self.staging.is_empty();
        self.writing_since.is_none() && left
    }

    /// Gives the buffers back when there was no traffic since the last call: of many links most are idle.
    pub fn rest(&mut self) {
        let busy = core::mem::take(&mut self.active);
        if busy || self.input_length > 0 || !self.plain.is_empty() || self.is_writing() || self.wants_write() {
            return;
        }
        for buffer in [&mut self.input, &mut self.plain, &mut self.staging, &mut self.filling, &mut self.writing] {
            *buffer = Vec::new();
        }
        self.written = 0;
    }

    /// May [`Self::rest`] have something to do?
    pub fn holds_buffers(&self) -> bool {
        self.input.capacity() + self.plain.capacity() + self.filling.capacity() + self.writing.capacity() > 0
    }

    /// Has the socket taken nothing for too long?
    pub fn is_stalled(&self, now: f64) -> bool {
        self.writing_since.is_some_and(|since| now - since > STALLED_MS)
    }

    /// Is a write under way?
    pub fn is_writing(&self) -> bool {
        self.writing_since.is_some()
    }

    fn part_end(&self) -> usize {
        self.writing.len().min(self.written + WRITE_BYTES)
    }

    fn queued(&self) -> usize {
        self.filling.len() + self.staging.len()
    }

    fn push(&mut self, mut bytes: &[u8]) {
        if self.crypto.is_none() {
            self.filling.extend_from_slice(bytes);
            return;
        }
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(MAX_FRAME_PLAINTEXT_BYTES - self.staging.len()));
            self.staging.extend_from_slice(now);
            bytes = later;
            if self.staging.len() == MAX_FRAME_PLAINTEXT_BYTES {
                self.seal_staging();
            }
        }
    }

    fn seal_staging(&mut self) {
        let Some((sealer, _)) = &mut self.crypto else { return };
        if self.staging.is_empty() {
            return;
        }
        let end = self.filling.len();
        self.filling.resize(end + self.staging.len() + FRAME_OVERHEAD_BYTES, 0);
        // It fails only when all 2^64 counters are used up; then nothing leaves any more and the link counts as stalled.
        let sealed = sealer.seal_into(&self.staging, &mut self.filling[end..]);
        self.filling.truncate(end + sealed);
        self.staging.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_link_gives_its_buffers_back_and_a_busy_one_keeps_what_it_holds() {
        let mut link = Link::new([1; 16], None, &[]);
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
        assert!(link.append(Header { kind: 0, route_id: 1, size: 2 }, &[&[7; 2]]));
        for _ in 0..3 {
            link.rest();
        }
        assert_eq!(link.output(0.0), [0, 0, 0, 0, 1, 0, 2, 7, 7]);
        link.rest();
        assert_eq!(link.output(0.0).len(), 9, "a write is under way");
        link.part_written();
        link.rest();
        assert!(!link.holds_buffers());
        assert_eq!(link.read_area().len(), INPUT_BYTES);
        assert!(link.output(0.0).is_empty());
    }
}
