//! What was received and nobody has read: messages in order, each with its border.

const LENGTH_BYTES: usize = 2;
/// What an inbox that is read as fast as it fills needs; more goes back once all is read.
const KEPT_BYTES: usize = 2 * 1024 * 1024;

/// Messages, one after the other: u16 length (native order), bytes.
#[derive(Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// Where the unread part begins: at a length, or `left` bytes before the next one.
    start: usize,
    /// Bytes of the first message that were not read yet; 0: the first message is whole.
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

    /// Adds a message of `length` bytes that `fill` writes straight into its place. An empty one leaves nothing, nor does
    /// one that fails.
    pub fn push_with<E>(&mut self, length: usize, fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<(), E> {
        self.compact();
        let end = self.bytes.len();
        self.bytes.extend_from_slice(&(length as u16).to_ne_bytes());
        self.bytes.resize(end + LENGTH_BYTES + length, 0);
        let filled = fill(&mut self.bytes[end + LENGTH_BYTES..]);
        if length == 0 || filled.is_err() {
            self.bytes.truncate(end);
        }
        filled
    }

    /// Adds a message.
    pub fn push(&mut self, message: &[u8]) {
        self.compact();
        self.bytes.extend_from_slice(&(message.len() as u16).to_ne_bytes());
        self.bytes.extend_from_slice(message);
    }

    /// Reads as a stream: many messages' bytes one after the other.
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

    /// How long the next message is, or what is left of one that was read in part; 0 when there is nothing.
    pub fn message_length(&self) -> usize {
        match self.bytes[self.start..].first_chunk::<LENGTH_BYTES>() {
            _ if self.left > 0 => self.left,
            Some(length) => usize::from(u16::from_ne_bytes(*length)),
            None => 0,
        }
    }

    /// Takes the next message, or what is left of one that was read in part.
    pub fn take_message(&mut self) -> Option<&[u8]> {
        if self.is_empty() {
            return None;
        }
        let length = if self.left > 0 { core::mem::take(&mut self.left) } else { self.take_length() };
        let from = self.start;
        self.start += length;
        Some(&self.bytes[from..self.start])
    }

    /// Gives its memory back if nothing is unread.
    pub fn rest(&mut self) {
        if self.is_empty() {
            *self = Inbox::default();
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
