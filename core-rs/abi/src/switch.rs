//! The packet switch by handle. Bytes of sockets go straight to and from its own buffers; everything else passes through
//! an area of 256 KiB that belongs to the switch.
//!
//! # Safety
//! Every pointer names a range of the stated size that nothing else uses during the call.

use skywire_crypto::Records;
use skywire_routing::{CloseReason, Counters, Event, LinkFault, LinkStats, Switch, WriteFault};
use skywire_session::Over;
use skywire_time::Millis;
use skywire_wire::{RouteId, TRANSPORT_ID_BYTES, TransportId};

use crate::codec::rule_status;
use crate::handles::Handles;
use crate::layout::*;
use crate::memory::slice;
use crate::records::RECORDS;

pub(crate) struct Housed {
    pub(crate) switch: Switch,
    pub(crate) io: Vec<u8>,
    /// The last result of any length.
    view: Vec<u8>,
}

pub(crate) static SWITCHES: Handles<Housed> = Handles::new();

/// An empty switch; its handle, or 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_new(first_route_id: u32, now: f64) -> u32 {
    SWITCHES.insert(Housed {
        switch: Switch::new(RouteId(first_route_id), Millis(now)),
        io: vec![0; SWITCH_IO_BYTES],
        view: Vec::new(),
    })
}

/// Wipes and forgets.
#[unsafe(no_mangle)]
pub extern "C" fn switch_drop(handle: u32) -> i32 {
    SWITCHES.remove(handle).map_or(FAULT_BAD_HANDLE, |_| 0)
}

/// Where the switch's area for arguments and results begins; it does not move. 0: no such switch.
#[unsafe(no_mangle)]
pub extern "C" fn switch_io(handle: u32) -> *mut u8 {
    SWITCHES.get(handle).map_or(core::ptr::null_mut(), |it| it.io.as_mut_ptr())
}

/// Where the result of the last call that has one of any length begins.
#[unsafe(no_mangle)]
pub extern "C" fn switch_view(handle: u32) -> *const u8 {
    SWITCHES.get(handle).map_or(core::ptr::null(), |it| it.view.as_ptr())
}

/// Adds a link and consumes its records (0: a link without); its handle, or 0.
///
/// # Safety
/// See the module; `transport` has 16 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn switch_add_link(
    handle: u32,
    transport: *const u8,
    records: u32,
    early: *const u8,
    early_length: usize,
    now: f64,
) -> u32 {
    // SAFETY: the caller's promise.
    let (transport, early) = unsafe { (slice(transport, TRANSPORT_ID_BYTES), slice(early, early_length)) };
    let (Some(it), Ok(transport)) = (SWITCHES.get(handle), transport.try_into()) else { return 0 };
    let records: Option<Records> = RECORDS.remove(records).map(|records| *records);
    it.switch.add_link(TransportId(transport), records, early, Millis(now)).map_or(0, u32::from)
}

/// Removes a link; 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_remove_link(handle: u32, link: u32, now: f64) -> i32 {
    with(handle, |it| {
        it.switch.remove_link(link.into(), Millis(now));
        0
    })
}

/// Where the next bytes of a link go.
#[unsafe(no_mangle)]
pub extern "C" fn switch_read_area(handle: u32, link: u32) -> *mut u8 {
    SWITCHES.get(handle).map_or(core::ptr::null_mut(), |it| it.switch.read_area(link.into()).as_mut_ptr())
}

/// How many bytes may go there; 0 while the link is not to be read.
#[unsafe(no_mangle)]
pub extern "C" fn switch_read_space(handle: u32, link: u32) -> i32 {
    with(handle, |it| it.switch.read_area(link.into()).len() as i32)
}

/// Handles `count` bytes that were put into the read area; 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_ingest(handle: u32, link: u32, count: usize, now: f64) -> i32 {
    with(handle, |it| {
        it.switch.ingest(link.into(), count, Millis(now));
        0
    })
}

/// How many bytes the socket of a link is to write.
#[unsafe(no_mangle)]
pub extern "C" fn switch_output_length(handle: u32, link: u32, now: f64) -> i32 {
    with(handle, |it| it.switch.output(link.into(), Millis(now)).len() as i32)
}

/// Where those bytes begin.
#[unsafe(no_mangle)]
pub extern "C" fn switch_output(handle: u32, link: u32, now: f64) -> *const u8 {
    SWITCHES.get(handle).map_or(core::ptr::null(), |it| it.switch.output(link.into(), Millis(now)).as_ptr())
}

/// The socket took them; 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_output_written(handle: u32, link: u32, now: f64) -> i32 {
    with(handle, |it| {
        it.switch.output_written(link.into(), Millis(now));
        0
    })
}

/// All figures of a link in the view, u64le each, in the order of the layout; their length, or a fault.
#[unsafe(no_mangle)]
pub extern "C" fn switch_link_stats(handle: u32, link: u32) -> i32 {
    with(handle, |it| {
        let Some(stats) = it.switch.link_stats(link.into()) else { return FAULT_BAD_ARGUMENT };
        let LinkStats { sent_bytes, received_bytes, sent_packets, received_packets } = stats;
        let mut figures = [0; LINK_FIGURE_COUNT];
        figures[LINK_FIGURE_SENT_BYTES] = sent_bytes;
        figures[LINK_FIGURE_RECEIVED_BYTES] = received_bytes;
        figures[LINK_FIGURE_SENT_PACKETS] = sent_packets;
        figures[LINK_FIGURE_RECEIVED_PACKETS] = received_packets;
        it.show_all(&figures)
    })
}

/// Pings the visor at the other end of a link; 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_send_transport_ping(handle: u32, link: u32, value: u64) -> i32 {
    with(handle, |it| {
        it.switch.send_transport_ping(link.into(), value);
        0
    })
}

/// Reserves route ids and returns the first; 0 when there are not so many.
#[unsafe(no_mangle)]
pub extern "C" fn switch_reserve(handle: u32, count: u32) -> u32 {
    SWITCHES.get(handle).and_then(|it| it.switch.reserve(count)).map_or(0, |id| id.0)
}

/// Saves a rule; 0.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn switch_save_rule(handle: u32, rule: *const u8, length: usize, now: f64) -> i32 {
    // SAFETY: the caller's promise.
    let rule = unsafe { slice(rule, length) };
    with(handle, |it| it.switch.save_rule(rule, Millis(now)).map_or_else(rule_status, |()| 0))
}

/// Forgets a rule; 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_delete_rule(handle: u32, id: u32, now: f64) -> i32 {
    with(handle, |it| {
        it.switch.delete_rule(RouteId(id), Millis(now));
        0
    })
}

/// All active rules in the view, each: idle ms f64le ‖ length u8 ‖ rule; the length of all.
#[unsafe(no_mangle)]
pub extern "C" fn switch_rules(handle: u32, now: f64) -> i32 {
    with(handle, |it| {
        let mut bytes = Vec::new();
        it.switch.each_rule(Millis(now), |rule, idle| {
            bytes.extend_from_slice(&idle.0.to_le_bytes());
            bytes.push(rule.encoded_length() as u8);
            bytes.extend_from_slice(&rule.encode());
        });
        it.show(&bytes)
    })
}

/// Begins a group; its handle, or 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_add_group(handle: u32, forward: u32, consume: u32, now: f64) -> u32 {
    SWITCHES
        .get(handle)
        .and_then(|it| it.switch.add_group(RouteId(forward), RouteId(consume), Millis(now)))
        .map_or(0, u32::from)
}

/// Sends a Handshake packet; 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_send_handshake(handle: u32, group: u32, now: f64) -> i32 {
    with(handle, |it| {
        it.switch.send_handshake(group.into(), Millis(now));
        0
    })
}

/// Takes the next Noise message into the area; its length, 0 for none.
#[unsafe(no_mangle)]
pub extern "C" fn switch_take_frame(handle: u32, group: u32) -> i32 {
    with(handle, |it| it.switch.take_frame(group.into(), &mut it.io).unwrap_or(0) as i32)
}

/// Sends the first `length` bytes of the area as a Noise message; 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_send_frame(handle: u32, group: u32, length: usize, now: f64) -> i32 {
    with(handle, |it| {
        let Some(message) = it.io.get(..length) else { return FAULT_BAD_ARGUMENT };
        it.switch.send_frame(group.into(), message, Millis(now));
        0
    })
}

/// Gives a group its records, which are consumed; 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_secure_group(handle: u32, group: u32, records: u32, now: f64) -> i32 {
    with(handle, |it| {
        let Some(records) = RECORDS.remove(records) else { return FAULT_BAD_ARGUMENT };
        if it.switch.secure_group(group.into(), *records, Millis(now)) { 0 } else { FAULT_GROUP_NOT_OPEN }
    })
}

/// Writes the first `length` bytes of the area; how many were taken.
#[unsafe(no_mangle)]
pub extern "C" fn switch_write(handle: u32, group: u32, length: usize, now: f64) -> i32 {
    with(handle, |it| {
        let Some(bytes) = it.io.get(..length) else { return FAULT_BAD_ARGUMENT };
        match it.switch.write(group.into(), bytes, Millis(now)) {
            Ok(taken) => taken as i32,
            Err(WriteFault::NoGroup | WriteFault::NotOpen) => FAULT_GROUP_NOT_OPEN,
        }
    })
}

/// Reads at most `space` bytes into the area; how many.
#[unsafe(no_mangle)]
pub extern "C" fn switch_read(handle: u32, group: u32, space: usize, now: f64) -> i32 {
    with(handle, |it| {
        let Some(into) = it.io.get_mut(..space) else { return FAULT_BAD_ARGUMENT };
        it.switch.read(group.into(), into, Millis(now)) as i32
    })
}

/// How long the next record is; 0: there is none.
#[unsafe(no_mangle)]
pub extern "C" fn switch_message_length(handle: u32, group: u32) -> i32 {
    with(handle, |it| it.switch.message_length(group.into()) as i32)
}

/// Pings over a route and returns the timestamp, which comes back; −1: there is no such group.
#[unsafe(no_mangle)]
pub extern "C" fn switch_ping(handle: u32, group: u32, now: f64) -> i64 {
    SWITCHES.get(handle).and_then(|it| it.switch.ping(group.into(), Millis(now))).unwrap_or(-1)
}

/// Figures of a group in the view: sent and received bytes u64le, round trip f64le (NaN: not known); 24, or a fault.
#[unsafe(no_mangle)]
pub extern "C" fn switch_group_stats(handle: u32, group: u32) -> i32 {
    with(handle, |it| {
        let Some(stats) = it.switch.group_stats(group.into()) else { return FAULT_BAD_ARGUMENT };
        let rtt = stats.rtt.map_or(f64::NAN, |rtt| rtt.0).to_le_bytes();
        it.show(&[stats.sent_bytes.to_le_bytes(), stats.received_bytes.to_le_bytes(), rtt].concat())
    })
}

/// Says goodbye, with the first `length` bytes of the area as error text; 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_close_group(handle: u32, group: u32, length: usize, now: f64) -> i32 {
    with(handle, |it| {
        let Some(error) = it.io.get(..length) else { return FAULT_BAD_ARGUMENT };
        it.switch.close_group(group.into(), error, Millis(now));
        0
    })
}

/// Forgets a group; 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_remove_group(handle: u32, group: u32, now: f64) -> i32 {
    with(handle, |it| {
        it.switch.remove_group(group.into(), Millis(now));
        0
    })
}

/// The next event in the view: kind u8 ‖ detail u8 ‖ 2 zeros ‖ handle u32le ‖ value u64le ‖ message; its length, 0: none.
#[unsafe(no_mangle)]
pub extern "C" fn switch_poll_event(handle: u32) -> i32 {
    with(handle, |it| {
        let Some(event) = it.switch.poll_event() else { return 0 };
        let (kind, detail, subject, value, message) = match event {
            Event::GroupHandshake { group, encrypt } => {
                (EVENT_GROUP_HANDSHAKE, u8::from(encrypt), group.into(), 0, Vec::new())
            }
            Event::GroupFrame { group } => (EVENT_GROUP_FRAME, 0, group.into(), 0, Vec::new()),
            Event::GroupReadable { group } => (EVENT_GROUP_READABLE, 0, group.into(), 0, Vec::new()),
            Event::GroupWritable { group } => (EVENT_GROUP_WRITABLE, 0, group.into(), 0, Vec::new()),
            Event::GroupClosed { group, reason, message } => {
                (EVENT_GROUP_CLOSED, close_reason(reason), group.into(), 0, message)
            }
            Event::Pong { group, timestamp } => (EVENT_PONG, 0, group.into(), timestamp as u64, Vec::new()),
            Event::LegConfirmed { group } => (EVENT_LEG_CONFIRMED, 0, group.into(), 0, Vec::new()),
            Event::LegSilent { group } => (EVENT_LEG_SILENT, 0, group.into(), 0, Vec::new()),
            Event::LegHeard { group } => (EVENT_LEG_HEARD, 0, group.into(), 0, Vec::new()),
            Event::SessionReadable { session } => (EVENT_SESSION_READABLE, 0, session.into(), 0, Vec::new()),
            Event::SessionWritable { session } => (EVENT_SESSION_WRITABLE, 0, session.into(), 0, Vec::new()),
            Event::SessionOver { session, over } => {
                let (end, code, text) = session_end(over);
                (EVENT_SESSION_OVER, end, session.into(), u64::from(code), text)
            }
            Event::LinkResumed { link } => (EVENT_LINK_RESUMED, 0, link.into(), 0, Vec::new()),
            Event::LinkFault { link, fault } => (EVENT_LINK_FAULT, link_fault(fault), link.into(), 0, Vec::new()),
            Event::TransportPong { link, value } => (EVENT_TRANSPORT_PONG, 0, link.into(), value, Vec::new()),
        };
        let subject: u32 = subject;
        it.view.clear();
        it.view.extend_from_slice(&[kind, detail, 0, 0]);
        it.view.extend_from_slice(&subject.to_le_bytes());
        it.view.extend_from_slice(&value.to_le_bytes());
        it.view.extend_from_slice(&message);
        it.view.len() as i32
    })
}

/// The next link with output and no write under way; 0: none.
#[unsafe(no_mangle)]
pub extern "C" fn switch_poll_dirty(handle: u32) -> u32 {
    SWITCHES.get(handle).and_then(|it| it.switch.poll_dirty()).map_or(0, u32::from)
}

/// When `switch_handle_deadline` is due, ms; NaN: never.
#[unsafe(no_mangle)]
pub extern "C" fn switch_poll_deadline(handle: u32) -> f64 {
    SWITCHES.get(handle).and_then(|it| it.switch.poll_deadline()).map_or(f64::NAN, |at| at.0)
}

/// Does what is due; 0.
#[unsafe(no_mangle)]
pub extern "C" fn switch_handle_deadline(handle: u32, now: f64) -> i32 {
    with(handle, |it| {
        it.switch.handle_deadline(Millis(now));
        0
    })
}

/// All counters in the view, u64le each, in the order of the layout; their length.
#[unsafe(no_mangle)]
pub extern "C" fn switch_counters(handle: u32) -> i32 {
    with(handle, |it| {
        let Counters {
            forwarded,
            delivered,
            unknown_type,
            short_payload,
            unknown_route,
            expired_route,
            wrong_link,
            no_transport,
            no_group,
        } = *it.switch.counters();
        let mut counters = [0; COUNTER_COUNT];
        counters[COUNTER_FORWARDED] = forwarded;
        counters[COUNTER_DELIVERED] = delivered;
        counters[COUNTER_UNKNOWN_TYPE] = unknown_type;
        counters[COUNTER_SHORT_PAYLOAD] = short_payload;
        counters[COUNTER_UNKNOWN_ROUTE] = unknown_route;
        counters[COUNTER_EXPIRED_ROUTE] = expired_route;
        counters[COUNTER_WRONG_LINK] = wrong_link;
        counters[COUNTER_NO_TRANSPORT] = no_transport;
        counters[COUNTER_NO_GROUP] = no_group;
        it.show_all(&counters)
    })
}

fn close_reason(reason: CloseReason) -> u8 {
    match reason {
        CloseReason::Local => CLOSE_REASON_LOCAL,
        CloseReason::Remote => CLOSE_REASON_REMOTE,
        CloseReason::Expired => CLOSE_REASON_EXPIRED,
        CloseReason::LinkDown => CLOSE_REASON_LINK_DOWN,
        CloseReason::Silence => CLOSE_REASON_SILENCE,
        CloseReason::Fault => CLOSE_REASON_FAULT,
    }
}

fn session_end(over: Over) -> (u8, u8, Vec<u8>) {
    match over {
        Over::Done => (SESSION_END_DONE, 0, Vec::new()),
        Over::ResetHere => (SESSION_END_RESET_HERE, 0, Vec::new()),
        Over::Reset { code, text } => (SESSION_END_RESET, code, text),
        Over::Fault(fault) => (SESSION_END_FAULT, 0, fault.to_string().into_bytes()),
    }
}

fn link_fault(fault: LinkFault) -> u8 {
    match fault {
        LinkFault::Record => LINK_FAULT_RECORD,
        LinkFault::Framing => LINK_FAULT_FRAMING,
        LinkFault::Stalled => LINK_FAULT_STALLED,
    }
}

impl Housed {
    pub(crate) fn show_all(&mut self, numbers: &[u64]) -> i32 {
        self.view.clear();
        self.view.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self.view.len() as i32
    }

    fn show(&mut self, bytes: &[u8]) -> i32 {
        self.view.clear();
        self.view.extend_from_slice(bytes);
        self.view.len() as i32
    }
}

pub(crate) fn with(handle: u32, call: impl FnOnce(&mut Housed) -> i32) -> i32 {
    SWITCHES.get(handle).map_or(FAULT_BAD_HANDLE, call)
}
