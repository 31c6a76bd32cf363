//! What a session really takes of the memory of the process, whatever its peer sends: near to what it was charged for.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use skywire_session::{Budget, LegId, LegStart, Session};

static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// The allocator of the system, which counts.
struct Counting;

// Safety: it passes everything on as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        TAKEN.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const LEG: LegId = LegId(1);
const WINDOW: u64 = 512 * 1024;

fn session(budget: &mut Budget) -> Session {
    let mut session = Session::new(budget);
    let start = LegStart { leads: false, in_use: true, received: 0, limit: WINDOW };
    session.add_leg(LEG, start).expect("it is honest");
    session
}

/// Both in one test, since they count the same bytes.
#[test]
fn a_session_takes_little_more_than_it_was_charged_for() {
    let mut budget = Budget::new(64 * 1024 * 1024);
    let before = TAKEN.load(Ordering::Relaxed);
    let taken = || (TAKEN.load(Ordering::Relaxed) - before) as u64;

    // Single bytes that wait for the first one: each with a border of two bytes, in a buffer that doubles as it grows.
    let mut reader = session(&mut budget);
    reader.take(LEG, &[&[1], 1_u64.to_be_bytes().as_slice()].concat(), &mut budget).expect("it says where");
    for _ in 1..WINDOW {
        reader.take(LEG, b"\0x", &mut budget).expect("it is within the window");
    }
    assert!((WINDOW..=8 * WINDOW).contains(&taken()), "{} bytes for {WINDOW}", taken());

    // Read out, and all sent and acknowledged: what is left is for the next bytes.
    reader.take(LEG, &[&[1], 0_u64.to_be_bytes().as_slice()].concat(), &mut budget).expect("it says where");
    reader.take(LEG, b"\0x", &mut budget).expect("it is the first one");
    let mut into = vec![0; WINDOW as usize];
    assert_eq!(reader.read(&mut into, &mut budget), into.len());
    drop(into);
    assert_eq!(reader.write(&[7; 200_000], &mut budget), Ok(200_000));
    while reader.next(LEG, true, &mut budget).is_some() {}
    let ack = [&[2], [200_000, 200_000, WINDOW + 200_000].map(u64::to_be_bytes).concat().as_slice(), &[0]].concat();
    reader.take(LEG, &ack, &mut budget).expect("it was sent");
    reader.rest();
    assert!(taken() < 8 * 1024, "{} bytes of a session that rests", taken());
}
