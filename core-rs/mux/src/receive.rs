//! The session: what the remote side does.

use crate::config::CONTROL_ALLOWANCE;
use crate::fault::{Fault, StreamFault};
use crate::frame::{ACK, FIN, GO_AWAY_NORMAL, HEADER_BYTES, Header, Kind, RST, SYN};
use crate::mux::{Event, Mux};
use crate::stream::Opening;

/// Where in a frame the received bytes stand.
pub(crate) struct Parser {
    header: [u8; HEADER_BYTES],
    have: usize,
    /// Bytes of the body that have not come.
    body_left: u32,
    /// Whose body it is; `None`: nobody's, it is dropped.
    target: Option<u32>,
}

impl Parser {
    pub fn new() -> Parser {
        Parser { header: [0; HEADER_BYTES], have: 0, body_left: 0, target: None }
    }
}

impl Mux {
    pub(crate) fn receive(&mut self, mut bytes: &[u8], now: f64) -> Result<(), Fault> {
        while !bytes.is_empty() {
            if self.parser.body_left > 0 {
                let (body, rest) = bytes.split_at(bytes.len().min(self.parser.body_left as usize));
                self.parser.body_left -= body.len() as u32;
                bytes = rest;
                self.take_body(body);
                continue;
            }
            let have = self.parser.have;
            let (part, rest) = bytes.split_at(bytes.len().min(HEADER_BYTES - have));
            self.parser.header[have..have + part.len()].copy_from_slice(part);
            self.parser.have += part.len();
            bytes = rest;
            if self.parser.have == HEADER_BYTES {
                self.parser.have = 0;
                let header = Header::decode(&self.parser.header)?;
                self.take_header(header, now)?;
                if self.output_length() > self.config.output_limit + CONTROL_ALLOWANCE {
                    return Err(Fault::OutputOverflow);
                }
            }
        }
        Ok(())
    }

    fn take_body(&mut self, body: &[u8]) {
        let Some(id) = self.parser.target else { return };
        // The application may have given the stream up meanwhile; then the rest is dropped.
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.receive(body);
        self.signal(id);
    }

    fn take_header(&mut self, header: Header, now: f64) -> Result<(), Fault> {
        match header.kind {
            Kind::Data | Kind::WindowUpdate => self.take_stream_frame(header),
            Kind::Ping => {
                if header.flags & SYN != 0 {
                    self.send(Kind::Ping, ACK, 0, header.length);
                } else if let Some(round_trip_ms) = self.pings.answered(header.length, now) {
                    self.push_event(Event::Pong { opaque: header.length, round_trip_ms });
                }
                Ok(())
            }
            Kind::GoAway if header.length == GO_AWAY_NORMAL => {
                self.remote_going_away = true;
                self.signal_openable();
                Ok(())
            }
            Kind::GoAway => Err(Fault::GoAway),
        }
    }

    fn take_stream_frame(&mut self, header: Header) -> Result<(), Fault> {
        let id = header.stream;
        if header.flags & SYN != 0 {
            self.take_syn(id)?;
        }
        if header.kind == Kind::Data {
            self.parser.body_left = header.length;
            self.parser.target = None;
        }
        if !self.streams.get(&id).is_some_and(|stream| stream.is_live()) {
            return Ok(());
        }
        if header.flags & ACK != 0 {
            let closing = self.streams.get(&id).is_some_and(|stream| stream.abandoned);
            self.settle_opening(id);
            // An abandoned stream's deadline is that of its end.
            if !closing {
                self.clear_deadline(id);
            }
        }
        if header.flags & FIN != 0 {
            self.take_fin(id)?;
        }
        if header.flags & RST != 0 {
            self.break_stream(id, StreamFault::Reset);
            return Ok(());
        }
        // FIN may have ended it, when the local side had finished before.
        let Some(stream) = self.streams.get_mut(&id) else { return Ok(()) };
        if header.kind == Kind::WindowUpdate {
            stream.send_window = stream.send_window.saturating_add(header.length);
            if header.length > 0 {
                self.signal(id);
            }
            return Ok(());
        }
        if !stream.announce(header.length) {
            return Err(Fault::WindowOverrun);
        }
        self.parser.target = Some(id);
        if stream.talks_to_nobody() {
            self.send(Kind::WindowUpdate, RST, id, 0);
            self.break_stream(id, StreamFault::Reset);
        }
        Ok(())
    }

    fn take_syn(&mut self, id: u32) -> Result<(), Fault> {
        let known = self.streams.get(&id);
        if id == 0 || known.is_some_and(|stream| stream.is_live()) {
            return Err(Fault::StreamId);
        }
        // A stream that is over but not yet released by the application keeps its id, too.
        if known.is_some() || self.going_away || self.is_full() || self.incoming.len() >= self.config.accept_backlog {
            self.send(Kind::WindowUpdate, RST, id, 0);
            return Ok(());
        }
        self.add_stream(id, Opening::Received);
        self.incoming.push_back(id);
        if !self.incoming_signalled {
            self.incoming_signalled = true;
            self.push_event(Event::Incoming);
        }
        if self.config.acknowledge_on_arrival {
            self.acknowledge(id);
        }
        Ok(())
    }

    fn take_fin(&mut self, id: u32) -> Result<(), Fault> {
        if let Some(stream) = self.streams.get_mut(&id) {
            if stream.remote_finished {
                return Err(Fault::SecondFin);
            }
            stream.remote_finished = true;
        }
        self.signal(id);
        self.forget_if_over(id);
        Ok(())
    }
}
