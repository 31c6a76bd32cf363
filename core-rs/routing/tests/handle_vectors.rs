//! `tests/vectors/packet.json`, kind `handle`: what a switch with one rule does with one packet (routing.md §3).

use serde_json::Value;
use skywire_routing::{LinkHandle, Switch};
use skywire_testkit::{bytes, cases};
use skywire_time::Millis;
use skywire_wire::{RouteId, Rule, TransportId};

/// v1.3 ends the rule here, since the edge does not read the code. A short packet is dropped by us whatever its rule is
/// (routing.md §1.4), so the rule stays.
const KEPT_BY_US: &str = "handle: close without code via forward";

/// Gives a switch its input as a socket does.
fn feed(switch: &mut Switch, link: LinkHandle, input: &[u8], now: Millis) {
    let area = switch.read_area(link);
    area[..input.len()].copy_from_slice(input);
    switch.ingest(link, input.len(), now);
}

#[test]
fn packets_are_handled_as_v13_does() {
    let mut ran = 0;
    for case in cases("packet.json").iter().filter(|case| case["kind"] == "handle") {
        let name = case["name"].as_str().expect("a case has a name");
        let mut switch = Switch::new(RouteId(1), Millis::ZERO);
        let from = switch.add_link(TransportId([0xaa; 16]), None, &[], Millis::ZERO).expect("there is room");
        let mut to = None;
        let mut route_id = None;
        if !case["rule"].is_null() {
            let rule = bytes(&case["rule"]);
            // A rule on which v1.3 panics later is refused here at once.
            let saved = switch.save_rule(&rule, Millis::ZERO);
            let decoded = Rule::decode(&rule);
            assert_eq!(saved.is_ok(), decoded.is_ok(), "{name}");
            if let Ok(rule) = decoded {
                route_id = Some(rule.route_id);
                if case["next_transport_present"] == Value::Bool(true)
                    && let Some(next) = rule.next()
                {
                    to = switch.add_link(next.transport, None, &[], Millis::ZERO);
                }
            }
        }
        // An instant later, so that a rule of no keep-alive has expired.
        feed(&mut switch, from, &bytes(&case["packet"]), Millis(1.0));

        let sent: Vec<u8> = to.map_or_else(Vec::new, |to| switch.output(to, Millis(1.0)).to_vec());
        let expected: Vec<u8> = case["sent"].as_array().expect("sent").iter().flat_map(bytes).collect();
        assert_eq!(sent, expected, "{name}");
        assert!(switch.output(from, Millis(1.0)).is_empty(), "{name}: the sender is told nothing");
        match case["expected"].as_str().expect("expected") {
            "forward" => assert_eq!(switch.counters().forwarded, 1, "{name}"),
            "drop" | "handled" => assert_eq!(switch.counters().forwarded, 0, "{name}"),
            other => panic!("{name}: unknown expectation {other}"),
        }
        if let Some(kept) = case["rule_kept"].as_bool() {
            let mut usable = false;
            switch.each_rule(Millis(1.0), |rule, _| usable |= Some(rule.route_id) == route_id);
            assert_eq!(usable, kept || name == KEPT_BY_US, "{name}");
        }
        ran += 1;
    }
    assert_eq!(ran, 60);
}
