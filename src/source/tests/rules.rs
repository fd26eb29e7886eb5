//! What a walk leaves out: exclude lists, ignore files, caches, other file systems.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use proptest::prelude::{ProptestConfig, any, proptest};

use super::{folder, listed, options, plant, skipped, unprivileged, walk};
use crate::source::rules::{Braces, RulesBuilder, parse_ignore_file};
use crate::source::{Event, Excludes, SourceError, Walk, WalkOptions, split_list};

/// What is left of a walk with a comma list, without the root's own line, and how many entries were left out.
fn kept(root: &Path, list: &str) -> (Vec<String>, u64) {
    let (mut lines, excluded) = listed(WalkOptions { excludes: split_list(list), ..options(root) });
    assert_eq!(lines.remove(0), "/");
    (lines, excluded)
}

#[test]
fn large_files_are_left_out_where_that_is_asked_for() {
    let root = folder();
    plant(root.path(), &["small", "sub/"]);
    fs::write(root.path().join("edge"), vec![0; 1000]).expect("a file");
    fs::write(root.path().join("sub/large"), vec![0; 1001]).expect("a file");
    let (lines, excluded) = listed(WalkOptions { bytes_max: Some(1000), ..options(root.path()) });
    assert_eq!((lines, excluded), (["/", "edge", "small", "sub/"].map(str::to_owned).to_vec(), 1));
}

#[test]
fn files_for_git_count_where_that_is_asked_for_and_after_our_own() {
    let root = folder();
    plant(root.path(), &["a.o", "b.o", "keep.o", "sub/a.o", "sub/c"]);
    fs::write(root.path().join(".gitignore"), "*.o\n").expect("rules");
    fs::write(root.path().join(".cryptbackupignore"), "!keep.o\nc\n").expect("rules");
    fs::write(root.path().join("sub/.gitignore"), "!a.o\n").expect("rules");
    let own = [".cryptbackupignore", ".gitignore"];
    let (lines, _) = listed(options(root.path()));
    assert_eq!(lines[1..], [own[0], own[1], "a.o", "b.o", "keep.o", "sub/", "sub/.gitignore", "sub/a.o"]);
    let (lines, excluded) = listed(WalkOptions { git_ignore: true, ..options(root.path()) });
    assert_eq!(lines[1..], [own[0], own[1], "keep.o", "sub/", "sub/.gitignore", "sub/a.o"]);
    assert_eq!(excluded, 3);
}

#[test]
fn the_comma_lists_of_the_readme_mean_what_they_say() {
    let root = folder();
    let names = [
        "a.tmp",
        "a.tmpx",
        "desktop.ini",
        "my desktop.ini",
        "sub/b.tmp",
        "sub/desktop.ini/x",
        "sub/~$doc",
        "t~",
        "~x/y",
        ".DS_Store",
    ];
    plant(root.path(), &names);
    let (lines, excluded) = kept(root.path(), "*.tmp,~*,desktop.ini");
    assert_eq!(lines, [".DS_Store", "a.tmpx", "my desktop.ini", "sub/", "t~"]);
    // a.tmp, desktop.ini, sub/b.tmp, sub/desktop.ini, sub/~$doc and ~x; not what is in them.
    assert_eq!(excluded, 6);
    assert_eq!(kept(root.path(), "*.tmp,~*,.DS_Store").1, 5);
    assert_eq!(kept(root.path(), "").1, 0);
}

#[test]
fn a_pattern_without_a_slash_is_one_whole_component() {
    let root = folder();
    plant(root.path(), &[".git/x", ".gitignore", "a/.git/x", "a/tmp/x", "tmp", "tmpuser/x", "xtmp"]);
    assert_eq!(kept(root.path(), ".git,tmp").0, [".gitignore", "a/", "tmpuser/", "tmpuser/x", "xtmp"]);
    assert_eq!(kept(root.path(), "tmp/").0.iter().filter(|line| line.contains("tmp")).count(), 4, "folders only");
    assert_eq!(kept(root.path(), "*").0, [""; 0]);
    assert_eq!(kept(root.path(), "t?p,[xy]tmp").0.iter().filter(|line| line.ends_with("tmp")).count(), 0);
}

#[test]
fn a_pattern_with_a_slash_is_anchored_at_the_source() {
    let root = folder();
    plant(root.path(), &["b/c", "a/b/c", "a/b/d", "a/x/c", "c"]);
    assert_eq!(kept(root.path(), "/b").0, ["a/", "a/b/", "a/b/c", "a/b/d", "a/x/", "a/x/c", "c"]);
    assert_eq!(kept(root.path(), "/c").0, ["a/", "a/b/", "a/b/c", "a/b/d", "a/x/", "a/x/c", "b/", "b/c"]);
    assert_eq!(kept(root.path(), "b/c").0, ["a/", "a/b/", "a/b/c", "a/b/d", "a/x/", "a/x/c", "b/", "c"]);
    assert_eq!(kept(root.path(), "a/*/c").0, ["a/", "a/b/", "a/b/d", "a/x/", "b/", "b/c", "c"]);
    assert_eq!(kept(root.path(), "**/b/c").0, ["a/", "a/b/", "a/b/d", "a/x/", "a/x/c", "b/", "c"]);
    assert_eq!(kept(root.path(), "a/**").0, ["a/", "b/", "b/c", "c"]);
    let absolute = format!("{}/a/b,{}", root.path().display(), root.path().join("c").display());
    assert_eq!(kept(root.path(), &absolute).0, ["a/", "a/x/", "a/x/c", "b/", "b/c"]);
}

#[test]
fn no_wildcard_reaches_over_a_slash() {
    let root = folder();
    plant(root.path(), &["a/b", "axb", "a-b", "xa/b/c"]);
    for pattern in ["a[!x]b", "a[--0]b", "a[^x]b"] {
        assert_eq!(kept(root.path(), pattern).0, ["a/", "a/b", "axb", "xa/", "xa/b/", "xa/b/c"], "{pattern}");
    }
    assert_eq!(kept(root.path(), "a?b").0, ["a/", "a/b", "xa/", "xa/b/", "xa/b/c"]);
    assert_eq!(kept(root.path(), "a*b").0, ["a/", "a/b", "xa/", "xa/b/", "xa/b/c"]);
    assert_eq!(kept(root.path(), "*/c").0.len(), 7, "only one level down");
}

#[test]
fn what_means_something_to_git_and_nothing_to_people_means_itself() {
    let root = folder();
    plant(root.path(), &["#a#", "{id}/x", "a,b", "a.jpg", "a.png", "b.{jpg", "é.jpg"]);
    assert_eq!(kept(root.path(), "#*#").0, ["a,b", "a.jpg", "a.png", "b.{jpg", "{id}/", "{id}/x", "\\xc3\\xa9.jpg"]);
    assert_eq!(kept(root.path(), "{id}, a\\,b").0, ["#a#", "a.jpg", "a.png", "b.{jpg", "\\xc3\\xa9.jpg"]);
    assert_eq!(kept(root.path(), "*.{jpg,png}").0, ["#a#", "a,b", "b.{jpg", "{id}/", "{id}/x"]);
    assert_eq!(kept(root.path(), "*.jpg,!a.jpg").0, ["#a#", "a,b", "a.jpg", "a.png", "b.{jpg", "{id}/", "{id}/x"]);
}

#[test]
fn a_comma_list_is_split_where_a_person_would() {
    assert_eq!(split_list("*.tmp,~*,desktop.ini"), ["*.tmp", "~*", "desktop.ini"]);
    assert_eq!(split_list(" *.tmp , ,~*,,a b ,"), ["*.tmp", "~*", "a b"]);
    assert_eq!(split_list(r"a\,b,c\*,d\\,e"), ["a,b", r"c\*", r"d\\", "e"]);
    assert_eq!(split_list("*.{jpg,png},{a,x{b,c}},{one},z"), ["*.{jpg,png}", "{a,x{b,c}}", "{one}", "z"]);
    assert_eq!(split_list("{a,b"), ["{a", "b"]);
    assert_eq!(split_list(r"ends in blank\ ,b"), [r"ends in blank\ ", "b"]);
    assert_eq!(split_list(" , "), [""; 0]);
}

#[test]
fn a_bad_pattern_is_named() {
    let root = folder();
    for bad in ["a[z-a]", "ends\\", "!", &"x".repeat(5000)] {
        let patterns = ["*.ok".to_owned(), bad.to_owned()];
        for result in [
            Excludes::validate(&patterns),
            Walk::new(WalkOptions { excludes: patterns.to_vec(), ..options(root.path()) }).map(|_| ()),
        ] {
            let Err(SourceError::BadPattern { pattern, detail }) = result else { panic!("{bad} is taken") };
            assert_eq!(pattern, bad);
            assert!(!detail.is_empty());
        }
    }
    Excludes::validate(&["", " ", "[", "a]", "}", "{a,b}", "/", "!a"].map(str::to_owned)).expect("patterns");
}

#[test]
fn ignore_files_hold_below_their_folder_and_the_nearest_decides() {
    let root = folder();
    plant(
        root.path(),
        &["a.log", "keep.log", "sub/a.log", "sub/keep.log", "sub/deep/a.log", "sub/deep/b.log", "sub/deep/build/x"],
    );
    plant(root.path(), &["build/x", "src/build/x", "blank "]);
    let ignore = |folder: &str, text: &str| {
        fs::write(root.path().join(folder).join(".cryptbackupignore"), text).expect("an ignore file");
    };
    ignore("", "\u{FEFF}*.log\r\n# a comment\r\n!keep.log\r\n/build/\r\nblank\\ \r\n");
    ignore("sub", "keep.log\n");
    ignore("sub/deep", "!b.log\nbuild\n");
    let (lines, excluded) = kept(root.path(), "");
    let expected = [
        ".cryptbackupignore",
        "keep.log",
        "src/",
        "src/build/",
        "src/build/x",
        "sub/",
        "sub/.cryptbackupignore",
        "sub/deep/",
        "sub/deep/.cryptbackupignore",
        "sub/deep/b.log",
    ];
    assert_eq!((lines, excluded), (expected.map(str::to_owned).to_vec(), 7));
    // The list of the source counts like an ignore file above all others.
    let (lines, _) = kept(root.path(), "*.log,x");
    assert!(lines.contains(&"keep.log".to_owned()) && lines.contains(&"sub/deep/b.log".to_owned()));
    assert!(!lines.contains(&"src/build/x".to_owned()));
}

#[test]
fn what_is_below_an_excluded_folder_cannot_be_had_back() {
    let root = folder();
    plant(root.path(), &["out/keep", "other/keep", "other/drop"]);
    fs::write(root.path().join(".cryptbackupignore"), "out/\n!out/keep\nother/*\n!other/keep\n").expect("a file");
    assert_eq!(kept(root.path(), "").0, [".cryptbackupignore", "other/", "other/keep"]);
}

#[test]
fn ignore_files_with_mistakes_are_told_and_the_rest_of_them_holds() {
    let root = folder();
    plant(root.path(), &["a.log", "b", "{b}", "sub/c"]);
    fs::write(root.path().join(".cryptbackupignore"), b"x[z-a]\n*.log\n\xff\n{b}\n!\n").expect("a file");
    let (lines, excluded) = kept(root.path(), "");
    let complaint = |at: usize, line: u8| {
        let start = format!("?.cryptbackupignore line {line} is not a pattern and was not applied: ");
        assert!(lines[at].starts_with(&start), "{}", lines[at]);
    };
    complaint(0, 1);
    complaint(1, 3);
    complaint(2, 5);
    assert_eq!(lines[3..], [".cryptbackupignore", "b", "sub/", "sub/c"]);
    assert_eq!(excluded, 2, "a.log and {{b}}, whose braces mean nothing in such a file");
    fs::write(root.path().join("sub/.cryptbackupignore"), vec![b'\n'; (1 << 20) + 1]).expect("a long file");
    assert!(kept(root.path(), "").0.iter().any(|line| line.starts_with("?sub/.cryptbackupignore it is too long")));
}

#[test]
fn an_ignore_file_that_is_no_file_or_closed_has_no_say() {
    let root = folder();
    plant(root.path(), &["linked/x", "folder/.cryptbackupignore/x", "closed/x", "all"]);
    fs::write(root.path().join("all"), "*\n").expect("a file");
    symlink("../all", root.path().join("linked/.cryptbackupignore")).expect("a link");
    fs::write(root.path().join("closed/.cryptbackupignore"), "x\n").expect("a file");
    let closed = root.path().join("closed/.cryptbackupignore");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("its mode");
    let path = root.path();
    unprivileged(|| {
        let (lines, excluded) = kept(path, "");
        assert_eq!(excluded, 0);
        let told: Vec<_> = lines.iter().filter(|line| line.starts_with(['?', '!'])).collect();
        assert!(told.len() == 1 && told[0].starts_with("?closed/.cryptbackupignore it cannot be read"), "{told:?}");
    });
}

#[test]
fn an_excluded_name_is_not_even_looked_at() {
    let root = folder();
    plant(root.path(), &["d/gone.tmp", "d/gone", "d/sub.tmp/x"]);
    fs::set_permissions(root.path().join("d"), fs::Permissions::from_mode(0o444)).expect("its mode");
    let path = root.path();
    unprivileged(|| assert_eq!(kept(path, "*.tmp"), (vec!["d/".to_owned(), "!unreadable d/gone".to_owned()], 2)));
    fs::set_permissions(root.path().join("d"), fs::Permissions::from_mode(0o755)).expect("its mode");
}

#[test]
fn caches_keep_their_tag_and_nothing_else() {
    let root = folder();
    plant(
        root.path(),
        &["CACHEDIR.TAG", "cache/CACHEDIR.TAG", "cache/a", "cache/b/c", "fake/CACHEDIR.TAG", "fake/a", "linked/a"],
    );
    let signature = "Signature: 8a477f597d28d172789f06886806bc55";
    for name in ["", "cache"] {
        let text = format!("{signature}\n# a cache\n");
        fs::write(root.path().join(name).join("CACHEDIR.TAG"), text).expect("a tag");
    }
    fs::write(root.path().join("fake/CACHEDIR.TAG"), &signature[..42]).expect("half a tag");
    symlink("../cache/CACHEDIR.TAG", root.path().join("linked/CACHEDIR.TAG")).expect("a link");
    let (lines, excluded) = listed(WalkOptions { exclude_caches: true, ..options(root.path()) });
    // The root is what someone asked for, tag or not.
    let expected = [
        "/",
        "CACHEDIR.TAG",
        "cache/",
        "cache/CACHEDIR.TAG",
        "fake/",
        "fake/CACHEDIR.TAG",
        "fake/a",
        "linked/",
        "linked/CACHEDIR.TAG",
        "linked/a",
    ];
    assert_eq!((lines, excluded), (expected.map(str::to_owned).to_vec(), 2));
    assert_eq!(listed(options(root.path())).1, 0, "only on request");
}

#[test]
fn other_file_systems_are_empty_folders_on_request() {
    let mounted =
        |path: &str| fs::metadata(path).is_ok_and(|of| of.dev() != fs::metadata("/dev").map_or(0, |dev| dev.dev()));
    if !mounted("/dev/shm") && !mounted("/dev/pts") {
        skipped("nothing is mounted below /dev");
        return;
    }
    let mut walk = walk(WalkOptions { one_file_system: true, ..options(Path::new("/dev")) });
    let home = fs::metadata("/dev").expect("/dev").dev();
    let (mut inside, mut foreign) = (0, 0);
    let mut events = walk.by_ref().peekable();
    while let Some(event) = events.next() {
        match event {
            Event::Enter(entry) if entry.stat.dev != home => {
                foreign += 1;
                assert_eq!(events.next(), Some(Event::Leave), "{} is not walked into", entry.path.display());
            }
            Event::Leaf(entry) if entry.stat.dev == home => inside += 1,
            Event::Leaf(entry) => panic!("{} is on another file system", entry.path.display()),
            _ => {}
        }
    }
    assert!(inside > 0 && foreign > 0, "{inside} {foreign}");
    assert_eq!(walk.excluded(), foreign);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_list_of_patterns_can_break_anything(list in r"[a-c{}\[\]!^\\,*?/# \-\u{3000}é]{0,24}", path in "[abé,{/]{1,8}") {
        for pattern in split_list(&list) {
            let mut builder = RulesBuilder::new();
            for braces in [Braces::Alternatives, Braces::Literal] {
                // With braces tamed only two mistakes are left to make.
                if let Err(why) = builder.add(&pattern, braces) {
                    assert!(pattern.contains(['[', '\\', '!']), "{pattern}: {why}");
                }
            }
            if let Ok(Some(rules)) = builder.build() {
                rules.excludes(Path::new(&path), false);
            }
        }
    }

    #[test]
    fn no_ignore_file_can_break_anything(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (rules, _) = parse_ignore_file(&bytes);
        if let Some(rules) = rules {
            rules.excludes(Path::new("a/b"), true);
        }
    }
}
