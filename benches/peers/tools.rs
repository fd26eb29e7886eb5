//! How each program is asked to do the same work. `{source}`, `{folder}` and `{target}` stand for the places.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program and its commands.
pub struct Tool {
    pub name: String,
    /// Run before anything is measured.
    pub prepare: Vec<Vec<String>>,
    pub backup: Vec<String>,
    /// The next backup; none where the tool only makes whole ones.
    pub again: Option<Vec<String>>,
    pub restore: Option<Vec<String>>,
    pub check: Option<Vec<String>>,
    /// Forgets all but the newest and gives the space back.
    pub clean: Option<Vec<String>>,
    /// Prepares three destinations at once, where a program can write to several.
    pub three_destinations: Option<Vec<Vec<String>>>,
    /// Where below the target a restored source lies.
    is_below_target: bool,
    variables: Vec<(&'static str, &'static str)>,
}

/// Where a tool works in one round.
pub struct Place {
    pub folder: PathBuf,
    pub source: PathBuf,
}

const OWN: &str = "cryptbackup";
const BUPSTASH: &str = "-r {folder}/repo/bupstash -k {folder}/key";
/// Prints the ids of all backups, the oldest first.
const BUPSTASH_IDS: &str =
    "bupstash list -q -r {folder}/repo/bupstash -k {folder}/key | sed 's/^id=\"\\([^\"]*\\)\".*/\\1/'";

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

fn shell(line: &str) -> Vec<String> {
    ["sh", "-c", line].map(str::to_owned).to_vec()
}

impl Tool {
    fn new(name: &str, prepare: &[&str], backup: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            prepare: prepare.iter().map(|line| words(line)).collect(),
            again: Some(backup.clone()),
            backup,
            restore: None,
            check: None,
            clean: None,
            three_destinations: None,
            is_below_target: false,
            variables: Vec::new(),
        }
    }

    fn restores(mut self, command: Vec<String>, is_below_target: bool) -> Self {
        self.restore = Some(command);
        self.is_below_target = is_below_target;
        self
    }

    fn checks(mut self, line: &str) -> Self {
        self.check = Some(words(line));
        self
    }

    fn cleans(mut self, line: &str) -> Self {
        self.clean = Some(shell(line));
        self
    }

    fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    /// Whether it is this program.
    pub fn is_own(&self) -> bool {
        self.name == OWN
    }
}

/// Commands before the first backup of this program.
fn prepare_own(own: &str, destinations: usize) -> Vec<Vec<String>> {
    let set = |number| format!("{own} config set destinations.d{number} {{folder}}/repo/{number}");
    let first = std::iter::once(format!("{own} init -q"));
    let lines = first.chain((0..destinations).map(set)).chain([format!("{own} add {{source}} -q")]);
    lines.map(|line| words(&line)).collect()
}

/// This program, and the others that are there.
pub fn installed() -> Vec<Tool> {
    let own = env!("CARGO_BIN_EXE_cryptbackup");
    let mut this = Tool::new(OWN, &[], words(&format!("{own} backup -q")))
        .restores(words(&format!("{own} restore --directory {{source}} --destination {{target}} -q")), false)
        .checks(&format!("{own} check --read-data -q"))
        .cleans(&format!("{own} clean --keep-last 1 -q"));
    this.prepare = prepare_own(own, 1);
    this.three_destinations = Some(prepare_own(own, 3));
    let mut tools = vec![this];
    let others = [
        Tool::new("restic", &["restic init -q -r {folder}/repo"], words("restic -q -r {folder}/repo backup {source}"))
            .restores(words("restic -q -r {folder}/repo restore latest --target {target}"), true)
            .checks("restic -q -r {folder}/repo check --read-data")
            .cleans("restic -q -r {folder}/repo forget --keep-last 1 --prune")
            .with("RESTIC_PASSWORD", "x"),
        Tool::new(
            "borg",
            &["borg init -e repokey-blake2 {folder}/repo/borg"],
            words("borg create -C zstd,3 {folder}/repo/borg::{now:%s.%f} {source}"),
        )
        .restores(
            shell("cd {target} && borg extract {folder}/repo/borg::$(borg list --last 1 --short {folder}/repo/borg)"),
            true,
        )
        .checks("borg check --verify-data {folder}/repo/borg")
        .cleans("borg prune --keep-last 1 {folder}/repo/borg && borg compact {folder}/repo/borg")
        .with("BORG_PASSPHRASE", "x"),
        Tool::new("rustic", &["rustic -r {folder}/repo init"], words("rustic -r {folder}/repo backup {source}"))
            .restores(words("rustic -r {folder}/repo restore latest {target}"), true)
            .checks("rustic -r {folder}/repo check --read-data")
            .cleans("rustic -r {folder}/repo forget --keep-last 1 && rustic -r {folder}/repo prune --instant-delete --keep-delete 0s --keep-pack 0s")
            .with("RUSTIC_PASSWORD", "x"),
        Tool::new(
            "bupstash",
            &["bupstash new-key -o {folder}/key", "bupstash init -r {folder}/repo/bupstash"],
            words("bupstash put -q -r {folder}/repo/bupstash -k {folder}/key name=bench {source}"),
        )
        .restores(shell(&format!("bupstash restore -q {BUPSTASH} --into {{target}} id=$({BUPSTASH_IDS} | tail -n 1)")), false)
        .cleans(&format!(
            "for id in $({BUPSTASH_IDS} | head -n -1); do bupstash rm -q {BUPSTASH} id=$id; done; \
             bupstash gc -q -r {{folder}}/repo/bupstash"
        )),
    ];
    tools.extend(others.into_iter().filter(|tool| is_there(&tool.name)));
    if is_there("zstd") {
        let line = "tar cf - {source} 2>{folder}/said | zstd -3 -T2 -q -o {folder}/repo/all.tar.zst";
        let mut archive = Tool::new("tar+zstd", &[], shell(line));
        archive.again = None;
        tools.push(archive);
    }
    tools
}

/// The machine and the programs, in words.
pub fn machine(tools: &[&Tool]) -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let system = sysinfo::System::long_os_version().unwrap_or_default();
    let kernel = sysinfo::System::kernel_version().unwrap_or_default();
    let versions = tools.iter().filter_map(|tool| version(&tool.name)).collect::<Vec<_>>().join("; ");
    format!("{cores} cores ({model}), {system}, Linux {kernel}. {versions}")
}

fn version(name: &str) -> Option<String> {
    let output = Command::new(name).arg(if name == "restic" { "version" } else { "--version" }).output().ok()?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
}

fn is_there(name: &str) -> bool {
    let mut command = Command::new(name);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}

impl Place {
    pub fn new(folder: PathBuf, source: &Path) -> Self {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("repo")).expect("a folder");
        Self { folder, source: source.to_owned() }
    }

    pub fn target(&self) -> PathBuf {
        self.folder.join("target")
    }

    /// A command with the places put in.
    pub fn command(&self, tool: &Tool, words: &[String]) -> Command {
        let fill = |word: &String| {
            word.replace("{source}", &self.source.display().to_string())
                .replace("{folder}", &self.folder.display().to_string())
                .replace("{target}", &self.target().display().to_string())
        };
        let mut command = Command::new(fill(&words[0]));
        command.args(words.iter().skip(1).map(fill));
        command.env("HOME", &self.folder).env("CRYPTBACKUP_HOME", self.folder.join("home"));
        command.envs(tool.variables.iter().copied());
        command
    }

    /// Bytes of the repository, without the ballast that this program keeps for a full disk.
    pub fn stored_bytes(&self) -> u64 {
        let files = walkdir::WalkDir::new(self.folder.join("repo")).into_iter().filter_map(Result::ok);
        let files = files.filter(|entry| entry.file_type().is_file() && entry.file_name() != "reserve");
        files.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
    }

    /// What was restored is what was backed up.
    pub fn assert_restored(&self, tool: &Tool) {
        let target = match self.source.strip_prefix("/") {
            Ok(below) if tool.is_below_target => self.target().join(below),
            _ => self.target(),
        };
        let same = Command::new("diff").arg("-r").arg("--no-dereference").arg(&self.source).arg(target).status();
        assert!(same.expect("diff runs").success(), "{} did not restore what it backed up", tool.name);
    }
}
