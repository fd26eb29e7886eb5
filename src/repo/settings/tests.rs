//! The seed's file, every key, and refusals that change nothing; `disk` has what touches files.

mod disk;

use std::path::Path;

use super::*;

/// The complete example of the seed's documentation, as it stands there.
const SEED: &str = r"version: '1.0.1'
created_at: '2026-01-20T14:30:00'

encryption:
  algorithm: AES-256-GCM
  key: 'VOTRE_CLE_SECRETE_ICI'

compression:
  enabled: true
  algorithm: zstd
  level: 3  # 1 (rapide) à 22 (max compression)

sources:
  - path: C:\Users\VotreNom\Documents
    exclude: ['*.tmp', '~*', 'desktop.ini']
    added_at: '2026-01-20T14:35:00'

destinations:
  primary: C:\Users\VotreNom\Backup     # Dossier local
  secondary: E:\Backup                  # Clé USB / disque externe
  tertiary: \\192.168.1.100\backup      # NAS

watch:
  enabled: true
  interval: 300  # secondes
  realtime: true

retention:
  keep_days: 30
  keep_versions: 10
  auto_clean: false
";

fn seed() -> Settings {
    Settings::parse(SEED).expect("the seed's example loads")
}

fn config_error(result: Result<impl std::fmt::Debug, Error>) -> (String, String) {
    match result {
        Err(Error::Config { key, detail }) => (key, detail),
        other => panic!("not a configuration error: {other:?}"),
    }
}

#[test]
fn the_seeds_example_loads() {
    let settings = seed();
    assert_eq!(settings.version, "1.0.1");
    assert_eq!(settings.encryption.algorithm, "AES-256-GCM-SIV");
    assert_eq!(settings.encryption.key.as_ref().map(|key| key.as_str()), Some("VOTRE_CLE_SECRETE_ICI"));
    assert_eq!(settings.compression_level(), Some(3));
    assert_eq!(settings.sources.len(), 1);
    assert_eq!(settings.sources[0].path, Path::new(r"C:\Users\VotreNom\Documents"));
    assert_eq!(settings.sources[0].exclude, ["*.tmp", "~*", "desktop.ini"]);
    assert_eq!(settings.sources[0].added_at, "2026-01-20T14:35:00");
    let destinations: Vec<_> =
        settings.destinations.iter().map(|(name, path)| (name.as_str(), path.to_str().expect("text"))).collect();
    assert_eq!(
        destinations,
        [
            ("primary", r"C:\Users\VotreNom\Backup"),
            ("secondary", r"E:\Backup"),
            ("tertiary", r"\\192.168.1.100\backup")
        ]
    );
    assert_eq!((settings.watch.enabled, settings.watch.interval, settings.watch.realtime), (true, 300, true));
    let kept = &settings.retention;
    assert_eq!((kept.keep_days, kept.keep_versions, kept.keep_deleted_days, kept.auto_clean), (30, 10, 365, false));
    assert_eq!((settings.min_copies, settings.limits.memory, settings.limits.threads), (1, 96 << 20, None));
    assert!(settings.unknown_keys().is_empty());
}

#[test]
fn what_is_written_is_read_back() {
    let mut settings = seed();
    settings.set("compression.level", "off").expect("a level");
    settings.set("limits.memory", "128MiB").expect("a size");
    settings.set("limits.threads", "2").expect("a number");
    settings.set("limits.upload.tertiary", "5MiB/s").expect("a rate");
    settings.set("retention.keep_weekly", "8").expect("a number");
    settings.set("destinations.office", "/mnt/it's here: \"#x\"").expect("a folder");
    settings.put_source(SourceSettings { path: "/a b".into(), one_file_system: true, ..SourceSettings::default() });
    let long = format!("/{}", "long name ".repeat(30));
    settings.put_source(SourceSettings { path: long.into(), ..SourceSettings::default() });
    let text = settings.to_yaml().expect("it can be written");
    assert_eq!(Settings::parse(&text).expect("it can be read"), settings, "{}", *text);
    assert_eq!(settings.compression_level(), None);
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_utf8_survives() {
    use std::os::unix::ffi::OsStringExt;
    let odd = PathBuf::from(std::ffi::OsString::from_vec(b"/caf\xE9".to_vec()));
    let mut settings = Settings::default();
    settings.destinations.insert("primary".to_owned(), odd.clone());
    settings.put_source(SourceSettings { path: odd, ..SourceSettings::default() });
    let text = settings.to_yaml().expect("it can be written");
    assert_eq!(Settings::parse(&text).expect("it can be read"), settings);
}

#[test]
fn a_path_that_looks_like_base64_survives() {
    let mut settings = seed();
    for path in ["base64:", "base64:YQ==", "base64:no, not that"] {
        settings.set("destinations.usb", path).expect("a folder");
        let again = Settings::parse(&settings.to_yaml().expect("written")).expect("read");
        assert_eq!(
            again.destinations.get("usb").map(|path| path.as_os_str().as_encoded_bytes()),
            Some(path.as_bytes())
        );
    }
}

#[test]
fn missing_and_empty_sections_are_defaults() {
    assert_eq!(Settings::parse("version: 1\n").expect("enough").compression_level(), Some(3));
    let forerunner = "version: 1.0\ndestinations:\n  primary: /a\n  secondary: null\nlimits:\n  upload:\n";
    let settings = Settings::parse(forerunner).expect("nulls are nothing");
    assert_eq!(settings.destinations.len(), 1);
    assert_eq!(settings.version, "1.0");
    for level in ["off", "'off'", "false"] {
        let text = format!("compression:\n  level: {level}\n");
        assert_eq!(Settings::parse(&text).expect("off").compression_level(), None, "{level}");
    }
    assert_eq!(Settings::parse("compression:\n  enabled: false\n").expect("off").compression_level(), None);
}

#[test]
fn unknown_keys_are_kept_and_named() {
    let text = "system:\n  os: Linux\nretention:\n  keep_day: 5\nsources:\n- path: /a\n  os: Linux\n";
    let mut settings = Settings::parse(text).expect("unknown keys do not hurt");
    assert_eq!(settings.unknown_keys(), ["system", "retention.keep_day", "sources.os"]);
    settings.set("min_copies", "2").expect("a number");
    settings.put_source(SourceSettings { path: "/a".into(), exclude: vec!["x".into()], ..SourceSettings::default() });
    let again = Settings::parse(&settings.to_yaml().expect("it can be written")).expect("it can be read");
    assert_eq!(again.extra["system"], serde_json::json!({ "os": "Linux" }));
    assert_eq!(again.retention.extra["keep_day"], serde_json::json!(5));
    assert_eq!(again.sources[0].extra["os"], serde_json::json!("Linux"));
}

#[test]
fn files_with_bad_values_are_refused() {
    for bad in [
        "version: '2.0'\n",
        "version: new\n",
        "compression:\n  level: 0\n",
        "compression:\n  level: 23\n",
        "compression:\n  level: 1.5\n",
        "compression:\n  enabled: maybe\n",
        "compression:\n  algorithm: gzip\n",
        "encryption:\n  algorithm: ROT13\n",
        "min_copies: 0\n",
        "min_copies: -1\n",
        "watch:\n  interval: 0\n",
        "destinations:\n  'a b': /x\n",
        "destinations:\n  primary: ''\n",
        "destinations:\n  primary: /x\n  primary: /y\n",
        "limits:\n  memory: 1KiB\n",
        "limits:\n  threads: 0\n",
        "limits:\n  upload:\n    primary: 0\n",
        "sources:\n- exclude: []\n",
        "retention:\n  keep_days: many\n",
        "- a list\n",
        "}{",
    ] {
        let result = Settings::parse(bad);
        assert!(matches!(result, Err(Error::Config { .. })), "{bad:?} gave {result:?}");
    }
}

#[test]
fn an_error_in_the_file_does_not_quote_the_key() {
    for text in [
        "encryption:\n  key: SECRET\n  algorithm: ROT13\n",
        "encryption:\n  key: [SECRET]\n",
        "encryption:\n  key: 'SECRET\n",
        "encryption: {key: SECRET, key: SECRET}",
        "encryption: SECRET\n",
        "encryption:\n  key: SECRET\n  - x\n",
    ] {
        let (_, detail) = config_error(Settings::parse(text));
        assert!(!detail.contains("SECRET"), "{detail}");
    }
}

/// Every key with two values it can have.
const GOOD: &[(&str, &str, &str)] = &[
    ("encryption.algorithm", "AES-256-GCM-SIV", "AES-256-GCM-SIV"),
    ("encryption.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "//////////////////////////////////////////8="),
    ("compression.enabled", "false", "true"),
    ("compression.algorithm", "zstd", "zstd"),
    ("compression.level", "22", "off"),
    ("watch.enabled", "false", "true"),
    ("watch.interval", "600", "1"),
    ("watch.realtime", "false", "true"),
    ("retention.keep_days", "0", "3650"),
    ("retention.keep_versions", "1", "11"),
    ("retention.keep_deleted_days", "0", "11"),
    ("retention.keep_last", "1", "11"),
    ("retention.keep_hourly", "1", "11"),
    ("retention.keep_daily", "1", "11"),
    ("retention.keep_weekly", "1", "11"),
    ("retention.keep_monthly", "1", "11"),
    ("retention.keep_yearly", "1", "11"),
    ("retention.auto_clean", "true", "false"),
    ("retention.grace_days", "7", "30"),
    ("guard.suspect_changes", "false", "true"),
    ("guard.changed_percent", "1", "100"),
    ("guard.vanished_percent", "30", "100"),
    ("guard.min_files", "1", "5000"),
    ("guard.min_bytes", "0", "1GB"),
    ("status.warn_days", "0", "30"),
    ("priority.enabled", "true", "false"),
    ("priority.partial_interval", "0", "600"),
    ("priority.recency", "0", "2.5"),
    ("priority.size", "10", "0.5"),
    ("priority.kind", "3", "0"),
    ("priority.changes", "0.1", "1"),
    ("priority.important", "*.tex,*.kdbx", "a"),
    ("priority.unimportant", "*.vdi", "*.{iso,img}"),
    ("min_copies", "2", "3"),
    ("limits.memory", "64MiB", "1500MB"),
    ("limits.threads", "1", "64"),
    ("limits.upload.primary", "5MiB", "1KB"),
    ("destinations.primary", "/x", "/y"),
    ("destinations.new-one", "/x", "/y"),
];

#[test]
fn every_key_can_be_set_read_and_unset() {
    let covered = |name: &str| GOOD.iter().any(|(key, ..)| *key == name);
    for name in Settings::key_names().filter(|name| !["version", "created_at"].contains(name)) {
        assert!(covered(name), "{name} is not in the table of this test");
    }
    for (key, first, second) in GOOD {
        let mut settings = seed();
        for value in [first, second] {
            settings.set(key, value).expect(key);
            assert_eq!(settings.get(key).expect(key), *value, "{key}");
            let again = Settings::parse(&settings.to_yaml().expect(key)).expect(key);
            assert_eq!(again.get(key).expect(key), *value, "{key} after writing");
        }
        settings.unset(key).expect(key);
        if key.starts_with("destinations.") {
            config_error(settings.get(key));
        } else {
            let expected = Settings { destinations: seed().destinations, ..Settings::default() };
            assert_eq!(settings.get(key).expect(key), expected.get(key).expect(key), "{key} unset");
        }
    }
    assert_eq!(seed().get("created_at").expect("known"), "2026-01-20T14:30:00");
}

#[test]
fn the_spellings_of_the_seed_and_of_people() {
    let mut settings = seed();
    settings.set("compression.level", "5").expect("the seed's example");
    settings.set("retention.auto_clean", "true").expect("the seed's example");
    settings.set("watch.interval", "600").expect("the seed's example");
    assert_eq!(settings.compression_level(), Some(5));
    settings.set("encryption.algorithm", "AES-256-GCM").expect("the seed's name");
    assert_eq!(settings.get("encryption.algorithm").expect("known"), "AES-256-GCM-SIV");
    settings.set("watch.enabled", "No").expect("a spelling of false");
    assert!(!settings.watch.enabled);
}

#[test]
fn refused_values_change_nothing() {
    let bad = [
        ("encryption.algorithm", "ROT13"),
        ("encryption.key", "short"),
        ("encryption.key", "AAAA"),
        ("compression.enabled", "maybe"),
        ("compression.algorithm", "gzip"),
        ("compression.level", "0"),
        ("compression.level", "23"),
        ("compression.level", "-3"),
        ("compression.level", "fast"),
        ("watch.interval", "0"),
        ("watch.interval", "5m"),
        ("retention.keep_days", "-1"),
        ("retention.keep_days", "99999999999"),
        ("retention.keep_versions", "0"),
        ("retention.keep_last", "all"),
        ("retention.auto_clean", "2"),
        ("guard.suspect_changes", "perhaps"),
        ("guard.changed_percent", "0"),
        ("guard.vanished_percent", "101"),
        ("guard.min_files", "0"),
        ("guard.min_bytes", "many"),
        ("status.warn_days", "-1"),
        ("priority.recency", "-1"),
        ("priority.size", "11"),
        ("priority.kind", "NaN"),
        ("priority.changes", "much"),
        ("priority.important", "[z-a]"),
        ("min_copies", "0"),
        ("min_copies", ""),
        ("limits.memory", "1MiB"),
        ("limits.memory", "lots"),
        ("limits.threads", "0"),
        ("limits.upload.primary", "0"),
        ("limits.upload.nowhere", "5MiB"),
        ("destinations.a.b", "/x"),
        ("destinations.", "/x"),
        ("destinations.primary", ""),
        ("version", "1.0"),
        ("created_at", "now"),
        ("sources", "/x"),
        ("compression", "fast"),
        ("compression.levle", "3"),
        ("nonsense", "1"),
        ("", "1"),
    ];
    for (key, value) in bad {
        let mut settings = seed();
        let (named, _) = config_error(settings.set(key, value));
        assert_eq!(named, key, "{value}");
        assert_eq!(settings, seed(), "{key} = {value}");
    }
    for key in ["version", "created_at", "nonsense", "destinations.nowhere", "limits.upload.primary", "sources"] {
        let mut settings = seed();
        config_error(settings.unset(key));
        assert_eq!(settings, seed(), "unset {key}");
    }
    for key in ["nonsense", "compression", "compression.levle", "destinations.nowhere", "sources"] {
        config_error(seed().get(key));
    }
    let (_, detail) = config_error(seed().get("compression.levle"));
    assert!(detail.contains("compression.level"), "{detail}");
}

#[test]
fn the_key_is_not_shown() {
    let shown = format!("{:?} {}", seed(), *seed().masked().to_yaml().expect("it can be written"));
    assert!(!shown.contains("VOTRE_CLE"), "{shown}");
    assert!(shown.contains("********"));
    assert_eq!(Settings::default().masked(), Settings::default());
}

#[test]
fn patterns_of_a_source_are_added_and_those_that_are_none_refused() {
    let mut source = SourceSettings::new("/a");
    source.leave_out("*.tmp, ~*,x\\,y").expect("a list");
    source.leave_out_lines("# a comment\n\n  \n/b,c\n!d\n").expect("lines");
    let expected = ["*.tmp", "~*", "x,y", "/b,c", "!d"];
    assert_eq!(source.exclude, expected);
    for refused in [source.leave_out("e,!"), source.leave_out_lines("e\n!\n")] {
        assert!(matches!(&refused, Err(Error::Usage(why)) if why.contains("`!`")), "{refused:?}");
    }
    assert_eq!(source.exclude, expected, "nothing of what is refused is added");
    assert!(source.path == Path::new("/a") && !source.added_at.is_empty());
}

#[test]
fn sources_are_replaced_and_removed() {
    let mut settings = Settings::default();
    let first = SourceSettings { path: "/a".into(), added_at: "then".to_owned(), ..SourceSettings::default() };
    assert!(settings.put_source(first));
    let again = SourceSettings { path: "/a".into(), exclude: vec!["x".into()], ..SourceSettings::default() };
    assert!(!settings.put_source(again));
    assert_eq!(settings.source(Path::new("/a")).map(|s| (s.exclude.len(), s.added_at.as_str())), Some((1, "then")));
    assert!(!settings.remove_source(Path::new("/b")));
    assert!(settings.remove_source(Path::new("/a")));
    assert!(settings.sources.is_empty());
}

#[test]
fn a_source_has_a_whole_path_of_one_spelling_and_is_there_once() {
    let listed = |paths: &[&str]| {
        let lines: String = paths.iter().map(|path| format!("- path: {path:?}\n")).collect();
        Settings::parse(&format!("sources:\n{lines}"))
    };
    let settings = listed(&["/home/a/", "/home/a/inside", "//home/./b/.", "/"]).expect("each is another folder");
    let paths: Vec<_> = settings.sources.iter().map(|source| source.path.as_os_str().to_str()).collect();
    assert_eq!(paths, [Some("/home/a"), Some("/home/a/inside"), Some("/home/b"), Some("/")]);
    for (paths, said) in [
        (&["docs"][..], "`docs` is a relative path; write the whole one"),
        (&["./docs"], "`./docs` is a relative path; write the whole one"),
        (&["/home/b/../a"], "`/home/b/../a` has `..` in it; write the path without"),
        (&["/a", "/b", "/a"], "`/a` is there twice; take one of them out"),
        (&["/a", "/a/"], "`/a` is there twice; take one of them out"),
        (&["/a/b", "/a/./b/"], "`/a/b` is there twice; take one of them out"),
    ] {
        assert_eq!(config_error(listed(paths)), ("sources".to_owned(), said.to_owned()), "{paths:?}");
    }
    // Whatever another system calls whole is not ours to judge; what came through a pipe is a source too.
    assert!(listed(&[r"C:\Users\a", "c:/b", r"\\server\share"]).is_ok());
    let mut settings = Settings::default();
    settings.put_source(SourceSettings { stdin: true, ..SourceSettings::new("/shop.sql") });
    assert!(settings.validate().is_ok());
    settings.put_source(SourceSettings::new("shop"));
    assert_eq!(config_error(settings.validate()).0, "sources");
}
