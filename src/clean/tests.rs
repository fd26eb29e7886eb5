//! Cleaning as a whole, at the size that is promised.

mod large;
mod trouble;
