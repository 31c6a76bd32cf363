//! Cuts what the peer sends into headers and bodies, wherever the link has cut it.

use crate::fault::Fault;
use crate::frame::{HEADER_BYTES, Header, Kind};

/// Where in a frame the received bytes stand.
#[derive(Default)]
pub(crate) struct Parser {
    header: [u8; HEADER_BYTES],
    have: usize,
    /// Bytes of the body that have not come.
    body_left: u32,
}

/// What the next bytes are.
pub(crate) enum Part<'a> {
    /// A whole header; the body of a data frame follows.
    Header(Header),
    /// A part of the body of the frame before.
    Body(&'a [u8]),
    /// A part of a header.
    Nothing,
}

impl Parser {
    /// Takes the first part off `bytes`, and gives what is behind it; `None` when there are none.
    pub fn next<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<(Part<'a>, &'a [u8])>, Fault> {
        if bytes.is_empty() {
            return Ok(None);
        }
        if self.body_left > 0 {
            let (body, rest) = bytes.split_at(bytes.len().min(self.body_left as usize));
            self.body_left -= body.len() as u32;
            return Ok(Some((Part::Body(body), rest)));
        }
        let (part, rest) = bytes.split_at(bytes.len().min(HEADER_BYTES - self.have));
        self.header[self.have..self.have + part.len()].copy_from_slice(part);
        self.have += part.len();
        if self.have < HEADER_BYTES {
            return Ok(Some((Part::Nothing, rest)));
        }
        self.have = 0;
        let header = Header::decode(&self.header)?;
        if header.kind == Kind::Data {
            self.body_left = header.length;
        }
        Ok(Some((Part::Header(header), rest)))
    }
}
