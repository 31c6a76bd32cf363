//! Things by handle: links and groups of a switch, and all machines of the core (`abi`). A handle carries the number of uses
//! of its slot, so that a stale one names nothing.

/// Things of one kind by handle; no handle is 0.
pub struct Slots<T> {
    slots: Vec<(u16, Option<T>)>,
}

const INDEX_BITS: u32 = 16;
const MAX_SLOTS: usize = 1 << INDEX_BITS;

impl<T> Slots<T> {
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Slots { slots: Vec::new() }
    }

    /// Keeps a thing; `None` when there are too many.
    pub fn insert(&mut self, value: T) -> Option<u32> {
        let index = match self.slots.iter().position(|(_, value)| value.is_none()) {
            Some(index) => index,
            None if self.slots.len() < MAX_SLOTS => {
                self.slots.push((0, None));
                self.slots.len() - 1
            }
            None => return None,
        };
        let slot = &mut self.slots[index];
        slot.0 = slot.0.wrapping_add(1).max(1);
        slot.1 = Some(value);
        Some((u32::from(slot.0) << INDEX_BITS) | index as u32)
    }

    #[inline]
    pub fn get(&self, handle: u32) -> Option<&T> {
        let slot = self.slots.get((handle & 0xffff) as usize)?;
        if u32::from(slot.0) == handle >> INDEX_BITS { slot.1.as_ref() } else { None }
    }

    #[inline]
    pub fn get_mut(&mut self, handle: u32) -> Option<&mut T> {
        let slot = self.slots.get_mut((handle & 0xffff) as usize)?;
        if u32::from(slot.0) == handle >> INDEX_BITS { slot.1.as_mut() } else { None }
    }

    pub fn remove(&mut self, handle: u32) -> Option<T> {
        let slot = self.slots.get_mut((handle & 0xffff) as usize)?;
        if u32::from(slot.0) == handle >> INDEX_BITS { slot.1.take() } else { None }
    }

    /// All handles in use.
    pub fn handles(&self) -> Vec<u32> {
        self.iter().map(|(handle, _)| handle).collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, (uses, value))| {
            value.as_ref().map(|value| ((u32::from(*uses) << INDEX_BITS) | index as u32, value))
        })
    }
}
