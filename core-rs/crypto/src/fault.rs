//! What can be wrong with what this crate is given.

/// A refusal. Each says what the input lacked, so that it can be counted by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No 33 bytes `02`/`03` ‖ x of a point on the curve.
    PublicKey,
    /// No 32 bytes of a scalar from 1 to n − 1.
    SecretKey,
    /// No public key can be recovered from the signature, or its form is refused.
    Signature,
    /// The digest of 32 zero bytes is never signed.
    NullDigest,
    /// The AEAD tag does not match: changed on the way, or sealed with another key.
    Authentication,
    /// The record's counter was used before, or is 0.
    Replay,
    /// A record before this one is missing.
    Gap,
    /// A frame is longer or shorter than any record.
    FrameLength,
    /// A plaintext exceeds its limit, or the space for the result is too small.
    PlaintextLength,
    /// The sender's counter is used up.
    CounterExhausted,
    /// A handshake message is shorter than its fields.
    MessageLength,
    /// The handshake message is not due now.
    MessageOrder,
}
