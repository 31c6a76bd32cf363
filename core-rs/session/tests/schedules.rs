//! Two ends of a session over legs that are cut anywhere, fall silent, come and go, and overtake each other: whatever
//! happens, each reader sees exactly what the writer at the other end wrote, then its end or an error, and no more memory is
//! taken than the budget has.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};

use skywire_session::{Budget, FLOOR_BYTES, LegId, LegStart, MAX_DATA_BYTES, Over, RESET_ABORTED, Session};
use skywire_testkit::Dice;

const SCHEDULES: usize = 100_000;
const MAX_LEGS: usize = 4;
/// What a link takes of one leg before it is full, frames.
const PIPE_FRAMES: usize = 24;
const STREAM_BYTES: usize = 1 << 20;

/// Everything that has to happen in some schedule, or the test does not show what it says.
const STATES: [&str; 18] = [
    "no leg",
    "one leg",
    "two legs",
    "three legs",
    "four legs",
    "a leg that waits carries",
    "a leg is silent",
    "all legs are silent",
    "bytes came twice",
    "the window is full",
    "the budget is used up",
    "one direction has ended",
    "one end reads no more",
    "both ends read no more",
    "a writer hears that nobody reads",
    "one end gave up",
    "a leg came after the end",
    "a leg was cut before its first frame",
];

/// One end: its session, and what its application did.
struct End {
    session: Session,
    budget: Budget,
    written: usize,
    /// Sizes of the messages that the other end has not read.
    borders: VecDeque<usize>,
    read: usize,
    finished: bool,
    stopped: bool,
    gave_up: bool,
}

struct Leg {
    id: LegId,
    /// Frames under way, from the end of that number.
    pipes: [VecDeque<Vec<u8>>; 2],
    /// Which ends know it.
    known: [bool; 2],
    /// What the initiator said when it asked for the leg.
    said: (u64, u64),
    cut: bool,
    /// Nothing moves on it any more, which both ends take for silence only.
    frozen: bool,
}

struct World {
    seed: u64,
    dice: Dice,
    ends: [End; 2],
    legs: Vec<Leg>,
    next_leg: u32,
    seen: BTreeSet<&'static str>,
}

fn stream(end: usize) -> &'static [u8] {
    static STREAMS: std::sync::OnceLock<[Vec<u8>; 2]> = std::sync::OnceLock::new();
    &STREAMS.get_or_init(|| [Dice::new(1).bytes(STREAM_BYTES), Dice::new(2).bytes(STREAM_BYTES)])[end]
}

impl World {
    fn new(seed: u64) -> World {
        let mut dice = Dice::new(seed);
        let total = dice.pick(&[2 * FLOOR_BYTES, 200 * 1024, 64 * 1024 * 1024]);
        let end = || {
            let mut budget = Budget::new(total);
            End {
                session: Session::new(&mut budget),
                budget,
                written: 0,
                borders: VecDeque::new(),
                read: 0,
                finished: false,
                stopped: false,
                gave_up: false,
            }
        };
        let ends = [end(), end()];
        World { seed, dice, ends, legs: Vec::new(), next_leg: 0, seen: BTreeSet::new() }
    }

    fn see(&mut self, state: &'static str) {
        assert!(STATES.contains(&state), "{state} is not in the list");
        self.seen.insert(state);
    }

    fn step(&mut self) {
        let end = self.dice.below(2);
        match self.dice.below(100) {
            0..25 => self.write(end),
            25..40 => self.read(end),
            40..60 => self.pump(end),
            60..80 => self.deliver(),
            80..86 => self.join(),
            86..89 => self.cut(),
            89..92 => self.learn_of_cuts(),
            92..95 => self.change_silence(end),
            95..97 => self.change_use(),
            97 => self.ends[end].session.tick(),
            98 if self.dice.below(2) == 0 => {
                let stops = self.dice.below(2) == 0;
                self.finish(end, stops);
            }
            99 if self.dice.below(20) == 0 => self.give_up(end),
            _ => {}
        }
        self.look();
    }

    fn write(&mut self, end: usize) {
        let size = match self.dice.below(4) {
            0 => 1 + self.dice.below(40),
            1 => MAX_DATA_BYTES,
            2 => 1 + self.dice.below(3 * MAX_DATA_BYTES),
            _ => 1 + self.dice.below(20_000),
        };
        let nobody_reads = self.ends[1 - end].stopped;
        let it = &mut self.ends[end];
        let bytes = &stream(end)[it.written..(it.written + size).min(STREAM_BYTES)];
        match it.session.write(bytes, &mut it.budget) {
            Ok(taken) => {
                it.written += taken;
                let mut left = taken;
                while left > 0 {
                    it.borders.push_back(left.min(MAX_DATA_BYTES));
                    left -= left.min(MAX_DATA_BYTES);
                }
                let whole = taken == size || size > MAX_DATA_BYTES || taken == 0;
                assert!(whole || nobody_reads, "seed {}: a message was cut", self.seed);
                if taken < size {
                    self.see("the window is full");
                }
            }
            Err(_) => assert!(it.finished || it.session.is_stopped() || it.session.over().is_some()),
        }
    }

    fn read(&mut self, end: usize) {
        let whole = self.dice.below(2) == 0;
        let most = if whole { 0 } else { 1 + self.dice.below(30_000) };
        let (it, other) = pair(&mut self.ends, end);
        let message = it.session.message_length();
        let mut into = vec![0; if whole { message } else { most }];
        let count = it.session.read(&mut into, &mut it.budget);
        assert_eq!(into[..count], stream(1 - end)[it.read..it.read + count], "seed {}", self.seed);
        if whole && count > 0 {
            assert_eq!(Some(count), other.borders.front().copied(), "seed {}: the border of a message", self.seed);
        }
        it.read += count;
        let mut left = count;
        while left > 0 {
            let border = other.borders.front_mut().expect("what is read was written");
            let part = left.min(*border);
            (*border, left) = (*border - part, left - part);
            if *border == 0 {
                other.borders.pop_front();
            }
        }
    }

    fn pump(&mut self, end: usize) {
        let most = 1 + self.dice.below(PIPE_FRAMES);
        for index in 0..self.legs.len() {
            let has_room = self.dice.below(4) > 0;
            let leg = &mut self.legs[index];
            let it = &mut self.ends[end];
            for _ in 0..most {
                if !leg.known[end] || leg.pipes[end].len() >= PIPE_FRAMES {
                    break;
                }
                let waits = !it.session.legs().is_empty() && leg.id.0 % 3 == 2;
                let Some(frame) = it.session.next(leg.id, has_room, &mut it.budget) else { break };
                if frame[0] == 0 && waits {
                    self.seen.insert("a leg that waits carries");
                }
                if !leg.cut {
                    leg.pipes[end].push_back(frame.to_vec());
                }
            }
        }
    }

    fn deliver(&mut self) {
        if self.legs.is_empty() {
            return;
        }
        let index = self.dice.below(self.legs.len());
        let (from, most) = (self.dice.below(2), 1 + self.dice.below(PIPE_FRAMES));
        for _ in 0..most {
            let Some(frame) = self.legs[index].pipes[from].pop_front() else { return };
            self.take(index, 1 - from, &frame);
        }
    }

    fn take(&mut self, index: usize, end: usize, frame: &[u8]) {
        let leg = &mut self.legs[index];
        let it = &mut self.ends[end];
        if !leg.known[end] {
            if end == 0 {
                return;
            }
            // The first frame of the initiator proves that the leg is none that somebody replays.
            leg.known[1] = true;
            let (received, beyond) = leg.said;
            let start = LegStart { leads: false, in_use: false, received, limit: received + beyond };
            it.session.add_leg(leg.id, start).expect("honest positions");
        }
        let taken = it.session.take(leg.id, frame, &mut it.budget);
        assert_eq!(taken, Ok(()), "seed {}", self.seed);
    }

    /// A further leg, whose handshake takes its time: both positions are old when they are used.
    fn join(&mut self) {
        if self.legs.len() == MAX_LEGS {
            return;
        }
        let id = LegId(self.next_leg);
        self.next_leg += 1;
        let said = self.ends[0].session.position();
        let (received, beyond) = self.ends[1].session.position();
        // Every third one waits until another fails.
        let start = LegStart { leads: true, in_use: id.0 % 3 != 2, received, limit: received + beyond };
        if self.ends.iter().any(|end| end.session.over() == Some(&Over::Done)) {
            self.see("a leg came after the end");
        }
        self.ends[0].session.add_leg(id, start).expect("honest positions");
        self.legs.push(Leg { id, pipes: Default::default(), known: [true, false], said, cut: false, frozen: false });
    }

    fn cut(&mut self) {
        if self.legs.is_empty() {
            return;
        }
        let index = self.dice.below(self.legs.len());
        let leg = &mut self.legs[index];
        leg.cut = true;
        // Some of what was under way still arrives.
        for pipe in &mut leg.pipes {
            pipe.truncate(self.dice.below(PIPE_FRAMES));
        }
        if !leg.known[1] && leg.pipes[0].is_empty() {
            self.see("a leg was cut before its first frame");
        }
    }

    fn learn_of_cuts(&mut self) {
        for end in 0..2 {
            if self.dice.below(3) == 0 {
                continue;
            }
            for leg in self.legs.iter_mut().filter(|leg| leg.cut && leg.known[end]) {
                leg.known[end] = false;
                leg.pipes[1 - end].clear();
                self.ends[end].session.remove_leg(leg.id);
            }
        }
        self.legs.retain(|leg| !leg.cut || leg.known[0] || leg.known[1]);
    }

    fn change_silence(&mut self, end: usize) {
        if let Some(id) = self.any_leg() {
            let silent = self.dice.below(2) == 0;
            self.ends[end].session.set_silent(id, silent);
            if silent && self.ends[end].session.is_carried() {
                self.see("a leg is silent");
            }
        }
    }

    fn change_use(&mut self) {
        if let Some(id) = self.any_leg() {
            let in_use = self.dice.below(2) == 0;
            self.ends[0].session.use_leg(id, in_use);
        }
    }

    fn any_leg(&mut self) -> Option<LegId> {
        let count = self.legs.len();
        (count > 0).then(|| self.legs[self.dice.below(count)].id)
    }

    fn finish(&mut self, end: usize, stops: bool) {
        let it = &mut self.ends[end];
        it.session.finish(stops, &mut it.budget);
        it.finished = true;
        it.stopped |= stops;
    }

    fn give_up(&mut self, end: usize) {
        let it = &mut self.ends[end];
        if it.session.over().is_none() {
            it.session.reset(RESET_ABORTED, b"enough", &mut it.budget);
            it.gave_up = true;
        }
    }

    /// What must hold after each step.
    fn look(&mut self) {
        for end in 0..2 {
            let it = &self.ends[end];
            let bound = it.budget.total();
            assert!(it.budget.used() <= bound, "seed {}: {} of {bound}", self.seed, it.budget.used());
            let figures = it.session.figures();
            assert!(figures.acknowledged <= figures.written && figures.read <= figures.received);
            if figures.repeated > 0 && !it.stopped {
                self.see("bytes came twice");
            }
            if self.ends[end].budget.used() + 1024 > bound {
                self.see("the budget is used up");
            }
            if self.ends[end].session.is_stopped() && !self.ends[end].finished {
                self.see("a writer hears that nobody reads");
            }
            let legs = self.ends[end].session.legs().len();
            if legs > 0 && !self.ends[end].session.is_carried() {
                self.see("all legs are silent");
            }
        }
        let [a, b] = &self.ends;
        let (finished, stopped, gave_up) = (a.finished != b.finished, a.stopped as u8 + b.stopped as u8, a.gave_up);
        self.see(["no leg", "one leg", "two legs", "three legs", "four legs"][self.legs.len()]);
        if finished {
            self.see("one direction has ended");
        }
        match stopped {
            1 => self.see("one end reads no more"),
            2 => self.see("both ends read no more"),
            _ => {}
        }
        if gave_up {
            self.see("one end gave up");
        }
    }

    /// All goes well from now on: both ends finish, and a leg stays.
    fn settle(&mut self) {
        for leg in &mut self.legs {
            if self.dice.below(2) == 0 {
                leg.cut = true;
                leg.pipes.iter_mut().for_each(VecDeque::clear);
            }
        }
        while self.legs.iter().any(|leg| leg.cut) {
            self.learn_of_cuts();
        }
        let gave_up = self.ends.iter().any(|end| end.gave_up);
        for index in 0..self.legs.len() {
            let frozen = self.dice.below(3) == 0;
            self.legs[index].frozen = frozen;
            for end in &mut self.ends {
                end.session.set_silent(self.legs[index].id, frozen);
            }
        }
        if self.legs.len() == MAX_LEGS {
            self.legs[0].cut = true;
            while self.legs.len() == MAX_LEGS {
                self.learn_of_cuts();
            }
        }
        // One that lives is enough, also when what another was told got lost with that.
        if !self.legs.iter().any(|leg| leg.known == [true, true] && !leg.frozen) {
            self.join();
        }
        for end in 0..2 {
            if !self.ends[end].finished {
                // The end of a stream may be said once all of it is there.
                self.drain(false);
                self.finish(end, false);
            }
        }
        self.drain(gave_up);
        for end in 0..2 {
            let (it, other) = pair(&mut self.ends, end);
            let over = it.session.over();
            if gave_up {
                assert!(over.is_some(), "seed {}: {end} does not know that the other gave up", self.seed);
                continue;
            }
            assert_eq!(over, Some(&Over::Done), "seed {}: {end} is not done", self.seed);
            if !it.stopped && !other.session.is_stopped() {
                assert_eq!(it.read, other.written, "seed {}: all was read", self.seed);
                assert!(it.session.is_read_out());
            }
            it.session.release(&mut it.budget);
            assert_eq!(it.budget.used(), 0);
        }
    }

    fn drain(&mut self, gave_up: bool) {
        for _ in 0..2_000 {
            let mut moved = false;
            for end in 0..2 {
                self.ends[end].session.tick();
                for index in 0..self.legs.len() {
                    if self.legs[index].frozen {
                        continue;
                    }
                    while self.legs[index].known[end] {
                        let it = &mut self.ends[end];
                        let Some(frame) = it.session.next(self.legs[index].id, true, &mut it.budget) else { break };
                        let frame = frame.to_vec();
                        self.legs[index].pipes[end].push_back(frame);
                    }
                    while let Some(frame) = self.legs[index].pipes[end].pop_front() {
                        self.take(index, 1 - end, &frame);
                        moved = true;
                    }
                }
                for reader in 0..2 {
                    while self.ends[reader].session.message_length() > 0 {
                        self.read(reader);
                        moved = true;
                    }
                }
            }
            self.look();
            if !moved {
                return;
            }
        }
        assert!(gave_up, "seed {}: it does not come to rest", self.seed);
    }
}

fn pair(ends: &mut [End; 2], end: usize) -> (&mut End, &mut End) {
    let [a, b] = ends;
    if end == 0 { (a, b) } else { (b, a) }
}

fn run(seed: u64) -> BTreeSet<&'static str> {
    let mut world = World::new(seed);
    world.join();
    let steps = 20 + world.dice.below(400);
    for _ in 0..steps {
        world.step();
    }
    world.settle();
    world.seen
}

#[test]
fn whatever_happens_to_the_legs_readers_see_what_was_written() {
    let next = AtomicUsize::new(0);
    let seen = std::thread::scope(|scope| {
        let work = || {
            let mut seen = BTreeSet::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= SCHEDULES {
                    return seen;
                }
                seen.extend(run(seed as u64));
            }
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no schedule fails")).collect::<BTreeSet<_>>()
    });
    let never: Vec<_> = STATES.iter().filter(|state| !seen.contains(*state)).collect();
    assert!(never.is_empty(), "never: {never:?}");
}
