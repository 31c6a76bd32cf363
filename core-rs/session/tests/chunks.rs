//! How a sender shares its data among legs: in chunks that leave few gaps, and without leaving any to a leg that carries
//! nothing.

use skywire_session::{Budget, CHUNK_BYTES, LegId, LegStart, Session};

const LEGS: [LegId; 2] = [LegId(1), LegId(2)];
const LIMIT: u64 = 512 * 1024;

fn session() -> (Session, Budget) {
    let mut budget = Budget::new(64 * 1024 * 1024);
    let mut session = Session::new(&mut budget);
    for leg in LEGS {
        let start = LegStart { leads: true, in_use: true, received: 0, limit: LIMIT };
        session.add_leg(leg, start).expect("it is honest");
    }
    (session, budget)
}

/// The next frame that is no ACK, USE or LIMIT.
fn next(session: &mut Session, leg: LegId, budget: &mut Budget) -> Option<Vec<u8>> {
    loop {
        let frame = session.next(leg, true, budget)?;
        if ![2, 5, 6].contains(&frame[0]) {
            return Some(frame.to_vec());
        }
    }
}

#[test]
fn a_leg_takes_64_kib_at_a_time_however_small_the_messages() {
    for size in [1, 2, 100, 4_069] {
        let (mut session, mut budget) = session();
        for _ in 0..200_000 / size {
            assert_eq!(session.write(&vec![7; size], &mut budget), Ok(size));
        }
        assert_eq!(next(&mut session, LEGS[0], &mut budget).map(|data| data.len()), Some(1 + size));
        let at = next(&mut session, LEGS[1], &mut budget).expect("there is a second chunk");
        let offset = at[1..].first_chunk().map(|bytes| u64::from_be_bytes(*bytes)).expect("an offset");
        let chunk = CHUNK_BYTES as u64;
        assert!(at[0] == 1 && (chunk..chunk + size as u64).contains(&offset), "{size}: {offset}");
    }
}

#[test]
fn what_is_written_next_does_not_wait_for_a_leg_that_is_used_no_more() {
    let (mut session, mut budget) = session();
    assert_eq!(session.write(b"before", &mut budget), Ok(6));
    assert_eq!(next(&mut session, LEGS[1], &mut budget), Some(b"\0before".to_vec()));
    session.use_leg(LEGS[1], false);
    while session.next(LEGS[1], true, &mut budget).is_some() {}
    assert_eq!(session.write(b"after", &mut budget), Ok(5));
    assert_eq!(next(&mut session, LEGS[0], &mut budget), Some([vec![1], 6_u64.to_be_bytes().to_vec()].concat()));
    assert_eq!(next(&mut session, LEGS[0], &mut budget), Some(b"\0after".to_vec()));
    assert_eq!(session.next(LEGS[1], true, &mut budget), None);
}

#[test]
fn only_a_writer_that_the_limit_stopped_says_so() {
    let (mut session, mut budget) = session();
    let much = vec![7; 4 * LIMIT as usize];
    let said = |session: &mut Session, budget: &mut Budget| {
        let mut said = false;
        while let Some(frame) = session.next(LEGS[0], true, budget) {
            said |= frame == [6];
        }
        said
    };
    let mut written = 0;
    while written + 4_069 <= LIMIT {
        written += session.write(&much, &mut budget).expect("it is open") as u64;
        assert_eq!(said(&mut session, &mut budget), written + 4_069 > LIMIT, "after {written}");
    }
    // It is stopped before all has left. It goes on, and has nothing more to say when that has.
    let (mut session, mut budget) = self::session();
    let mut written = 0;
    while written + 4_069 <= LIMIT {
        written += session.write(&much, &mut budget).expect("it is open") as u64;
        while written + 4_069 <= LIMIT && session.next(LEGS[0], true, &mut budget).is_some() {}
    }
    let ack = [&[2], [0, 0, 2 * LIMIT].map(u64::to_be_bytes).concat().as_slice(), &[0]].concat();
    session.take(LEGS[0], &ack, &mut budget).expect("it is honest");
    assert_eq!(session.write(b"the rest", &mut budget), Ok(8));
    assert!(!said(&mut session, &mut budget));
}
