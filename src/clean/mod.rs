//! What is not wanted any more goes, and its space comes back on each destination for itself.
//!
//! First it is chosen what stays, which is pure thought.

pub mod choose;
