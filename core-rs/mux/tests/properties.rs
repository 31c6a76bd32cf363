//! Two machines joined by a link that cuts bytes anywhere, random calls on both, and garbage. A failure names its seed.

use std::collections::{BTreeMap, VecDeque};

use skywire_mux::{Config, Event, Mux, Read, Role, StreamFault};
use skywire_testkit::Dice;
use skywire_time::Millis;

/// One side, and the model of its streams: what was written and what must still come out at the other side.
struct Side {
    mux: Mux,
    live: Vec<u32>,
    finished: Vec<u32>,
}

impl Side {
    fn new(role: Role, dice: &mut Dice) -> Side {
        let config = Config {
            acknowledge_on_arrival: dice.below(2) == 0,
            receive_window: [262_144, 300_000, 1 << 20][dice.below(3)],
            output_limit: [100, 5_000, 1 << 19][dice.below(3)],
            keep_alive: false,
            ..Config::new(role)
        };
        Side { mux: Mux::new(config, Millis::ZERO), live: Vec::new(), finished: Vec::new() }
    }

    fn pick(&self, dice: &mut Dice) -> Option<u32> {
        (!self.live.is_empty()).then(|| self.live[dice.below(self.live.len())])
    }
}

/// Written by one side, not yet read by the other: by writer and stream.
type Expected = [BTreeMap<u32, VecDeque<u8>>; 2];

fn act(sides: &mut [Side; 2], at: usize, expected: &mut Expected, dice: &mut Dice) {
    let side = &mut sides[at];
    match dice.below(12) {
        0 => {
            if let Ok(id) = side.mux.open(Millis::ZERO) {
                side.live.push(id);
            }
        }
        1 | 2 => {
            while let Some(id) = side.mux.accept() {
                side.live.push(id);
            }
        }
        3..=6 => {
            let Some(id) = side.pick(dice) else { return };
            let length = [1, 50, 5_000, 300_000][dice.below(4)];
            let bytes = dice.bytes(length);
            match side.mux.write(id, &bytes) {
                Ok(count) => expected[at].entry(id).or_default().extend(&bytes[..count]),
                Err(fault) => assert_eq!((fault, side.finished.contains(&id)), (StreamFault::Finished, true)),
            }
        }
        7..=10 => {
            let Some(id) = side.pick(dice) else { return };
            read(side, id, &mut expected[1 - at], dice.below(200_000) + 1);
        }
        _ => {
            let Some(id) = side.pick(dice) else { return };
            side.mux.close_write(id).unwrap();
            side.finished.push(id);
        }
    }
}

/// Reads; whether the end was reached.
fn read(side: &mut Side, id: u32, expected: &mut BTreeMap<u32, VecDeque<u8>>, size: usize) -> bool {
    let mut into = vec![0; size];
    match side.mux.read(id, &mut into).unwrap() {
        Read::Bytes(count) => {
            let came = expected.entry(id).or_default().drain(..count).collect::<Vec<u8>>();
            assert!(into[..count] == came, "bytes come in order");
            false
        }
        Read::Nothing => false,
        Read::End => {
            assert_eq!(expected.get(&id).map_or(0, VecDeque::len), 0, "the end comes last");
            true
        }
    }
}

/// Carries some bytes from one side to the other.
fn carry(sides: &mut [Side; 2], from: usize, dice: &mut Dice) -> usize {
    let limit = [1, 13, 1_000, 100_000][dice.below(4)];
    let mut bytes = vec![0; dice.below(limit) + 1];
    let count = sides[from].mux.take_output(&mut bytes);
    for part in bytes[..count].chunks(dice.below(limit) + 1) {
        sides[1 - from].mux.push(part, Millis::ZERO);
    }
    count
}

#[test]
fn every_byte_arrives_in_order_whatever_both_sides_do() {
    for seed in 1..=150 {
        println!("seed {seed}");
        let dice = &mut Dice::new(seed);
        let mut sides = [Side::new(Role::Client, dice), Side::new(Role::Server, dice)];
        let mut expected: Expected = Default::default();
        for _ in 0..300 {
            let at = dice.below(2);
            act(&mut sides, at, &mut expected, dice);
            carry(&mut sides, dice.below(2), dice);
            while sides[at].mux.poll_event().is_some() {}
        }
        settle(&mut sides, &mut expected, dice);
        for side in &sides {
            assert_eq!(side.mux.fault(), None);
        }
    }
}

/// Accepts and finishes everything, carries what is under way, and reads to the end: all that was written must come.
fn settle(sides: &mut [Side; 2], expected: &mut Expected, dice: &mut Dice) {
    for round in 0.. {
        assert!(round < 100_000, "it comes to rest");
        let mut moved = carry(sides, 0, dice) + carry(sides, 1, dice);
        for at in 0..2 {
            while let Some(id) = sides[at].mux.accept() {
                sides[at].live.push(id);
            }
            for id in sides[at].live.clone() {
                sides[at].mux.close_write(id).unwrap();
                if read(&mut sides[at], id, &mut expected[1 - at], 1 << 20) {
                    sides[at].live.retain(|live| *live != id);
                    sides[at].mux.close(id, Millis::ZERO).unwrap();
                    moved += 1;
                }
            }
            moved += sides[at].mux.output_length();
        }
        if moved == 0 && sides.iter().all(|side| side.live.is_empty()) {
            break;
        }
    }
    assert!(expected.iter().all(|streams| streams.values().all(VecDeque::is_empty)), "every byte came");
    for side in sides {
        assert_eq!(side.mux.poll_deadline(), None, "nothing is left that waits");
    }
}

#[test]
fn garbage_ends_the_session_or_is_survived_with_bounded_memory() {
    for seed in 1..=2_000 {
        println!("seed {seed}");
        let dice = &mut Dice::new(seed);
        let mut mux = Mux::new(Config { output_limit: 10_000, ..Config::new(Role::Server) }, Millis::ZERO);
        let mut now = Millis::ZERO;
        for _ in 0..200 {
            let bytes = if dice.below(8) == 0 {
                let n = dice.below(40);
                dice.bytes(n)
            } else {
                plausible(dice)
            };
            mux.push(&bytes, now);
            match dice.below(8) {
                0 => drop(mux.accept()),
                1 => drop(mux.open(now)),
                2 => drop(mux.read(dice.below(6) as u32, &mut [0; 300])),
                3 => drop(mux.write(dice.below(6) as u32, &[0; 300])),
                4 => drop(mux.close(dice.below(6) as u32, now)),
                5 => drop(mux.reset(dice.below(6) as u32)),
                6 => drop(mux.close_write(dice.below(6) as u32)),
                _ => drop(mux.ping(now)),
            }
            now = now + Millis(dice.below(20_000) as f64);
            mux.handle_deadline(now);
            assert!(mux.poll_deadline().is_none_or(|at| at > now), "what was due is done");
            assert!(mux.output_length() <= 10_000 + 65_536 + 1_000);
            if dice.below(3) == 0 {
                mux.take_output(&mut [0; 500]);
                while let Some(event) = mux.poll_event() {
                    assert!(event != Event::Closed || mux.fault().is_some());
                }
            }
        }
    }
}

/// A frame that a peer might send, about few streams, so that states are reached.
fn plausible(dice: &mut Dice) -> Vec<u8> {
    let length = dice.below(60) as u32;
    let kind = [0, 0, 1, 1, 2, 3][dice.below(6)];
    let mut bytes = vec![0, kind, 0, [0, 0, 1, 2, 4, 8, dice.below(16) as u8][dice.below(7)]];
    bytes.extend((dice.below(6) as u32).to_be_bytes());
    bytes.extend(if kind == 3 { 0 } else { length }.to_be_bytes());
    bytes.extend(dice.bytes(if kind == 0 { length as usize } else { 0 }));
    bytes
}
