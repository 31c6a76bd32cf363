//! One route group: the end of a connection (routing.md §4). Before it has keys its Data packets carry Noise messages,
//! afterwards records. What belongs to the one path that it uses is in [`crate::path`].

use skywire_crypto::{Fault, MAX_FRAME_BODY_BYTES, Opener, PREFIX_BYTES, Records, SEAL_OVERHEAD_BYTES, Sealer};
use skywire_session::Inbox;
use skywire_time::Millis;

use crate::event::CloseReason;
use crate::flow::MAX_WINDOW;
use crate::handles::LinkHandle;
use crate::leg::GroupLeg;
use crate::path::Path;
use crate::pings::MAX_PINGS;

/// Noise messages and early records that wait for the shell: many times what a handshake sends.
const MAX_RAW_BYTES: usize = 64 * 1024;
/// Unread bytes from which on the link that brings them is not read. A sender of ours has no more than its window under
/// way, so only others come here.
const INBOX_BYTES: usize = MAX_WINDOW as usize + 1024 * 1024;
/// Unread bytes from which on Pongs wait, which stops a sender of ours: for many times what a reader takes at once.
const WITHHOLD_BYTES: usize = 1024 * 1024;
/// So much has to be read before a full inbox takes more. Not more than that, since the link behind it, which carries
/// others' routes, too, is not read before.
const DRAIN_BYTES: usize = 512 * 1024;
/// How long that may take: who reads slower than 100 KB/s from a full inbox gets no more. Less than silence takes to
/// end the other routes.
const UNREAD: Millis = Millis(5_000.0);
/// Nothing from the peer for so long, three of its pings, and the route counts as broken.
const SILENCE: Millis = Millis(9_000.0);
/// Half of the keep-alive that dials ask for (routing.md §4.8).
const KEEP_ALIVE: Millis = Millis(15_000.0);
/// How long the answer to our Close may take (routing.md §4.8).
const CLOSE: Millis = Millis(2_000.0);
/// Pongs that are withheld: as many as a sender of ours awaits.
const MAX_WITHHELD: usize = MAX_PINGS;

/// What a group has to do now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    Ping,
    KeepAlive,
    End(CloseReason, &'static str),
}

/// See the top of the file.
pub struct Group {
    pub path: Path,
    pub inbox: Inbox,
    /// Of which session it is a leg, if of one.
    pub leg: Option<GroupLeg>,
    pub end: Option<CloseReason>,
    /// The text of the peer's Error packet.
    pub error: Vec<u8>,
    /// Links that wait for room in the inbox.
    pub waiting_links: Vec<LinkHandle>,
    /// A writer waits for room in the link.
    pub wants_link: bool,
    /// A writer waits for room in the window.
    pub wants_window: bool,
    /// Pongs that wait until what came has been read.
    pub withheld: Vec<[u8; 8]>,
    pub told_readable: bool,
    pub told_frame: bool,
    pub sent_bytes: u64,
    pub received_bytes: u64,
    /// When the inbox became full.
    pub full_since: Option<Millis>,
    raw: Vec<u8>,
    crypto: Option<(Sealer, Opener)>,
    closing_since: Option<Millis>,
    heard_at: Millis,
    data_sent_at: Millis,
}

impl Group {
    pub fn new(path: Path, now: Millis) -> Group {
        Group {
            path,
            inbox: Inbox::default(),
            leg: None,
            end: None,
            error: Vec::new(),
            waiting_links: Vec::new(),
            wants_link: false,
            wants_window: false,
            withheld: Vec::new(),
            told_readable: false,
            told_frame: false,
            sent_bytes: 0,
            received_bytes: 0,
            full_since: None,
            raw: Vec::new(),
            crypto: None,
            closing_since: None,
            heard_at: now,
            data_sent_at: now,
        }
    }

    pub fn is_secure(&self) -> bool {
        self.crypto.is_some()
    }

    /// Installs the keys and opens what had come early.
    pub fn secure(&mut self, records: Records, now: Millis) -> Result<(), Fault> {
        let (sealer, opener, _, _) = records.into_parts();
        self.crypto = Some((sealer, opener));
        (self.heard_at, self.data_sent_at) = (now, now);
        self.path.pings.restart(now);
        self.open_raw()
    }

    /// Does the payload of a Data packet have to wait until somebody has read?
    pub fn is_full(&self) -> bool {
        self.inbox.len() >= INBOX_BYTES && self.end.is_none() && !self.is_closing()
    }

    /// Is so much unread that the sender should stop?
    pub fn is_behind(&self) -> bool {
        self.inbox.len() > WITHHOLD_BYTES
    }

    /// Keeps a Pong until what came has been read; an old one goes when there are too many, since a later one says more.
    pub fn withhold(&mut self, timestamp: [u8; 8]) {
        if self.withheld.len() == MAX_WITHHELD {
            self.withheld.remove(0);
        }
        self.withheld.push(timestamp);
    }

    /// Has so much been read that the link may bring more?
    pub fn has_drained(&self) -> bool {
        self.inbox.len() + DRAIN_BYTES < INBOX_BYTES
    }

    /// Something came from the peer.
    pub fn heard(&mut self, now: Millis) {
        self.heard_at = now;
    }

    /// Takes the payload of a Data packet.
    pub fn receive(&mut self, payload: &[u8]) -> Result<(), Fault> {
        self.received_bytes += payload.len() as u64;
        let Some((_, opener)) = &mut self.crypto else {
            if self.raw.len() + payload.len() > MAX_RAW_BYTES {
                return Err(Fault::FrameLength);
            }
            self.raw.extend_from_slice(payload);
            return Ok(());
        };
        if self.raw.is_empty() {
            if is_record(payload) {
                return open(&mut self.inbox, opener, &payload[PREFIX_BYTES..]);
            }
        }
        self.raw.extend_from_slice(payload);
        self.open_raw()
    }

    /// Takes the payload of a Data packet of a leg: the plaintext, when it is one whole record with nothing before it, as
    /// every peer sends; otherwise what was opened is in the inbox.
    pub fn receive_into(&mut self, payload: &[u8], plain: &mut [u8]) -> Result<Option<usize>, Fault> {
        if !(self.raw.is_empty() && self.inbox.is_empty() && is_record(payload)) {
            return self.receive(payload).map(|()| None);
        }
        let Some((_, opener)) = &mut self.crypto else { return Ok(None) };
        self.received_bytes += payload.len() as u64;
        opener.open_into(&payload[PREFIX_BYTES..], plain).map(Some)
    }

    /// Is a whole Noise message there?
    pub fn frame_length(&self) -> Option<usize> {
        if self.crypto.is_some() {
            return None;
        }
        let length = usize::from(u16::from_be_bytes(*self.raw.first_chunk::<PREFIX_BYTES>()?));
        (self.raw.len() >= PREFIX_BYTES + length).then_some(length)
    }

    /// Takes the next Noise message, without its length.
    pub fn take_frame(&mut self, out: &mut [u8]) -> Option<usize> {
        let length = self.frame_length()?;
        let out = out.get_mut(..length)?;
        out.copy_from_slice(&self.raw[PREFIX_BYTES..PREFIX_BYTES + length]);
        self.raw.drain(..PREFIX_BYTES + length);
        Some(length)
    }

    /// Seals one record of at most 4070 bytes; 0 without keys.
    pub fn seal(&mut self, plaintext: &[u8], out: &mut [u8], now: Millis) -> usize {
        let Some((sealer, _)) = &mut self.crypto else { return 0 };
        self.data_sent_at = now;
        sealer.seal_into(plaintext, out)
    }

    /// This side says goodbye.
    pub fn begin_close(&mut self, now: Millis) {
        self.closing_since = Some(now);
    }

    pub fn is_closing(&self) -> bool {
        self.closing_since.is_some()
    }

    /// What is to be done at this time.
    pub fn due(&self, now: Millis) -> Option<Due> {
        if self.end.is_some() {
            return None;
        }
        if let Some(since) = self.closing_since {
            return (now - since >= CLOSE).then_some(Due::End(CloseReason::Local, ""));
        }
        self.crypto.as_ref()?;
        if self.full_since.is_some_and(|since| now - since > UNREAD) {
            return Some(Due::End(CloseReason::Fault, "nobody read what arrived"));
        }
        if now - self.heard_at > SILENCE {
            return Some(Due::End(CloseReason::Silence, ""));
        }
        if self.path.pings.is_due(now) {
            return Some(Due::Ping);
        }
        (now - self.data_sent_at >= KEEP_ALIVE).then_some(Due::KeepAlive)
    }

    /// A KeepAlive was sent.
    pub fn kept_alive(&mut self, now: Millis) {
        self.data_sent_at = now;
    }

    fn open_raw(&mut self) -> Result<(), Fault> {
        let Some((_, opener)) = &mut self.crypto else { return Ok(()) };
        let mut at = 0;
        while let Some(prefix) = self.raw[at..].first_chunk::<PREFIX_BYTES>() {
            let length = usize::from(u16::from_be_bytes(*prefix));
            if !(SEAL_OVERHEAD_BYTES..=MAX_FRAME_BODY_BYTES).contains(&length) {
                return Err(Fault::FrameLength);
            }
            let Some(body) = self.raw.get(at + PREFIX_BYTES..at + PREFIX_BYTES + length) else { break };
            open(&mut self.inbox, opener, body)?;
            at += PREFIX_BYTES + length;
        }
        self.raw.drain(..at);
        Ok(())
    }
}

/// Is this one record: what every peer puts into a packet?
fn is_record(payload: &[u8]) -> bool {
    payload.len() >= PREFIX_BYTES + SEAL_OVERHEAD_BYTES
        && usize::from(u16::from_be_bytes([payload[0], payload[1]])) == payload.len() - PREFIX_BYTES
}

/// Opens a record's body straight into the inbox.
fn open(inbox: &mut Inbox, opener: &mut Opener, body: &[u8]) -> Result<(), Fault> {
    let length = body.len().checked_sub(SEAL_OVERHEAD_BYTES).ok_or(Fault::FrameLength)?;
    inbox.push_with(length, |into| opener.open_into(body, into).map(drop))
}
