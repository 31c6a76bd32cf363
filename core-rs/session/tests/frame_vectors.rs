//! `tests/vectors/session.json`: frames and conversations. Payloads belong to `tests/wire/session_payload_test.ts`.

use serde_json::Value;
use skywire_session::{Ack, Budget, Fault, Fin, Frame, LegId, LegStart, MAX_CONTROL_BYTES, Over, Session};
use skywire_testkit::{bytes, cases, number, text};

#[test]
fn frames_and_conversations_are_those_of_the_vectors() {
    for case in cases("session.json") {
        let name = text(&case["name"]);
        match text(&case["kind"]) {
            "frame" => {
                let encoded = bytes(&case["hex"]);
                let frame = Frame::decode(&encoded).expect(name);
                check_frame(frame, &case["frame"], name);
                assert_eq!(encode(frame), encoded, "{name}");
            }
            "frame_read" => check_frame(Frame::decode(&bytes(&case["hex"])).expect(name), &case["frame"], name),
            "frame_refused" => assert_eq!(Frame::decode(&bytes(&case["hex"])), Err(Fault::Frame), "{name}"),
            "frame_of_size" => {
                let mut encoded = bytes(&case["begins"]);
                encoded.resize(number(&case["size"]), b'x');
                let accepted = case["accepted"].as_bool().expect("accepted");
                assert_eq!(Frame::decode(&encoded).is_ok(), accepted, "{name}");
            }
            "conversation" => Conversation::new().play(&case["steps"], name),
            "payload" | "payload_read" | "payload_none" => {}
            kind => panic!("{name}: unknown kind {kind}"),
        }
    }
}

/// One end.
struct Conversation {
    session: Session,
    budget: Budget,
}

impl Conversation {
    fn new() -> Conversation {
        let mut budget = Budget::new(64 * 1024 * 1024);
        Conversation { session: Session::new(&mut budget), budget }
    }

    fn play(&mut self, steps: &Value, name: &str) {
        for (index, step) in steps.as_array().expect("steps").iter().enumerate() {
            self.step(step, &format!("{name}, step {index}: {step}"));
        }
    }

    fn step(&mut self, step: &Value, at: &str) {
        let Conversation { session, budget } = self;
        let leg = || LegId(number(&step["leg"]) as u32);
        match text(&step["do"]) {
            "begin" => {
                let start = LegStart {
                    leads: truth(&step["leads"]),
                    in_use: truth(&step["used"]),
                    received: large(&step["received"]),
                    limit: large(&step["limit"]),
                };
                session.add_leg(leg(), start).expect(at);
            }
            // Whether it was a fault is a step of its own.
            "in" => drop(session.take(leg(), &bytes(&step["hex"]), budget)),
            "out" => {
                let frame = session.next(leg(), true, budget).map(<[u8]>::to_vec);
                assert_eq!(frame, Some(bytes(&step["hex"])), "{at}");
            }
            "out_begins" => {
                let frame = session.next(leg(), true, budget).expect(at);
                assert!(frame.starts_with(&bytes(&step["hex"])), "{at}: {frame:?}");
            }
            "nothing" => assert_eq!(session.next(leg(), true, budget), None, "{at}"),
            "write" => {
                let data = bytes(&step["hex"]);
                let taken = if step["taken"].is_null() { data.len() } else { number(&step["taken"]) };
                assert_eq!(session.write(&data, budget), Ok(taken), "{at}");
            }
            "read" => {
                let mut message = vec![0; session.message_length()];
                session.read(&mut message, budget);
                assert_eq!(message, bytes(&step["hex"]), "{at}");
            }
            "read_out" => assert_eq!(session.is_read_out(), truth(&step["is"]), "{at}"),
            "stopped" => assert_eq!(session.is_stopped(), truth(&step["is"]), "{at}"),
            "repeated" => assert_eq!(session.figures().repeated, number(&step["bytes"]) as u64, "{at}"),
            "finish" => session.finish(truth(&step["stops"]), budget),
            "reset" => session.reset(number(&step["code"]) as u8, text(&step["text"]).as_bytes(), budget),
            "use" => session.use_leg(leg(), truth(&step["used"])),
            "silent" => session.set_silent(leg(), truth(&step["is"])),
            "ends" => session.remove_leg(leg()),
            "tick" => session.tick(),
            "over" => {
                let over = match session.over() {
                    None => "no",
                    Some(Over::Done) => "done",
                    Some(Over::ResetHere) => "reset-here",
                    Some(Over::Reset { .. }) => "reset",
                    Some(Over::Fault(_)) => "fault",
                };
                assert_eq!(over, text(&step["how"]), "{at}");
            }
            _ => panic!("{at}: unknown"),
        }
    }
}

fn check_frame(frame: Frame, fields: &Value, name: &str) {
    let expected_data = if fields["type"] == "data" { bytes(&fields["data"]) } else { Vec::new() };
    let expected = match text(&fields["type"]) {
        "data" => Frame::Data(&expected_data),
        "at" => Frame::At(large(&fields["offset"])),
        "ack" => Frame::Ack(Ack {
            received: large(&fields["received"]),
            read: large(&fields["read"]),
            limit: large(&fields["limit"]),
            seen_end: truth(&fields["end"]),
            seen_stop: truth(&fields["stop"]),
        }),
        "fin" => Frame::Fin(Fin { length: large(&fields["length"]), stops: truth(&fields["stops"]) }),
        "reset" => Frame::Reset { code: number(&fields["code"]) as u8, text: text(&fields["text"]).as_bytes() },
        "use" => Frame::Use(truth(&fields["used"])),
        "limit" => Frame::Limit,
        other => panic!("{name}: unknown frame {other}"),
    };
    assert_eq!(frame, expected, "{name}");
}

/// The bytes of a frame. A DATA is written by a session only, which keeps it as it is sent.
fn encode(frame: Frame) -> Vec<u8> {
    if let Frame::Data(data) = frame {
        let mut it = Conversation::new();
        let start = LegStart { leads: false, in_use: true, received: 0, limit: data.len() as u64 };
        it.session.add_leg(LegId(1), start).expect("it is honest");
        it.session.next(LegId(1), true, &mut it.budget).expect("the first ACK");
        assert_eq!(it.session.write(data, &mut it.budget), Ok(data.len()));
        return it.session.next(LegId(1), true, &mut it.budget).expect("there is data").to_vec();
    }
    let mut out = [0; MAX_CONTROL_BYTES];
    let length = frame.encode(&mut out);
    out[..length].to_vec()
}

fn truth(value: &Value) -> bool {
    value.as_bool().expect("the field is true or false")
}

/// A number of 64 bits, as decimal text.
fn large(value: &Value) -> u64 {
    text(value).parse().expect("the field is a number in text")
}
