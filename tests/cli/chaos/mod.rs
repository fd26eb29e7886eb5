//! Real processes that are ended at any moment of their work, alone and beside others, and what is left then.

mod crowd;
mod killed;
mod killing;
mod machines;
mod promises;
