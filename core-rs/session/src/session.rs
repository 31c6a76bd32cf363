//! A session over its legs: which frame goes over which leg, what a frame that comes does, and when all is over.

use crate::budget::{Budget, FLOOR_BYTES};
use crate::fault::Fault;
use crate::frame::{Ack, Frame, MAX_CONTROL_BYTES, MAX_TEXT_BYTES};
use crate::incoming::Incoming;
use crate::leg::{Leg, LegId, LegStart};
use crate::outgoing::Outgoing;

/// RESET: this side gave up before all was done.
pub const RESET_ABORTED: u8 = 1;
/// RESET: the other side broke the protocol.
pub const RESET_FAULT: u8 = 2;

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// Both directions are done, and both ends know, as far as one can know.
    Done,
    /// This side gave up.
    ResetHere,
    /// The other side gave up, and said why.
    Reset { code: u8, text: Vec<u8> },
    /// The other side broke the protocol; it is told by a RESET.
    Fault(Fault),
}

/// Why nothing can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFault {
    /// This side has said the end.
    Finished,
    /// The other side reads no more.
    Stopped,
    /// The session is over.
    Over,
}

/// Figures of a session, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionFigures {
    /// Written here in all.
    pub written: u64,
    /// Of that, the other end has so much.
    pub acknowledged: u64,
    /// Of that, the reader there took so much.
    pub read_there: u64,
    /// Received in order.
    pub received: u64,
    /// Of that, the reader here took so much.
    pub read: u64,
    /// Came more than once.
    pub repeated: u64,
}

/// See the top of the file.
pub struct Session {
    outgoing: Outgoing,
    incoming: Incoming,
    legs: Vec<Leg>,
    control: [u8; MAX_CONTROL_BYTES],
    reset: Option<(u8, Vec<u8>)>,
    over: Option<Over>,
    /// Also a little is to be told at the next occasion.
    idle: bool,
    /// What this session has of the budget.
    charged: u64,
}

impl Session {
    pub fn new(budget: &mut Budget) -> Session {
        let charged = 2 * FLOOR_BYTES;
        budget.charge(0, charged);
        let mut session = Session {
            outgoing: Outgoing::new(),
            incoming: Incoming::new(budget),
            legs: Vec::new(),
            control: [0; MAX_CONTROL_BYTES],
            reset: None,
            over: None,
            idle: false,
            charged,
        };
        session.settle(budget);
        session
    }

    /// A further leg can be used. Its other end may be used from now on, too.
    pub fn add_leg(&mut self, id: LegId, start: LegStart) -> Result<(), Fault> {
        let LegStart { received, limit, .. } = start;
        self.legs.push(Leg::new(id, start));
        let said = Ack { received, limit, ..Ack::default() };
        if received > self.outgoing.written {
            return Err(self.fail(Fault::Acknowledgement));
        }
        self.outgoing.acknowledge(said).map_err(|fault| self.fail(fault))
    }

    /// Shall a leg carry data, or wait? The other end is told.
    pub fn use_leg(&mut self, id: LegId, in_use: bool) {
        if let Some(leg) = self.leg_mut(id) {
            leg.in_use = in_use;
        }
    }

    /// Shall this leg carry data, as far as this side was told?
    pub fn is_used(&self, id: LegId) -> bool {
        self.legs.iter().any(|leg| leg.id == id && leg.in_use)
    }

    /// A leg is gone, with what was under way on it.
    pub fn remove_leg(&mut self, id: LegId) {
        self.legs.retain(|leg| leg.id != id);
        self.outgoing.lose(id);
        self.incoming.forget_told();
        self.idle = true;
    }

    /// A leg brings nothing, or does so again. Others take over what a silent one was given.
    pub fn set_silent(&mut self, id: LegId, silent: bool) {
        if let Some(leg) = self.leg_mut(id)
            && leg.silent != silent
        {
            leg.silent = silent;
            if silent && self.outgoing.fin_leg == Some(id) {
                self.outgoing.fin_leg = None;
            }
            self.incoming.forget_told();
            self.idle = true;
        }
    }

    /// The legs, in the order in which they came.
    pub fn legs(&self) -> Vec<LegId> {
        self.legs.iter().map(|leg| leg.id).collect()
    }

    /// One of the legs, by its place in that order.
    pub fn leg_at(&self, index: usize) -> Option<LegId> {
        self.legs.get(index).map(|leg| leg.id)
    }

    /// Is there a leg that may carry data now?
    pub fn is_carried(&self) -> bool {
        self.legs.iter().any(|leg| !leg.silent)
    }

    /// Is there one beside this leg?
    pub fn has_other(&self, id: LegId) -> bool {
        self.legs.iter().any(|leg| leg.id != id && !leg.silent)
    }

    /// Does the other end wait for something that was sent or is to be sent?
    pub fn is_busy(&self) -> bool {
        self.over.is_none() && (self.outgoing.kept() > 0 || (self.outgoing.fin.is_some() && !self.outgoing.done))
    }

    /// How far this side is, for the handshake of a further leg: bytes received, and the limit beyond.
    pub fn position(&self) -> (u64, u64) {
        self.incoming.position()
    }

    /// Keeps what there is room for; how many bytes.
    pub fn write(&mut self, bytes: &[u8], budget: &mut Budget) -> Result<usize, WriteFault> {
        if self.over.is_some() {
            return Err(WriteFault::Over);
        }
        if self.outgoing.fin.is_some() {
            return Err(WriteFault::Finished);
        }
        if self.outgoing.stopped {
            return Err(WriteFault::Stopped);
        }
        let taken = self.outgoing.write(bytes, self.room(budget));
        self.settle(budget);
        Ok(taken)
    }

    /// Is there room that is worth to wake a writer for, or will there never be any?
    pub fn is_writable(&self, budget: &Budget) -> bool {
        self.over.is_some()
            || self.outgoing.stopped
            || self.outgoing.fin.is_some()
            || self.outgoing.is_roomy(self.share(budget))
    }

    /// Reads as a stream; 0 when there is nothing now.
    pub fn read(&mut self, into: &mut [u8], budget: &mut Budget) -> usize {
        let count = self.incoming.take_read(into);
        self.settle(budget);
        count
    }

    /// How long the next message is, or the rest of one read in part; 0: nothing is there.
    pub fn message_length(&self) -> usize {
        self.incoming.message_length()
    }

    /// Is something to be read, or never again?
    pub fn is_readable(&self) -> bool {
        !self.incoming.is_empty() || self.is_read_out()
    }

    /// Did everything that the other end wrote come, and was it read?
    pub fn is_read_out(&self) -> bool {
        self.incoming.is_empty() && self.incoming.is_complete()
    }

    /// Will the other end take nothing that is written from now on?
    pub fn is_stopped(&self) -> bool {
        self.outgoing.stopped
    }

    /// Ends the direction from here. `stops`: this side does not read any more either.
    pub fn finish(&mut self, stops: bool, budget: &mut Budget) {
        if self.over.is_none() {
            self.outgoing.finish(stops);
            if stops {
                self.incoming.discard();
            }
            self.look_whether_over();
            self.settle(budget);
        }
    }

    /// Gives up both directions at once; the other end is told as far as there is a leg.
    pub fn reset(&mut self, code: u8, text: &[u8], budget: &mut Budget) {
        if self.over.is_none() {
            self.over = Some(Over::ResetHere);
            self.reset = Some((code, text[..text.len().min(MAX_TEXT_BYTES)].to_vec()));
            self.outgoing.discard();
            self.incoming.discard();
            self.settle(budget);
        }
    }

    /// How it ended, once it has. After [`Over::Done`] it still answers, for an end that missed the last word.
    pub fn over(&self) -> Option<&Over> {
        self.over.as_ref()
    }

    /// Some time has passed: tells the other end also of a little.
    pub fn tick(&mut self) {
        self.idle = true;
    }

    /// Takes a frame that a leg brought.
    pub fn take(&mut self, id: LegId, frame: &[u8], budget: &mut Budget) -> Result<(), Fault> {
        if matches!(self.over, Some(Over::ResetHere | Over::Reset { .. } | Over::Fault(_))) {
            return Ok(());
        }
        let taken = self.take_frame(id, frame).map_err(|fault| self.fail(fault));
        self.look_whether_over();
        self.settle(budget);
        taken
    }

    /// The next frame for a leg. Without `has_room` none with data.
    pub fn next(&mut self, id: LegId, has_room: bool, budget: &mut Budget) -> Option<&[u8]> {
        let index = self.legs.iter().position(|leg| leg.id == id)?;
        if let Some((code, text)) = &self.reset {
            let told = core::mem::replace(&mut self.legs[index].told_reset, true);
            return (!told).then(|| Self::show(&mut self.control, Frame::Reset { code: *code, text }));
        }
        if let Some(over) = &self.over
            && *over != Over::Done
        {
            return None;
        }
        let is_carrier = carries(&self.legs, &self.legs[index]);
        let leg = &mut self.legs[index];
        if leg.leads && leg.told_use != leg.in_use {
            leg.told_use = leg.in_use;
            return Some(Self::show(&mut self.control, Frame::Use(leg.in_use)));
        }
        if leg.fresh || (is_carrier && self.incoming.has_news(self.idle, budget)) {
            leg.fresh = false;
            self.idle &= !is_carrier;
            let ack = self.incoming.tell(budget);
            self.look_whether_over();
            self.settle(budget);
            return Some(Self::show(&mut self.control, Frame::Ack(ack)));
        }
        if !is_carrier {
            if !leg.silent {
                self.outgoing.hand_back(id);
            }
            return None;
        }
        self.idle = false;
        let legs = &self.legs;
        let is_silent = |owner| legs.iter().any(|leg| leg.id == owner && leg.silent);
        if has_room && let Some(place) = self.outgoing.place(id, is_silent) {
            let leg = &mut self.legs[index];
            if leg.sends_at != place.offset {
                leg.sends_at = place.offset;
                return Some(Self::show(&mut self.control, Frame::At(place.offset)));
            }
            leg.sends_at += place.data_bytes;
            return Some(self.outgoing.frame(&place));
        }
        if self.outgoing.is_sent() && self.outgoing.take_limited() {
            return Some(Self::show(&mut self.control, Frame::Limit));
        }
        let fin = self.outgoing.fin?;
        if self.outgoing.fin_leg.is_some() || self.outgoing.done || !self.outgoing.is_sent() {
            return None;
        }
        self.outgoing.fin_leg = Some(id);
        Some(Self::show(&mut self.control, Frame::Fin(fin)))
    }

    pub fn figures(&self) -> SessionFigures {
        SessionFigures {
            written: self.outgoing.written,
            acknowledged: self.outgoing.acknowledged,
            read_there: self.outgoing.read_there,
            received: self.incoming.received,
            read: self.incoming.read,
            repeated: self.incoming.repeated,
        }
    }

    /// Gives back buffers that are empty: the budget does not count them. To be called now and then.
    pub fn rest(&mut self) {
        self.incoming.rest();
        self.outgoing.rest();
    }

    /// Gives back what it had of the budget; the session is dropped next.
    pub fn release(&mut self, budget: &mut Budget) {
        budget.charge(self.charged, 0);
        self.charged = 0;
    }

    fn take_frame(&mut self, id: LegId, frame: &[u8]) -> Result<(), Fault> {
        let Some(leg) = self.legs.iter_mut().find(|leg| leg.id == id) else { return Ok(()) };
        match Frame::decode(frame)? {
            Frame::Data(data) => {
                let offset = leg.comes_at;
                leg.comes_at = offset.saturating_add(data.len() as u64);
                self.incoming.take(offset, data)
            }
            Frame::At(offset) => {
                leg.comes_at = offset;
                Ok(())
            }
            Frame::Ack(ack) => self.outgoing.acknowledge(ack),
            Frame::Fin(fin) => {
                self.incoming.take_fin(fin)?;
                if fin.stops {
                    self.outgoing.stop();
                }
                // It came again: what was told of it got lost.
                self.incoming.forget_told();
                Ok(())
            }
            Frame::Reset { code, text } => {
                self.over = Some(Over::Reset { code, text: text.to_vec() });
                self.outgoing.discard();
                Ok(())
            }
            Frame::Limit => {
                self.incoming.take_limit();
                Ok(())
            }
            Frame::Use(in_use) => {
                leg.in_use = if leg.leads { leg.in_use } else { in_use };
                Ok(())
            }
        }
    }

    fn look_whether_over(&mut self) {
        if self.over.is_none() && self.outgoing.done && self.incoming.is_settled() {
            self.over = Some(Over::Done);
        }
    }

    fn fail(&mut self, fault: Fault) -> Fault {
        if self.over.is_none() {
            self.over = Some(Over::Fault(fault));
            self.reset = Some((RESET_FAULT, fault.to_string().into_bytes()));
            self.outgoing.discard();
        }
        fault
    }

    fn room(&self, budget: &Budget) -> u64 {
        self.outgoing.room(self.share(budget))
    }

    fn share(&self, budget: &Budget) -> u64 {
        budget.share(self.outgoing.kept())
    }

    fn settle(&mut self, budget: &mut Budget) {
        let (kept, promised) = (self.outgoing.kept(), self.incoming.promised());
        let floor = if self.over.is_some() { 0 } else { FLOOR_BYTES };
        let now = kept.max(floor) + promised.max(floor);
        budget.charge(self.charged, now);
        self.charged = now;
    }

    fn leg_mut(&mut self, id: LegId) -> Option<&mut Leg> {
        self.legs.iter_mut().find(|leg| leg.id == id)
    }

    fn show<'a>(control: &'a mut [u8; MAX_CONTROL_BYTES], frame: Frame) -> &'a [u8] {
        let length = frame.encode(control);
        &control[..length]
    }
}

/// Does this leg carry data? One that waits does so while there is no other.
fn carries(legs: &[Leg], leg: &Leg) -> bool {
    !leg.silent && (leg.in_use || !legs.iter().any(|other| other.in_use && !other.silent))
}
