//! `tests/vectors/packet.json`: the codec's kinds. The kind `handle` belongs to the switch.

use serde_json::Value;
use skywire_testkit::{bytes, cases, text};
use skywire_wire::{HEADER_BYTES, Header, Packet, PacketFault, RouteId};

fn number(value: &Value) -> u64 {
    value.as_u64().expect("the field is a number")
}

#[test]
fn packets_are_those_of_v13() {
    for case in cases("packet.json") {
        let name = text(&case["name"]);
        match text(&case["kind"]) {
            "packet" => {
                let encoded = bytes(&case["bytes"]);
                let packet = Packet::decode(&encoded).expect(name);
                assert_eq!(u64::from(packet.kind), number(&case["type"]), "{name}");
                assert_eq!(u64::from(packet.route_id.0), number(&case["route_id"]), "{name}");
                assert_eq!(packet.payload, bytes(&case["payload"]), "{name}");
                assert_eq!(packet.encode().expect(name), encoded, "{name}");
                assert_eq!(packet.encoded_length(), encoded.len(), "{name}");
                for cut in 0..encoded.len() {
                    assert_eq!(Packet::decode(&encoded[..cut]), Err(PacketFault::Incomplete), "{name} cut to {cut}");
                }
            }
            "large_packet" => {
                let payload = vec![bytes(&case["payload_byte"])[0]; number(&case["size"]) as usize];
                let route_id = RouteId(number(&case["route_id"]) as u32);
                let packet = Packet { kind: number(&case["type"]) as u8, route_id, payload: &payload };
                let encoded = packet.encode().expect(name);
                assert_eq!(encoded[..HEADER_BYTES], bytes(&case["header"]), "{name}");
                assert_eq!(Packet::decode(&encoded), Ok(packet), "{name}");
            }
            "make_error" => {
                let payload = vec![0; number(&case["payload_length"]) as usize];
                let packet = Packet { kind: number(&case["type"]) as u8, route_id: RouteId(1), payload: &payload };
                assert_eq!(packet.encode(), Err(PacketFault::TooLong), "{name}");
            }
            "stream" => {
                let stream = bytes(&case["stream"]);
                let mut rest = stream.as_slice();
                for expected in case["packets"].as_array().expect("packets") {
                    let packet = Packet::decode(rest).expect(name);
                    assert_eq!(packet.encode().expect(name), bytes(&expected["bytes"]), "{name}");
                    rest = &rest[packet.encoded_length()..];
                }
                assert_eq!(Packet::decode(rest), Err(PacketFault::Incomplete), "{name}");
                // v1.3 reads header and payload apart, so to it a stream that ends between them ended well.
                let ended_well = rest.is_empty() || rest.len() == HEADER_BYTES;
                assert_eq!(ended_well, text(&case["end_error"]) == "EOF", "{name}");
            }
            "handle" => {}
            kind => panic!("{name}: unknown kind {kind}"),
        }
    }
}

#[test]
fn header_round_trips() {
    let header = Header { kind: 6, route_id: RouteId(0xfedc_ba98), size: 0xffff };
    assert_eq!(Header::decode(&header.encode()), Some(header));
    assert_eq!(header.packet_length(), 65_542);
}
