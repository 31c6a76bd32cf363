//! One leg as its session sees it.

/// Names a leg of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct LegId(pub u32);

/// How a leg begins.
#[derive(Clone, Copy, Debug)]
pub struct LegStart {
    /// Does this side say which legs are used? The initiator's does.
    pub leads: bool,
    /// Shall it carry data, or wait until another fails? The other end learns it by USE.
    pub in_use: bool,
    /// What the other end has received in order, bytes, as it said in the handshake.
    pub received: u64,
    /// What the other end takes in all, bytes.
    pub limit: u64,
}

/// See the top of the file.
pub struct Leg {
    pub id: LegId,
    pub leads: bool,
    pub in_use: bool,
    /// Nothing came for so long that the leg may be dead.
    pub silent: bool,
    /// The leg has not said yet how far this side is.
    pub fresh: bool,
    /// What USE said last.
    pub told_use: bool,
    pub told_reset: bool,
    /// Where the next DATA that is sent belongs, as the other end takes it.
    pub sends_at: u64,
    /// Where the next DATA that comes belongs.
    pub comes_at: u64,
}

impl Leg {
    pub fn new(id: LegId, start: LegStart) -> Leg {
        Leg {
            id,
            leads: start.leads,
            in_use: start.in_use,
            silent: false,
            fresh: true,
            told_use: false,
            told_reset: false,
            sends_at: 0,
            comes_at: 0,
        }
    }
}
