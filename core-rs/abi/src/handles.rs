//! The handle tables: the core's only globals. How a handle names its machine, and no later one, is said at [`Slots`].

use core::cell::UnsafeCell;

use skywire_routing::Slots;

/// Machines of one kind by handle.
pub struct Handles<T> {
    slots: UnsafeCell<Slots<u32, Box<T>>>,
}

// SAFETY: a WASM instance runs one thread, and no exported function calls another that borrows the same table.
unsafe impl<T> Sync for Handles<T> {}

impl<T> Handles<T> {
    pub const fn new() -> Self {
        Handles { slots: UnsafeCell::new(Slots::new()) }
    }

    #[allow(clippy::mut_from_ref)]
    fn slots(&self) -> &mut Slots<u32, Box<T>> {
        // SAFETY: see `Sync` above; the borrow ends with the exported call.
        unsafe { &mut *self.slots.get() }
    }

    /// Keeps a machine; 0 when there are too many.
    pub fn insert(&self, value: T) -> u32 {
        self.slots().insert(Box::new(value)).unwrap_or(0)
    }

    /// The machine of a handle, while no other call uses this table.
    #[allow(clippy::mut_from_ref)]
    pub fn get(&self, handle: u32) -> Option<&mut T> {
        self.slots().get_mut(handle).map(|machine| &mut **machine)
    }

    /// Takes a machine out; dropping it wipes its secrets.
    pub fn remove(&self, handle: u32) -> Option<Box<T>> {
        self.slots().remove(handle)
    }
}
