//! `tests/vectors/cipher.json`: every case of every kind that is about bytes. The text forms are TypeScript's.

use serde_json::Value;
use skywire_crypto::{Fault, PublicKey, SecretKey, recover, sha256, verify};
use skywire_testkit::{array, bytes, cases, text};

#[test]
fn cipher_vectors_hold() {
    for case in cases("cipher.json") {
        let name = text(&case["name"]);
        match text(&case["kind"]) {
            "key" => {
                let secret = SecretKey::parse(&bytes(&case["secret"])).expect(name);
                assert_eq!(secret.public_key().as_bytes()[..], bytes(&case["public"]), "{name}");
            }
            "sha256" => assert_eq!(sha256(&bytes(&case["message"]))[..], bytes(&case["digest"]), "{name}"),
            "pubkey_binary" => {
                assert_eq!(PublicKey::parse(&bytes(&case["bytes"])).is_ok(), case["accepted"] == true, "{name}");
            }
            "seckey_binary" => {
                assert_eq!(SecretKey::parse(&bytes(&case["bytes"])).is_ok(), case["accepted"] == true, "{name}");
            }
            "ecdh" => {
                let shared = PublicKey::parse(&bytes(&case["public"]))
                    .and_then(|public| Ok(SecretKey::parse(&bytes(&case["secret"]))?.shared_secret(&public)));
                assert_eq!(shared.is_ok(), case["accepted"] == true, "{name}");
                if let Ok(shared) = shared {
                    assert_eq!(shared[..], bytes(&case["shared"]), "{name}");
                }
            }
            "sign" => {
                let secret = SecretKey::parse(&bytes(&case["secret"])).expect(name);
                let public = PublicKey::parse(&bytes(&case["public"])).expect(name);
                let message = bytes(&case["message"]);
                let digest = array(&case["digest"]);
                assert_eq!(sha256(&message), digest, "{name}");
                assert!(verify(&digest, &array(&case["signature"]), &public), "{name}");
                assert_eq!(recover(&digest, &array(&case["signature"])), PublicKey::parse(&bytes(&case["recovered"])));
                for entropy in [&[][..], &[1; 32]] {
                    let ours = secret.sign_digest(&digest, entropy).expect(name);
                    assert!(verify(&digest, &ours, &public), "{name}: our own signature");
                    assert!(ours[32] <= 0x7f, "{name}: s is low");
                }
                assert_eq!(secret.sign_digest(&digest, &[]), secret.sign_digest(&digest, &[]), "{name}: deterministic");
                assert_ne!(
                    secret.sign_digest(&digest, &[]),
                    secret.sign_digest(&digest, &[1; 32]),
                    "{name}: entropy matters"
                );
            }
            "verify" => {
                let (digest, signature) = (array(&case["digest"]), array(&case["signature"]));
                let accepted =
                    PublicKey::parse(&bytes(&case["public"])).is_ok_and(|key| verify(&digest, &signature, &key));
                assert_eq!(accepted, case["accepted"] == true, "{name}");
                match &case["recovered"] {
                    Value::Null => assert_eq!(recover(&digest, &signature), Err(Fault::Signature), "{name}"),
                    key => assert_eq!(recover(&digest, &signature), PublicKey::parse(&bytes(key)), "{name}"),
                }
            }
            "sign_digest" => {
                let signed = SecretKey::parse(&bytes(&case["secret"]))
                    .and_then(|secret| secret.sign_digest(&array(&case["digest"]), &[]));
                assert!(signed.is_err(), "{name}");
            }
            // Keys out of seeds are for tools of v1.3.
            "seed" | "seed_sequence" | "pubkey_text" | "seckey_text" | "sig_text" | "addr_text" => {}
            kind => panic!("{name}: unknown kind {kind}"),
        }
    }
}
