//! Ctrl-C and SIGTERM: the first asks the work to stop at the next safe point, the second ends the process at once. That a
//! file became larger than the system allows is an error of who writes it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[cfg(unix)]
use signal_hook::consts::SIGXFSZ;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::exit::ExitStatus;
use super::messages::text;
use crate::error::Error;

/// A flag that the first signal sets.
///
/// # Errors
/// [`Error::Io`] when the system does not let signals be handled.
pub fn stop_flag() -> Result<Arc<AtomicBool>, Error> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the shutdown looks at the flag before the same signal sets it.
        let code = i32::from(ExitStatus::Interrupted.code());
        flag::register_conditional_shutdown(signal, code, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .map_err(|source| not_handled(signal, source))?;
    }
    // Else it ends the process. The call that wrote fails.
    #[cfg(unix)]
    flag::register(SIGXFSZ, Arc::default()).map_err(|source| not_handled(SIGXFSZ, source))?;
    Ok(stop)
}

fn not_handled(signal: i32, source: std::io::Error) -> Error {
    Error::Io { what: text!("verb-handle"), path: text!("signal", number = signal.to_string()).into(), source }
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn the_first_signal_only_sets_the_flag() {
        let stop = stop_flag().expect("signals can be handled");
        assert!(!stop.load(Ordering::Relaxed));
        signal_hook::low_level::raise(SIGTERM).expect("it is raised");
        assert!(stop.load(Ordering::Relaxed));
    }
}
