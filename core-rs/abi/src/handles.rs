//! The handle tables: the core's only globals. A handle is a small number that names a machine; it is never reused
//! while a stale holder could still mean the old one, because the upper bits count the uses of a slot.

use core::cell::UnsafeCell;

const INDEX_BITS: u32 = 16;

/// Machines of one kind by handle.
pub struct Handles<T> {
    slots: UnsafeCell<Vec<(u16, Option<Box<T>>)>>,
}

// SAFETY: a WASM instance runs one thread, and no exported function calls another that borrows the same table.
unsafe impl<T> Sync for Handles<T> {}

impl<T> Handles<T> {
    pub const fn new() -> Self {
        Handles { slots: UnsafeCell::new(Vec::new()) }
    }

    #[allow(clippy::mut_from_ref)]
    fn slots(&self) -> &mut Vec<(u16, Option<Box<T>>)> {
        // SAFETY: see `Sync` above; the borrow ends with the exported call.
        unsafe { &mut *self.slots.get() }
    }

    /// Keeps a machine; 0 when there are too many.
    pub fn insert(&self, value: T) -> u32 {
        let slots = self.slots();
        let index = slots.iter().position(|(_, value)| value.is_none()).unwrap_or_else(|| {
            slots.push((0, None));
            slots.len() - 1
        });
        if index >= 1 << INDEX_BITS {
            slots.pop();
            return 0;
        }
        let slot = &mut slots[index];
        slot.0 = slot.0.wrapping_add(1).max(1);
        slot.1 = Some(Box::new(value));
        (u32::from(slot.0) << INDEX_BITS) | index as u32
    }

    fn slot(&self, handle: u32) -> Option<&mut Option<Box<T>>> {
        let (index, generation) = ((handle & ((1 << INDEX_BITS) - 1)) as usize, (handle >> INDEX_BITS) as u16);
        self.slots().get_mut(index).filter(|slot| slot.0 == generation).map(|slot| &mut slot.1)
    }

    /// The machine of a handle, while no other call uses this table.
    #[allow(clippy::mut_from_ref)]
    pub fn get(&self, handle: u32) -> Option<&mut T> {
        self.slot(handle)?.as_deref_mut()
    }

    /// Takes a machine out; dropping it wipes its secrets.
    pub fn remove(&self, handle: u32) -> Option<Box<T>> {
        self.slot(handle)?.take()
    }
}
