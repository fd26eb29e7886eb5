//! What is left of a destination of which folders are missing or cannot be listed.

use std::ops::Range;
use std::sync::Arc;

use super::{Destination, DestinationError, DestinationErrorKind, Put, Settle};
use crate::format::layout::{ObjectKind, ObjectName};

/// A damaged destination, to be read: its listings leave out the folders that are damaged. So they are *not* complete, and
/// whoever writes, or deletes what nobody needs, must not rely on them.
pub struct Salvaged(Arc<dyn Destination>);

impl Salvaged {
    /// What is left of a destination.
    pub fn of(damaged: Arc<dyn Destination>) -> Self {
        Self(damaged)
    }
}

impl Destination for Salvaged {
    fn describe(&self) -> String {
        self.0.describe()
    }

    fn put(&self, name: &ObjectName, bytes: &[u8]) -> Result<Put, DestinationError> {
        self.0.put(name, bytes)
    }

    fn replace(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), DestinationError> {
        self.0.replace(name, bytes)
    }

    fn get(&self, name: &ObjectName, range: Option<Range<u64>>) -> Result<Vec<u8>, DestinationError> {
        self.0.get(name, range)
    }

    fn list(
        &self,
        kind: ObjectKind,
        prefix: Option<u8>,
        each: &mut dyn FnMut(ObjectName, u64),
    ) -> Result<(), DestinationError> {
        let folders = match (prefix, kind.is_spread()) {
            (None, true) => (0..=u8::MAX).map(Some).collect(),
            _ => vec![prefix],
        };
        for folder in folders {
            match self.0.list(kind, folder, each) {
                Err(error) if error.kind == DestinationErrorKind::Damaged => {}
                listed => listed?,
            }
        }
        Ok(())
    }

    fn delete(&self, name: &ObjectName) -> Result<(), DestinationError> {
        self.0.delete(name)
    }

    fn discard_unfinished(&self) -> Result<u64, DestinationError> {
        self.0.discard_unfinished()
    }

    fn settle(&self, scope: Settle) -> Result<(), DestinationError> {
        self.0.settle(scope)
    }

    fn check_place(&self) -> Result<(), DestinationError> {
        self.0.check_place()
    }

    fn free_bytes(&self) -> Result<Option<u64>, DestinationError> {
        self.0.free_bytes()
    }

    fn check_writable(&self) -> Result<(), DestinationError> {
        self.0.check_writable()
    }

    fn is_weak(&self) -> bool {
        self.0.is_weak()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::{MemoryDestination, conformance};

    #[test]
    fn it_keeps_the_contract_where_nothing_is_damaged() {
        conformance::check(&|| Box::new(Salvaged::of(Arc::new(MemoryDestination::new("memory")))));
    }
}
