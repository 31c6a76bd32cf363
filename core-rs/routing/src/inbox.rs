//! What a group has received and nobody has read: records in order, each with its border.

use skywire_crypto::{Fault, Opener, SEAL_OVERHEAD_BYTES};

const LENGTH_BYTES: usize = 2;
/// What an inbox that is read as fast as it fills needs; more goes back once all is read.
const KEPT_BYTES: usize = 2 * 1024 * 1024;

/// Opened records, one after the other: u16 length (native order), bytes.
#[derive(Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// Where the unread part begins: at a length, or `left` bytes before the next one.
    start: usize,
    /// Bytes of the first record that were not read yet; 0: the first record is whole.
    left: usize,
}

impl Inbox {
    /// Unread bytes, borders included.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Opens a record's body straight into the inbox and returns the length of the plaintext; an empty one leaves nothing.
    pub fn open(&mut self, opener: &mut Opener, body: &[u8]) -> Result<usize, Fault> {
        let length = body.len().checked_sub(SEAL_OVERHEAD_BYTES).ok_or(Fault::FrameLength)?;
        self.compact();
        let end = self.bytes.len();
        self.bytes.extend_from_slice(&(length as u16).to_ne_bytes());
        self.bytes.resize(end + LENGTH_BYTES + length, 0);
        let opened = opener.open_into(body, &mut self.bytes[end + LENGTH_BYTES..]);
        if !matches!(opened, Ok(1..)) {
            self.bytes.truncate(end);
        }
        opened
    }

    /// Reads as a stream: many records' bytes one after the other.
    pub fn read(&mut self, into: &mut [u8]) -> usize {
        let mut done = 0;
        while done < into.len() && !self.is_empty() {
            if self.left == 0 {
                self.left = self.take_length();
            }
            let count = self.left.min(into.len() - done);
            into[done..done + count].copy_from_slice(&self.bytes[self.start..self.start + count]);
            self.start += count;
            self.left -= count;
            done += count;
        }
        if self.is_empty() && self.bytes.capacity() > KEPT_BYTES {
            *self = Inbox::default();
        }
        done
    }

    /// How long the next record is, or what is left of one that was read in part; 0 when there is nothing.
    pub fn message_length(&self) -> usize {
        match self.bytes[self.start..].first_chunk::<LENGTH_BYTES>() {
            _ if self.left > 0 => self.left,
            Some(length) => usize::from(u16::from_ne_bytes(*length)),
            None => 0,
        }
    }

    fn take_length(&mut self) -> usize {
        let length = self.message_length();
        self.start += LENGTH_BYTES;
        length
    }

    /// Moves the unread part to the front once more than half is read, so that each byte is moved about once at most.
    fn compact(&mut self) {
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        } else if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }
}
