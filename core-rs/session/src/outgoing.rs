//! One direction as its sender sees it: what the other end may not have yet, cut into frames and chunks. A leg takes a whole
//! chunk at a time, so that several legs share the work as each has room, and the receiver has few gaps. What a dead leg had
//! taken is free again for the others.

use std::collections::VecDeque;

use crate::fault::Fault;
use crate::frame::{Ack, DATA, Fin, MAX_DATA_BYTES};
use crate::leg::LegId;

/// A chunk takes no more frames once it holds so many bytes of data: the receiver counts gaps, however small messages are.
pub const CHUNK_BYTES: usize = 64 * 1024;
/// The most that one direction keeps, bytes.
pub const MAX_KEPT_BYTES: u64 = 16 * 1024 * 1024;
/// The writer waits while so many bytes have not left: a longer queue is latency and nothing else.
const MAX_UNSENT_BYTES: u64 = 256 * 1024;
/// What a full chunk of whole messages has beyond [`CHUNK_BYTES`].
const SLACK_BYTES: usize = 5 * 1024;
/// Before each frame in a chunk: its length, u16 in native order. Then its kind and the data, as they are sent.
const PREFIX_BYTES: usize = 2;
const KIND_BYTES: usize = 1;

struct Chunk {
    /// Where its first byte stands in the stream.
    start: u64,
    /// Where the byte after its last one stands.
    end: u64,
    bytes: Vec<u8>,
    full: bool,
    /// Which leg sends it.
    leg: Option<LegId>,
    /// How far that is: in `bytes`, and in the stream.
    sent: usize,
    sent_to: u64,
}

impl Chunk {
    fn take(&mut self, leg: LegId) {
        self.leg = Some(leg);
        (self.sent, self.sent_to) = (0, self.start);
    }

    /// The next frame to be sent: where it is in `bytes`.
    fn frame(&self) -> Option<(usize, usize)> {
        let prefix = self.bytes.get(self.sent..)?.first_chunk::<PREFIX_BYTES>()?;
        Some((self.sent + PREFIX_BYTES, usize::from(u16::from_ne_bytes(*prefix))))
    }

    fn skip(&mut self, frame: usize) {
        self.sent += PREFIX_BYTES + frame;
        self.sent_to += (frame - KIND_BYTES) as u64;
    }
}

/// Where the next frame of a leg is.
pub struct Place {
    chunk: usize,
    at: usize,
    length: usize,
    /// Where its data stands in the stream.
    pub offset: u64,
    pub data_bytes: u64,
}

/// See the top of the file.
pub struct Outgoing {
    chunks: VecDeque<Chunk>,
    /// A buffer for the next chunk.
    spare: Vec<u8>,
    /// Bytes written in all.
    pub written: u64,
    /// Bytes that the other end has, in order.
    pub acknowledged: u64,
    /// Bytes that the reader at the other end took.
    pub read_there: u64,
    /// Bytes that the other end takes in all.
    limit: u64,
    /// Nothing but the limit kept the writer waiting.
    is_limited: bool,
    /// The limit at which the other end was told that.
    limited_at: Option<u64>,
    /// The end, once it was said.
    pub fin: Option<Fin>,
    /// The leg that carries FIN.
    pub fin_leg: Option<LegId>,
    /// The other end has all of it, the end included, or reads no more.
    pub done: bool,
    /// The other end reads no more.
    pub stopped: bool,
}

impl Outgoing {
    pub fn new() -> Outgoing {
        Outgoing {
            chunks: VecDeque::new(),
            spare: Vec::new(),
            written: 0,
            acknowledged: 0,
            read_there: 0,
            limit: 0,
            is_limited: false,
            limited_at: None,
            fin: None,
            fin_leg: None,
            done: false,
            stopped: false,
        }
    }

    /// Bytes that are kept for the other end.
    pub fn kept(&self) -> u64 {
        self.chunks.front().map_or(0, |first| self.written - first.start)
    }

    /// How many bytes may be written now, when `share` may be kept.
    pub fn room(&self, share: u64) -> u64 {
        let kept = self.kept();
        let window = self.limit.saturating_sub(self.written);
        let memory = share.min(MAX_KEPT_BYTES).saturating_sub(kept);
        window.min(memory).min(MAX_UNSENT_BYTES.saturating_sub(self.unsent()))
    }

    /// Is half of the most room there that there could be? A writer that is woken for each frame that left costs more than all
    /// the rest.
    pub fn is_roomy(&self, share: u64) -> bool {
        let window = self.limit - self.read_there.min(self.limit);
        let most = window.min(share).min(MAX_UNSENT_BYTES);
        let least = if self.cuts_messages() { 1 } else { MAX_DATA_BYTES as u64 };
        self.room(share) >= (most / 2).max(least)
    }

    /// Keeps what there is room for; how many bytes. Each piece of at most [`MAX_DATA_BYTES`] arrives as one message.
    pub fn write(&mut self, bytes: &[u8], room: u64) -> usize {
        let mut taken = 0;
        self.is_limited = false;
        for piece in bytes.chunks(MAX_DATA_BYTES) {
            let left = room - taken as u64;
            if left == 0 || (piece.len() as u64 > left && !self.cuts_messages()) {
                self.is_limited = self.written + (piece.len() as u64) > self.limit;
                break;
            }
            let piece = &piece[..piece.len().min(left as usize)];
            self.push(piece);
            taken += piece.len();
        }
        taken
    }

    /// A message waits until there is room for all of it, unless the other end has a window for none.
    pub fn cuts_messages(&self) -> bool {
        self.limit - self.read_there.min(self.limit) < MAX_DATA_BYTES as u64
    }

    fn push(&mut self, piece: &[u8]) {
        if self.chunks.back().is_none_or(|chunk| chunk.full) {
            let mut bytes = core::mem::take(&mut self.spare);
            if !self.chunks.is_empty() {
                // There was more than one chunk at once, so this one will be full, too.
                bytes.reserve(CHUNK_BYTES + SLACK_BYTES);
            }
            let start = self.written;
            self.chunks.push_back(Chunk { start, end: start, bytes, full: false, leg: None, sent: 0, sent_to: start });
        }
        let Some(chunk) = self.chunks.back_mut() else { return };
        let frame = (KIND_BYTES + piece.len()) as u16;
        chunk.bytes.extend_from_slice(&frame.to_ne_bytes());
        chunk.bytes.push(DATA);
        chunk.bytes.extend_from_slice(piece);
        chunk.end += piece.len() as u64;
        chunk.full = chunk.end - chunk.start >= CHUNK_BYTES as u64;
        self.written = chunk.end;
    }

    /// The frame that a leg is to send next. It may take a chunk that belongs to nobody, or to a silent leg.
    pub fn place(&mut self, leg: LegId, is_silent: impl Fn(LegId) -> bool) -> Option<Place> {
        let acknowledged = self.acknowledged;
        let of_leg = |chunk: &Chunk| chunk.leg == Some(leg) && chunk.sent < chunk.bytes.len();
        let index = self.chunks.iter().position(of_leg).or_else(|| {
            let free = |chunk: &Chunk| chunk.leg.is_none_or(|owner| owner != leg && is_silent(owner));
            let index = self.chunks.iter().position(free)?;
            self.chunks[index].take(leg);
            Some(index)
        })?;
        let chunk = &mut self.chunks[index];
        while let Some((at, length)) = chunk.frame() {
            let end = chunk.sent_to + (length - KIND_BYTES) as u64;
            if end > acknowledged {
                let data_bytes = end - chunk.sent_to;
                return Some(Place { chunk: index, at, length, offset: chunk.sent_to, data_bytes });
            }
            // Another leg has brought it.
            chunk.skip(length);
        }
        None
    }

    /// Takes the frame at a place that [`Self::place`] gave.
    pub fn frame(&mut self, place: &Place) -> &[u8] {
        let chunk = &mut self.chunks[place.chunk];
        chunk.skip(place.length);
        &chunk.bytes[place.at..place.at + place.length]
    }

    /// Was everything sent over some leg? Then FIN may follow.
    pub fn is_sent(&self) -> bool {
        self.chunks.iter().all(|chunk| chunk.leg.is_some() && chunk.sent == chunk.bytes.len())
    }

    /// A leg goes on, but carries nothing any more: others send what it has not sent, and what is written next.
    pub fn hand_back(&mut self, leg: LegId) {
        if let Some(last) = self.chunks.back_mut()
            && last.leg == Some(leg)
            && last.sent == last.bytes.len()
        {
            last.full = true;
        }
        let begun = |chunk: &Chunk| chunk.leg == Some(leg) && chunk.sent < chunk.bytes.len();
        let Some(index) = self.chunks.iter().position(begun) else { return };
        let chunk = &mut self.chunks[index];
        if chunk.sent == 0 {
            chunk.leg = None;
            return;
        }
        let rest = Chunk {
            start: chunk.sent_to,
            end: chunk.end,
            bytes: chunk.bytes.split_off(chunk.sent),
            full: chunk.full,
            leg: None,
            sent: 0,
            sent_to: chunk.sent_to,
        };
        (chunk.end, chunk.full) = (chunk.sent_to, true);
        self.chunks.insert(index + 1, rest);
    }

    /// A leg is gone.
    pub fn lose(&mut self, leg: LegId) {
        for chunk in &mut self.chunks {
            if chunk.leg == Some(leg) {
                chunk.leg = None;
                (chunk.sent, chunk.sent_to) = (0, chunk.start);
            }
        }
        if self.fin_leg == Some(leg) {
            self.fin_leg = None;
        }
    }

    /// The other end said how far it is, perhaps long ago.
    pub fn acknowledge(&mut self, ack: Ack) -> Result<(), Fault> {
        let ended = self.fin.is_some_and(|fin| !ack.seen_stop || fin.stops);
        if ack.received > self.written || ack.read > ack.received || ((ack.seen_end || ack.seen_stop) && !ended) {
            return Err(Fault::Acknowledgement);
        }
        self.acknowledged = self.acknowledged.max(ack.received);
        self.read_there = self.read_there.max(ack.read);
        self.limit = self.limit.max(ack.limit);
        while let Some(chunk) = self.chunks.front()
            && chunk.end <= self.acknowledged
        {
            let mut bytes = self.chunks.pop_front().map_or_else(Vec::new, |chunk| chunk.bytes);
            bytes.clear();
            self.spare = bytes;
        }
        if let Some(fin) = self.fin
            && ack.seen_end
            && (ack.seen_stop || !fin.stops)
        {
            self.done = true;
        }
        Ok(())
    }

    /// Is the other end to be told that the limit keeps the writer waiting? Once for each limit.
    pub fn take_limited(&mut self) -> bool {
        let limited = core::mem::take(&mut self.is_limited) && self.limited_at != Some(self.limit);
        if limited {
            self.limited_at = Some(self.limit);
        }
        limited
    }

    /// The reader at the other end is gone: nothing of this is of use any more.
    pub fn stop(&mut self) {
        (self.stopped, self.done) = (true, true);
        self.discard();
    }

    /// Gives back the buffer for the next chunk.
    pub fn rest(&mut self) {
        self.spare = Vec::new();
    }

    /// Drops what is kept.
    pub fn discard(&mut self) {
        self.chunks.clear();
        self.spare = Vec::new();
    }

    /// Says the end. What was said before may only be added to.
    pub fn finish(&mut self, stops: bool) {
        let fin = Fin { length: self.written, stops: stops || self.fin.is_some_and(|fin| fin.stops) };
        if self.fin != Some(fin) {
            self.fin = Some(fin);
            self.fin_leg = None;
            self.done = self.stopped;
        }
    }

    /// Bytes that no leg has sent. Chunks are taken in order, so those that have some are the last few; of several legs one
    /// may be behind, which does not matter here.
    fn unsent(&self) -> u64 {
        let unsent = |chunk: &Chunk| chunk.end - if chunk.leg.is_some() { chunk.sent_to } else { chunk.start };
        self.chunks.iter().rev().map(unsent).take_while(|&bytes| bytes > 0).sum()
    }
}
