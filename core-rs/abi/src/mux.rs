//! Mux sessions by handle.
//!
//! # Safety
//! Every pointer names a range of the stated size that nothing else uses during the call.

use skywire_mux::{Config, Event, Fault, Mux, Read, Role, StreamFault};
use skywire_time::Millis;

use crate::handles::Handles;
use crate::layout::*;
use crate::memory::{slice, slice_mut};

/// An event: stream or value u32 at 0, round trip f64 at 8; little-endian.
const EVENT_BYTES: usize = 16;

static SESSIONS: Handles<Mux> = Handles::new();

/// Begins a session on a fresh link; the handle, or 0. `switches` are of `MUX_KEEP_ALIVE` and the like; a window smaller
/// than the default counts as the default.
#[unsafe(no_mangle)]
pub extern "C" fn mux_new(
    role: u32,
    switches: u32,
    receive_window: u32,
    accept_backlog: usize,
    max_streams: usize,
    now: f64,
) -> u32 {
    let config = Config {
        keep_alive: switches & MUX_KEEP_ALIVE != 0,
        acknowledge_on_arrival: switches & MUX_ACKNOWLEDGE_ON_ARRIVAL != 0,
        receive_window,
        accept_backlog,
        max_streams,
        ..Config::new(if role == MUX_ROLE_SERVER { Role::Server } else { Role::Client })
    };
    SESSIONS.insert(Mux::new(config, Millis(now)))
}

/// Takes received bytes, cut anywhere; 0.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mux_push(handle: u32, bytes: *const u8, length: usize, now: f64) -> i32 {
    // SAFETY: the caller's promise.
    let bytes = unsafe { slice(bytes, length) };
    with(handle, |mux| {
        mux.push(bytes, Millis(now));
        0
    })
}

/// Moves bytes to send to `out`; how many.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mux_take_output(handle: u32, out: *mut u8, space: usize) -> i32 {
    // SAFETY: the caller's promise.
    let out = unsafe { slice_mut(out, space) };
    with(handle, |mux| mux.take_output(out) as i32)
}

/// Opens a stream and writes its id, u32 little-endian, to `out`; 0.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mux_open(handle: u32, now: f64, out: *mut u8) -> i32 {
    // SAFETY: the caller's promise.
    let out = unsafe { slice_mut(out, size_of::<u32>()) };
    with(handle, |mux| number(mux.open(Millis(now)), out))
}

/// Accepts the stream of the peer that waits longest and writes its id, u32 little-endian, to `out`; 1, or 0 for none.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mux_accept(handle: u32, out: *mut u8) -> i32 {
    // SAFETY: the caller's promise.
    let out = unsafe { slice_mut(out, size_of::<u32>()) };
    with(handle, |mux| {
        let Some(id) = mux.accept() else { return 0 };
        out.copy_from_slice(&id.to_le_bytes());
        1
    })
}

/// Moves received bytes of a stream to `out`; how many, or [`FAULT_MUX_END`] or [`FAULT_MUX_CUT`] when no more come.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mux_read(handle: u32, stream: u32, out: *mut u8, space: usize) -> i32 {
    // SAFETY: the caller's promise.
    let out = unsafe { slice_mut(out, space) };
    with(handle, |mux| match mux.read(stream, out) {
        Ok(Read::Bytes(count)) => count as i32,
        Ok(Read::Nothing) => 0,
        Ok(Read::End) if mux.is_remote_finished(stream) => FAULT_MUX_END,
        Ok(Read::End) => FAULT_MUX_CUT,
        Err(fault) => stream_fault(fault),
    })
}

/// Takes bytes to send on a stream; how many.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mux_write(handle: u32, stream: u32, bytes: *const u8, length: usize) -> i32 {
    // SAFETY: the caller's promise.
    let bytes = unsafe { slice(bytes, length) };
    with(handle, |mux| mux.write(stream, bytes).map_or_else(stream_fault, |count| count as i32))
}

/// Ends the local direction of a stream; 0.
#[unsafe(no_mangle)]
pub extern "C" fn mux_close_write(handle: u32, stream: u32) -> i32 {
    with(handle, |mux| done(mux.close_write(stream)))
}

/// Ends both directions of a stream, and forgets what is unread; 0.
#[unsafe(no_mangle)]
pub extern "C" fn mux_close(handle: u32, stream: u32, now: f64) -> i32 {
    with(handle, |mux| done(mux.close(stream, Millis(now))))
}

/// Resets a stream; 0.
#[unsafe(no_mangle)]
pub extern "C" fn mux_reset(handle: u32, stream: u32) -> i32 {
    with(handle, |mux| done(mux.reset(stream)))
}

/// Tells the peer to open no more streams; 0.
#[unsafe(no_mangle)]
pub extern "C" fn mux_go_away(handle: u32) -> i32 {
    with(handle, |mux| {
        mux.go_away();
        0
    })
}

/// Sends a ping and writes the value that its event will name, u32 little-endian, to `out`; 0.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mux_ping(handle: u32, now: f64, out: *mut u8) -> i32 {
    // SAFETY: the caller's promise.
    let out = unsafe { slice_mut(out, size_of::<u32>()) };
    with(handle, |mux| number(mux.ping(Millis(now)), out))
}

/// Takes the next event and writes what belongs to it to `out`, 16 bytes; its kind, or 0 for none.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mux_poll_event(handle: u32, out: *mut u8) -> i32 {
    // SAFETY: the caller's promise.
    let out = unsafe { slice_mut(out, EVENT_BYTES) };
    with(handle, |mux| {
        let (kind, value, round_trip) = match mux.poll_event() {
            None => return 0,
            Some(Event::Changed(stream)) => (MUX_EVENT_CHANGED, stream, 0.0),
            Some(Event::Incoming) => (MUX_EVENT_INCOMING, 0, 0.0),
            Some(Event::Openable) => (MUX_EVENT_OPENABLE, 0, 0.0),
            Some(Event::Pong { opaque, round_trip }) => (MUX_EVENT_PONG, opaque, round_trip.0),
            Some(Event::PingTimedOut(opaque)) => (MUX_EVENT_PING_TIMED_OUT, opaque, 0.0),
            Some(Event::Closed) => (MUX_EVENT_CLOSED, 0, 0.0),
        };
        out[..4].copy_from_slice(&value.to_le_bytes());
        out[8..].copy_from_slice(&round_trip.to_le_bytes());
        kind
    })
}

/// Does what is due; 0.
#[unsafe(no_mangle)]
pub extern "C" fn mux_handle_deadline(handle: u32, now: f64) -> i32 {
    with(handle, |mux| {
        mux.handle_deadline(Millis(now));
        0
    })
}

/// When [`mux_handle_deadline`] is due, ms; infinity for never.
#[unsafe(no_mangle)]
pub extern "C" fn mux_poll_deadline(handle: u32) -> f64 {
    SESSIONS.get(handle).and_then(|mux| mux.poll_deadline()).map_or(f64::INFINITY, |at| at.0)
}

/// Why the session is closed, `MUX_FAULT_…`; 0 while it is open.
#[unsafe(no_mangle)]
pub extern "C" fn mux_fault(handle: u32) -> i32 {
    with(handle, |mux| match mux.fault() {
        None => 0,
        Some(Fault::Version) => MUX_FAULT_VERSION,
        Some(Fault::FrameType) => MUX_FAULT_FRAME_TYPE,
        Some(Fault::WindowOverrun) => MUX_FAULT_WINDOW_OVERRUN,
        Some(Fault::StreamId) => MUX_FAULT_STREAM_ID,
        Some(Fault::SecondFin) => MUX_FAULT_SECOND_FIN,
        Some(Fault::GoAway) => MUX_FAULT_GO_AWAY,
        Some(Fault::KeepAlive) => MUX_FAULT_KEEP_ALIVE,
        Some(Fault::OutputOverflow) => MUX_FAULT_OUTPUT_OVERFLOW,
        Some(Fault::Closed) => MUX_FAULT_CLOSED,
    })
}

/// Closes the session; 0. What is unread stays readable.
#[unsafe(no_mangle)]
pub extern "C" fn mux_close_session(handle: u32) -> i32 {
    with(handle, |mux| {
        mux.close_session();
        0
    })
}

/// Forgets the session and its streams.
#[unsafe(no_mangle)]
pub extern "C" fn mux_drop(handle: u32) -> i32 {
    SESSIONS.remove(handle).map_or(FAULT_BAD_HANDLE, |_| 0)
}

fn with(handle: u32, call: impl FnOnce(&mut Mux) -> i32) -> i32 {
    SESSIONS.get(handle).map_or(FAULT_BAD_HANDLE, call)
}

fn done(result: Result<(), StreamFault>) -> i32 {
    result.map_or_else(stream_fault, |()| 0)
}

fn number(result: Result<u32, StreamFault>, out: &mut [u8]) -> i32 {
    match result {
        Ok(value) => {
            out.copy_from_slice(&value.to_le_bytes());
            0
        }
        Err(fault) => stream_fault(fault),
    }
}

fn stream_fault(fault: StreamFault) -> i32 {
    match fault {
        StreamFault::Session => FAULT_MUX_SESSION,
        StreamFault::Unknown => FAULT_MUX_UNKNOWN,
        StreamFault::Finished => FAULT_MUX_FINISHED,
        StreamFault::Reset => FAULT_MUX_RESET,
        StreamFault::OpenTimeout => FAULT_MUX_OPEN_TIMEOUT,
        StreamFault::WouldBlock => FAULT_MUX_WOULD_BLOCK,
        StreamFault::GoingAway => FAULT_MUX_GOING_AWAY,
        StreamFault::IdsExhausted => FAULT_MUX_IDS_EXHAUSTED,
    }
}
