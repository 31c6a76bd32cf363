//! One direction as its receiver sees it: what came in order waits for the reader, what came too early over another leg
//! waits for what is missing. The limit that the sender was told bounds both.

use std::collections::BTreeMap;

use crate::budget::Budget;
use crate::fault::Fault;
use crate::frame::{Ack, Fin};
use crate::inbox::Inbox;
use crate::outgoing::CHUNK_BYTES;

/// What the sender may have under way at first, bytes: 100 Mbit/s over 40 ms.
const FIRST_WINDOW: u64 = 512 * 1024;
/// 100 MB/s over 160 ms.
const MAX_WINDOW: u64 = 16 * 1024 * 1024;
/// The sender hears of what was received after so many bytes, to free its memory. Not more often by itself: each costs a
/// turn of every visor on the way back.
const TELL_BYTES: u64 = 256 * 1024;
/// A sender cuts at [`CHUNK_BYTES`], so the window has no more gaps than this.
const MAX_RUNS: usize = 2 * (MAX_WINDOW as usize / CHUNK_BYTES);

/// Messages that came too early, without a gap between them.
struct Run {
    end: u64,
    /// As small as what waits for the reader: a peer may cut into single bytes what it was allowed.
    messages: Inbox,
}

/// See the top of the file.
pub struct Incoming {
    inbox: Inbox,
    runs: BTreeMap<u64, Run>,
    /// Bytes received in order.
    pub received: u64,
    /// Bytes that the reader took.
    pub read: u64,
    /// Bytes that came twice.
    pub repeated: u64,
    limit: u64,
    window: u64,
    fin: Option<Fin>,
    /// Nobody reads any more: what comes is dropped.
    pub discards: bool,
    told: Ack,
}

impl Incoming {
    pub fn new(budget: &Budget) -> Incoming {
        let window = FIRST_WINDOW.min(budget.first_share());
        Incoming {
            inbox: Inbox::default(),
            runs: BTreeMap::new(),
            received: 0,
            read: 0,
            repeated: 0,
            limit: window,
            window,
            fin: None,
            discards: false,
            told: Ack::default(),
        }
    }

    /// Bytes that may wait here by what the sender was told. The borders of messages come on top, two bytes each.
    pub fn promised(&self) -> u64 {
        if self.discards {
            0
        } else if self.is_complete() {
            self.received - self.read
        } else {
            self.limit - self.read
        }
    }

    /// Bytes received in order, and how many more are taken.
    pub fn position(&self) -> (u64, u64) {
        (self.received, self.limit - self.received)
    }

    /// Is nothing more to come, and does the other end know?
    pub fn is_settled(&self) -> bool {
        let (now, told) = (self.ack(), self.told);
        if self.fin.is_none() {
            self.discards
        } else {
            now.seen_end && told.seen_end && now.seen_stop == told.seen_stop
        }
    }

    /// Did the end come, and everything before it?
    pub fn is_complete(&self) -> bool {
        self.fin.is_some_and(|fin| fin.length == self.received)
    }

    /// Did the other end say that it reads no more?
    pub fn stops(&self) -> bool {
        self.fin.is_some_and(|fin| fin.stops)
    }

    /// Nothing is left to be read.
    pub fn is_empty(&self) -> bool {
        self.inbox.is_empty()
    }

    pub fn message_length(&self) -> usize {
        self.inbox.message_length()
    }

    /// Takes the data that stands at `offset`.
    pub fn take(&mut self, offset: u64, data: &[u8]) -> Result<(), Fault> {
        let end = offset.checked_add(data.len() as u64).ok_or(Fault::Window)?;
        if self.fin.is_some_and(|fin| end > fin.length) {
            return Err(Fault::Order);
        }
        if end > self.limit && !self.discards {
            return Err(Fault::Window);
        }
        if self.discards || end <= self.received {
            self.repeated += data.len() as u64;
            return Ok(());
        }
        if offset < self.received {
            return Err(Fault::Order);
        }
        if offset == self.received {
            self.inbox.push(data);
            self.received = end;
            return self.join_runs();
        }
        self.keep(offset, end, data)
    }

    /// Takes the end. A second one may say in addition that the other end stops reading.
    pub fn take_fin(&mut self, fin: Fin) -> Result<(), Fault> {
        let before = self.fin.get_or_insert(fin);
        let beyond = self.runs.last_key_value().map_or(self.received, |(_, run)| run.end);
        if before.length != fin.length || (fin.length < beyond && !self.discards) {
            return Err(Fault::End);
        }
        before.stops |= fin.stops;
        Ok(())
    }

    /// The sender could send more. It may, unless the reader here is the reason that it waits.
    pub fn take_limit(&mut self) {
        if self.received - self.read < self.window / 2 {
            self.window = (2 * self.window).min(MAX_WINDOW);
        }
    }

    /// Reads as a stream; how many bytes.
    pub fn take_read(&mut self, into: &mut [u8]) -> usize {
        let count = self.inbox.read(into);
        self.read += count as u64;
        count
    }

    /// Nothing has come for a while.
    pub fn rest(&mut self) {
        self.inbox.rest();
    }

    /// The reader is gone.
    pub fn discard(&mut self) {
        self.discards = true;
        self.inbox = Inbox::default();
        self.runs.clear();
    }

    /// Is something worth to be told? `idle`: also a little.
    pub fn has_news(&self, idle: bool, budget: &Budget) -> bool {
        let now = self.ack();
        let window = self.window_now(budget);
        let least = if idle { 1 } else { TELL_BYTES.min(window / 4) };
        (now.seen_end, now.seen_stop) != (self.told.seen_end, self.told.seen_stop)
            || now.received - self.told.received >= least
            || (self.read + window).saturating_sub(self.limit) >= window / 4 && !self.is_over()
    }

    /// What the other end is told now, which is remembered as told.
    pub fn tell(&mut self, budget: &Budget) -> Ack {
        if !self.is_over() {
            self.limit = self.limit.max(self.read + self.window_now(budget));
        }
        self.told = self.ack();
        self.told
    }

    /// What the other end was told got lost, perhaps.
    pub fn forget_told(&mut self) {
        (self.told.received, self.told.seen_end, self.told.seen_stop) = (0, false, false);
    }

    fn ack(&self) -> Ack {
        let seen_stop = self.stops();
        let seen_end = self.is_complete() || (self.discards && self.fin.is_some());
        Ack { received: self.received, read: self.read, limit: self.limit, seen_end, seen_stop }
    }

    /// What the sender may have under way now.
    fn window_now(&self, budget: &Budget) -> u64 {
        self.window.min(budget.share(self.promised()))
    }

    /// The sender needs no more room.
    fn is_over(&self) -> bool {
        self.discards || self.fin.is_some()
    }

    fn keep(&mut self, offset: u64, end: u64, data: &[u8]) -> Result<(), Fault> {
        // Who sends twice cuts alike, so no message lies over the beginning of another.
        let reaches_over = self.runs.range(offset + 1..end).next().is_some();
        if let Some((_, run)) = self.runs.range_mut(..=offset).next_back()
            && offset <= run.end
        {
            if offset < run.end && end > run.end {
                return Err(Fault::Order);
            }
            if offset < run.end {
                self.repeated += data.len() as u64;
                return Ok(());
            }
            if reaches_over {
                return Err(Fault::Order);
            }
            run.messages.push(data);
            run.end = end;
            return Ok(());
        }
        if reaches_over {
            return Err(Fault::Order);
        }
        if self.runs.len() == MAX_RUNS {
            return Err(Fault::Gaps);
        }
        let mut messages = Inbox::default();
        messages.push(data);
        self.runs.insert(offset, Run { end, messages });
        Ok(())
    }

    /// Moves the runs that are not early any more.
    fn join_runs(&mut self) -> Result<(), Fault> {
        while let Some(first) = self.runs.first_entry()
            && *first.key() <= self.received
        {
            let (mut at, mut run) = first.remove_entry();
            while let Some(message) = run.messages.take_message() {
                let length = message.len() as u64;
                let end = at + length;
                if at == self.received {
                    self.inbox.push(message);
                    self.received = end;
                } else if end <= self.received {
                    self.repeated += length;
                } else {
                    return Err(Fault::Order);
                }
                at = end;
            }
        }
        Ok(())
    }
}
