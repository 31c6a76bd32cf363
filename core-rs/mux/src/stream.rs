//! One stream: windows, unread bytes, and which of its two directions have ended.

use std::collections::VecDeque;

use crate::config::{DEFAULT_WINDOW, KEPT_CAPACITY, MAX_CREDIT};
use crate::fault::StreamFault;

/// How far the opening of a stream has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// We opened it, and the peer has not acknowledged it.
    Sent,
    /// The peer opened it, and we have not acknowledged it.
    Received,
    Done,
}

pub(crate) struct Stream {
    pub opening: Opening,
    /// We have sent FIN.
    pub local_finished: bool,
    /// The peer has sent FIN.
    pub remote_finished: bool,
    /// It broke: neither side may send on it any more.
    pub broken: Option<StreamFault>,
    /// The application has closed both directions: nobody reads what comes.
    pub abandoned: bool,
    /// A `Changed` event waits to be polled.
    pub signalled: bool,
    /// A write waits for space in the output.
    pub blocked: bool,
    /// When it is reset for lack of an acknowledgement or FIN; µs, so that it can be ordered.
    pub deadline: Option<u64>,
    /// What the window exceeds the default by: taken from the session's budget.
    pub extra_window: u32,
    /// What we may send.
    pub send_window: u32,
    /// What the peer may send.
    receive_window: u32,
    /// Read since the last credit.
    consumed: u32,
    unread: VecDeque<u8>,
}

impl Stream {
    pub fn new(opening: Opening, extra_window: u32) -> Stream {
        Stream {
            opening,
            local_finished: false,
            remote_finished: false,
            broken: None,
            abandoned: false,
            signalled: false,
            blocked: false,
            deadline: None,
            extra_window,
            send_window: DEFAULT_WINDOW,
            receive_window: DEFAULT_WINDOW + extra_window,
            consumed: 0,
            unread: VecDeque::new(),
        }
    }

    /// Does the peer still know it? Frames for a stream that is over are ignored.
    pub fn is_live(&self) -> bool {
        self.broken.is_none() && !(self.local_finished && self.remote_finished)
    }

    fn window_size(&self) -> u32 {
        DEFAULT_WINDOW + self.extra_window
    }

    /// The peer announces `length` bytes. False when they exceed the window.
    pub fn announce(&mut self, length: u32) -> bool {
        let Some(rest) = self.receive_window.checked_sub(length) else { return false };
        self.receive_window = rest;
        true
    }

    /// Takes bytes that were announced.
    pub fn receive(&mut self, bytes: &[u8]) {
        if !self.abandoned && self.broken.is_none() {
            self.unread.extend(bytes);
        }
    }

    /// Has the peer, after nobody reads any more, sent so much that it must be told?
    pub fn talks_to_nobody(&self) -> bool {
        self.abandoned && self.receive_window < self.window_size() / 2
    }

    /// Moves unread bytes out; how many.
    pub fn read(&mut self, into: &mut [u8]) -> usize {
        let count = into.len().min(self.unread.len());
        let (front, back) = self.unread.as_slices();
        let split = count.min(front.len());
        into[..split].copy_from_slice(&front[..split]);
        into[split..count].copy_from_slice(&back[..count - split]);
        self.unread.drain(..count);
        if self.unread.is_empty() && self.unread.capacity() > KEPT_CAPACITY {
            self.unread = VecDeque::new();
        }
        self.consumed += count as u32;
        count
    }

    /// The credit that is due to the peer; given from here on.
    pub fn take_credit(&mut self) -> Option<u32> {
        if self.consumed < MAX_CREDIT.min(self.window_size() / 2) || self.remote_finished || !self.is_live() {
            return None;
        }
        let credit = self.consumed;
        self.consumed = 0;
        self.receive_window += credit;
        Some(credit)
    }

    /// Nobody reads any more.
    pub fn discard(&mut self) {
        self.unread = VecDeque::new();
    }

    /// Ends both directions at once; unread bytes are lost, as v1.3 loses them.
    pub fn break_off(&mut self, why: StreamFault) {
        self.broken = Some(why);
        self.discard();
    }
}
