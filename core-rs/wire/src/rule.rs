//! The routing rule. It is its byte string; that string crosses the set-up RPC (routing.md §2.2–2.3).
//!
//! ```text
//! header        keep-alive i64be, ns ‖ type u8 ‖ route id u32be                                  13
//! consume   0   header ‖ descriptor 70                                                            83
//! forward   1   header ‖ descriptor 70 ‖ next route id u32be ‖ next transport 16 ‖ 17 zeros      120
//! intermed. 2   header ‖ next route id u32be ‖ next transport 16 ‖ 17 zeros                       50
//! ```
//!
//! The zeros are there because v1.3 sizes the transport field as a key; nobody reads them, and a rule without them or
//! with something else there is as good.

use crate::descriptor::{DESCRIPTOR_BYTES, Descriptor};
use crate::ids::{NextHop, RouteId, TRANSPORT_ID_BYTES, TransportId};

const HEADER_BYTES: usize = 13;
const NEXT_BYTES: usize = 4 + TRANSPORT_ID_BYTES;
const PADDING_BYTES: usize = 17;

/// Why bytes are no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleFault {
    /// Shorter than its type needs.
    Length,
    /// No type of v1.3.
    Type,
}

/// What a rule is for, by its type byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RuleKind {
    Consume = 0,
    Forward = 1,
    Intermediary = 2,
}

impl RuleKind {
    /// The kind of a type byte; `None` for one that we do not know.
    pub fn of(byte: u8) -> Option<RuleKind> {
        Some(match byte {
            0 => RuleKind::Consume,
            1 => RuleKind::Forward,
            2 => RuleKind::Intermediary,
            _ => return None,
        })
    }
}

/// What to do with a packet that carries the rule's route id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// The route ends here: hand it to the group of this descriptor. v1.3 also says *reverse*.
    Consume { descriptor: Descriptor },
    /// The route begins here.
    Forward { descriptor: Descriptor, next: NextHop },
    /// In the middle: give it the next id and send it on.
    Intermediary { next: NextHop },
}

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// How long the rule may be idle, ns. v1.3 writes it unsigned and reads it signed; a negative one is expired from
    /// the start.
    pub keep_alive_ns: i64,
    /// The id of the packets it is for.
    pub route_id: RouteId,
    pub body: Body,
}

impl Rule {
    /// Reads a rule; what follows its fields is ignored.
    pub fn decode(bytes: &[u8]) -> Result<Rule, RuleFault> {
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(RuleFault::Length)?;
        let (keep_alive, tail) = header.split_first_chunk::<8>().ok_or(RuleFault::Length)?;
        let (kind, id) = tail.split_first_chunk::<1>().ok_or(RuleFault::Length)?;
        let route_id = RouteId(u32::from_be_bytes(id.try_into().map_err(|_| RuleFault::Length)?));
        let body = match RuleKind::of(kind[0]).ok_or(RuleFault::Type)? {
            RuleKind::Consume => Body::Consume { descriptor: Descriptor::decode(rest).ok_or(RuleFault::Length)? },
            RuleKind::Forward => {
                let descriptor = Descriptor::decode(rest).ok_or(RuleFault::Length)?;
                Body::Forward { descriptor, next: decode_next(&rest[DESCRIPTOR_BYTES..])? }
            }
            RuleKind::Intermediary => Body::Intermediary { next: decode_next(rest)? },
        };
        Ok(Rule { keep_alive_ns: i64::from_be_bytes(*keep_alive), route_id, body })
    }

    /// The bytes as v1.3 builds them: 83, 120 or 50.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_length());
        bytes.extend_from_slice(&self.keep_alive_ns.to_be_bytes());
        bytes.push(self.kind() as u8);
        bytes.extend_from_slice(&self.route_id.0.to_be_bytes());
        if let Some(descriptor) = self.descriptor() {
            bytes.extend_from_slice(&descriptor.0);
        }
        if let Some(next) = self.next() {
            bytes.extend_from_slice(&next.route_id.0.to_be_bytes());
            bytes.extend_from_slice(&next.transport.0);
            bytes.extend_from_slice(&[0; PADDING_BYTES]);
        }
        bytes
    }

    /// How long [`Self::encode`] makes it.
    pub fn encoded_length(&self) -> usize {
        let descriptor = self.descriptor().map_or(0, |_| DESCRIPTOR_BYTES);
        HEADER_BYTES + descriptor + self.next().map_or(0, |_| NEXT_BYTES + PADDING_BYTES)
    }

    /// What it is for.
    pub fn kind(&self) -> RuleKind {
        match self.body {
            Body::Consume { .. } => RuleKind::Consume,
            Body::Forward { .. } => RuleKind::Forward,
            Body::Intermediary { .. } => RuleKind::Intermediary,
        }
    }

    /// Whose route it is; an intermediary does not know.
    pub fn descriptor(&self) -> Option<&Descriptor> {
        match &self.body {
            Body::Consume { descriptor } | Body::Forward { descriptor, .. } => Some(descriptor),
            Body::Intermediary { .. } => None,
        }
    }

    /// Where packets go on to; nowhere from a consume rule.
    #[inline]
    pub fn next(&self) -> Option<NextHop> {
        match self.body {
            Body::Consume { .. } => None,
            Body::Forward { next, .. } | Body::Intermediary { next } => Some(next),
        }
    }
}

fn decode_next(bytes: &[u8]) -> Result<NextHop, RuleFault> {
    let (id, rest) = bytes.split_first_chunk::<4>().ok_or(RuleFault::Length)?;
    let transport = rest.first_chunk().ok_or(RuleFault::Length)?;
    Ok(NextHop { route_id: RouteId(u32::from_be_bytes(*id)), transport: TransportId(*transport) })
}
