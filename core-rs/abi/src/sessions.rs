//! The sessions of a switch by handle (sessions.md). Bytes pass through the area of the switch.

use skywire_routing::LegSpec;
use skywire_session::LegStart;
use skywire_time::Millis;

use crate::layout::*;
use crate::switch::{SWITCHES, with};

/// Begins a session without legs; its handle, or 0 when all memory for sessions is in use.
#[unsafe(no_mangle)]
pub extern "C" fn switch_add_session(handle: u32) -> u32 {
    SWITCHES.get(handle).and_then(|it| it.switch.add_session()).map_or(0, u32::from)
}

/// Makes a group with keys a leg. `flags`: `LEG_…`; `received` and `limit`: what the other end said in the handshake; 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_add_leg(
    handle: u32,
    session: u32,
    group: u32,
    flags: u32,
    received: u64,
    limit: u64,
    now: f64,
) -> i32 {
    with(handle, |it| {
        let start = LegStart { leads: flags & LEG_LEADS != 0, in_use: flags & LEG_IN_USE != 0, received, limit };
        let spec = LegSpec { start, is_confirmed: flags & LEG_CONFIRMED != 0 };
        if it.switch.add_leg(session.into(), group.into(), spec, Millis(now)) { 0 } else { FAULT_GROUP_NOT_OPEN }
    })
}

/// Shall a leg carry data (1), or wait until no other does (0)? Returns 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_use_leg(handle: u32, session: u32, group: u32, in_use: u32, now: f64) -> i32 {
    with(handle, |it| {
        it.switch.use_leg(session.into(), group.into(), in_use != 0, Millis(now));
        0
    })
}

/// Does the initiator want a leg to carry data (1)?
#[unsafe(no_mangle)]
pub extern "C" fn switch_is_leg_used(handle: u32, session: u32, group: u32) -> i32 {
    with(handle, |it| i32::from(it.switch.is_leg_used(session.into(), group.into())))
}

/// Writes the first `length` bytes of the area; how many were taken.
#[unsafe(no_mangle)]
pub extern "C" fn switch_session_write(handle: u32, session: u32, length: usize, now: f64) -> i32 {
    with(handle, |it| {
        let Some(bytes) = it.io.get(..length) else { return FAULT_BAD_ARGUMENT };
        it.switch.session_write(session.into(), bytes, Millis(now)).map_or(FAULT_SESSION_CLOSED, |taken| taken as i32)
    })
}

/// Reads at most `space` bytes into the area; how many.
#[unsafe(no_mangle)]
pub extern "C" fn switch_session_read(handle: u32, session: u32, space: usize, now: f64) -> i32 {
    with(handle, |it| {
        let Some(into) = it.io.get_mut(..space) else { return FAULT_BAD_ARGUMENT };
        it.switch.session_read(session.into(), into, Millis(now)) as i32
    })
}

/// How long the next message is; 0: there is none.
#[unsafe(no_mangle)]
pub extern "C" fn switch_session_message_length(handle: u32, session: u32) -> i32 {
    with(handle, |it| it.switch.session_message_length(session.into()) as i32)
}

/// Ends the direction from here; `stops` (1): nothing is read any more either. Returns 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_session_finish(handle: u32, session: u32, stops: u32, now: f64) -> i32 {
    with(handle, |it| {
        it.switch.session_finish(session.into(), stops != 0, Millis(now));
        0
    })
}

/// Gives up both directions, with a code and the first `length` bytes of the area as the reason; 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_session_reset(handle: u32, session: u32, code: u32, length: usize, now: f64) -> i32 {
    with(handle, |it| {
        let (Some(text), Ok(code)) = (it.io.get(..length), u8::try_from(code)) else { return FAULT_BAD_ARGUMENT };
        it.switch.session_reset(session.into(), code, text, Millis(now));
        0
    })
}

/// The state of a session, `SESSION_…` flags.
#[unsafe(no_mangle)]
pub extern "C" fn switch_session_flags(handle: u32, session: u32) -> i32 {
    with(handle, |it| {
        let Some(state) = it.switch.session_state(session.into()) else { return FAULT_BAD_ARGUMENT };
        let flag = |is: bool, flag: u32| if is { flag } else { 0 };
        (flag(state.is_read_out, SESSION_READ_OUT)
            | flag(state.is_stopped, SESSION_STOPPED)
            | flag(state.is_done, SESSION_DONE)) as i32
    })
}

/// All figures of a session in the view, u64le each, in the order of the layout; their length.
#[unsafe(no_mangle)]
pub extern "C" fn switch_session_figures(handle: u32, session: u32) -> i32 {
    with(handle, |it| {
        let Some(state) = it.switch.session_state(session.into()) else { return FAULT_BAD_ARGUMENT };
        let mut figures = [0; SESSION_FIGURE_COUNT];
        figures[SESSION_FIGURE_WRITTEN_BYTES] = state.figures.written;
        figures[SESSION_FIGURE_ACKNOWLEDGED_BYTES] = state.figures.acknowledged;
        figures[SESSION_FIGURE_READ_THERE_BYTES] = state.figures.read_there;
        figures[SESSION_FIGURE_RECEIVED_BYTES] = state.figures.received;
        figures[SESSION_FIGURE_READ_BYTES] = state.figures.read;
        figures[SESSION_FIGURE_REPEATED_BYTES] = state.figures.repeated;
        figures[SESSION_FIGURE_WINDOW] = state.window;
        it.show_all(&figures)
    })
}

/// Forgets a session; 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_remove_session(handle: u32, session: u32) -> i32 {
    with(handle, |it| {
        it.switch.remove_session(session.into());
        0
    })
}
