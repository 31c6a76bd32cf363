//! Things by handle: links and groups of a switch, and all machines of the core (`abi`). A handle carries the number of uses
//! of its slot, so that a stale one names nothing.

use core::marker::PhantomData;
use std::collections::VecDeque;

const INDEX_BITS: u32 = 16;
const MAX_SLOTS: usize = 1 << INDEX_BITS;

/// Things of one kind by handle. Every use of a handle, and keeping a thing, takes the same time however many there are.
pub struct Slots<H, T> {
    slots: Vec<Slot<T>>,
    /// The slots that are free. The one that has been so for longest is used first: a stale handle is told from a fresh one
    /// for as long as can be.
    free: VecDeque<u16>,
    handles: PhantomData<H>,
}

struct Slot<T> {
    /// From 1 on, so that no handle is 0.
    uses: u16,
    value: Option<T>,
}

impl<H: From<u32> + Into<u32>, T> Slots<H, T> {
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Slots { slots: Vec::new(), free: VecDeque::new(), handles: PhantomData }
    }

    /// Keeps a thing; `None` when there are too many.
    pub fn insert(&mut self, value: T) -> Option<H> {
        if self.free.is_empty() && self.slots.len() < MAX_SLOTS {
            self.free.push_back(self.slots.len() as u16);
            self.slots.push(Slot { uses: 0, value: None });
        }
        let index = self.free.pop_front()?;
        let slot = &mut self.slots[usize::from(index)];
        slot.uses = slot.uses.wrapping_add(1).max(1);
        slot.value = Some(value);
        Some(handle(slot.uses, index))
    }

    #[inline]
    pub fn get(&self, handle: H) -> Option<&T> {
        let (uses, index) = parts(handle);
        self.slots.get(index).filter(|slot| slot.uses == uses)?.value.as_ref()
    }

    #[inline]
    pub fn get_mut(&mut self, handle: H) -> Option<&mut T> {
        let (uses, index) = parts(handle);
        self.slots.get_mut(index).filter(|slot| slot.uses == uses)?.value.as_mut()
    }

    pub fn remove(&mut self, handle: H) -> Option<T> {
        let (uses, index) = parts(handle);
        let value = self.slots.get_mut(index).filter(|slot| slot.uses == uses)?.value.take()?;
        self.free.push_back(index as u16);
        Some(value)
    }

    /// All handles in use.
    pub fn handles(&self) -> Vec<H> {
        self.iter().map(|(handle, _)| handle).collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = (H, &T)> {
        self.slots
            .iter()
            .enumerate()
            .filter_map(|(index, slot)| slot.value.as_ref().map(|value| (handle(slot.uses, index as u16), value)))
    }
}

fn handle<H: From<u32>>(uses: u16, index: u16) -> H {
    H::from((u32::from(uses) << INDEX_BITS) | u32::from(index))
}

#[inline]
fn parts<H: Into<u32>>(handle: H) -> (u16, usize) {
    let bits = handle.into();
    ((bits >> INDEX_BITS) as u16, (bits & 0xffff) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_names_its_thing_and_none_that_took_its_place() {
        let mut slots = Slots::<u32, char>::new();
        let a = slots.insert('a').expect("there is room");
        let b = slots.insert('b').expect("there is room");
        assert_eq!((slots.get(a), slots.get(b), slots.get(0)), (Some(&'a'), Some(&'b'), None));
        assert_eq!((slots.remove(a), slots.remove(a), slots.get(a)), (Some('a'), None, None));
        let c = slots.insert('c').expect("there is room");
        assert_ne!(a, c);
        assert!(slots.get(a).is_none() && slots.get_mut(a).is_none() && slots.remove(a).is_none());
        assert_eq!(slots.handles(), [c, b]);
    }

    #[test]
    fn there_are_65536_slots_and_a_freed_one_is_used_again_after_those_freed_before() {
        let mut slots = Slots::<u32, usize>::new();
        let handles: Vec<u32> = (0..MAX_SLOTS).map(|n| slots.insert(n).expect("there is room")).collect();
        assert_eq!(slots.insert(0), None);
        for index in [9, 4, 7] {
            assert_eq!(slots.remove(handles[index]), Some(index));
        }
        for index in [9, 4, 7] {
            let handle = slots.insert(index).expect("there is room again");
            assert_eq!(handle & 0xffff, index as u32);
        }
        assert_eq!(slots.insert(0), None);
    }

    #[test]
    fn the_number_of_uses_goes_round_without_a_handle_that_is_0() {
        let mut slots = Slots::<u32, ()>::new();
        let first = slots.insert(()).expect("there is room");
        slots.remove(first);
        for _ in 1..u16::MAX {
            let handle = slots.insert(()).expect("there is room");
            assert!(handle != 0 && handle != first);
            slots.remove(handle);
        }
        assert_eq!(slots.insert(()), Some(first));
    }
}
