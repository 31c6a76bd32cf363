//! The session: what the remote side does.

use skywire_time::Millis;

use crate::config::CONTROL_ALLOWANCE;
use crate::fault::{Fault, StreamFault};
use crate::frame::{ACK, FIN, GO_AWAY_NORMAL, Header, Kind, RST, SYN};
use crate::mux::{Event, Mux};
use crate::parser::Part;
use crate::stream::Opening;

impl Mux {
    /// Takes received bytes, cut anywhere.
    pub fn push(&mut self, bytes: &[u8], now: Millis) {
        if self.fault().is_some() || bytes.is_empty() {
            return;
        }
        self.pings.heard(now);
        if let Err(fault) = self.receive(bytes, now) {
            self.end(fault);
        }
    }

    fn receive(&mut self, mut bytes: &[u8], now: Millis) -> Result<(), Fault> {
        while let Some((part, rest)) = self.parser.next(bytes)? {
            bytes = rest;
            match part {
                Part::Header(header) => {
                    self.take_header(header, now)?;
                    if self.output_length() > self.config.output_limit + CONTROL_ALLOWANCE {
                        return Err(Fault::OutputOverflow);
                    }
                }
                Part::Body(body) => self.take_body(body),
                Part::Nothing => {}
            }
        }
        Ok(())
    }

    fn take_body(&mut self, body: &[u8]) {
        let Some(id) = self.target else { return };
        // The application may have given the stream up meanwhile; then the rest is dropped.
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.receive(body);
        self.signal(id);
    }

    fn take_header(&mut self, header: Header, now: Millis) -> Result<(), Fault> {
        match header.kind {
            Kind::Data | Kind::WindowUpdate => self.take_stream_frame(header),
            Kind::Ping => {
                if header.flags & SYN != 0 {
                    self.send(Kind::Ping, ACK, 0, header.length);
                } else if let Some(round_trip) = self.pings.answered(header.length, now) {
                    self.push_event(Event::Pong { opaque: header.length, round_trip });
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
            self.target = None;
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
        self.target = Some(id);
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
