//! Hints lead to a command that helps.

use crate::support::{Ended, World};

#[test]
fn what_is_not_found_is_looked_for_where_it_is_listed() {
    let world = World::set_up(&["primary"]);
    world.write("docs/a", "a");
    world.run("backup -q").expect_code(0);
    for (words, hint) in [
        ("key remove 00000000", "`cryptbackup key list`"),
        ("destination accept nosuch", "`cryptbackup destination list`"),
        ("destination forget nosuch", "`cryptbackup destination list`"),
        ("remove /nope", "`cryptbackup config show`"),
        ("list /nope", "`cryptbackup status`"),
    ] {
        world.run(words).expect_error(1, &[&format!("hint: {hint}")]);
    }
}

#[test]
fn what_is_purged_can_be_left_out_beside_what_is_left_out_already() {
    let world = World::set_up(&["primary"]);
    world.write("docs/a", "a");
    world.write("docs/film", "b");
    world.run_args(["add", "docs", "--exclude", "*.tmp", "--gitignore"]).expect_code(0);
    world.run("backup -q").expect_code(0);
    world.run("purge docs/film").expect_code(0).expect_said(&["`cryptbackup exclude PATTERNS`"]);
    world.run("exclude film").expect_code(0);
    let source = world.run("config show --json").expect_code(0).json()["sources"][0].clone();
    assert_eq!((&source["exclude"], &source["git_ignore"]), (&serde_json::json!(["*.tmp", "film"]), &true.into()));
}

#[test]
fn an_index_that_was_there_is_not_said_to_be_missing() {
    let world = World::set_up(&["primary"]);
    world.write("docs/a", "a");
    world.run("backup -q").expect_code(0);
    let ended = world.run("rebuild-index").expect_code(0).expect_shown(&["The index is rebuilt from"]);
    assert!(!ended.stderr.contains("missing"), "{}", ended.stderr);
    std::fs::remove_file(world.state().join("backups.db")).expect("there");
    world.run("backup").expect_code(0).expect_said(&["The index was missing"]);
}

#[test]
fn a_stream_of_which_nothing_comes_has_nothing_to_do_with_sources() {
    let world = World::set_up(&["primary"]);
    for words in [&["backup", "--stdin", "x"][..], &["backup", "--stdin", "x", "--", "true"]] {
        let Ended { stderr, .. } = world.run_args(words).expect_error(1, &[]);
        assert!(!stderr.contains("cryptbackup add"), "{stderr}");
    }
}

#[test]
fn a_tag_is_added_or_removed() {
    let world = World::set_up(&["primary"]);
    world.run("tag latest").expect_code(2).expect_said(&["--add", "--remove"]);
}
