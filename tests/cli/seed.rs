//! Every line of the forerunner's README that is for Linux, typed in its order in a shell, and whether it does what is said
//! of it there. The lines are in `seed/README.md`; one that is not walked, or walked out of its place, fails.

#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Ended, World};

const README: &str = include_str!("seed/README.md");

/// Its places, and where they are here, below the world's folder. What it shows for Windows alone is typed with the same
/// places as the rest, and with the slashes of this system.
const PLACES: &[(&str, &str)] = &[
    ("/home/votreuser", "home"),
    (r"C:\Users\VotreNom", "home"),
    ("/home/user", "another disk"),
    ("/media/user/disk", "disk"),
    ("/mnt/nas", "nas"),
    ("/mnt/secure", "secure"),
    (r"E:\", "stick/"),
    (r"\\192.168.1.100\", "share/"),
    (r"D:\", "second disk/"),
];

/// The words that stand in every file's content, and in no stored object.
const SECRET: &str = "tres secret";

/// A person who follows the README line by line.
struct Walk {
    world: World,
    /// Where `~` is.
    home: PathBuf,
    lines: VecDeque<&'static str>,
}

impl Walk {
    fn new() -> Self {
        let world = World::new();
        for (_, place) in PLACES {
            world.folder(place);
        }
        let home = world.path("home");
        Self { world, home, lines: commands().into() }
    }

    /// Sits down at another machine, with nothing on it and other disks. What the last one had is kept aside.
    fn moves(&mut self) {
        let places: BTreeSet<&str> = PLACES.iter().map(|(_, place)| *place).collect();
        for place in places {
            self.empties(place);
        }
    }

    /// What is at a place is gone.
    fn empties(&self, place: &str) {
        self.world.folder("aside");
        let aside = format!("aside/{}", self.world.names("aside").len());
        self.world.rename(place.trim_end_matches('/'), &aside);
        self.world.folder(place);
    }

    /// Types the next line of the README, which has to be this one.
    #[track_caller]
    fn line(&mut self, expected: &str) -> Ended {
        self.line_with(expected, expected)
    }

    /// The same with something that is different here.
    #[track_caller]
    fn line_with(&mut self, expected: &str, typed: &str) -> Ended {
        assert_eq!(self.lines.pop_front(), Some(expected), "the README goes on otherwise");
        self.types(typed)
    }

    /// Types what is not in the README.
    fn types(&self, line: &str) -> Ended {
        self.types_in("en", line)
    }

    fn types_in(&self, language: &str, line: &str) -> Ended {
        let program = Path::new(env!("CARGO_BIN_EXE_cryptbackup")).parent().expect("a folder");
        let mut command = Command::new("sh");
        command.args(["-c", &self.here(line)]).env_clear().env("HOME", &self.home).current_dir(&self.home);
        command.env("PATH", format!("{}:/usr/bin:/bin", program.display())).env("TZ", "UTC");
        command.env("CRYPTBACKUP_LANG", language).stdin(Stdio::null());
        Ended::of(command)
    }

    /// A line with the places of this machine.
    fn here(&self, line: &str) -> String {
        let mut here = line.to_owned();
        for (theirs, ours) in PLACES {
            let path = self.world.path(ours).display().to_string();
            here = here.replace(theirs, &if theirs.ends_with('\\') { format!("{path}/") } else { path });
        }
        here.replace('\\', "/")
    }

    /// The key in the configuration.
    fn key(&self) -> String {
        let config = std::fs::read_to_string(self.home.join(".mybackup/config.yaml")).expect("it is there");
        let key = config.lines().find_map(|line| line.trim().strip_prefix("key: ")).expect("a key");
        key.trim_matches('"').to_owned()
    }

    fn path(&self, name: &str) -> String {
        self.home.join(name).display().to_string()
    }

    /// Writes a file below `~`; every file has the words in it that nobody else may read.
    fn writes(&self, name: &str, text: &str) {
        let path = self.home.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        std::fs::write(path, format!("{SECRET} {text}")).expect("written");
    }

    #[track_caller]
    fn reads(&self, name: &str) -> String {
        let path = self.home.join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.strip_prefix(&format!("{SECRET} ")).expect("one of ours").to_owned()
    }

    /// Every object of a destination, with what is in it.
    fn objects(&self, destination: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let read = |path: PathBuf| (path.clone(), std::fs::read(path).expect("an object"));
        self.world.files(destination).into_iter().map(read).collect()
    }

    fn snapshots(&self) -> Vec<serde_json::Value> {
        self.types("cryptbackup snapshots --json").expect_code(0).json().as_array().expect("a list").clone()
    }

    /// The numbers of the versions of a file, as `list` shows them.
    fn versions(&self, name: &str) -> Vec<String> {
        let listed = self.types(&format!("cryptbackup list ~/{name}")).expect_code(0).stdout;
        let rows = listed.lines().skip(2).filter_map(|row| row.split_whitespace().next());
        rows.map(str::to_owned).collect()
    }
}

/// The lines that are for Linux: not those under `# Windows` or behind it, nor the part called so. How Python programs are
/// installed is none of ours.
fn commands() -> Vec<&'static str> {
    let mut commands = Vec::new();
    let (mut is_shell, mut is_windows) = (false, false);
    for line in README.lines() {
        match line {
            "```bash" => is_shell = true,
            "```" => is_shell = false,
            // Of what to do about an error, the commands.
            row if row.starts_with("| ") => {
                commands.extend(row.split('`').skip(1).step_by(2).filter(|word| word.starts_with("cryptbackup ")));
            }
            "# Windows" | "#### Windows" => is_windows = true,
            comment if comment.starts_with('#') && (!is_shell || comment.starts_with("# macOS")) => is_windows = false,
            command if is_shell && !is_windows && !command.ends_with("# Windows") => {
                let is_ours = command.starts_with("cryptbackup ") || command.starts_with("cp ");
                commands.extend(is_ours.then_some(command));
            }
            _ => {}
        }
    }
    commands
}

#[test]
fn every_line_of_the_readme_does_what_it_says() {
    let mut walk = Walk::new();
    install(&mut walk);
    initialise(&mut walk);
    configure(&mut walk);
    back_up(&mut walk);
    look(&mut walk);
    restore_single_files(&mut walk);
    restore_elsewhere(&mut walk);
    clean(&mut walk);
    change_the_destinations(&mut walk);
    change_the_configuration(&mut walk);
    keep_the_key(&mut walk);
    mend(&mut walk);
    start_quickly(&mut walk);
    assert_eq!(walk.lines, [""; 0], "lines nobody walked");
}

fn install(walk: &mut Walk) {
    walk.line("cryptbackup init").expect_code(0);
    walk.moves();
}

fn initialise(walk: &mut Walk) {
    let made = walk.line("cryptbackup init").expect_code(0);
    made.expect_shown(&["CryptBackup is initialised", ".mybackup/config.yaml", "IMPORTANT", "Copy that file"]);
    assert!(walk.home.join(".mybackup/backups.db").is_file());
    assert_eq!(walk.key().len(), 44, "32 bytes in base64");
    // What is said of permissions further down.
    let mode = |name: &str| std::fs::metadata(walk.home.join(name)).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(".mybackup"), mode(".mybackup/config.yaml")), (0o700, 0o600));
}

fn configure(walk: &mut Walk) {
    for name in ["Documents/rapport.pdf", "Documents/important.docx", "doc.txt", "app.py"] {
        walk.writes(name, "1");
    }
    for left_out in ["Documents/scratch.tmp", "Documents/~lock", "Documents/.DS_Store"] {
        walk.writes(left_out, "left out");
    }
    let added = walk.line(r#"cryptbackup add "/home/votreuser/Documents" --exclude "*.tmp,~*,.DS_Store""#);
    added.expect_code(0).expect_shown(&["Folder added: ", "Excluded: *.tmp, ~*, .DS_Store"]);
    // Two of the files that are restored later lie beside the documents.
    walk.types("cryptbackup add ~ --exclude /Documents").expect_code(0);
    let places = [("primary", "home/Backup"), ("secondary", "stick/Backup"), ("tertiary", "share/backup")];
    let lines = [
        r#"cryptbackup config set destinations.primary "C:\Users\VotreNom\Backup""#,
        r#"cryptbackup config set destinations.secondary "E:\Backup""#,
        r#"cryptbackup config set destinations.tertiary "\\192.168.1.100\backup""#,
    ];
    for ((name, place), line) in places.iter().zip(lines) {
        let path = walk.world.path(place);
        walk.line(line).expect_code(0).expect_shown(&[&format!("[{name}] is {}. It is ready", path.display())]);
        assert!(path.join("cryptbackup.repo").is_file());
    }
    let shown = walk.line("cryptbackup config show").expect_code(0).expect_shown(&["- path: ", "\"*.tmp\"", "~*"]);
    for (name, place) in places {
        shown.stdout.find(&format!("  {name}: {}\n", walk.world.path(place).display())).expect("a destination");
    }
    assert!(shown.stdout.contains("********") && !shown.stdout.contains(&walk.key()), "the key is not for every eye");
}

fn back_up(walk: &mut Walk) {
    let first = walk.line("cryptbackup backup").expect_code(0);
    first.expect_shown(&["4 new, 0 changed", "[primary]", "[secondary]", "[tertiary]", "Protected on 3 of 3"]);
    for destination in ["home/Backup", "stick/Backup", "share/backup"] {
        let objects = walk.objects(destination);
        assert!(objects.len() > 5, "{objects:?}");
        for (path, bytes) in objects {
            let has = |word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!has(SECRET) && !has("rapport"), "{} can be read", path.display());
        }
    }
    // One source alone, and of that what changed.
    walk.writes("Documents/rapport.pdf", "2 longer");
    walk.writes("doc.txt", "2 longer");
    let one = walk.line(r#"cryptbackup backup --source "/home/votreuser/Documents""#).expect_code(0);
    one.expect_shown(&["0 new, 1 changed, 1 unmodified file in 1 folder"]);
    assert_eq!((walk.versions("Documents/rapport.pdf").len(), walk.versions("doc.txt").len()), (2, 1));
    // What is important comes first: a program before a text.
    walk.writes("app.py", "2 longer");
    let order = walk.types("cryptbackup backup --smart --explain --dry-run").expect_code(0).stdout;
    let place = |name: &str| order.find(name).unwrap_or_else(|| panic!("{name} is not in\n{order}"));
    assert!(place("app.py") < place("doc.txt"), "{order}");
    walk.types("cryptbackup config set priority.partial_interval 0").expect_code(0);
    // What was written a moment before a backup would be read again by the next.
    std::thread::sleep(Duration::from_millis(2500));
    let smart = walk.line("cryptbackup backup --smart").expect_code(0);
    smart.expect_shown(&["Smart mode: important files first", "2 changed"]).expect_said(&["partial snapshot"]);
    assert_eq!((walk.versions("app.py").len(), walk.versions("doc.txt").len()), (2, 2));
    // A simulation names the files and writes nothing.
    walk.writes("app.py", "3 still longer");
    let stored = |walk: &Walk| (walk.snapshots(), walk.objects("home/Backup"), walk.objects("stick/Backup"));
    let before = stored(walk);
    let dry = walk.line("cryptbackup backup --dry-run --verbose").expect_code(0);
    let would_read = format!("would read {}\n", walk.path("app.py"));
    let dry = dry.expect_shown(&["Dry run, nothing was written: 0 new, 1 changed", &would_read]);
    assert!(!dry.stdout.contains("doc.txt") && !dry.stdout.contains("scratch.tmp"), "{}", dry.stdout);
    assert!(before == stored(walk), "the simulation wrote something");
    walk.types("cryptbackup backup -q").expect_code(0);
    walk.writes("app.py", "4 the longest of all");
    walk.types("cryptbackup backup -q").expect_code(0);
}

fn look(walk: &mut Walk) {
    let status = walk.line("cryptbackup status").expect_code(0);
    let status = status.expect_shown(&["Files           4, ", "Stored  ", "Saved  ", "Last backup  ", "(just now)"]);
    let status = status.expect_shown(&[&format!("{}  2 files, ", walk.path("Documents")), " Destinations :\n"]);
    for (name, place) in [("primary", "home/Backup"), ("secondary", "stick/Backup"), ("tertiary", "share/backup")] {
        let line = status.stdout.lines().find(|line| line.contains(&format!("[{name}]"))).expect("a line for it");
        assert!(line.contains(&walk.world.path(place).display().to_string()) && line.contains("  Free: "), "{line}");
    }
    let listed = walk.line(r#"cryptbackup list "/home/votreuser/Documents/rapport.pdf""#).expect_code(0).stdout;
    let rows: Vec<&str> = listed.lines().collect();
    assert_eq!((rows.len(), rows[0]), (4, format!("History of {}", walk.path("Documents/rapport.pdf")).as_str()));
    assert!(rows[2].trim().starts_with("1 ") && rows[3].trim().starts_with("2 "), "{listed}");
    assert!(!rows[2].ends_with("current") && rows[3].ends_with("current"), "{listed}");
}

fn restore_single_files(walk: &mut Walk) {
    std::fs::remove_file(walk.home.join("Documents/important.docx")).expect("lost");
    walk.line(r#"cryptbackup restore --file "/home/votreuser/Documents/important.docx""#).expect_code(0);
    assert_eq!(walk.reads("Documents/important.docx"), "1");
    // That day nothing was backed up here; the moment of the first backup stands for it.
    let line = r#"cryptbackup restore --file "C:\Users\VotreNom\Documents\rapport.pdf" --date 2026-01-15"#;
    walk.types(line).expect_error(1, &["rapport.pdf", "at or before 2026-01-15 23:59:59"]);
    assert_eq!(walk.reads("Documents/rapport.pdf"), "2 longer");
    let first = walk.snapshots().last().expect("the first backup")["time"].as_str().expect("a time").to_owned();
    walk.line_with(line, &line.replace("2026-01-15", &first)).expect_code(0).expect_shown(&["version 1 (2 known)"]);
    assert_eq!(walk.reads("Documents/rapport.pdf"), "1");
    let line = r#"cryptbackup restore --file "C:\Users\VotreNom\app.py" --version 3"#;
    walk.line(line).expect_code(0).expect_shown(&["version 3 (4 known)"]);
    assert_eq!(walk.reads("app.py"), "3 still longer");
}

fn restore_elsewhere(walk: &mut Walk) {
    walk.writes("doc.txt", "not saved");
    let line =
        r#"cryptbackup restore --file "/home/votreuser/doc.txt" --destination "/home/votreuser/Restored/doc.txt""#;
    walk.line(line).expect_code(0);
    assert_eq!((walk.reads("Restored/doc.txt"), walk.reads("doc.txt")), ("2 longer".into(), "not saved".into()));
    let line =
        r#"cryptbackup restore --directory "/home/votreuser/Documents" --destination "/home/votreuser/Restored""#;
    walk.line(line).expect_code(0);
    assert_eq!(walk.world.names("home/Restored"), ["doc.txt", "important.docx", "rapport.pdf"]);
    assert_eq!(walk.reads("Restored/rapport.pdf"), "2 longer");
    let listed = walk.line("cryptbackup restore --list").expect_code(0).stdout;
    let mut names: Vec<&str> = listed.lines().filter_map(|line| line.rsplit('/').next()).collect();
    names.sort_unstable();
    assert_eq!(names, ["app.py", "doc.txt", "important.docx", "rapport.pdf"]);
    std::fs::remove_dir_all(walk.home.join("Restored")).expect("removed");
}

fn clean(walk: &mut Walk) {
    // By these everything old would go; what is typed holds instead.
    walk.types("cryptbackup config set retention.keep_days 0").expect_code(0);
    walk.types("cryptbackup config set retention.keep_versions 1").expect_code(0);
    let known = walk.snapshots().len();
    let cleaned = walk.line("cryptbackup clean --keep-days 30 --keep-versions 10").expect_code(0);
    cleaned.expect_shown(&[&format!("{known} snapshots stay, 0 went")]);
    assert_eq!((walk.versions("app.py").len(), walk.snapshots().len()), (4, known));
    let before = walk.objects("stick/Backup");
    let dry = walk.line("cryptbackup clean --dry-run").expect_code(0);
    let dry = dry.expect_shown(&["Dry run, nothing was deleted", "  goes\n", " would be deleted"]);
    assert!(!dry.stdout.contains(" 0 go"), "{}", dry.stdout);
    assert_eq!((walk.versions("app.py").len(), walk.snapshots().len()), (4, known));
    assert!(before == walk.objects("stick/Backup"), "the simulation deleted something");
    walk.types("cryptbackup config unset retention.keep_days").expect_code(0);
    walk.types("cryptbackup config unset retention.keep_versions").expect_code(0);
}

fn change_the_destinations(walk: &mut Walk) {
    walk.moves();
    walk.writes("Documents/rapport.pdf", "1");
    walk.types("cryptbackup init && cryptbackup add ~/Documents").expect_code(0);
    let places = [("primary", "another disk/backup"), ("secondary", "disk/backup"), ("tertiary", "nas/backup")];
    let lines = [
        r#"cryptbackup config set destinations.primary "/home/user/backup""#,
        r#"cryptbackup config set destinations.secondary "/media/user/disk/backup""#,
        r#"cryptbackup config set destinations.tertiary "/mnt/nas/backup""#,
    ];
    for ((name, place), line) in places.iter().zip(lines) {
        let path = walk.world.path(place);
        walk.line(line).expect_code(0).expect_shown(&[&format!("[{name}] is {}", path.display())]);
        assert!(path.join("cryptbackup.repo").is_file());
    }
    let status = walk.line("cryptbackup status").expect_code(0).stdout;
    for (name, place) in places {
        let line = status.lines().find(|line| line.contains(&format!("[{name}]"))).expect("a line for it");
        assert!(line.trim_start().starts_with("🖥️"), "{line}");
        assert!(line.contains(&walk.world.path(place).display().to_string()) && line.contains("  Free: "), "{line}");
    }
    walk.types("cryptbackup backup").expect_code(0).expect_shown(&["1 new", "Protected on 3 of 3"]);
    // A stick is pulled out: it goes on with the others, and says so.
    walk.world.rename("disk", "pulled");
    let status = walk.types_in("fr", "cryptbackup status").expect_code(0).stdout;
    let line = status.lines().find(|line| line.contains("[secondary]")).expect("a line for it");
    assert!(line.contains("Destination non trouvée (") && !line.contains("Libre"), "{line}");
    assert_eq!(status.lines().filter(|line| line.contains("  Libre : ")).count(), 2, "{status}");
    walk.writes("Documents/rapport.pdf", "2 longer");
    let behind = walk.types("cryptbackup backup").expect_code(5).expect_shown(&["1 changed", "Protected on 2 of 3"]);
    behind.expect_said(&["[secondary] is 1 snapshot behind"]);
    walk.world.rename("pulled", "disk");
    walk.types("cryptbackup backup").expect_code(0).expect_shown(&["Protected on 3 of 3"]);
}

/// The README's example of a configuration.
fn example() -> &'static str {
    let (_, rest) = README.split_once("```yaml\n").expect("an example");
    rest.split_once("```").expect("its end").0
}

fn change_the_configuration(walk: &mut Walk) {
    walk.moves();
    for name in ["rapport.pdf", "important.docx"] {
        walk.writes(&format!("Documents/{name}"), "1");
    }
    walk.types("cryptbackup init").expect_code(0);
    // The example is a configuration, with the key and the places of this machine.
    let own = walk.home.join(".mybackup/config.yaml");
    let theirs =
        walk.here(&example().replace("VOTRE_CLE_SECRETE_ICI", &walk.key()).replace("'desktop.ini'", "'.DS_Store'"));
    std::fs::write(&own, theirs).expect("ours");
    for (name, value) in [
        ("encryption.algorithm", "AES-256-GCM"),
        ("compression.enabled", "true"),
        ("compression.algorithm", "zstd"),
        ("compression.level", "3"),
        ("watch.enabled", "true"),
        ("watch.interval", "300"),
        ("watch.realtime", "true"),
        ("retention.keep_days", "30"),
        ("retention.keep_versions", "10"),
        ("retention.auto_clean", "false"),
    ] {
        let shown = walk.types(&format!("cryptbackup config get {name}")).expect_code(0).stdout;
        // That name stands for an algorithm that cannot be used wrongly.
        let value_here = if value == "AES-256-GCM" { "AES-256-GCM-SIV" } else { value };
        assert_eq!(shown.trim_end(), value_here, "{name}");
        let (section, field) = name.split_once('.').expect("two words");
        let (_, section) = example().split_once(&format!("\n{section}:\n")).expect("a section");
        assert!(section.split("\n\n").next().is_some_and(|section| section.contains(&format!("  {field}: {value}"))));
    }
    for place in
        [r#"primary "C:\Users\VotreNom\Backup""#, r#"secondary "E:\Backup""#, r"tertiary '\\192.168.1.100\backup'"]
    {
        walk.types(&format!("cryptbackup config set destinations.{place}")).expect_code(0);
    }
    walk.types("cryptbackup backup").expect_code(0).expect_shown(&["2 new", "in 1 folder", "Protected on 3 of 3"]);

    walk.line("cryptbackup config set compression.level 5").expect_code(0);
    walk.line("cryptbackup config set retention.auto_clean true").expect_code(0);
    walk.line("cryptbackup config set watch.interval 600").expect_code(0);
    for (name, value) in [("compression.level", "5"), ("retention.auto_clean", "true"), ("watch.interval", "600")] {
        assert_eq!(walk.types(&format!("cryptbackup config get {name}")).expect_code(0).stdout.trim_end(), value);
    }
    // It cleans after every backup from now on.
    walk.types("cryptbackup config set retention.keep_days 0").expect_code(0);
    walk.types("cryptbackup config set retention.keep_versions 2").expect_code(0);
    for text in ["2 longer", "3 still longer"] {
        walk.writes("Documents/rapport.pdf", text);
        walk.types("cryptbackup backup").expect_code(0).expect_shown(&["Cleaned: 1 snapshot went"]);
    }
    assert_eq!(walk.versions("Documents/rapport.pdf"), ["2", "3"]);
}

fn keep_the_key(walk: &mut Walk) {
    walk.line("cp ~/.mybackup/config.yaml /mnt/secure/backup_key.yaml").expect_code(0);
    // The machine is lost; the copy and one of the places are left.
    walk.empties("home");
    let refused = walk.types("cryptbackup connect E:\\Backup");
    refused.expect_error(2, &["no key was given; use --config FILE"]);
    assert!(!walk.home.join("Documents").exists());
    walk.types("cryptbackup connect E:\\Backup --config /mnt/secure/backup_key.yaml").expect_code(0);
    walk.types("cryptbackup restore --directory ~/Documents").expect_code(0);
    assert_eq!(walk.world.names("home/Documents"), ["important.docx", "rapport.pdf"]);
}

/// The table of errors, in the language it is written in.
fn mend(walk: &mut Walk) {
    walk.moves();
    let told = |walk: &Walk, line: &str, code: i32, parts: &[&str]| {
        let ended = walk.types_in("fr", line).expect_code(code).expect_said(parts);
        assert!(README.contains(&format!("\"{}\"", parts[0])) && ended.stderr.starts_with("erreur : "), "{ended:?}");
    };
    told(walk, "cryptbackup backup", 10, &["CryptBackup n'est pas initialisé", "`cryptbackup init`"]);
    walk.line("cryptbackup init").expect_code(0);
    walk.writes("Documents/fichier.txt", "1");
    walk.types("cryptbackup add ~/Documents").expect_code(0);
    told(walk, "cryptbackup backup", 13, &["Destination manquante", "cryptbackup config set destinations.primary"]);
    walk.line(r#"cryptbackup config set destinations.primary "D:\Backups""#).expect_code(0);
    walk.types("cryptbackup backup").expect_code(0);
    let config = walk.home.join(".mybackup/config.yaml");
    let kept = std::fs::read_to_string(&config).expect("ours");
    let key = walk.key();
    // The same length, and another key.
    let other: String = key.chars().rev().filter(|c| c.is_ascii_alphanumeric()).take(40).collect();
    let other = format!("{:A<43}=", other);
    std::fs::write(&config, kept.replace(&key, &other)).expect("ours");
    for line in ["cryptbackup status", "cryptbackup backup", "cryptbackup restore --file ~/Documents/fichier.txt"] {
        told(walk, line, 12, &["Clé de chiffrement invalide", "config.yaml"]);
    }
    std::fs::write(&config, &kept).expect("the copy");
    walk.types("cryptbackup restore --file ~/Documents/fichier.txt").expect_code(0);
    walk.types("cryptbackup config set compression.level 1").expect_code(0);
    walk.world.rename("second disk", "pulled");
    let status = walk.types_in("fr", "cryptbackup status").expect_code(0);
    status.expect_shown(&["[primary]", "Destination non trouvée ("]);
    walk.world.rename("pulled", "second disk");
    let status = walk.line("cryptbackup status").expect_code(0).expect_shown(&["[primary]", "  Free: "]);
    assert!(!status.stdout.contains("not found"), "{}", status.stdout);
}

fn start_quickly(walk: &mut Walk) {
    walk.moves();
    walk.writes("Documents/fichier.txt", "1");
    walk.line("cryptbackup init").expect_code(0);
    walk.line(r#"cryptbackup add "/home/votreuser/Documents"       # Linux/macOS"#).expect_code(0);
    walk.line(r#"cryptbackup config set destinations.primary "C:\Users\VotreNom\Backup"   # Local"#).expect_code(0);
    let line = r#"cryptbackup config set destinations.secondary "E:\Backup"                 # USB / Externe"#;
    walk.line(line).expect_code(0);
    walk.line(r#"cryptbackup config set destinations.tertiary "\\192.168.1.100\backup"    # NAS"#).expect_code(0);
    walk.line("cryptbackup backup").expect_code(0).expect_shown(&["1 new", "Protected on 3 of 3"]);
    let status = walk.line("cryptbackup status").expect_code(0);
    assert_eq!(status.stdout.lines().filter(|line| line.contains("  Free: ")).count(), 3, "{}", status.stdout);
    std::fs::remove_file(walk.home.join("Documents/fichier.txt")).expect("lost");
    walk.line(r#"cryptbackup restore --file "C:\Users\VotreNom\Documents\fichier.txt""#).expect_code(0);
    assert_eq!(walk.reads("Documents/fichier.txt"), "1");
}

#[test]
fn init_moves_aside_what_was_set_up_before() {
    let world = World::new();
    world.run("init").expect_code(0);
    world.run("init").expect_error(2, &["holds a configuration already", "--force"]);
    let before = world.read("state/config.yaml");
    let forced = world.run("init --force").expect_code(0).expect_shown(&["is kept in"]);
    let aside = forced.stdout.lines().find_map(|line| line.trim().strip_prefix("What was set up before is kept in "));
    let aside = Path::new(aside.expect("a folder")).join("config.yaml");
    assert_eq!(std::fs::read_to_string(aside).expect("kept"), before);
    assert_ne!(world.read("state/config.yaml"), before);
}
