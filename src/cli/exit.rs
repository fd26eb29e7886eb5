//! How a command ended, as the number scripts see. `--help` prints this list.

use super::messages::text;

/// The exit codes. Where several of 3, 4 and 5 apply: 4 before 3 before 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// Done.
    Done = 0,
    /// Failed; nothing was committed.
    Failed = 1,
    /// Asked for wrongly.
    Usage = 2,
    /// Done, but some files could not be read, or changed while they were read.
    Partial = 3,
    /// Done, but the run looks suspect.
    Suspect = 4,
    /// Done, but a destination is behind or out of reach.
    Behind = 5,
    /// Nothing is set up.
    NotInitialised = 10,
    /// Wrong key or passphrase.
    WrongKey = 12,
    /// No destination can be reached.
    NoDestination = 13,
    /// Too few copies, whatever the reason.
    TooFewCopies = 14,
    /// Damage was found.
    Damage = 15,
    /// Damage was found, and all of it healed.
    Healed = 16,
    /// Interrupted.
    Interrupted = 130,
}

impl ExitStatus {
    const ALL: [ExitStatus; 13] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Partial,
        Self::Suspect,
        Self::Behind,
        Self::NotInitialised,
        Self::WrongKey,
        Self::NoDestination,
        Self::TooFewCopies,
        Self::Damage,
        Self::Healed,
        Self::Interrupted,
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }

    fn meaning(self) -> String {
        match self {
            Self::Done => text!("exit-0"),
            Self::Failed => text!("exit-1"),
            Self::Usage => text!("exit-2"),
            Self::Partial => text!("exit-3"),
            Self::Suspect => text!("exit-4"),
            Self::Behind => text!("exit-5"),
            Self::NotInitialised => text!("exit-10"),
            Self::WrongKey => text!("exit-12"),
            Self::NoDestination => text!("exit-13"),
            Self::TooFewCopies => text!("exit-14"),
            Self::Damage => text!("exit-15"),
            Self::Healed => text!("exit-16"),
            Self::Interrupted => text!("exit-130"),
        }
    }

    /// The list for `--help`.
    pub fn help() -> String {
        let mut text = text!("exit-heading");
        for status in Self::ALL {
            text.push_str(&format!("\n  {:>3}  {}", status.code(), status.meaning()));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_every_code_once_in_order() {
        let codes: Vec<u8> = ExitStatus::ALL.iter().map(|status| status.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 10, 12, 13, 14, 15, 16, 130]);
        for code in codes {
            assert!(ExitStatus::help().contains(&format!("\n  {code:>3}  ")), "{code}");
        }
    }
}
