//! The refusals of `skywire-crypto` as status codes.

use skywire_crypto::Fault;

use crate::layout::*;

/// The status code of a fault.
pub fn fault_code(fault: Fault) -> i32 {
    match fault {
        Fault::PublicKey => FAULT_PUBLIC_KEY,
        Fault::SecretKey => FAULT_SECRET_KEY,
        Fault::Signature => FAULT_SIGNATURE,
        Fault::NullDigest => FAULT_NULL_DIGEST,
        Fault::Authentication => FAULT_AUTHENTICATION,
        Fault::Replay => FAULT_REPLAY,
        Fault::Gap => FAULT_GAP,
        Fault::FrameLength => FAULT_FRAME_LENGTH,
        Fault::PlaintextLength => FAULT_PLAINTEXT_LENGTH,
        Fault::CounterExhausted => FAULT_COUNTER_EXHAUSTED,
        Fault::MessageLength => FAULT_MESSAGE_LENGTH,
        Fault::MessageOrder => FAULT_MESSAGE_ORDER,
    }
}

/// The status of a result that is a length.
pub fn length_status(result: Result<usize, Fault>) -> i32 {
    match result {
        Ok(length) => length as i32,
        Err(fault) => fault_code(fault),
    }
}
