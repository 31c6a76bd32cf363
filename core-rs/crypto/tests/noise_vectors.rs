//! `tests/vectors/noise.json`: every case of every kind.

use serde_json::Value;
use skywire_crypto::{
    FRAME_OVERHEAD_BYTES, Fault, Handshake, Key, MAX_MESSAGE_BYTES, Opener, Pattern, PublicKey, Records, Role,
    SecretKey, aead,
};
use skywire_testkit::{array, bytes, cases, text};

/// What v1.3 says when it refuses a counter.
const V13_REPLAY: &str = "is not larger than previous";

#[test]
fn noise_vectors_hold() {
    for case in cases("noise.json") {
        let name = text(&case["name"]);
        match text(&case["kind"]) {
            "handshake" => handshake(name, &case),
            "handshake_message" => handshake_message(name, &case),
            "record_sequence" => record_sequence(name, &case),
            "stream_read" => stream_read(name, &case),
            "stream_write" => stream_write(name, &case),
            kind => panic!("{name}: unknown kind {kind}"),
        }
    }
}

fn side(case: &Value, role: Role) -> Handshake {
    let (ours, theirs) = match role {
        Role::Initiator => ("initiator", "responder"),
        Role::Responder => ("responder", "initiator"),
    };
    let pattern = if case["pattern"] == "XK" { Pattern::Xk } else { Pattern::Kk };
    let secret = |what: &str| SecretKey::parse(&bytes(&case[format!("{ours}_{what}_secret")])).expect("valid");
    let remote = (pattern, role) != (Pattern::Xk, Role::Responder);
    let remote = remote.then(|| PublicKey::parse(&bytes(&case[format!("{theirs}_static_public")])).expect("valid"));
    Handshake::new(pattern, role, secret("static"), secret("ephemeral"), remote)
        .expect("keys as the pattern wants them")
}

fn handshake(name: &str, case: &Value) {
    let (mut initiator, mut responder) = (side(case, Role::Initiator), side(case, Role::Responder));
    assert_eq!(initiator.hash()[..], bytes(&case["h_initial"]), "{name}");
    assert_eq!(responder.hash(), initiator.hash(), "{name}");
    for message in case["messages"].as_array().expect(name) {
        let (writer, reader) = if message["from"] == "initiator" {
            (&mut initiator, &mut responder)
        } else {
            (&mut responder, &mut initiator)
        };
        let mut out = [0; MAX_MESSAGE_BYTES];
        assert!(!writer.is_complete());
        assert_eq!(reader.write_message(&[], &mut out), Err(Fault::MessageOrder), "{name}: not the reader's turn");
        let length = writer.write_message(&[], &mut out).expect(name);
        assert_eq!(out[..length], bytes(&message["message"]), "{name}");
        reader.read_message(&out[..length]).expect(name);
        assert_eq!(writer.hash()[..], bytes(&message["h_after"]), "{name}");
        assert_eq!(reader.hash(), writer.hash(), "{name}");
    }
    assert!(initiator.is_complete() && responder.is_complete(), "{name}");
    assert_eq!(initiator.hash()[..], bytes(&case["h_final"]), "{name}");
    assert_eq!(responder.remote().expect(name).as_bytes()[..], bytes(&case["initiator_static_public"]), "{name}");

    let (to_responder, to_initiator) = initiator.into_keys().expect(name);
    let (k1, k2) = (bytes(&case["k1"]), bytes(&case["k2"]));
    let expected = if case["pattern"] == "XK" { (&k2, &k1) } else { (&k1, &k2) };
    assert_eq!((&to_responder.to_vec(), &to_initiator.to_vec()), expected, "{name}");
    assert_eq!(to_responder[..], bytes(&case["initiator_to_responder_key"]), "{name}");
    assert_eq!(to_initiator[..], bytes(&case["responder_to_initiator_key"]), "{name}");

    let mut responder = responder.into_records().expect(name);
    let mut initiator = Records::new(to_responder.clone(), to_initiator.clone());
    let (mut last_at_responder, mut last_at_initiator) = (0, 0);
    for record in case["records"].as_array().expect(name) {
        let (key, receiver, last) = if record["from"] == "initiator" {
            (&to_responder, &mut responder, &mut last_at_responder)
        } else {
            (&to_initiator, &mut initiator, &mut last_at_initiator)
        };
        // The counters jump, so the record is sealed here with the bare AEAD; `stream_write` shows the sender's own.
        let (plaintext, counter) = (bytes(&record["plaintext"]), counter(&record["counter"]));
        let mut sealed = counter.to_be_bytes().to_vec();
        sealed.resize(8 + plaintext.len() + aead::TAG_BYTES, 0);
        aead::seal_into(key, &aead::counter_nonce(counter), &[], &plaintext, &mut sealed[8..]).expect(name);
        assert_eq!(sealed, bytes(&record["sealed"]), "{name}");
        let mut opened = vec![0; plaintext.len()];
        aead::open_into(key, &aead::counter_nonce(counter), &[], &sealed[8..], &mut opened).expect(name);
        assert_eq!(opened, plaintext, "{name}");
        if counter == *last + 1 {
            receiver.push(&bytes(&record["framed"])).expect(name);
            assert_eq!(read_all(receiver), plaintext, "{name}");
            *last = counter;
        } else {
            // v1.3 takes it, though records before it are missing.
            let mut fresh = Records::new(Key::default(), key.clone());
            assert_eq!(fresh.push(&bytes(&record["framed"])), Err(Fault::Gap), "{name}");
        }
    }
}

/// A counter is a number, or decimal text where it may exceed 2⁵³.
fn counter(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| text(value).parse().expect("a counter is decimal"))
}

fn handshake_message(name: &str, case: &Value) {
    let (mut initiator, mut responder) = (side(case, Role::Initiator), side(case, Role::Responder));
    for (index, good) in case["good_messages"].as_array().expect(name).iter().enumerate() {
        let (writer, reader) =
            if index % 2 == 0 { (&mut initiator, &mut responder) } else { (&mut responder, &mut initiator) };
        let mut out = [0; MAX_MESSAGE_BYTES];
        let length = writer.write_message(&[], &mut out).expect(name);
        assert_eq!(out[..length], bytes(good), "{name}");
        reader.read_message(&out[..length]).expect(name);
    }
    let reader = if case["reader"] == "initiator" { &mut initiator } else { &mut responder };
    let received = bytes(&case["received"]);
    let accepted = reader.read_message(&received);
    assert_eq!(accepted.is_ok(), case["accepted"] == true, "{name}: {accepted:?}");
    if accepted.is_err() {
        assert_eq!(reader.read_message(&received), Err(Fault::MessageOrder), "{name}: a fault is permanent");
    }
}

/// Three rules differ from v1.3 on purpose. A stream takes the next counter only. It moves its counter after authentication,
/// so a refusal by counter that a forged record caused is none of ours. Session objects are refused when their counter is
/// 0 or was opened before.
fn record_sequence(name: &str, case: &Value) {
    let key = || Key::new(array(&case["receive_key"]));
    let mut stream = Opener::new(key());
    let mut objects = Records::new(Key::default(), key());
    let (mut last, mut seen) = (0, Vec::new());
    for record in case["records"].as_array().expect(name) {
        let sealed = bytes(&record["sealed"]);
        let counter = sealed.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let genuine = record["session_object"]["accepted"] == true;
        let mut out = vec![0; sealed.len()];

        let blocked_by_forgery =
            record["stream"]["error"].as_str().is_some_and(|error| error.contains(V13_REPLAY)) && counter > last;
        let accepted = record["stream"]["accepted"] == true || (blocked_by_forgery && genuine);
        let expected = accepted && counter == last + 1;
        let opened = stream.open_into(&sealed, &mut out);
        assert_eq!(opened.is_ok(), expected, "{name}: stream, {counter}: {opened:?}");
        if let Ok(length) = opened {
            assert_eq!(out[..length], bytes(&record["session_object"]["plaintext"]), "{name}");
            last = counter;
        }

        let opened = objects.open_object_into(&sealed, &mut out);
        assert_eq!(opened.is_ok(), genuine && counter != 0 && !seen.contains(&counter), "{name}: object, {counter}");
        if let Ok(length) = opened {
            assert_eq!(out[..length], bytes(&record["session_object"]["plaintext"]), "{name}");
            seen.push(counter);
        }
    }
}

fn stream_read(name: &str, case: &Value) {
    let mut stream = bytes(&case["stream"]);
    let key = || Key::new(array(&case["receive_key"]));
    if let Some(whole) = without_gap(&stream, &key()) {
        // v1.3 reads it, though a record is missing; the rest of the vector is shown with counters that follow each other.
        assert_eq!(Records::new(Key::default(), key()).push(&stream), Err(Fault::Gap), "{name}");
        stream = whole;
    }
    let read_size = case["read_size"].as_u64().expect(name) as usize;
    let reads = case["reads"].as_array().expect(name);
    let expected: Vec<u8> =
        reads.iter().filter(|read| read["error"].is_null()).flat_map(|read| bytes(&read["data"])).collect();
    let ends_in_fault = text(&reads[reads.len() - 1]["error"]) != "EOF";
    for split in [stream.len().max(1), 1, 7] {
        let mut records = Records::new(Key::default(), key());
        let pushed: Result<(), Fault> = stream.chunks(split).try_for_each(|chunk| records.push(chunk));
        assert_eq!(pushed.is_err(), ends_in_fault, "{name}: {pushed:?}");
        if pushed.is_err() {
            assert_eq!(records.push(&stream), pushed, "{name}: permanent");
        }
        let mut plaintext = Vec::new();
        let mut buffer = vec![0; read_size];
        while let count @ 1.. = records.read(&mut buffer) {
            plaintext.extend_from_slice(&buffer[..count]);
        }
        assert_eq!(plaintext, expected, "{name}");
    }
}

/// The frames of a stream sealed again with counters from 1 on, where theirs rise with a gap.
fn without_gap(stream: &[u8], key: &Key) -> Option<Vec<u8>> {
    let (mut plaintexts, mut counters, mut rest) = (Vec::new(), Vec::new(), stream);
    while let Some((prefix, after)) = rest.split_first_chunk::<2>() {
        let (body, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*prefix)))?;
        let (counter, sealed) = body.split_first_chunk::<8>()?;
        let counter = u64::from_be_bytes(*counter);
        let mut plaintext = vec![0; sealed.len().checked_sub(aead::TAG_BYTES)?];
        aead::open_into(key, &aead::counter_nonce(counter), &[], sealed, &mut plaintext).ok()?;
        plaintexts.push(plaintext);
        counters.push(counter);
        rest = after;
    }
    let rises = counters.is_sorted_by(|a, b| a < b);
    let follows = counters.iter().copied().eq(1..=counters.len() as u64);
    let mut records = Records::new(key.clone(), Key::default());
    (rises && !follows).then(|| plaintexts.iter().flat_map(|plaintext| seal_frame(&mut records, plaintext)).collect())
}

/// One frame; `Records` makes none of nothing, so an empty one is a sealed object.
fn seal_frame(records: &mut Records, plaintext: &[u8]) -> Vec<u8> {
    let mut out = vec![0; plaintext.len() + FRAME_OVERHEAD_BYTES];
    let length = records.seal_object_into(plaintext, &mut out).expect("it fits");
    out.truncate(length);
    out
}

fn stream_write(name: &str, case: &Value) {
    assert_eq!(case["first_counter"], 1, "{name}: a fresh sender");
    let mut records = Records::new(Key::new(array(&case["send_key"])), Key::default());
    let plaintext = bytes(&case["plaintext"]);
    let expected: Vec<u8> = case["writes"].as_array().expect(name).iter().flat_map(bytes).collect();
    let mut out = vec![0; Records::sealed_length(plaintext.len())];
    assert_eq!(records.seal_into(&plaintext, &mut out), Ok(expected.len()), "{name}");
    assert_eq!(out, expected, "{name}");
}

fn read_all(records: &mut Records) -> Vec<u8> {
    let mut bytes = vec![0; records.available()];
    let length = records.read(&mut bytes);
    assert_eq!(length, bytes.len());
    bytes
}
