//! How many bytes the tables of an index take.

use std::path::Path;

use redb::{Builder, ConcurrencyMode, ReadableDatabase, ReadableTableMetadata, TableHandle};

/// One table.
pub struct TableSize {
    pub name: String,
    pub rows: u64,
    /// Bytes of all its pages, with what is unused in them.
    pub bytes: u64,
}

/// The tables of the index at `path`.
pub fn tables(path: &Path) -> Vec<TableSize> {
    let mut builder = Builder::new();
    builder.set_cache_size(8 << 20).set_concurrency_mode(ConcurrencyMode::SingleWriter);
    let database = builder.open_read_only(path).expect("the index");
    let view = database.begin_read().expect("a view");
    let handles = view.list_tables().expect("the tables");
    let size = |handle: redb::UntypedTableHandle| {
        let name = handle.name().to_owned();
        let table = view.open_untyped_table(handle).expect("a table");
        let stats = table.stats().expect("readable");
        let bytes = stats.stored_bytes() + stats.metadata_bytes() + stats.fragmented_bytes();
        TableSize { name, rows: table.len().expect("readable"), bytes }
    };
    handles.map(size).collect()
}
