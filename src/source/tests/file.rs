//! Contents of files: opening, holes, reading, changes meanwhile.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{FileExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, FileType, Mode, OFlags, mkdirat, openat};

use super::{entry, folder, options, plant, skipped, special, unprivileged, walk};
use crate::report::ProblemKind;
use crate::source::{DeviceOrdinals, Event, HOLE_MIN_BYTES, OpenError, Owners, Segment, SourceFile, metadata};

const MIB: u64 = 1 << 20;

fn open(path: &Path) -> SourceFile {
    SourceFile::open(path, &entry(path).stat).expect("a file that can be opened")
}

/// The segments of a file, and its bytes with holes filled.
fn read_whole(file: &mut SourceFile) -> (Vec<Segment>, Vec<u8>) {
    let (mut segments, mut bytes) = (Vec::new(), Vec::new());
    let mut buffer = [0; 777];
    while let Some(segment) = file.next_segment().expect("the next segment") {
        segments.push(segment);
        match segment {
            Segment::Hole { len } => bytes.resize(bytes.len() + len as usize, 0),
            Segment::Data { offset, len } => {
                assert_eq!(offset, bytes.len() as u64);
                loop {
                    let got = file.read(&mut buffer).expect("a read");
                    bytes.extend_from_slice(&buffer[..got]);
                    if got == 0 {
                        break;
                    }
                }
                assert_eq!(bytes.len() as u64, offset + len);
            }
        }
    }
    assert_eq!(file.read(&mut buffer).expect("a read"), 0);
    (segments, bytes)
}

#[test]
fn a_dense_file_is_one_segment_and_an_empty_one_none() {
    let root = folder();
    let path = root.path().join("f");
    let content: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    fs::write(&path, &content).expect("a file");
    let mut file = open(&path);
    let (segments, bytes) = read_whole(&mut file);
    assert_eq!(segments, [Segment::Data { offset: 0, len: 100_000 }]);
    assert!(bytes == content);
    assert!(file.is_unchanged().expect("a look"));
    fs::write(&path, "").expect("no content");
    assert_eq!(read_whole(&mut open(&path)).0, []);
}

#[test]
fn segments_not_read_are_skipped() {
    let root = folder();
    let path = root.path().join("f");
    sparse(&path, 4 * MIB, &[(0, 10), (2 * MIB, 10)]);
    let mut file = open(&path);
    let mut buffer = [0; 16];
    while let Some(segment) = file.next_segment().expect("a segment") {
        if matches!(segment, Segment::Data { offset, .. } if offset > 0) {
            assert_eq!(file.read(&mut buffer).expect("a read"), 16);
            assert_eq!(buffer[..11], [b'd', b'd', b'd', b'd', b'd', b'd', b'd', b'd', b'd', b'd', 0]);
        }
    }
}

/// Writes a file of holes with runs of `d`.
fn sparse(path: &Path, size: u64, data: &[(u64, usize)]) {
    let file = File::create(path).expect("a new file");
    file.set_len(size).expect("its length");
    for &(offset, len) in data {
        file.write_all_at(&vec![b'd'; len], offset).expect("some data");
    }
    file.sync_all().expect("on disk");
}

#[test]
fn holes_are_found_at_the_start_in_the_middle_and_at_the_end() {
    let root = folder();
    let path = root.path().join("f");
    let hole = |len| Segment::Hole { len };
    let data = |offset, len| Segment::Data { offset, len };
    sparse(&path, 8 * MIB, &[(2 * MIB, 1 << 16), (5 * MIB, 1 << 16)]);
    let mut file = open(&path);
    if file.stat().blocks_bytes >= file.stat().size {
        skipped("this file system has no holes");
        return;
    }
    let (segments, bytes) = read_whole(&mut file);
    let expected = [
        hole(2 * MIB),
        data(2 * MIB, 1 << 16),
        hole(3 * MIB - (1 << 16)),
        data(5 * MIB, 1 << 16),
        hole(3 * MIB - (1 << 16)),
    ];
    assert_eq!(segments, expected);
    assert!(bytes == fs::read(&path).expect("the file"));

    sparse(&path, 100 * 1024 * MIB, &[]);
    assert_eq!(open(&path).next_segment().expect("a segment"), Some(hole(100 * 1024 * MIB)));
    let mut file = open(&path);
    file.next_segment().expect("a segment");
    assert_eq!(file.next_segment().expect("the end"), None);

    sparse(&path, MIB + 5, &[(MIB, 5)]);
    assert_eq!(read_whole(&mut open(&path)).0, [hole(MIB), data(MIB, 5)]);
    sparse(&path, MIB, &[(0, 5)]);
    assert_eq!(read_whole(&mut open(&path)).0, [data(0, 4096), hole(MIB - 4096)]);
}

#[test]
fn short_holes_are_read_as_zeros() {
    let root = folder();
    let path = root.path().join("f");
    // A block, then a hole just too short to count, again and again; then one just long enough.
    let step = HOLE_MIN_BYTES;
    let runs: Vec<(u64, usize)> = (0..20).map(|n| (n * step, 4096)).chain([(20 * step + 4096, 4096)]).collect();
    sparse(&path, 21 * step + 8191, &runs);
    let (segments, bytes) = read_whole(&mut open(&path));
    let expected = [
        Segment::Data { offset: 0, len: 19 * step + 4096 },
        Segment::Hole { len: step },
        Segment::Data { offset: 20 * step + 4096, len: step + 4095 },
    ];
    assert_eq!(segments, expected);
    assert!(bytes == fs::read(&path).expect("the file"));
    sparse(&path, step - 1, &[]);
    assert_eq!(read_whole(&mut open(&path)).0, [Segment::Data { offset: 0, len: step - 1 }]);
}

#[test]
fn only_the_file_the_walk_saw_is_opened() {
    let root = folder();
    plant(root.path(), &["f", "other", "folder/"]);
    let path = root.path().join("f");
    let stat = entry(&path).stat;
    let replace = |by: &dyn Fn()| {
        fs::remove_file(&path).expect("the old");
        by();
        SourceFile::open(&path, &stat).expect_err("not what was seen")
    };
    assert!(matches!(replace(&|| {}), OpenError::Vanished));
    plant(root.path(), &["f"]);
    assert!(matches!(replace(&|| symlink("other", &path).expect("a link")), OpenError::NotAFile));
    assert!(matches!(replace(&|| special(&path, FileType::Fifo, 0).expect("a pipe")), OpenError::NotAFile));
    let socket = || drop(UnixListener::bind(&path).expect("a socket"));
    assert!(matches!(replace(&socket), OpenError::NotAFile));
    assert!(matches!(SourceFile::open(&root.path().join("folder"), &stat), Err(OpenError::NotAFile)));
    assert!(matches!(SourceFile::open(&root.path().join("other/x"), &stat), Err(OpenError::Vanished)));

    let error = SourceFile::open(&root.path().join("other"), &stat).expect_err("another inode");
    assert_eq!(error.problem(&path).kind, ProblemKind::ChangedWhileRead);
    let OpenError::Replaced(mut file) = error else { panic!("{error}") };
    assert_eq!(read_whole(&mut file).1, b"other", "the caller may take it all the same");
}

#[test]
fn a_file_that_may_not_be_read_says_so() {
    let root = folder();
    plant(root.path(), &["f"]);
    let path = root.path().join("f");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("its mode");
    unprivileged(|| {
        let error = SourceFile::open(&path, &entry(&path).stat).expect_err("mode 0000");
        let problem = error.problem(&path);
        assert_eq!((problem.kind, problem.path.as_path()), (ProblemKind::Unreadable, path.as_path()));
        assert!(problem.detail.contains("denied"), "{}", problem.detail);
    });
}

#[test]
fn reading_does_not_touch_the_access_time() {
    let root = folder();
    plant(root.path(), &["f"]);
    let path = root.path().join("f");
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    let times = fs::FileTimes::new().set_accessed(long_ago);
    File::options().write(true).open(&path).and_then(|file| file.set_times(times)).expect("its times");
    assert_eq!(read_whole(&mut open(&path)).1, b"f");
    assert_eq!(fs::metadata(&path).and_then(|of| of.accessed()).expect("its times"), long_ago);
}

#[test]
fn files_of_others_are_read_though_their_access_time_cannot_be_spared() {
    let root = folder();
    plant(root.path(), &["d/f"]);
    let path = root.path().join("d/f");
    for path in [&path, &root.path().join("d")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
        if let Err(error) = chown(path, Some(1234), None) {
            return skipped(&format!("only root may give files away: {error}"));
        }
    }
    let root = root.path();
    unprivileged(|| {
        assert_eq!(read_whole(&mut open(&path)).1, b"d/f");
        assert_eq!(walk(options(root)).count(), 5);
    });
}

#[test]
fn changes_while_reading_are_noticed() {
    let root = folder();
    let path = root.path().join("f");
    let original = || fs::write(&path, [b'x'; 100]).expect("a file");
    let changes: [(&str, &dyn Fn()); 5] = [
        ("longer", &|| File::options().append(true).open(&path).and_then(|mut f| f.write_all(b"y")).expect("one more")),
        ("shorter", &|| File::options().write(true).open(&path).and_then(|f| f.set_len(50)).expect("a cut")),
        ("rewritten", &|| fs::write(&path, [b'y'; 100]).expect("other bytes")),
        ("mode", &|| fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode")),
        ("removed", &|| fs::remove_file(&path).expect("a file to remove")),
    ];
    for (what, change) in changes {
        original();
        let file = open(&path);
        assert!(file.is_unchanged().expect("a look"), "{what}");
        // Times move in ticks of a few milliseconds.
        std::thread::sleep(Duration::from_millis(20));
        change();
        assert!(!file.is_unchanged().expect("a look"), "{what}");
    }
}

#[test]
fn a_file_is_read_up_to_the_size_it_had_and_no_further_than_it_goes() {
    let root = folder();
    let path = root.path().join("f");
    fs::write(&path, [b'x'; 100]).expect("a file");
    let mut file = open(&path);
    File::options().append(true).open(&path).and_then(|mut f| f.write_all(&[b'y'; 100])).expect("more");
    assert_eq!(read_whole(&mut file).1, [b'x'; 100]);

    sparse(&path, 8 * MIB, &[(0, 8192), (4 * MIB, 8192)]);
    let mut file = open(&path);
    assert_eq!(file.next_segment().expect("a segment"), Some(Segment::Data { offset: 0, len: 8192 }));
    File::options().write(true).open(&path).and_then(|f| f.set_len(10)).expect("a cut");
    let mut buffer = [0; 64];
    assert_eq!(file.read(&mut buffer).expect("what is left"), 10);
    assert_eq!(file.read(&mut buffer).expect("the end"), 0);
    assert_eq!(file.next_segment().expect("nothing more"), None);
    assert_eq!(file.stat().size, 8 * MIB);
}

#[test]
fn files_beyond_the_longest_path_can_be_read() {
    let root = folder();
    let name = "n".repeat(200);
    let mut at = openat(CWD, root.path(), OFlags::DIRECTORY, Mode::empty()).expect("the root");
    for _ in 0..60 {
        mkdirat(&at, &name, Mode::RWXU).expect("a folder");
        at = openat(&at, &name, OFlags::DIRECTORY, Mode::empty()).expect("that folder");
    }
    let file = openat(&at, "f", OFlags::CREATE | OFlags::WRONLY, Mode::RWXU).expect("a file");
    rustix::io::write(&file, b"deep").expect("its content");
    let attribute = CString::new("user.deep").expect("a name");
    rustix::fs::fsetxattr(&file, attribute, b"down", rustix::fs::XattrFlags::empty()).expect("an attribute");

    let found = walk(options(root.path())).find_map(|event| match event {
        Event::Leaf(entry) => Some(entry),
        _ => None,
    });
    let found = found.expect("the file");
    assert!(found.path.as_os_str().len() > 2 * 4096);
    let mut file = SourceFile::open(&found.path, &found.stat).expect("a file that can be opened");
    assert_eq!(read_whole(&mut file).1, b"deep");
    let (metadata, problem) = metadata(&found.path, &found, &mut DeviceOrdinals::default(), &Owners::default());
    assert_eq!(problem, None);
    assert_eq!(metadata.attributes[0].value, b"down");
    // A source can itself be that far down, and what is missing there is missing.
    let above = found.path.parent().expect("its folder");
    assert_eq!(walk(options(above)).count(), 3);
    fs::remove_dir_all(root.path()).expect("a whole source to remove");
    assert!(matches!(SourceFile::open(&found.path, &found.stat), Err(OpenError::Vanished)));
}
