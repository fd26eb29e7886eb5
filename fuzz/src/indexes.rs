//! An index that its disk, or somebody, has changed: it is never the end of anything. Opening to write works, everything
//! that is asked then has an answer or an error, and after a rebuild all is as it was.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, Once, PoisonError};

use cryptbackup::explore;
use cryptbackup::format::record::Time;
use cryptbackup::repo::{self, Access, Repo};
use cryptbackup::report::Silent;
use cryptbackup::restore::{self, RestoreRequest, What};

use crate::pieces::Pieces;
use crate::world::World;

const FILES: [(&str, &[u8]); 2] = [("a", b"the content of a"), ("b", &[7; 70_000])];
/// How finely the places of the file are chosen where something is: pages are mostly empty.
const LINE: usize = 16;

thread_local! {
    static MACHINE: RefCell<Option<Machine>> = const { RefCell::new(None) };
}

struct Machine {
    world: World,
    /// The index as it was, and where in it something is.
    whole: Vec<u8>,
    lines: Vec<usize>,
}

impl Machine {
    fn new() -> Self {
        let world = World::new(&FILES);
        let whole = fs::read(world.home.index_path()).expect("the index");
        let used = |start: &usize| whole[*start..].iter().take(LINE).any(|byte| *byte != 0);
        let lines = (0..whole.len()).step_by(LINE).filter(used).collect();
        Self { world, whole, lines }
    }

    /// The index the input asks for, if one that can be told from none.
    fn changed(&self, pieces: &mut Pieces) -> Vec<u8> {
        let mut bytes = self.whole.clone();
        for _ in 0..1 + pieces.byte() % 8 {
            let line = self.lines[pieces.long() as usize % self.lines.len()];
            let at = line + usize::from(pieces.byte()) % LINE;
            let length = pieces.byte();
            for (place, byte) in bytes[at..].iter_mut().zip(pieces.take(length.into())) {
                *place = *byte;
            }
        }
        bytes
    }

    fn put(&self, index: &[u8]) {
        let folder = self.world.home.path();
        for entry in fs::read_dir(folder).expect("listed") {
            let path = entry.expect("listed").path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("backups.db.")) {
                fs::remove_file(path).expect("removed");
            }
        }
        fs::write(self.world.home.index_path(), index).expect("written");
    }

    fn open(&self, access: Access) -> Result<Repo, cryptbackup::error::Error> {
        Repo::open(&self.world.home, access, None, &Silent)
    }

    fn target(&self) -> PathBuf {
        self.world.path("target")
    }

    /// Asks whatever a person might; says whether everything had an answer.
    fn ask(&self, repo: &Repo) -> bool {
        let source = self.world.path("source");
        let mut well = repo.status().is_ok() && repo.versions(&source.join("a")).is_ok();
        well &= explore::files(repo, None, &mut |_| {}).is_ok();
        match repo.snapshots() {
            Ok(snapshots) => {
                for snapshot in snapshots {
                    let _ = snapshot.time > Time::default();
                    well &= repo.list_folder(&snapshot.id, None, true, &mut |_| {}).is_ok();
                }
            }
            Err(_) => well = false,
        }
        well && self.restore(repo)
    }

    /// Restores everything; what is said to be restored is what was backed up.
    fn restore(&self, repo: &Repo) -> bool {
        let target = self.target();
        let _ = fs::remove_dir_all(&target);
        let what = What::Directory(self.world.path("source"));
        let request = RestoreRequest { destination: Some(target.clone()), ..RestoreRequest::new(what) };
        let report = restore::plan(repo, request, &Silent).and_then(|plan| restore::execute(repo, plan, &Silent));
        let Ok(report) = report else { return false };
        for (name, content) in FILES {
            match fs::read(target.join(name)) {
                Ok(found) => assert!(found == content, "{name} was restored with another content"),
                Err(_) => assert!(!report.problems.is_empty(), "{name} was not restored, and nobody said so"),
            }
        }
        report.problems.is_empty()
    }
}

/// One input.
pub fn index(data: &[u8]) {
    let _said = Said;
    quieten();
    MACHINE.with_borrow_mut(|machine| {
        let machine = machine.get_or_insert_with(Machine::new);
        let mut pieces = Pieces::new(data);
        let flags = pieces.byte();
        let mut index = if flags & 1 == 0 { machine.changed(&mut pieces) } else { Vec::new() };
        if flags & 2 != 0 {
            index.truncate(pieces.long() as usize % machine.whole.len());
        }
        if flags & 1 != 0 {
            index = pieces.rest().to_vec();
        }
        machine.put(&index);
        let access = if flags & 4 == 0 { Access::Write } else { Access::Read };
        let repo = machine.open(access).expect("a damaged index is rebuilt");
        let well = machine.ask(&repo);
        drop(repo);
        if !well {
            repo::rebuild_index(&machine.world.home, None, &Silent).expect("rebuilt");
            let repo = machine.open(Access::Read).expect("a new index");
            assert!(machine.ask(&repo), "after a rebuild there is something that cannot be read");
        }
    });
}

static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// The database may panic on bytes that are not its own, and the index makes an error of that. libFuzzer would end the
/// process at once, and every line would be printed.
fn quieten() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string();
        }));
    });
}

/// Prints the panic that nobody caught.
struct Said;

impl Drop for Said {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}
