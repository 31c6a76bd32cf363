//! The session: what it holds, and what the local side does. What the remote side does is in `receive.rs`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use skywire_time::Millis;

use crate::config::{CLOSE_TIMEOUT, Config, DEFAULT_WINDOW, MAX_UNACKNOWLEDGED, OPEN_TIMEOUT, Role};
use crate::fault::{Fault, StreamFault};
use crate::frame::{ACK, FIN, GO_AWAY_NORMAL, HEADER_BYTES, Header, Kind, RST, SYN};
use crate::parser::Parser;
use crate::pings::{Due, Pings};
use crate::stream::{Opening, Stream};

/// What the application should look at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// Something about the stream changed: try the read or write that waited. Once until it is polled.
    Changed(u32),
    /// [`Mux::accept`] gives streams. Once until it is called.
    Incoming,
    /// [`Mux::open`] may succeed again, or fail for good.
    Openable,
    /// A ping of the application was answered.
    Pong { opaque: u32, round_trip: Millis },
    /// It was not.
    PingTimedOut(u32),
    /// The session is over; [`Mux::fault`] tells why. The link is to be closed.
    Closed,
}

/// What a read gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// So many bytes.
    Bytes(usize),
    /// Nothing now.
    Nothing,
    /// Nothing any more: the peer has finished, or the session is over.
    End,
}

/// Both directions of a session. Use: after each call that takes time or bytes, send [`Mux::take_output`] until it gives
/// 0, poll events until there are none, and call [`Mux::handle_deadline`] at [`Mux::poll_deadline`].
pub struct Mux {
    pub(crate) config: Config,
    pub(crate) streams: BTreeMap<u32, Stream>,
    pub(crate) parser: Parser,
    /// The stream that the body of the present frame is for; `None`: nobody's, it is dropped.
    pub(crate) target: Option<u32>,
    pub(crate) pings: Pings,
    /// Streams of the peer that wait to be accepted.
    pub(crate) incoming: VecDeque<u32>,
    /// The application knows that there are some.
    pub(crate) incoming_signalled: bool,
    /// Local streams that the peer has not acknowledged.
    pub(crate) unacknowledged: usize,
    /// The peer takes no new streams.
    pub(crate) remote_going_away: bool,
    /// We take none.
    pub(crate) going_away: bool,
    next_id: Option<u32>,
    extra_windows: u64,
    deadlines: BTreeSet<(u64, u32)>,
    output: VecDeque<u8>,
    /// Streams whose writes wait for space in the output, longest first.
    blocked: VecDeque<u32>,
    open_blocked: bool,
    events: VecDeque<Event>,
    fault: Option<Fault>,
}

impl Mux {
    /// Begins a session on a fresh link.
    pub fn new(config: Config, now: Millis) -> Mux {
        let config = Config { receive_window: config.receive_window.max(DEFAULT_WINDOW), ..config };
        Mux {
            streams: BTreeMap::new(),
            parser: Parser::default(),
            target: None,
            pings: Pings::new(config.keep_alive, now),
            incoming: VecDeque::new(),
            incoming_signalled: false,
            unacknowledged: 0,
            remote_going_away: false,
            going_away: false,
            next_id: Some(if config.role == Role::Client { 1 } else { 2 }),
            extra_windows: 0,
            deadlines: BTreeSet::new(),
            output: VecDeque::new(),
            blocked: VecDeque::new(),
            open_blocked: false,
            events: VecDeque::new(),
            fault: None,
            config,
        }
    }

    /// Why the session is over, if it is.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Ends the session. Nothing is sent: the link is simply closed.
    pub fn close_session(&mut self) {
        self.end(Fault::Closed);
    }

    /// Opens a stream; its id. Data may be written at once.
    ///
    /// `WouldBlock` while 256 streams wait for the peer's acknowledgement, there are too many streams, or the link is
    /// slow: [`Event::Openable`] tells when to try again.
    pub fn open(&mut self, now: Millis) -> Result<u32, StreamFault> {
        self.check_session()?;
        if self.remote_going_away {
            return Err(StreamFault::GoingAway);
        }
        let mut id = self.next_id.ok_or(StreamFault::IdsExhausted)?;
        if self.is_full() || self.unacknowledged >= MAX_UNACKNOWLEDGED || self.output.len() > self.config.output_limit {
            self.open_blocked = true;
            return Err(StreamFault::WouldBlock);
        }
        // The peer may have used an id of our parity: v1.3 does not check that.
        while self.streams.contains_key(&id) {
            let Some(next) = id.checked_add(2) else { return Err(StreamFault::IdsExhausted) };
            id = next;
        }
        self.next_id = id.checked_add(2);
        self.unacknowledged += 1;
        let extra = self.add_stream(id, Opening::Sent);
        self.set_deadline(id, now + OPEN_TIMEOUT);
        self.send(Kind::WindowUpdate, SYN, id, extra);
        Ok(id)
    }

    /// Takes the longest waiting stream of the peer. Call until there is none.
    pub fn accept(&mut self) -> Option<u32> {
        self.incoming_signalled = false;
        let id = self.incoming.pop_front()?;
        self.acknowledge(id);
        Some(id)
    }

    /// Reads what is there. The end shows after all bytes that came before it; a reset shows at once.
    pub fn read(&mut self, id: u32, into: &mut [u8]) -> Result<Read, StreamFault> {
        let over = self.fault.is_some();
        let stream = self.streams.get_mut(&id).ok_or(StreamFault::Unknown)?;
        if let Some(fault) = stream.broken {
            return Err(fault);
        }
        let count = stream.read(into);
        if count == 0 {
            let ended = (stream.remote_finished || over) && !into.is_empty();
            return Ok(if ended { Read::End } else { Read::Nothing });
        }
        if !over && let Some(credit) = stream.take_credit() {
            self.send(Kind::WindowUpdate, 0, id, credit);
        }
        Ok(Read::Bytes(count))
    }

    /// Has the peer ended its direction? Tells a finished stream from one that ended with the session.
    pub fn is_remote_finished(&self, id: u32) -> bool {
        self.streams.get(&id).is_some_and(|stream| stream.remote_finished)
    }

    /// Takes bytes to send; how many, which is fewer than given when the peer's window or the output is full. Then
    /// [`Event::Changed`] tells when to go on.
    pub fn write(&mut self, id: u32, bytes: &[u8]) -> Result<usize, StreamFault> {
        self.check_session()?;
        let space = self.config.output_limit.saturating_sub(self.output.len() + HEADER_BYTES);
        let stream = self.streams.get_mut(&id).ok_or(StreamFault::Unknown)?;
        if let Some(fault) = stream.broken {
            return Err(fault);
        }
        if stream.local_finished {
            return Err(StreamFault::Finished);
        }
        let allowed = bytes.len().min(stream.send_window as usize);
        let count = allowed.min(space);
        if count < allowed && !stream.blocked {
            stream.blocked = true;
            self.blocked.push_back(id);
        }
        if count > 0 {
            stream.send_window -= count as u32;
            self.send(Kind::Data, 0, id, count as u32);
            self.output.extend(&bytes[..count]);
        }
        Ok(count)
    }

    /// Ends the local direction with one FIN; reading goes on. Harmless when repeated or too late.
    pub fn close_write(&mut self, id: u32) -> Result<(), StreamFault> {
        let stream = self.streams.get_mut(&id).ok_or(StreamFault::Unknown)?;
        if stream.local_finished || !stream.is_live() {
            return Ok(());
        }
        stream.local_finished = true;
        if self.fault.is_none() {
            self.send(Kind::WindowUpdate, FIN, id, 0);
        }
        self.forget_if_over(id);
        Ok(())
    }

    /// Ends both directions: FIN, and what still comes is dropped. The id is free for the application from here on.
    pub fn close(&mut self, id: u32, now: Millis) -> Result<(), StreamFault> {
        self.close_write(id)?;
        let over = self.fault.is_some();
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.abandoned = true;
            stream.discard();
            if over || !stream.is_live() {
                self.forget(id);
            } else if stream.talks_to_nobody() {
                self.reset(id)?;
            } else {
                self.set_deadline(id, now + CLOSE_TIMEOUT);
            }
        }
        Ok(())
    }

    /// Ends both directions at once and tells the peer so. The id is free from here on.
    pub fn reset(&mut self, id: u32) -> Result<(), StreamFault> {
        let stream = self.streams.get(&id).ok_or(StreamFault::Unknown)?;
        if stream.is_live() && self.fault.is_none() {
            self.send(Kind::WindowUpdate, RST, id, 0);
        }
        self.forget(id);
        Ok(())
    }

    /// Tells the peer to open no more streams; those that it opens anyway are reset. Streams that exist live on.
    pub fn go_away(&mut self) {
        if self.fault.is_none() && !self.going_away {
            self.going_away = true;
            self.send(Kind::GoAway, 0, 0, GO_AWAY_NORMAL);
        }
    }

    /// Asks the peer for a sign of life; the value that [`Event::Pong`] or [`Event::PingTimedOut`] will name. The answer
    /// is due within 10 s.
    pub fn ping(&mut self, now: Millis) -> Result<u32, StreamFault> {
        self.check_session()?;
        let opaque = self.pings.begin(now).ok_or(StreamFault::WouldBlock)?;
        self.send(Kind::Ping, SYN, 0, opaque);
        Ok(opaque)
    }

    /// Moves bytes to send out; 0 when there are none.
    pub fn take_output(&mut self, into: &mut [u8]) -> usize {
        let count = into.len().min(self.output.len());
        let (front, back) = self.output.as_slices();
        let split = count.min(front.len());
        into[..split].copy_from_slice(&front[..split]);
        into[split..count].copy_from_slice(&back[..count - split]);
        self.output.drain(..count);
        if count > 0 && self.output.len() <= self.config.output_limit / 2 {
            for id in std::mem::take(&mut self.blocked) {
                if let Some(stream) = self.streams.get_mut(&id) {
                    stream.blocked = false;
                    self.signal(id);
                }
            }
            self.signal_openable();
        }
        count
    }

    /// How many bytes wait to be sent.
    pub fn output_length(&self) -> usize {
        self.output.len()
    }

    /// The next event. Every call of this machine may add some.
    pub fn poll_event(&mut self) -> Option<Event> {
        loop {
            let event = self.events.pop_front()?;
            let Event::Changed(id) = event else { return Some(event) };
            if let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.signalled) {
                stream.signalled = false;
                return Some(event);
            }
        }
    }

    /// When [`Mux::handle_deadline`] is due. Every call of this machine may change it.
    pub fn poll_deadline(&self) -> Option<Millis> {
        if self.fault.is_some() {
            return None;
        }
        let streams = self.deadlines.first().map(|&(at, _)| millis(at));
        self.pings.deadline().into_iter().chain(streams).reduce(Millis::earlier)
    }

    /// Does what is due at `now`: keep-alive, and the end of streams that the peer does not acknowledge or finish. A v1.3
    /// opener ends the whole session for one stream without acknowledgement; resetting that stream harms nobody else.
    pub fn handle_deadline(&mut self, now: Millis) {
        while self.fault.is_none()
            && let Some(due) = self.pings.due(now)
        {
            match due {
                Due::Send(opaque) => self.send(Kind::Ping, SYN, 0, opaque),
                Due::TimedOut(opaque) => self.events.push_back(Event::PingTimedOut(opaque)),
                Due::Silence => self.end(Fault::KeepAlive),
            }
        }
        while self.fault.is_none()
            && let Some((at, id)) = self.deadlines.first().copied()
            && millis(at) <= now
        {
            self.send(Kind::WindowUpdate, RST, id, 0);
            self.break_stream(id, StreamFault::OpenTimeout);
        }
    }

    fn check_session(&self) -> Result<(), StreamFault> {
        if self.fault.is_some() { Err(StreamFault::Session) } else { Ok(()) }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.streams.len() >= self.config.max_streams
    }

    /// Ends the session: streams keep what is unread, nothing more is sent.
    pub(crate) fn end(&mut self, fault: Fault) {
        if self.fault.is_some() {
            return;
        }
        self.fault = Some(fault);
        self.output = VecDeque::new();
        self.deadlines.clear();
        self.incoming.clear();
        self.events.push_back(Event::Closed);
    }

    /// Adds a stream; what its window exceeds the default by.
    pub(crate) fn add_stream(&mut self, id: u32, opening: Opening) -> u32 {
        let wanted = self.config.receive_window - DEFAULT_WINDOW;
        let extra = if self.extra_windows + u64::from(wanted) <= self.config.extra_window_budget { wanted } else { 0 };
        self.extra_windows += u64::from(extra);
        self.streams.insert(id, Stream::new(opening, extra));
        extra
    }

    /// Acknowledges a stream of the peer, unless that was done or it is over.
    pub(crate) fn acknowledge(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.opening != Opening::Received || !stream.is_live() {
            return;
        }
        stream.opening = Opening::Done;
        let extra = stream.extra_window;
        self.send(Kind::WindowUpdate, ACK, id, extra);
    }

    pub(crate) fn send(&mut self, kind: Kind, flags: u16, stream: u32, length: u32) {
        self.output.extend(&Header { kind, flags, stream, length }.encode());
    }

    /// Tells the application to look at a stream.
    pub(crate) fn signal(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(&id)
            && !stream.signalled
            && !stream.abandoned
        {
            stream.signalled = true;
            self.events.push_back(Event::Changed(id));
        }
    }

    pub(crate) fn push_event(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// The stream is over for both sides; the application learns it, if it still cares.
    pub(crate) fn break_stream(&mut self, id: u32, why: StreamFault) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.break_off(why);
        // Nobody knows of it if it was not accepted yet.
        let unwanted = stream.abandoned || self.incoming.contains(&id);
        self.settle_opening(id);
        self.clear_deadline(id);
        if unwanted { self.forget(id) } else { self.signal(id) }
    }

    /// A local stream is acknowledged or over: another one may be opened.
    pub(crate) fn settle_opening(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(&id)
            && stream.opening == Opening::Sent
        {
            stream.opening = Opening::Done;
            self.unacknowledged -= 1;
            self.signal_openable();
        }
    }

    pub(crate) fn forget_if_over(&mut self, id: u32) {
        let Some(stream) = self.streams.get(&id) else { return };
        if stream.is_live() {
            return;
        }
        let abandoned = stream.abandoned;
        self.settle_opening(id);
        self.clear_deadline(id);
        if abandoned {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: u32) {
        self.settle_opening(id);
        self.clear_deadline(id);
        if let Some(stream) = self.streams.remove(&id) {
            self.extra_windows -= u64::from(stream.extra_window);
            if stream.blocked {
                self.blocked.retain(|waiting| *waiting != id);
            }
            self.incoming.retain(|waiting| *waiting != id);
            self.signal_openable();
        }
    }

    pub(crate) fn signal_openable(&mut self) {
        if self.open_blocked {
            self.open_blocked = false;
            self.events.push_back(Event::Openable);
        }
    }

    fn set_deadline(&mut self, id: u32, at: Millis) {
        self.clear_deadline(id);
        // Saturates: a clock that tells nonsense gives a wrong deadline, not a panic.
        let micros = (at.0 * 1000.0) as u64;
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.deadline = Some(micros);
            self.deadlines.insert((micros, id));
        }
    }

    pub(crate) fn clear_deadline(&mut self, id: u32) {
        if let Some(at) = self.streams.get_mut(&id).and_then(|stream| stream.deadline.take()) {
            self.deadlines.remove(&(at, id));
        }
    }
}

fn millis(micros: u64) -> Millis {
    Millis(micros as f64 / 1000.0)
}
