//! The halves of the record layer as the switch uses them, and how they are handed over.

use skywire_crypto::{
    FRAME_OVERHEAD_BYTES, Fault, Key, MAX_FRAME_BODY_BYTES, MAX_FRAME_PLAINTEXT_BYTES, Opener, PREFIX_BYTES, Records,
    SEAL_OVERHEAD_BYTES, Sealer,
};

fn key(byte: u8) -> Key {
    Key::new([byte; 32])
}

fn seal(sealer: &mut Sealer, plaintext: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; plaintext.len() + FRAME_OVERHEAD_BYTES];
    assert_eq!(sealer.seal_into(plaintext, &mut frame), frame.len());
    frame
}

fn open(opener: &mut Opener, frame: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut out = vec![0; frame.len()];
    opener.open_into(&frame[PREFIX_BYTES..], &mut out).map(|length| out[..length].to_vec())
}

#[test]
fn sealer_writes_prefix_counter_and_sealed_bytes_at_once() {
    let (mut sealer, mut opener) = (Sealer::new(key(1)), Opener::new(key(1)));
    for counter in 1..=3u64 {
        let frame = seal(&mut sealer, b"hello");
        assert_eq!(frame[..PREFIX_BYTES], [0, 29]);
        assert_eq!(frame[PREFIX_BYTES..10], counter.to_be_bytes());
        assert_eq!(open(&mut opener, &frame).as_deref(), Ok(&b"hello"[..]));
        assert_eq!(open(&mut opener, &frame), Err(Fault::Replay));
    }
}

#[test]
fn sealer_writes_nothing_when_the_plaintext_or_the_space_does_not_fit() {
    let mut sealer = Sealer::new(key(1));
    let mut out = vec![0xee; 5000];
    assert_eq!(sealer.seal_into(&[0; MAX_FRAME_PLAINTEXT_BYTES + 1], &mut out), 0);
    assert_eq!(sealer.seal_into(&[0; 10], &mut out[..10 + FRAME_OVERHEAD_BYTES - 1]), 0);
    assert!(out.iter().all(|&byte| byte == 0xee));
    // Neither used up a counter.
    assert_eq!(seal(&mut sealer, &[])[PREFIX_BYTES..10], 1u64.to_be_bytes());
    assert_eq!(seal(&mut sealer, &[0; MAX_FRAME_PLAINTEXT_BYTES]).len(), PREFIX_BYTES + MAX_FRAME_BODY_BYTES);
}

#[test]
fn opener_moves_its_counter_only_for_authentic_records() {
    let (mut sealer, mut opener) = (Sealer::new(key(1)), Opener::new(key(1)));
    let honest = seal(&mut sealer, b"honest");
    let mut forged = honest.clone();
    forged[PREFIX_BYTES] = 0xff;
    assert_eq!(open(&mut opener, &forged), Err(Fault::Gap));
    let mut changed = honest.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(open(&mut opener, &changed), Err(Fault::Authentication));
    assert_eq!(open(&mut opener, &honest).as_deref(), Ok(&b"honest"[..]));
}

#[test]
fn opener_notices_that_a_record_was_cut_out() {
    let (mut sealer, mut opener) = (Sealer::new(key(1)), Opener::new(key(1)));
    let [first, second, third] =
        [b"pay 1 to Alice. ", b"pay 5 to Carol. ", b"pay 9 to Bob.   "].map(|text| seal(&mut sealer, text));
    assert_eq!(open(&mut opener, &first).as_deref(), Ok(&b"pay 1 to Alice. "[..]));
    assert_eq!(open(&mut opener, &third), Err(Fault::Gap));
    // Nothing has moved: the record that is due is still taken.
    assert_eq!(open(&mut opener, &second).as_deref(), Ok(&b"pay 5 to Carol. "[..]));
}

#[test]
fn opener_refuses_bodies_of_no_record_length() {
    let mut opener = Opener::new(key(1));
    let mut out = vec![0; 5000];
    for length in [0, 1, 8, SEAL_OVERHEAD_BYTES - 1, MAX_FRAME_BODY_BYTES + 1] {
        assert_eq!(opener.open_into(&vec![0; length], &mut out), Err(Fault::FrameLength), "{length}");
    }
}

#[test]
fn opener_keeps_its_counter_when_the_space_is_too_small() {
    let (mut sealer, mut opener) = (Sealer::new(key(1)), Opener::new(key(1)));
    let frame = seal(&mut sealer, b"hello");
    assert_eq!(opener.open_into(&frame[PREFIX_BYTES..], &mut [0; 4]), Err(Fault::PlaintextLength));
    assert_eq!(open(&mut opener, &frame).as_deref(), Ok(&b"hello"[..]));
}

#[test]
fn records_hand_over_both_halves_and_all_that_is_unread() {
    let mut peer = Records::new(key(1), key(2));
    let mut frames = vec![0; Records::sealed_length(10) * 2];
    let half = frames.len() / 2;
    peer.seal_into(b"0123456789", &mut frames).expect("there is space");
    peer.seal_into(b"abcdefghij", &mut frames[half..]).expect("there is space");

    let mut records = Records::new(key(2), key(1));
    records.push(&frames[..half + 5]).expect("authentic");
    assert_eq!(records.read(&mut [0; 4]), 4);
    let (mut sealer, mut opener, partial, plaintext) = records.into_parts();
    assert_eq!(plaintext, b"456789");
    assert_eq!(partial, frames[half..half + 5]);

    let whole = [&partial[..], &frames[half + 5..]].concat();
    assert_eq!(open(&mut opener, &whole).as_deref(), Ok(&b"abcdefghij"[..]));
    let mut answer = vec![0; 4];
    peer.push(&seal(&mut sealer, b"back")).expect("authentic");
    assert_eq!(peer.read(&mut answer), 4);
    assert_eq!(answer, b"back");
}

#[test]
fn records_hand_over_the_frame_that_caused_a_fault() {
    let mut records = Records::new(key(2), key(1));
    let forged = [&[0, 24][..], &1u64.to_be_bytes(), &[1; 16]].concat();
    assert_eq!(records.push(&forged), Err(Fault::Authentication));
    let (_, mut opener, partial, _) = records.into_parts();
    assert_eq!(partial, forged);
    assert_eq!(open(&mut opener, &partial), Err(Fault::Authentication));
}

#[test]
fn secrets_are_never_printed() {
    let records = Records::new(key(0xab), key(0xab));
    assert_eq!(format!("{records:?}"), "Records(redacted)");
    let secret = skywire_crypto::SecretKey::parse(&[0xab; 32]).expect("a valid scalar");
    assert_eq!(format!("{secret:?}"), "SecretKey(redacted)");
}
