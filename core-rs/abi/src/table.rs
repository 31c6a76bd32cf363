//! The rule table by handle, without the switch around it: for tests that hold it against a model.
//!
//! # Safety
//! Every pointer names a range of the stated size that nothing else uses during the call.

use skywire_routing::{RuleTable, TableFault};
use skywire_wire::Rule;

use crate::codec::{put, rule_status};
use crate::handles::Handles;
use crate::layout::{FAULT_BAD_HANDLE, FAULT_NO_SPACE, FAULT_ROUTE_EXPIRED, FAULT_ROUTE_UNKNOWN};
use crate::memory::{slice, slice_mut};

static TABLES: Handles<RuleTable> = Handles::new();

/// An empty table; its handle, or 0.
#[unsafe(no_mangle)]
pub extern "C" fn table_new(first_id: u32) -> u32 {
    TABLES.insert(RuleTable::new(first_id))
}

/// Reserves ids and returns the first; 0 when there are not so many.
#[unsafe(no_mangle)]
pub extern "C" fn table_reserve(handle: u32, count: u32) -> u32 {
    TABLES.get(handle).and_then(|table| table.reserve(count)).unwrap_or(0)
}

/// Saves a rule; 0.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn table_save(handle: u32, rule: *const u8, length: usize, now: f64) -> i32 {
    let Some(table) = TABLES.get(handle) else { return FAULT_BAD_HANDLE };
    // SAFETY: the caller's promise.
    match Rule::decode(unsafe { slice(rule, length) }) {
        Ok(rule) => {
            table.save(rule, now);
            0
        }
        Err(fault) => rule_status(fault),
    }
}

/// Writes the active rule of an id to `out`; its length.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn table_lookup(handle: u32, id: u32, now: f64, out: *mut u8, space: usize) -> i32 {
    let Some(table) = TABLES.get(handle) else { return FAULT_BAD_HANDLE };
    match table.lookup(id, now) {
        // SAFETY: the caller's promise.
        Ok(entry) => put(&entry.rule.encode(), unsafe { slice_mut(out, space) }),
        Err(fault) => table_status(fault),
    }
}

/// Notes activity; 0.
#[unsafe(no_mangle)]
pub extern "C" fn table_touch(handle: u32, id: u32, now: f64) -> i32 {
    let Some(table) = TABLES.get(handle) else { return FAULT_BAD_HANDLE };
    table.touch(id, now).map_or_else(table_status, |()| 0)
}

/// Forgets a rule; 0.
#[unsafe(no_mangle)]
pub extern "C" fn table_delete(handle: u32, id: u32) -> i32 {
    let Some(table) = TABLES.get(handle) else { return FAULT_BAD_HANDLE };
    table.delete(id);
    0
}

/// How many rules are stored.
#[unsafe(no_mangle)]
pub extern "C" fn table_count(handle: u32) -> i32 {
    TABLES.get(handle).map_or(FAULT_BAD_HANDLE, |table| table.count() as i32)
}

/// Writes the ids of all active rules to `out`, u32le each; how many.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn table_active(handle: u32, now: f64, out: *mut u8, space: usize) -> i32 {
    let Some(table) = TABLES.get(handle) else { return FAULT_BAD_HANDLE };
    let ids: Vec<u32> = table.active(now).map(|entry| entry.rule.route_id).collect();
    // SAFETY: the caller's promise.
    put_ids(&ids, unsafe { slice_mut(out, space) })
}

/// Removes all expired rules and writes their ids to `out`, u32le each; how many.
///
/// # Safety
/// See the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn table_collect(handle: u32, now: f64, out: *mut u8, space: usize) -> i32 {
    let Some(table) = TABLES.get(handle) else { return FAULT_BAD_HANDLE };
    let mut ids = Vec::new();
    table.collect(now, |entry| ids.push(entry.rule.route_id));
    // SAFETY: the caller's promise.
    put_ids(&ids, unsafe { slice_mut(out, space) })
}

/// Forgets the table.
#[unsafe(no_mangle)]
pub extern "C" fn table_drop(handle: u32) -> i32 {
    TABLES.remove(handle).map_or(FAULT_BAD_HANDLE, |_| 0)
}

fn put_ids(ids: &[u32], out: &mut [u8]) -> i32 {
    let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
    if put(&bytes, out) < 0 { FAULT_NO_SPACE } else { ids.len() as i32 }
}

fn table_status(fault: TableFault) -> i32 {
    match fault {
        TableFault::NotFound => FAULT_ROUTE_UNKNOWN,
        TableFault::Expired => FAULT_ROUTE_EXPIRED,
    }
}
