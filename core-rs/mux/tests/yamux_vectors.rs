//! Sessions recorded with the yamux of v1.3: the same local actions and received frames give the same frames.

use std::collections::HashMap;

use serde_json::Value;
use sha2::{Digest, Sha256};
use skywire_mux::frame::{HEADER_BYTES, Header, Kind};
use skywire_mux::{Config, Event, Mux, Read, Role, StreamFault};
use skywire_testkit::{bytes, cases, number};
use skywire_time::Millis;

const NOW: Millis = Millis(1_000.0);

/// A session, and the writes and pings that have begun and not ended.
struct Replay {
    mux: Mux,
    writing: HashMap<u32, (Vec<u8>, usize)>,
    ping: Option<u32>,
}

impl Replay {
    fn new(role: &str) -> Replay {
        let role = match role {
            "client" => Role::Client,
            "server" => Role::Server,
            other => panic!("unknown role {other}"),
        };
        // As v1.3: acknowledged when accepted; and output enough for a whole window in one frame.
        let config = Config { acknowledge_on_arrival: false, output_limit: 1 << 20, ..Config::new(role) };
        Replay { mux: Mux::new(config, NOW), writing: HashMap::new(), ping: None }
    }

    /// Runs one step; the result that differs from the recorded one, if any.
    fn step(&mut self, step: &Value) {
        let stream = || number(&step["stream"]) as u32;
        let error = step.get("error").and_then(Value::as_str);
        match step["do"].as_str().expect("a step says what to do") {
            "open" => match self.mux.open(NOW) {
                Ok(id) => assert_eq!((None, stream()), (error, id)),
                Err(fault) => assert_eq!(error, Some(text(fault))),
            },
            "accept" => match self.mux.accept() {
                Some(id) => assert_eq!((None, stream()), (error, id)),
                None => assert_eq!(error, Some("nothing to accept")),
            },
            "write" => {
                let data = bytes(&step["data"]);
                match self.mux.write(stream(), &data) {
                    Ok(count) => assert_eq!((None, number(&step["written"])), (error, count)),
                    Err(fault) => assert_eq!(error, Some(text(fault))),
                }
            }
            "write_begin" => {
                let byte = bytes(&step["data_byte"])[0];
                self.writing.insert(stream(), (vec![byte; number(&step["data_length"])], 0));
                self.go_on_writing();
            }
            "write_end" => {
                let (data, done) = &self.writing[&stream()];
                if step.get("blocked").is_some_and(|blocked| blocked == true) {
                    assert!(*done < data.len(), "still writing");
                } else {
                    assert_eq!((number(&step["written"]), data.len()), (*done, *done));
                    self.writing.remove(&stream());
                }
            }
            "read" => self.read(stream(), step, error),
            "close" => assert_eq!(self.mux.close_write(stream()), Ok(())),
            "close_session" => self.mux.close_session(),
            "go_away" => self.mux.go_away(),
            "ping_begin" => self.ping = Some(self.mux.ping(NOW).expect("a ping begins")),
            "ping_end" => {
                let opaque = self.ping.take().expect("a ping has begun");
                let pong = Event::Pong { opaque, round_trip: Millis::ZERO };
                assert!(std::iter::from_fn(|| self.mux.poll_event()).any(|event| event == pong));
            }
            "receive" => {
                for frame in step["frames"].as_array().expect("frames") {
                    self.mux.push(&bytes(&frame["header"]), NOW);
                    self.mux.push(&body(frame), NOW);
                }
                self.go_on_writing();
            }
            other => panic!("unknown step {other}"),
        }
    }

    fn read(&mut self, stream: u32, step: &Value, error: Option<&str>) {
        let mut data = vec![0; number(&step["max"])];
        let result = match self.mux.read(stream, &mut data) {
            Ok(Read::Bytes(count)) => {
                data.truncate(count);
                if let Some(digest) = step.get("data_sha256") {
                    assert_eq!((number(&step["data_length"]), bytes(digest)), (count, Sha256::digest(&data).to_vec()));
                } else {
                    assert_eq!(bytes(&step["data"]), data);
                }
                None
            }
            Ok(Read::Nothing) => Some("nothing to read"),
            Ok(Read::End) => Some("EOF"),
            Err(fault) => Some(text(fault)),
        };
        assert_eq!(error, result);
    }

    fn go_on_writing(&mut self) {
        for (stream, (data, done)) in &mut self.writing {
            *done += self.mux.write(*stream, &data[*done..]).expect("the stream takes data");
        }
    }

    /// The frames sent since the last call.
    fn sent(&mut self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut output = vec![0; self.mux.output_length()];
        assert_eq!(self.mux.take_output(&mut output), output.len());
        let mut frames = Vec::new();
        while !output.is_empty() {
            let mut rest = output.split_off(HEADER_BYTES);
            let header = Header::decode(output.as_slice().try_into().expect("12 bytes")).expect("our own header");
            let tail = rest.split_off(if header.kind == Kind::Data { header.length as usize } else { 0 });
            frames.push((output, rest));
            output = tail;
        }
        frames
    }
}

fn text(fault: StreamFault) -> &'static str {
    match fault {
        StreamFault::Session => "session shutdown",
        StreamFault::Finished => "stream closed",
        StreamFault::Reset => "connection reset",
        StreamFault::GoingAway => "remote end is not accepting connections",
        other => panic!("no step causes {other:?}"),
    }
}

fn body(frame: &Value) -> Vec<u8> {
    match (frame.get("body"), frame.get("body_length")) {
        (Some(body), _) => bytes(body),
        (None, Some(length)) => vec![bytes(&frame["body_byte"])[0]; number(length)],
        (None, None) => Vec::new(),
    }
}

#[test]
fn every_recorded_session_is_repeated() {
    let cases = cases("yamux.json");
    assert_eq!(cases.len(), 66);
    for case in &cases {
        assert_eq!(case["kind"], "session", "a known kind");
        let mut replay = Replay::new(case["role"].as_str().expect("a role"));
        for (index, step) in case["steps"].as_array().expect("steps").iter().enumerate() {
            let place = format!("{}: step {index}", case["name"]);
            println!("{place}");
            replay.step(step);
            let expected = step["sent"].as_array().expect("sent frames");
            let sent = replay.sent();
            assert_eq!(sent.len(), expected.len(), "{place}");
            for ((header, body), expected) in sent.iter().zip(expected) {
                assert_eq!(header, &bytes(&expected["header"]), "{place}");
                match expected.get("body_sha256") {
                    Some(digest) => assert_eq!(Sha256::digest(body).to_vec(), bytes(digest), "{place}"),
                    None => assert_eq!(body, &expected.get("body").map(bytes).unwrap_or_default(), "{place}"),
                }
            }
            let closed = step.get("connection_closed").is_some_and(|closed| closed == true);
            assert_eq!(replay.mux.fault().is_some(), closed, "{place}");
        }
        assert_eq!(replay.mux.fault().is_some(), case["session_closed"] == true, "{}", case["name"]);
    }
}
