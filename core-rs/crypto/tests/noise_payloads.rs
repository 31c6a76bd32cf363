//! Payloads of handshake messages, both ways.

use skywire_crypto::{Fault, Handshake, MAX_MESSAGE_BYTES, MAX_PAYLOAD_BYTES, Pattern, Role, SecretKey};

/// What a KK message adds: a key and a tag.
const OVERHEAD_BYTES: usize = 49;

#[test]
fn kk_carries_payloads_both_ways_and_their_keys_work() {
    for size in [0, 1, 64, 1_024, 4_045] {
        let (mut initiator, mut responder) = pair(Pattern::Kk);
        let (question, answer) = (bytes_of(size, 7), bytes_of(size, 99));
        let first = write(&mut initiator, &question);
        assert_eq!(first.len(), size + OVERHEAD_BYTES);
        assert_eq!(responder.read_message(&first), Ok(question));
        let second = write(&mut responder, &answer);
        assert_eq!(second.len(), size + OVERHEAD_BYTES);
        assert_eq!(initiator.read_message(&second), Ok(answer));
        assert_eq!(initiator.hash(), responder.hash());
        let (send, receive) = initiator.into_keys().expect("complete");
        assert_eq!(responder.into_keys().expect("complete"), (receive, send));
    }
}

#[test]
fn a_payload_that_fits_no_frame_of_v13_is_refused_and_the_message_stays_due() {
    let (mut initiator, mut responder) = pair(Pattern::Kk);
    let mut out = [0; MAX_MESSAGE_BYTES];
    assert_eq!(initiator.write_message(&[1; MAX_PAYLOAD_BYTES + 1], &mut out), Err(Fault::PlaintextLength));
    let longest = [1; MAX_PAYLOAD_BYTES];
    assert_eq!(initiator.write_message(&longest, &mut out), Ok(MAX_MESSAGE_BYTES));
    assert_eq!(responder.read_message(&out), Ok(longest.to_vec()));

    let (mut initiator, mut responder) = pair(Pattern::Xk);
    responder.read_message(&write(&mut initiator, &longest)).expect("due");
    initiator.read_message(&write(&mut responder, &longest)).expect("due");
    let beside_a_key = MAX_PAYLOAD_BYTES - 16;
    assert_eq!(initiator.write_message(&longest[..beside_a_key + 1], &mut out), Err(Fault::PlaintextLength));
    assert_eq!(initiator.write_message(&longest[..beside_a_key], &mut out), Ok(MAX_MESSAGE_BYTES));
    assert_eq!(responder.read_message(&out), Ok(longest[..beside_a_key].to_vec()));
    assert!(initiator.is_complete() && responder.is_complete());
}

#[test]
fn a_changed_payload_is_refused_for_good() {
    for at in [OVERHEAD_BYTES - 16, OVERHEAD_BYTES, OVERHEAD_BYTES + 63] {
        let (mut initiator, mut responder) = pair(Pattern::Kk);
        let mut message = write(&mut initiator, &bytes_of(64, 3));
        message[at] ^= 1;
        assert_eq!(responder.read_message(&message), Err(Fault::Authentication), "byte {at}");
        message[at] ^= 1;
        assert_eq!(responder.read_message(&message), Err(Fault::MessageOrder), "a fault is permanent");
    }
}

fn pair(pattern: Pattern) -> (Handshake, Handshake) {
    let secret = |byte: u8| SecretKey::parse(&[byte; 32]).expect("a scalar");
    let known = (pattern == Pattern::Kk).then(|| secret(1).public_key());
    (
        Handshake::new(pattern, Role::Initiator, secret(1), secret(3), Some(secret(2).public_key())).expect("keys"),
        Handshake::new(pattern, Role::Responder, secret(2), secret(4), known).expect("keys"),
    )
}

fn write(writer: &mut Handshake, payload: &[u8]) -> Vec<u8> {
    let mut out = [0; MAX_MESSAGE_BYTES];
    let length = writer.write_message(payload, &mut out).expect("due");
    out[..length].to_vec()
}

fn bytes_of(size: usize, factor: usize) -> Vec<u8> {
    (0..size).map(|i| (i * factor + i / 251) as u8).collect()
}
