//! The memory that packs are made in. The next pack of a kind is made in that of the one before the last: memory that
//! comes anew from the system costs a page fault for every 4 KiB, which is a tenth of all time where nothing can be
//! compressed.

use std::ops::{Deref, DerefMut};

use crossbeam_channel::{Receiver, Sender, bounded};

/// Reserved for any pack. The allocator maps so large a buffer on its own and gives it back to the system as soon as it is
/// freed; one of 16 MiB would stay with it, among others that are in use. What is not filled of it takes no memory.
const RESERVED: usize = 33 << 20;
/// Buffers that wait for the next pack.
const SPARE_MAX: usize = 1;

/// Where buffers wait that were used before.
#[derive(Clone)]
pub(super) struct PackBuffers {
    give: Sender<Vec<u8>>,
    spare: Receiver<Vec<u8>>,
}

/// The bytes of one pack while it is filled, sealed and written. Whoever drops it last gives it back.
pub(super) struct PackBuffer {
    bytes: Vec<u8>,
    origin: Sender<Vec<u8>>,
}

impl PackBuffers {
    /// None so far.
    pub fn new() -> Self {
        let (give, spare) = bounded(SPARE_MAX);
        Self { give, spare }
    }

    /// An empty one.
    pub fn take(&self) -> PackBuffer {
        let bytes = self.spare.try_recv().unwrap_or_else(|_| Vec::with_capacity(RESERVED));
        PackBuffer { bytes, origin: self.give.clone() }
    }
}

impl Deref for PackBuffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for PackBuffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl Drop for PackBuffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        // One more than is kept is freed.
        let _ = self.origin.try_send(bytes);
    }
}
