//! ChaCha20-Poly1305 against RFC 8439, Wycheproof, and the `chacha20poly1305` crate.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use skywire_crypto::{Fault, aead, sha256};
use wycheproof::TestResult;
use wycheproof::aead::{TestName, TestSet};

fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex"))
        .collect()
}

fn seal(key: &[u8], nonce: &[u8], ad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let mut out = vec![0; plaintext.len() + aead::TAG_BYTES];
    let (key, nonce) = (key.try_into().expect("32 bytes"), nonce.try_into().expect("12 bytes"));
    assert_eq!(aead::seal_into(key, nonce, ad, plaintext, &mut out), Ok(out.len()));
    out
}

fn open(key: &[u8], nonce: &[u8], ad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut out = vec![0xee; sealed.len().saturating_sub(aead::TAG_BYTES)];
    let (key, nonce) = (key.try_into().expect("32 bytes"), nonce.try_into().expect("12 bytes"));
    let opened = aead::open_into(key, nonce, ad, sealed, &mut out);
    if opened.is_err() {
        assert!(out.iter().all(|&byte| byte == 0xee), "nothing unauthenticated is written");
    }
    opened.map(|length| out[..length].to_vec())
}

/// RFC 8439 §2.8.2.
#[test]
fn rfc_8439_sealed_text_is_met() {
    let key: Vec<u8> = (0x80..0xa0).collect();
    let nonce = hex("07000000 4041424344454647");
    let ad = hex("50515253c0c1c2c3c4c5c6c7");
    let plaintext = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
                      sunscreen would be it.";
    let sealed =
        hex("d31a8d34648e60db7b86afbc53ef7ec2 a4aded51296e08fea9e2b5a736ee62d6 3dbea45e8ca9671282fafb69da92728b
         1a71de0a9e060b2905d6a5b67ecd3b36 92ddbd7f2d778b8c9803aee328091b58 fab324e4fad675945585808b4831d7bc
         3ff4def08e4b7a9de576d26586cec64b 6116 1ae10b594f09e26a7e902ecbd0600691");
    assert_eq!(seal(&key, &nonce, &ad, plaintext), sealed);
    assert_eq!(open(&key, &nonce, &ad, &sealed).as_deref(), Ok(&plaintext[..]));
}

/// RFC 8439 appendix A.5.
#[test]
fn rfc_8439_opened_text_is_met() {
    let key = hex("1c9240a5eb55d38af333888604f6b5f0 473917c1402b80099dca5cbc207075c0");
    let nonce = hex("000000000102030405060708");
    let ad = hex("f33388860000000000004e91");
    let sealed =
        hex("64a0861575861af460f062c79be643bd 5e805cfd345cf389f108670ac76c8cb2 4c6cfc18755d43eea09ee94e382d26b0
         bdb7b73c321b0100d4f03b7f355894cf 332f830e710b97ce98c8a84abd0b9481 14ad176e008d33bd60f982b1ff37c855
         9797a06ef4f0ef61c186324e2b350638 3606907b6a7c02b0f9f6157b53c867e4 b9166c767b804d46a59b5216cde7a4e9
         9040c5a40433225ee282a1b0a06c523e af4534d7f83fa1155b0047718cbc546a 0d072b04b3564eea1b422273f548271a
         0bb2316053fa76991955ebd63159434e cebb4e466dae5a1073a6727627097a10 49e617d91d361094fa68f0ff77987130
         305beaba2eda04df997b714d6c6f2c29 a6ad5cb4022b02709b eead9d67890cbb22392336fea1851f38");
    let opened = open(&key, &nonce, &ad, &sealed).expect("the RFC's own text");
    assert!(opened.starts_with(b"Internet-Drafts are draft documents valid for a maximum of six months"));
    assert_eq!(seal(&key, &nonce, &ad, &opened), sealed);
}

#[test]
fn wycheproof_cases_hold() {
    let set = TestSet::load(TestName::ChaCha20Poly1305).expect("the crate carries its vectors");
    let mut checked = 0;
    for group in set.test_groups {
        for test in group.tests {
            if test.nonce.len() != aead::NONCE_BYTES {
                assert_eq!(test.result, TestResult::Invalid, "case {}: nonces of other lengths", test.tc_id);
                continue;
            }
            let sealed = [&test.ct[..], &test.tag[..]].concat();
            let opened = open(&test.key, &test.nonce, &test.aad, &sealed);
            if test.result == TestResult::Invalid {
                assert_eq!(opened, Err(Fault::Authentication), "case {}", test.tc_id);
            } else {
                assert_eq!(opened.as_deref(), Ok(&test.pt[..]), "case {}", test.tc_id);
                assert_eq!(seal(&test.key, &test.nonce, &test.aad, &test.pt), sealed, "case {}", test.tc_id);
            }
            checked += 1;
        }
    }
    assert!(checked > 250, "{checked} cases");
}

/// Bytes that look random and are the same every time.
fn stream(seed: u64, length: usize) -> Vec<u8> {
    (0u64..).flat_map(|at| sha256(&[seed.to_le_bytes(), at.to_le_bytes()].concat())).take(length).collect()
}

fn agrees(length: usize, ad_length: usize) {
    let seed = (length << 16 | ad_length) as u64;
    let (key, nonce) = (stream(seed, 32), stream(seed + 1, 12));
    let (ad, plaintext) = (stream(seed + 2, ad_length), stream(seed + 3, length));
    let other = ChaCha20Poly1305::new_from_slice(&key).expect("32 bytes");
    let nonce_array = Nonce::try_from(&nonce[..]).expect("12 bytes");
    let expected = other.encrypt(&nonce_array, Payload { msg: &plaintext, aad: &ad }).expect("within its limits");
    assert_eq!(seal(&key, &nonce, &ad, &plaintext), expected, "{length} bytes, {ad_length} associated");
    assert_eq!(open(&key, &nonce, &ad, &expected), Ok(plaintext), "{length} bytes, {ad_length} associated");
}

#[test]
fn every_length_agrees_with_another_implementation() {
    for length in (0..=1100).chain(4060..=4080).chain([8192, 65_511, 65_535]) {
        agrees(length, 0);
        agrees(length, length % 53);
    }
    for ad_length in 0..=300 {
        agrees(64, ad_length);
    }
}

/// The limbs at their limits: keys and texts of all ones give the largest sums and carries.
#[test]
fn extreme_bytes_agree_with_another_implementation() {
    for byte in [0x00, 0xff, 0xfb, 0x80] {
        for length in [0, 1, 15, 16, 17, 127, 128, 129, 255, 256, 257, 4070] {
            let (key, nonce, plaintext) = ([byte; 32], [byte; 12], vec![byte; length]);
            let expected = ChaCha20Poly1305::new_from_slice(&key)
                .expect("32 bytes")
                .encrypt(&Nonce::from(nonce), &plaintext[..])
                .expect("within its limits");
            assert_eq!(seal(&key, &nonce, &[], &plaintext), expected, "{length} times {byte:02x}");
        }
    }
}

#[test]
fn every_changed_bit_is_refused() {
    let (key, nonce, ad) = ([1; 32], [2; 12], [3; 5]);
    let sealed = seal(&key, &nonce, &ad, &stream(0, 150));
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open(&key, &nonce, &ad, &changed), Err(Fault::Authentication), "bit {bit}");
    }
    for length in 0..sealed.len() {
        assert_eq!(open(&key, &nonce, &ad, &sealed[..length]), Err(Fault::Authentication), "cut to {length}");
    }
    assert_eq!(open(&key, &nonce, &ad[1..], &sealed), Err(Fault::Authentication));
}

#[test]
fn too_little_space_is_a_fault() {
    let mut out = [0; 31];
    assert_eq!(aead::seal_into(&[1; 32], &[2; 12], &[], &[0; 16], &mut out), Err(Fault::PlaintextLength));
    let sealed = seal(&[1; 32], &[2; 12], &[], &[0; 32]);
    assert_eq!(aead::open_into(&[1; 32], &[2; 12], &[], &sealed, &mut out), Err(Fault::PlaintextLength));
}
