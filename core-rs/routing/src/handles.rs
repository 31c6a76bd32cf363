//! What the switch calls its links, groups and sessions. Each says of which use of which slot it is ([`crate::Slots`]).

/// Names a link of one switch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub struct LinkHandle(u32);

/// Names a group of one switch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub struct GroupHandle(u32);

/// Names a session of one switch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub struct SessionHandle(u32);

impl From<u32> for LinkHandle {
    fn from(bits: u32) -> LinkHandle {
        LinkHandle(bits)
    }
}

impl From<LinkHandle> for u32 {
    fn from(handle: LinkHandle) -> u32 {
        handle.0
    }
}

impl From<u32> for GroupHandle {
    fn from(bits: u32) -> GroupHandle {
        GroupHandle(bits)
    }
}

impl From<GroupHandle> for u32 {
    fn from(handle: GroupHandle) -> u32 {
        handle.0
    }
}

impl From<u32> for SessionHandle {
    fn from(bits: u32) -> SessionHandle {
        SessionHandle(bits)
    }
}

impl From<SessionHandle> for u32 {
    fn from(handle: SessionHandle) -> u32 {
        handle.0
    }
}
