//! Loading and saving: whole, private, and nothing when refused.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;

#[test]
fn a_file_is_saved_whole_and_privately() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("config.yaml");
    fs::write(&path, "old").expect("writable");
    seed().save(&path).expect("it can be saved");
    assert_eq!(Settings::load(&path, true).expect("it can be loaded"), seed());
    let names: Vec<_> = fs::read_dir(folder.path()).expect("readable").flatten().map(|e| e.file_name()).collect();
    assert_eq!(names, ["config.yaml"], "nothing else is left");

    let invalid = Settings { min_copies: 0, ..seed() };
    config_error(invalid.save(&path));
    assert_eq!(Settings::load(&path, true).expect("the old one is still there"), seed());
}

#[test]
fn a_failed_change_writes_nothing() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("config.yaml");
    seed().save(&path).expect("it can be saved");
    let before = fs::read(&path).expect("readable");
    config_error(Settings::edit(&path, |settings| {
        settings.min_copies = 7;
        settings.set("nonsense", "1")
    }));
    assert_eq!(fs::read(&path).expect("readable"), before);
    Settings::edit(&path, |settings| settings.set("min_copies", "2")).expect("a good change");
    assert_eq!(Settings::load(&path, true).expect("it can be loaded").min_copies, 2);
}

#[test]
fn a_missing_file_and_a_folder_are_errors() {
    let folder = TempDir::new().expect("a folder");
    for path in [folder.path().join("config.yaml"), folder.path().to_owned()] {
        assert!(matches!(Settings::load(&path, true), Err(Error::Io { .. })), "{path:?}");
    }
    let new = folder.path().join("words");
    create_private(&new, b"first").expect("a new file");
    assert!(matches!(create_private(&new, b"second"), Err(Error::Io { .. })));
    assert_eq!(fs::read(&new).expect("readable"), b"first");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn modes_are_set_and_demanded() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("config.yaml");
        seed().save(&path).expect("it can be saved");
        assert_eq!(mode(&path), 0o600);
        for open in [0o640, 0o604, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(open)).expect("ours");
            assert!(matches!(Settings::load(&path, true), Err(Error::OpenToOthers { .. })), "{open:o}");
            Settings::load(&path, false).expect("a copy may be open");
        }
        seed().save(&path).expect("it can be saved");
        assert_eq!(mode(&path), 0o600, "saving closes it again");
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = TempDir::new().expect("a folder");
        let real = folder.path().join("real.yaml");
        let link = folder.path().join("config.yaml");
        Settings::default().save(&real).expect("it can be saved");
        symlink(&real, &link).expect("a link");
        seed().save(&link).expect("it can be saved");
        assert!(link.symlink_metadata().expect("it is there").is_symlink());
        assert_eq!(Settings::load(&real, true).expect("it can be loaded"), seed());
    }
}
