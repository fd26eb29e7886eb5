//! Everything opened together: settings, keys, destinations and the index.

pub mod settings;
