//! `tests/vectors/rule.json`: the codec's kinds. Summaries and set-ups are TypeScript's (`tests/wire`, `lib/services`).

use serde_json::Value;
use skywire_testkit::{bytes, cases, text};
use skywire_wire::{Descriptor, Rule};

fn check_fields(rule: &Rule, case: &Value, name: &str) {
    assert_eq!(rule.kind() as u64, case["type"].as_u64().expect("type"), "{name}");
    assert_eq!(u64::from(rule.route_id.0), case["key_route_id"].as_u64().expect("id"), "{name}");
    assert_eq!(rule.keep_alive_ns.to_string(), text(&case["keep_alive_ns"]), "{name}");
    match rule.descriptor() {
        Some(descriptor) => assert_eq!(descriptor.0.to_vec(), bytes(&case["descriptor"]), "{name}"),
        None => assert!(case["descriptor"].is_null(), "{name}"),
    }
    match rule.next() {
        Some(next) => {
            assert_eq!(u64::from(next.route_id.0), case["next_route_id"].as_u64().expect("next"), "{name}");
            let digits: String = next.transport.0.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(digits, text(&case["next_transport_id"]).replace('-', ""), "{name}");
        }
        None => assert!(case["next_route_id"].is_null(), "{name}"),
    }
}

#[test]
fn rules_are_those_of_v13() {
    for case in cases("rule.json") {
        let name = text(&case["name"]);
        match text(&case["kind"]) {
            "rule" => {
                let encoded = bytes(&case["bytes"]);
                let rule = Rule::decode(&encoded).expect(name);
                check_fields(&rule, &case, name);
                let again = rule.encode();
                assert_eq!(again.len(), rule.encoded_length(), "{name}");
                assert_eq!(Rule::decode(&again), Ok(rule), "{name}");
                if case["built_by_upstream"] == Value::Bool(true) {
                    assert_eq!(again, encoded, "{name}");
                }
            }
            "rule_fields" => check_fields(&Rule::decode(&bytes(&case["bytes"])).expect(name), &case, name),
            "malformed" => assert!(Rule::decode(&bytes(&case["bytes"])).is_err(), "{name}"),
            "descriptor" => {
                let descriptor = Descriptor::decode(&bytes(&case["bytes"])).expect(name);
                assert_eq!(descriptor.invert().0.to_vec(), bytes(&case["inverted"]), "{name}");
                assert_eq!(descriptor.invert().invert(), descriptor, "{name}");
            }
            "summary" | "setup" | "route_check" => {}
            kind => panic!("{name}: unknown kind {kind}"),
        }
    }
}

#[test]
fn cut_rules_are_refused_and_never_panic() {
    for case in cases("rule.json") {
        if case["kind"] != "rule" {
            continue;
        }
        let encoded = bytes(&case["bytes"]);
        for cut in 0..encoded.len() {
            let _ = Rule::decode(&encoded[..cut]);
        }
        for at in 0..encoded.len() {
            let mut flipped = encoded.clone();
            flipped[at] ^= 0x55;
            let _ = Rule::decode(&flipped);
        }
    }
}
