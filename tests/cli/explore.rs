//! `find`, `diff` and `dump` as processes: wording, JSON, exit codes.

use crate::support::{Ended, World, noise};

/// Two backups: a file changed, one came, one went.
fn changed() -> World {
    let world = World::set_up(&["primary"]);
    world.write("docs/report.txt", "one");
    world.write("docs/gone.txt", "gone");
    world.run("backup -q").expect_code(0);
    world.write("docs/report.txt", "two two");
    world.write("docs/deep/new.txt", "new");
    std::fs::remove_file(world.path("docs/gone.txt")).expect("removed");
    world.run("backup -q").expect_code(0);
    world
}

#[test]
fn find_shows_paths_and_their_versions() {
    let world = changed();
    let report = world.path("docs/report.txt").display().to_string();
    let shown = world.run("find report").expect_code(0).stdout;
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!((lines.len(), lines[0]), (3, report.as_str()), "{shown}");
    assert!(lines[1].starts_with("  version 2  7 B  modified ") && lines[2].contains("version 1  3 B"), "{shown}");
    world.run("find *.txt --deleted").expect_code(0).expect_shown(&["docs/gone.txt  (deleted)\n"]);
    let found = world.run("find *.txt --in docs --json").expect_code(0).json();
    let found = found.as_array().expect("a list");
    assert_eq!((found.len(), &found[0]["type"]), (3, &"file".into()), "{found:?}");
    assert_eq!(found[2]["versions"][0]["version"], 2);
    let nothing = world.run("find no-such-thing").expect_code(0);
    assert_eq!((nothing.stdout.as_str(), nothing.stderr.as_str()), ("", "nothing was found\n"));
    assert_eq!(world.run("find no-such-thing --json").expect_code(0).json(), serde_json::json!([]));
}

#[test]
fn diff_marks_what_differs() {
    let world = changed();
    let docs = world.path("docs").display().to_string();
    let shown = world.run("diff latest~1 latest").expect_code(0).stdout;
    let expected = format!(
        "+  {docs}/deep/\n+  {docs}/deep/new.txt  (3 B)\n-  {docs}/gone.txt  (4 B)\nM  {docs}/report.txt  (3 B to 7 B)\n\
         2 added (3 B), 1 removed (4 B), 1 changed\n"
    );
    assert_eq!(shown, expected);
    let same = world.run("diff latest docs").expect_code(0);
    assert_eq!(same.stdout, "0 added (0 B), 0 removed (0 B), 0 changed\n");
    world.run("diff docs/report.txt@1 docs/report.txt@2").expect_code(0).expect_shown(&["M  ", "1 changed"]);
    let lines = world.run("diff latest~1 latest --json").expect_code(0).stdout;
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let lines: Vec<&serde_json::Value> = lines.iter().filter(|line| line["message_type"] != "status").collect();
    assert_eq!((&lines[0]["message_type"], &lines[0]["change"]), (&"change".into(), &"added".into()));
    assert_eq!((&lines[4]["message_type"], &lines[4]["removed"]), (&"summary".into(), &1.into()));
}

#[test]
fn dump_writes_bytes_and_archives() {
    let world = changed();
    let path = world.path("docs/report.txt").display().to_string();
    assert_eq!(world.run(&format!("dump latest~1:{path}")).expect_code(0).stdout, "one");
    assert_eq!(world.run("dump docs/report.txt@2").expect_code(0).stdout, "two two");
    let docs = world.path("docs").display().to_string();
    world
        .run(&format!("dump latest:{docs} --archive zip --output out.zip"))
        .expect_code(0)
        .expect_shown(&["2 files, "]);
    assert!(std::fs::read(world.path("out.zip")).expect("written").starts_with(b"PK"));
    let summary = world.run(&format!("dump latest:{docs} --output out.tar --json")).expect_code(0).summary();
    assert_eq!((&summary["files"], &summary["bytes"]), (&2.into(), &10.into()));
    // Whoever reads a dump may have seen enough.
    let program = env!("CARGO_BIN_EXE_cryptbackup");
    let mut piped = std::process::Command::new("sh");
    piped.args(["-c", &format!("{program} dump latest:{docs} | head -c 10 | wc -c")]);
    piped.env("CRYPTBACKUP_HOME", world.state());
    let ended = Ended::of(piped).expect_code(0);
    assert_eq!((ended.stdout.trim(), ended.stderr.as_str()), ("10", ""));
}

#[test]
fn wrong_questions_are_refused() {
    let world = changed();
    for (words, code, said) in [
        ("find", 2, "PATTERN"),
        ("find [", 2, "is not a pattern"),
        ("find x --larger-than many", 2, "is not a size"),
        ("find x --type thing", 2, "possible values"),
        ("find x --modified-after sometime", 2, "is not a date"),
        ("find x --snapshot latest --deleted", 2, "cannot be used with"),
        ("find x --snapshot nothing", 2, "is not a snapshot"),
        ("diff latest", 2, "required"),
        ("diff docs docs", 2, "give a snapshot"),
        ("diff latest ./nowhere", 1, "nowhere"),
        ("diff latest~7 latest", 1, "latest~7"),
        ("diff docs/report.txt@1 docs/report.txt@9", 1, "version 9"),
        ("dump latest --archive rar", 2, "possible values"),
        ("dump latest:/nowhere", 1, "/nowhere"),
        ("dump latest --json", 2, "--output FILE"),
        ("dump docs/report.txt@9", 1, "version 9"),
    ] {
        let ended = world.run(words).expect_code(code).expect_said(&[said]);
        assert!(words.ends_with("--json") || ended.stdout.is_empty(), "{words}: {}", ended.stdout);
    }
    world.write("there", "mine");
    world.run("dump latest --output there").expect_code(1).expect_said(&["there", "hint: "]);
    assert_eq!(world.read("there"), "mine", "nothing is overwritten");
}

#[test]
fn du_says_what_takes_the_space() {
    let world = changed();
    let shown = world.run("du docs").expect_code(0).stdout;
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].contains("Needs") && lines[0].contains("Only here") && lines.len() == 3, "{shown}");
    world.run("du --by type -n 1").expect_code(0).expect_shown(&[".txt"]);
    world.run("du --by snapshot").expect_code(0);
    let usage = world.run("du docs --depth 0 --json").expect_code(0).json();
    assert_eq!((usage.as_array().map(Vec::len), &usage[0]["files"]), (Some(1), &4.into()), "{usage}");
    world.run("du --by type --depth 2").expect_code(2).expect_said(&["--by folder"]);
    world.run("du --by size").expect_code(2);
    world.run("du --snapshot latest~9").expect_code(1);
}

#[cfg(unix)]
#[test]
fn what_an_archive_has_no_place_for_is_no_damage() {
    let world = World::set_up(&["primary"]);
    world.write("docs/a", "a");
    let _socket = std::os::unix::net::UnixListener::bind(world.path("docs/socket")).expect("a socket");
    world.run("backup -q").expect_code(0);
    let docs = world.path("docs").display().to_string();
    world.run(&format!("dump latest:{docs} --output out.tar")).expect_code(3).expect_said(&["socket"]);
}

#[test]
fn what_is_left_out_is_shown_changed_and_thought_of() {
    let world = World::set_up(&["primary"]);
    world.write("docs/film.iso", noise(300_000, 1));
    world.write("docs/letter.txt", "dear");
    world.folder("more");
    world.run("add more --exclude *.tmp").expect_code(0);
    world.run("backup").expect_code(0);
    let before = world.read("state/config.yaml");
    let shown = world.run("exclude --what-if *.iso,*.mkv").expect_code(0);
    shown.expect_shown(&["Without *.iso, *.mkv:", "1 file, 300 kB", "2 files, 300.0 kB", "docs/film.iso"]);
    let answer = world.run("exclude --what-if *.iso --json").expect_code(0).json();
    assert_eq!((&answer["files_left_out"], &answer["bytes_left_out"]), (&1.into(), &300_000.into()));
    assert!(answer["bytes_alone"].as_u64().is_some_and(|bytes| bytes >= 300_000), "{answer}");
    for wrong in [
        "exclude --what-if",
        "exclude --what-if *.iso --source nowhere",
        "exclude a[z-a]",
        "exclude --remove",
        "exclude *.iso --remove",
        "exclude *.iso --remove --what-if",
        "exclude --source nowhere",
        "exclude *.iso --source nowhere",
    ] {
        world.run(wrong).expect_code(2);
    }
    assert_eq!(world.read("state/config.yaml"), before);
    world.run("exclude *.iso --source docs").expect_code(0).expect_shown(&["docs", "*.iso"]);
    world.run("exclude *.iso,*.bak").expect_code(0);
    let set = world.run("exclude --json").expect_code(0).json();
    assert_eq!(
        (&set[0]["exclude"], &set[1]["exclude"]),
        (&serde_json::json!(["*.iso", "*.bak"]), &serde_json::json!(["*.tmp", "*.iso", "*.bak"]))
    );
    world.run("exclude *.iso --remove --source more").expect_code(0);
    world.run("exclude").expect_code(0).expect_shown(&["*.iso, *.bak", "*.tmp, *.bak"]);
    assert_eq!(world.run("backup --json").expect_code(0).summary()["excluded"], 1);
}
