//! Time as the machines of the core see it. None has a clock: each call that depends on the time is told it.

#![forbid(unsafe_code)]

use core::ops::{Add, Sub};

/// Milliseconds: a moment on a clock that only goes forward, or the time between two moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Millis(pub f64);

impl Millis {
    /// The beginning of the clock, or no time at all.
    pub const ZERO: Millis = Millis(0.0);

    /// The smaller one. `f64::min` is a library function on WASM, which brings features that the build leaves out.
    #[inline]
    pub fn earlier(self, other: Millis) -> Millis {
        if other < self { other } else { self }
    }

    /// The larger one.
    #[inline]
    pub fn later(self, other: Millis) -> Millis {
        if other > self { other } else { self }
    }
}

impl Add for Millis {
    type Output = Millis;

    #[inline]
    fn add(self, other: Millis) -> Millis {
        Millis(self.0 + other.0)
    }
}

impl Sub for Millis {
    type Output = Millis;

    #[inline]
    fn sub(self, other: Millis) -> Millis {
        Millis(self.0 - other.0)
    }
}
