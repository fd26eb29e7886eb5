//! A small world for tests: a state folder, sources, destinations that come and go.

pub mod hooks;
pub mod saved;
pub mod trees;
pub mod world;

pub use world::World;
