//! The routing rule. It is its byte string; that string crosses the set-up RPC (routing.md §2.2–2.3).
//!
//! ```text
//! header        keep-alive i64be, ns ‖ type u8 ‖ route id u32be                                  13
//! consume   0   header ‖ descriptor 70                                                            83
//! forward   1   header ‖ descriptor 70 ‖ next route id u32be ‖ next transport 16 ‖ 17 zeros      120
//! intermed. 2   header ‖ next route id u32be ‖ next transport 16 ‖ 17 zeros                       50
//! ```
//!
//! The zeros are there because upstream sizes the transport field as a key; nobody reads them, and a rule without them or
//! with something else there is as good.

use crate::descriptor::{DESCRIPTOR_BYTES, Descriptor};

const HEADER_BYTES: usize = 13;
const NEXT_BYTES: usize = 4 + 16;
const PADDING_BYTES: usize = 17;

/// 16 bytes that name a transport.
pub type TransportId = [u8; 16];

/// Why bytes are no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleFault {
    /// Shorter than its type needs.
    Length,
    /// No type of v1.3.
    Type,
}

/// What to do with a packet that carries the rule's route id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// The route ends here: hand it to the group of this descriptor. Upstream also says *reverse*.
    Consume { descriptor: Descriptor },
    /// The route begins here.
    Forward { descriptor: Descriptor, next_id: u32, next_transport: TransportId },
    /// In the middle: give it the next id and send it on.
    Intermediary { next_id: u32, next_transport: TransportId },
}

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// How long the rule may be idle, ns. Upstream writes it unsigned and reads it signed; a negative one is expired from
    /// the start.
    pub keep_alive_ns: i64,
    /// The id of the packets it is for.
    pub route_id: u32,
    pub body: Body,
}

impl Rule {
    /// Reads a rule; what follows its fields is ignored.
    pub fn decode(bytes: &[u8]) -> Result<Rule, RuleFault> {
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(RuleFault::Length)?;
        let (keep_alive, tail) = header.split_first_chunk::<8>().ok_or(RuleFault::Length)?;
        let (kind, id) = tail.split_first_chunk::<1>().ok_or(RuleFault::Length)?;
        let route_id = u32::from_be_bytes(id.try_into().map_err(|_| RuleFault::Length)?);
        let body = match kind[0] {
            0 => Body::Consume { descriptor: Descriptor::decode(rest).ok_or(RuleFault::Length)? },
            1 => {
                let descriptor = Descriptor::decode(rest).ok_or(RuleFault::Length)?;
                let (next_id, next_transport) = decode_next(&rest[DESCRIPTOR_BYTES..])?;
                Body::Forward { descriptor, next_id, next_transport }
            }
            2 => {
                let (next_id, next_transport) = decode_next(rest)?;
                Body::Intermediary { next_id, next_transport }
            }
            _ => return Err(RuleFault::Type),
        };
        Ok(Rule { keep_alive_ns: i64::from_be_bytes(*keep_alive), route_id, body })
    }

    /// The bytes as upstream builds them: 83, 120 or 50.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_length());
        bytes.extend_from_slice(&self.keep_alive_ns.to_be_bytes());
        bytes.push(self.kind());
        bytes.extend_from_slice(&self.route_id.to_be_bytes());
        if let Some(descriptor) = self.descriptor() {
            bytes.extend_from_slice(&descriptor.0);
        }
        if let Some((next_id, next_transport)) = self.next() {
            bytes.extend_from_slice(&next_id.to_be_bytes());
            bytes.extend_from_slice(&next_transport);
            bytes.extend_from_slice(&[0; PADDING_BYTES]);
        }
        bytes
    }

    /// How long [`Self::encode`] makes it.
    pub fn encoded_length(&self) -> usize {
        let descriptor = self.descriptor().map_or(0, |_| DESCRIPTOR_BYTES);
        HEADER_BYTES + descriptor + self.next().map_or(0, |_| NEXT_BYTES + PADDING_BYTES)
    }

    /// The type byte.
    pub fn kind(&self) -> u8 {
        match self.body {
            Body::Consume { .. } => 0,
            Body::Forward { .. } => 1,
            Body::Intermediary { .. } => 2,
        }
    }

    /// Whose route it is; an intermediary does not know.
    pub fn descriptor(&self) -> Option<&Descriptor> {
        match &self.body {
            Body::Consume { descriptor } | Body::Forward { descriptor, .. } => Some(descriptor),
            Body::Intermediary { .. } => None,
        }
    }

    /// Where packets go on to: the id they get, and over which transport.
    pub fn next(&self) -> Option<(u32, TransportId)> {
        match self.body {
            Body::Consume { .. } => None,
            Body::Forward { next_id, next_transport, .. } | Body::Intermediary { next_id, next_transport } => {
                Some((next_id, next_transport))
            }
        }
    }
}

fn decode_next(bytes: &[u8]) -> Result<(u32, TransportId), RuleFault> {
    let (id, rest) = bytes.split_first_chunk::<4>().ok_or(RuleFault::Length)?;
    let transport = rest.first_chunk::<16>().ok_or(RuleFault::Length)?;
    Ok((u32::from_be_bytes(*id), *transport))
}
