//! Frames: each is the plaintext of one record of a leg (sessions.md §2).
//!
//! ```text
//! DATA   0 ‖ bytes (1 to 4069)
//! AT     1 ‖ offset u64
//! ACK    2 ‖ received u64 ‖ read u64 ‖ limit u64 ‖ flags u8
//! FIN    3 ‖ flags u8 ‖ length u64
//! RESET  4 ‖ code u8 ‖ text (at most 256 bytes)
//! USE    5 ‖ 1 or 0
//! LIMIT  6
//! ```

use crate::Fault;

/// The longest plaintext of a record, less the kind.
pub const MAX_DATA_BYTES: usize = 4069;
/// The longest text of a RESET, bytes.
pub const MAX_TEXT_BYTES: usize = 256;
/// The longest frame but DATA.
pub const MAX_CONTROL_BYTES: usize = 2 + MAX_TEXT_BYTES;

pub const DATA: u8 = 0;
const AT: u8 = 1;
const ACK: u8 = 2;
const FIN: u8 = 3;
const RESET: u8 = 4;
const USE: u8 = 5;
const LIMIT: u8 = 6;

/// In ACK: the FIN came, and everything before it.
const SEEN_END: u8 = 1;
/// In ACK: a FIN came that says that the sender reads no more.
const SEEN_STOP: u8 = 2;
/// In FIN: the sender reads no more.
const STOPS: u8 = 1;

/// What the receiver of one direction says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ack {
    /// Bytes received in order.
    pub received: u64,
    /// Bytes that its reader took.
    pub read: u64,
    /// Bytes that it takes in all, until it says more.
    pub limit: u64,
    pub seen_end: bool,
    pub seen_stop: bool,
}

/// The end of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fin {
    /// Bytes of the direction in all.
    pub length: u64,
    /// The sender does not read any more either.
    pub stops: bool,
}

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    Data(&'a [u8]),
    /// Where the next DATA of this leg belongs.
    At(u64),
    Ack(Ack),
    Fin(Fin),
    Reset {
        code: u8,
        text: &'a [u8],
    },
    /// From the initiator: shall the leg be used, or be kept for later?
    Use(bool),
    /// From the sender: the limit, nothing else, keeps more from being sent.
    Limit,
}

impl<'a> Frame<'a> {
    pub fn decode(bytes: &'a [u8]) -> Result<Frame<'a>, Fault> {
        let (&kind, body) = bytes.split_first().ok_or(Fault::Frame)?;
        match kind {
            DATA if (1..=MAX_DATA_BYTES).contains(&body.len()) => Ok(Frame::Data(body)),
            AT => Ok(Frame::At(number(exactly(body, 8)?, 0))),
            ACK => {
                let body = exactly(body, 25)?;
                Ok(Frame::Ack(Ack {
                    received: number(body, 0),
                    read: number(body, 8),
                    limit: number(body, 16),
                    seen_end: body[24] & SEEN_END != 0,
                    seen_stop: body[24] & SEEN_STOP != 0,
                }))
            }
            FIN => {
                let body = exactly(body, 9)?;
                Ok(Frame::Fin(Fin { length: number(body, 1), stops: body[0] & STOPS != 0 }))
            }
            RESET if (1..=1 + MAX_TEXT_BYTES).contains(&body.len()) => {
                Ok(Frame::Reset { code: body[0], text: &body[1..] })
            }
            USE => Ok(Frame::Use(exactly(body, 1)?[0] != 0)),
            LIMIT => exactly(body, 0).map(|_| Frame::Limit),
            _ => Err(Fault::Frame),
        }
    }

    /// Writes any frame but DATA, which is kept as it is sent; its length.
    pub fn encode(self, out: &mut [u8; MAX_CONTROL_BYTES]) -> usize {
        let writer = Writer { out, length: 0 };
        let written = match self {
            Frame::Data(_) => writer,
            Frame::At(offset) => writer.put(&[AT]).put(&offset.to_be_bytes()),
            Frame::Ack(ack) => {
                let end = if ack.seen_end { SEEN_END } else { 0 };
                let stop = if ack.seen_stop { SEEN_STOP } else { 0 };
                let writer = writer.put(&[ACK]).put(&ack.received.to_be_bytes()).put(&ack.read.to_be_bytes());
                writer.put(&ack.limit.to_be_bytes()).put(&[end | stop])
            }
            Frame::Fin(fin) => writer.put(&[FIN, u8::from(fin.stops)]).put(&fin.length.to_be_bytes()),
            Frame::Reset { code, text } => writer.put(&[RESET, code]).put(&text[..text.len().min(MAX_TEXT_BYTES)]),
            Frame::Use(used) => writer.put(&[USE, u8::from(used)]),
            Frame::Limit => writer.put(&[LIMIT]),
        };
        written.length
    }
}

struct Writer<'a> {
    out: &'a mut [u8; MAX_CONTROL_BYTES],
    length: usize,
}

impl Writer<'_> {
    fn put(mut self, bytes: &[u8]) -> Self {
        self.out[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
        self
    }
}

fn exactly(body: &[u8], length: usize) -> Result<&[u8], Fault> {
    if body.len() == length { Ok(body) } else { Err(Fault::Frame) }
}

fn number(body: &[u8], at: usize) -> u64 {
    body[at..].first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
