//! The record layer over a byte stream, both directions of one pair of keys (dmsg.md §2.6–2.7), and the session
//! objects that share its keys and sending counter (dmsg.md §4.2).
//!
//! The receiver takes bytes in any split and keeps what it opened until it is read. It does not bound that: whoever
//! pushes reads before pushing more. The first fault is permanent; plaintext opened before it stays readable.

use core::fmt;

use crate::record::split_counter;
use crate::{
    Fault, Key, MAX_FRAME_BODY_BYTES, MAX_FRAME_PLAINTEXT_BYTES, Opener, PREFIX_BYTES, SEAL_OVERHEAD_BYTES, Sealer,
};

/// The longest plaintext of a session object: its body length is a u16.
pub const MAX_OBJECT_PLAINTEXT_BYTES: usize = u16::MAX as usize - SEAL_OVERHEAD_BYTES;

/// Both halves of a protected byte stream. Never printed; the keys are wiped when it is dropped.
pub struct Records {
    sealer: Sealer,
    opener: Opener,
    objects: ObjectWindow,
    /// A frame that is not complete yet, from its prefix on; after a fault, the frame that caused it.
    partial: Vec<u8>,
    /// Opened bytes; those before `read` have been taken.
    plaintext: Vec<u8>,
    read: usize,
    fault: Option<Fault>,
}

impl Records {
    /// Begins both directions with fresh keys.
    pub fn new(send: Key, receive: Key) -> Self {
        Records {
            sealer: Sealer::new(send),
            opener: Opener::new(receive),
            objects: ObjectWindow::default(),
            partial: Vec::new(),
            plaintext: Vec::new(),
            read: 0,
            fault: None,
        }
    }

    /// How long `plaintext` becomes when it is sealed: whole frames of at most 4070 bytes each. Nothing makes no frame.
    pub fn sealed_length(plaintext: usize) -> usize {
        plaintext + plaintext.div_ceil(MAX_FRAME_PLAINTEXT_BYTES) * (PREFIX_BYTES + SEAL_OVERHEAD_BYTES)
    }

    /// Seals into the first [`Self::sealed_length`] bytes of `out` and returns that length.
    pub fn seal_into(&mut self, plaintext: &[u8], out: &mut [u8]) -> Result<usize, Fault> {
        let length = Self::sealed_length(plaintext.len());
        let mut rest = out.get_mut(..length).ok_or(Fault::PlaintextLength)?;
        for chunk in plaintext.chunks(MAX_FRAME_PLAINTEXT_BYTES) {
            let written = self.sealer.seal_prefixed(chunk, rest)?;
            rest = &mut rest[written..];
        }
        Ok(length)
    }

    /// Takes received bytes, cut anywhere, and opens every frame that is complete.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        while !bytes.is_empty() {
            let have = self.partial.len();
            if have == 0
                && let Some(frame) = whole_frame(bytes)
            {
                self.open(frame).inspect_err(|_| self.partial.extend_from_slice(frame))?;
                bytes = &bytes[frame.len()..];
                continue;
            }
            // The prefix first; once that is there, the rest of the frame.
            let wanted = frame_length(&self.partial).unwrap_or(PREFIX_BYTES);
            let (now, later) = bytes.split_at(bytes.len().min(wanted - have));
            self.partial.extend_from_slice(now);
            bytes = later;
            if let Some(length) = frame_length(&self.partial) {
                self.check_length(length - PREFIX_BYTES)?;
                if self.partial.len() == length {
                    let frame = core::mem::take(&mut self.partial);
                    let opened = self.open(&frame);
                    self.partial = frame;
                    opened?;
                    self.partial.clear();
                }
            }
        }
        Ok(())
    }

    /// How many opened bytes can be read.
    pub fn available(&self) -> usize {
        self.plaintext.len() - self.read
    }

    /// Moves opened bytes into `into` and returns how many; 0 when there are none.
    pub fn read(&mut self, into: &mut [u8]) -> usize {
        let unread = &self.plaintext[self.read..];
        let count = unread.len().min(into.len());
        into[..count].copy_from_slice(&unread[..count]);
        self.read += count;
        if self.read == self.plaintext.len() {
            self.plaintext.clear();
            self.read = 0;
        }
        count
    }

    /// Seals a session object, u16be prefix included, into the first `plaintext.len() + 26` bytes of `out`.
    pub fn seal_object_into(&mut self, plaintext: &[u8], out: &mut [u8]) -> Result<usize, Fault> {
        self.sealer.seal_prefixed(plaintext, out)
    }

    /// Opens a session object, given without its prefix, into `out`. Objects arrive in any order, since the streams of a
    /// session are written independently; a counter that was seen, is 0, or lies 1024 or more behind the highest is
    /// refused. A refusal is not permanent.
    pub fn open_object_into(&mut self, sealed: &[u8], out: &mut [u8]) -> Result<usize, Fault> {
        let (counter, ciphertext) = split_counter(sealed)?;
        if !self.objects.is_new(counter) {
            return Err(Fault::Replay);
        }
        let length = self.opener.open_any(counter, ciphertext, out)?;
        self.objects.mark(counter);
        Ok(length)
    }

    /// Gives up the parts: both halves, received bytes that are no complete frame yet, and opened bytes nobody read.
    /// After a fault the third holds the frame that caused it, so that whoever goes on meets the same fault.
    pub fn into_parts(self) -> (Sealer, Opener, Vec<u8>, Vec<u8>) {
        let Records { sealer, opener, partial, mut plaintext, read, .. } = self;
        plaintext.drain(..read);
        (sealer, opener, partial, plaintext)
    }

    fn open(&mut self, frame: &[u8]) -> Result<(), Fault> {
        let body = &frame[PREFIX_BYTES..];
        self.check_length(body.len())?;
        let end = self.plaintext.len();
        self.plaintext.resize(end + body.len() - SEAL_OVERHEAD_BYTES, 0);
        self.opener.open_into(body, &mut self.plaintext[end..]).map(|_| ()).inspect_err(|&fault| {
            self.plaintext.truncate(end);
            self.fault = Some(fault);
        })
    }

    fn check_length(&mut self, body: usize) -> Result<(), Fault> {
        if (SEAL_OVERHEAD_BYTES..=MAX_FRAME_BODY_BYTES).contains(&body) {
            return Ok(());
        }
        self.fault = Some(Fault::FrameLength);
        Err(Fault::FrameLength)
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Records(redacted)")
    }
}

/// The length of the frame that `bytes` begin, prefix included; `None` while the prefix is incomplete.
fn frame_length(bytes: &[u8]) -> Option<usize> {
    let prefix = bytes.first_chunk::<PREFIX_BYTES>()?;
    Some(PREFIX_BYTES + usize::from(u16::from_be_bytes(*prefix)))
}

fn whole_frame(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(..frame_length(bytes)?)
}

/// Later upstream uses the same width (dmsg.md App. B.5).
const WINDOW: u64 = 1024;
const WORDS: usize = (WINDOW / 64) as usize;

/// Which of the last 1024 counters were seen: bit `N mod 1024` stands for the counter N.
#[derive(Default)]
struct ObjectWindow {
    highest: u64,
    seen: [u64; WORDS],
}

impl ObjectWindow {
    fn is_new(&self, counter: u64) -> bool {
        if counter > self.highest {
            return true;
        }
        counter != 0 && self.highest - counter < WINDOW && self.seen[word(counter)] & bit(counter) == 0
    }

    fn mark(&mut self, counter: u64) {
        if counter > self.highest {
            if counter - self.highest >= WINDOW {
                self.seen = [0; WORDS];
            } else {
                for passed in self.highest + 1..counter {
                    self.seen[word(passed)] &= !bit(passed);
                }
            }
            self.highest = counter;
        }
        self.seen[word(counter)] |= bit(counter);
    }
}

fn word(counter: u64) -> usize {
    (counter / 64) as usize % WORDS
}

fn bit(counter: u64) -> u64 {
    1 << (counter % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_window_takes_each_counter_once_in_any_order() {
        let mut window = ObjectWindow::default();
        assert!(!window.is_new(0));
        for counter in [3, 1, 2, 1026, 1025, 4] {
            assert!(window.is_new(counter), "{counter}");
            window.mark(counter);
            assert!(!window.is_new(counter), "{counter}");
        }
        assert!(!window.is_new(2), "fallen out of the window");
        assert!(window.is_new(5), "within the window and never seen");
    }

    #[test]
    fn object_window_forgets_all_after_a_long_jump() {
        let mut window = ObjectWindow::default();
        window.mark(1);
        window.mark(u64::MAX);
        assert!(!window.is_new(1));
        assert!(window.is_new(u64::MAX - WINDOW + 1));
        assert!(!window.is_new(u64::MAX - WINDOW));
    }

    #[test]
    fn object_window_clears_the_bits_it_passes() {
        let mut window = ObjectWindow::default();
        for counter in 1..=WINDOW {
            window.mark(counter);
        }
        window.mark(WINDOW + 3);
        assert!(window.is_new(WINDOW + 1));
        assert!(window.is_new(WINDOW + 2));
        assert!(!window.is_new(4));
        assert!(!window.is_new(WINDOW));
    }
}
