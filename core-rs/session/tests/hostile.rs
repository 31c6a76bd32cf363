//! A peer that does not follow the rules ends the session, and takes nothing more than it was allowed.

use skywire_session::{Budget, Fault, LegId, LegStart, Over, Session, WriteFault};

const LEG: LegId = LegId(1);
const OTHER: LegId = LegId(2);

fn session() -> (Session, Budget) {
    let mut budget = Budget::new(64 * 1024 * 1024);
    let mut session = Session::new(&mut budget);
    for leg in [LEG, OTHER] {
        let start = LegStart { leads: false, in_use: true, received: 0, limit: 100_000 };
        session.add_leg(leg, start).expect("it is honest");
    }
    (session, budget)
}

fn at(offset: u64) -> Vec<u8> {
    [&[1], offset.to_be_bytes().as_slice()].concat()
}

fn fin(flags: u8, length: u64) -> Vec<u8> {
    [&[3, flags], length.to_be_bytes().as_slice()].concat()
}

fn ack(received: u64, read: u64, limit: u64, flags: u8) -> Vec<u8> {
    let numbers = [received, read, limit].map(u64::to_be_bytes).concat();
    [&[2], numbers.as_slice(), &[flags]].concat()
}

/// What the last of these frames does.
fn take(frames: &[Vec<u8>]) -> Result<(), Fault> {
    let (mut session, mut budget) = session();
    assert_eq!(session.write(b"12345", &mut budget), Ok(5));
    let (last, before) = frames.split_last().expect("there is one");
    for frame in before {
        assert_eq!(session.take(LEG, frame, &mut budget), Ok(()));
    }
    let taken = session.take(LEG, last, &mut budget);
    if let Err(fault) = taken {
        assert_eq!(session.over(), Some(&Over::Fault(fault)));
        assert_eq!(session.write(b"6", &mut budget), Err(WriteFault::Over));
        let told = session.next(LEG, true, &mut budget).expect("the peer is told");
        assert_eq!(told[..2], [4, 2], "RESET, a fault");
        assert_eq!(session.next(LEG, true, &mut budget), None);
        assert!(session.next(OTHER, true, &mut budget).is_some_and(|told| told[0] == 4), "over every leg");
    }
    taken
}

#[test]
fn frames_that_are_malformed_end_the_session() {
    let long = [vec![0], vec![7; 4070]].concat();
    let text = [vec![4, 1], vec![b'x'; 257]].concat();
    for frame in [
        vec![],
        vec![0],
        vec![1; 8],
        vec![2; 25],
        vec![3; 9],
        vec![4],
        vec![5],
        vec![5, 1, 1],
        vec![6, 0],
        vec![7],
        long,
        text,
    ] {
        assert_eq!(take(std::slice::from_ref(&frame)), Err(Fault::Frame), "{frame:?}");
    }
}

#[test]
fn data_stays_within_its_window_and_its_borders() {
    assert_eq!(take(&[at(512 * 1024 - 3), b"\0abc".to_vec()]), Ok(()), "the last bytes of the window");
    assert_eq!(take(&[at(512 * 1024 - 2), b"\0abc".to_vec()]), Err(Fault::Window));
    assert_eq!(take(&[at(u64::MAX), b"\0a".to_vec()]), Err(Fault::Window));
    assert_eq!(take(&[b"\0abc".to_vec(), at(1), b"\0bc".to_vec()]), Ok(()), "it came already");
    assert_eq!(take(&[b"\0abc".to_vec(), at(1), b"\0bcd".to_vec()]), Err(Fault::Order), "across a border");
    assert_eq!(take(&[at(5), b"\0fg".to_vec(), at(4), b"\0ef".to_vec()]), Err(Fault::Order), "across an early one");
    let early = |last: &[u8]| take(&[at(5), b"\0fg".to_vec(), b"\0hi".to_vec(), at(6), last.to_vec()]);
    assert_eq!(early(b"\0g"), Ok(()), "it is there already");
    assert_eq!(early(b"\0ghij"), Err(Fault::Order), "across the end of what came early");
    assert_eq!(take(&[fin(0, 2), b"\0abc".to_vec()]), Err(Fault::Order), "beyond the end");
}

#[test]
fn there_are_no_more_gaps_than_an_honest_sender_makes() {
    let (mut session, mut budget) = session();
    let mut taken = 0;
    let fault = loop {
        session.take(LEG, &at(2 * taken + 1), &mut budget).expect("it says only where");
        match session.take(LEG, b"\0x", &mut budget) {
            Ok(()) => taken += 1,
            Err(fault) => break fault,
        }
    };
    assert_eq!((fault, taken), (Fault::Gaps, 512));
}

#[test]
fn an_acknowledgement_names_what_was_sent() {
    assert_eq!(take(&[ack(5, 3, 100, 0)]), Ok(()));
    assert_eq!(take(&[ack(6, 3, 100, 0)]), Err(Fault::Acknowledgement), "more than was written");
    assert_eq!(take(&[ack(3, 4, 100, 0)]), Err(Fault::Acknowledgement), "more was read than received");
    assert_eq!(take(&[ack(5, 5, 100, 1)]), Err(Fault::Acknowledgement), "the end was not said");
    let (mut session, mut budget) = session();
    let start = LegStart { leads: false, in_use: true, received: 1, limit: 10 };
    assert_eq!(session.add_leg(LegId(3), start), Err(Fault::Acknowledgement));
    assert!(session.next(LEG, true, &mut budget).is_some_and(|told| told[0] == 4));
}

#[test]
fn an_end_is_said_once_or_in_the_same_way() {
    assert_eq!(take(&[fin(0, 7), fin(0, 7)]), Ok(()));
    assert_eq!(take(&[fin(0, 7), fin(1, 7)]), Ok(()), "now it does not read either");
    assert_eq!(take(&[fin(0, 7), fin(0, 8)]), Err(Fault::End));
    assert_eq!(take(&[b"\0abc".to_vec(), fin(0, 2)]), Err(Fault::End), "before what came");
}

#[test]
fn the_window_grows_for_a_sender_that_waits_for_nothing_else_and_not_while_nobody_reads() {
    let (mut session, mut budget) = session();
    let limit = |session: &mut Session, budget: &mut Budget| {
        session.tick();
        let mut limit = None;
        while let Some(told) = session.next(LEG, true, budget) {
            limit = limit_of(told).or(limit);
        }
        limit
    };
    const FIRST: u64 = 512 * 1024;
    assert_eq!(limit(&mut session, &mut budget), Some(FIRST));
    for window in [1, 2, 4, 8, 16].map(|mega| mega * 1024 * 1024) {
        session.take(LEG, &[6], &mut budget).expect("it waits");
        // As much as one session may have of the budget.
        let told = limit(&mut session, &mut budget);
        assert!(told == Some(window) || (window > 8 << 20 && told > Some(15 << 20)), "{told:?}");
    }
    let (mut session, mut budget) = self::session();
    let frame = [vec![0], vec![7; 4_069]].concat();
    for _ in 0..FIRST / 4_069 {
        session.take(LEG, &frame, &mut budget).expect("within the window");
    }
    session.take(LEG, &[6], &mut budget).expect("it waits");
    assert_eq!(limit(&mut session, &mut budget), Some(FIRST), "nobody reads");
}

/// What an ACK allows.
fn limit_of(frame: &[u8]) -> Option<u64> {
    if frame[0] == 2 { frame[17..].first_chunk().map(|bytes| u64::from_be_bytes(*bytes)) } else { None }
}
