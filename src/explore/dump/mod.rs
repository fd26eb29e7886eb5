//! `dump`: a stored file as bytes, or a folder as one archive, to wherever bytes can be written.
//!
//! Nothing is written that was not authenticated. An archive tells the size of a file before its bytes: one that fits into
//! memory is read whole first, and left out with a problem where it is damaged; in a longer one damage ends the archive with
//! an error, since nothing but its bytes may stand there.

mod reader;
mod tar;
mod zip;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use self::reader::FileReader;
use crate::error::Error;
use crate::format::tree::{Flags, Node, NodeKind};
use crate::paths;
use crate::replicate::Fetcher;
use crate::repo::{Repo, numbered};
use crate::report::{Monitor, Problem, ProblemKind, Stage};
use crate::snapshot::{ReadError, TreeWalk};

/// A file of so many bytes is read whole before anything of it is written to an archive.
const WHOLE_MAX: u64 = 8 << 20;

/// What is dumped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DumpWhat {
    /// An absolute path in a snapshot (an id or its first digits, `latest`, `latest~N`), or all its sources.
    Snapshot(String, Option<PathBuf>),
    /// A version of a file, by its absolute path and its number.
    Version(PathBuf, u32),
}

/// How a folder becomes one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DumpFormat {
    /// POSIX `pax` archive: everything a snapshot knows but sockets and inode numbers.
    Tar,
    /// ZIP with Deflate: files, folders and links with their times and modes.
    Zip,
}

/// What to dump, and how.
#[derive(Debug, Clone)]
pub struct DumpRequest {
    /// What.
    pub what: DumpWhat,
    /// As what. A single file without one is its bytes; a folder is a tar archive.
    pub format: Option<DumpFormat>,
}

/// What was dumped.
#[derive(Debug, Clone, Default)]
pub struct DumpReport {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is not in it and should be.
    pub problems: Vec<Problem>,
    /// What is to be known: damage on one destination, read from another.
    pub notes: Vec<String>,
}

/// Writes what is asked for to `out`.
///
/// ```
/// use cryptbackup::explore::{self, DumpRequest, DumpWhat};
/// use cryptbackup::repo::{Access, Home, Repo};
/// use cryptbackup::report::Silent;
///
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = set_up()?;
/// let home = Home::at(folder.path().join("state"));
/// let repo = Repo::open(&home, Access::Read, None, &Silent)?;
/// let what = DumpWhat::Version(folder.path().join("documents/report.txt"), 1);
/// assert!(!explore::is_archive(&repo, &what)?, "it is a single file");
/// let mut bytes = Vec::new();
/// let report = explore::dump(&repo, &DumpRequest { what, format: None }, &mut bytes, &Silent)?;
/// assert_eq!((bytes.as_slice(), report.files), (b"first words".as_slice(), 1));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::NotFound`], [`Error::Read`] where a file cannot be read, [`Error::Io`] where `out` takes no more,
/// [`Error::Interrupted`].
pub fn dump(
    repo: &Repo,
    request: &DumpRequest,
    out: &mut dyn Write,
    monitor: &dyn Monitor,
) -> Result<DumpReport, Error> {
    if repo.destinations().is_empty() {
        return Err(repo.no_destination());
    }
    let view = repo.index.reader()?;
    let fetcher = repo.fetcher(&view);
    let roots = roots(repo, &view, &fetcher, &request.what)?;
    monitor.begin(Stage::Restoring, None, None);
    let mut run = Run { fetcher: &fetcher, monitor, linked: HashMap::new(), report: DumpReport::default() };
    match (roots.as_slice(), request.format) {
        ([(_, node)], None) if is_one_file(&roots) => run.bytes(node, out)?,
        (_, Some(DumpFormat::Zip)) => run.archive(&roots, &mut zip::Zip::new(out))?,
        _ => run.archive(&roots, &mut tar::Tar::new(out))?,
    }
    out.flush().map_err(not_written)?;
    run.report.notes = fetcher.take_notes();
    Ok(run.report)
}

/// Whether what is asked for becomes an archive without being told to: everything but a single file.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Read`].
pub fn is_archive(repo: &Repo, what: &DumpWhat) -> Result<bool, Error> {
    let view = repo.index.reader()?;
    let roots = roots(repo, &view, &repo.fetcher(&view), what)?;
    Ok(!is_one_file(&roots))
}

fn is_one_file(roots: &[(Vec<u8>, Node)]) -> bool {
    matches!(roots, [(_, Node { kind: NodeKind::File(_), .. })])
}

/// What is dumped, each with the path it gets in an archive: none for a folder whose contents come at the top.
fn roots(
    repo: &Repo,
    view: &crate::index::IndexReader,
    fetcher: &Fetcher<'_>,
    what: &DumpWhat,
) -> Result<Vec<(Vec<u8>, Node)>, Error> {
    let (path, node) = match what {
        DumpWhat::Snapshot(name, None) => {
            let known = repo.resolve(view, name)?;
            let at =
                |path: &[u8]| path.iter().position(|&byte| byte != b'/').map_or(&b""[..], |at| &path[at..]).to_vec();
            return Ok(known.snapshot.roots.iter().map(|root| (at(&root.path), root.node.clone())).collect());
        }
        DumpWhat::Snapshot(name, Some(path)) => {
            let known = repo.resolve(view, name)?;
            let node = repo.node_at(fetcher, &known.snapshot, paths::to_bytes(path))?;
            (path, node.ok_or_else(|| Error::NotFound { what: format!("{} in this snapshot", path.display()) })?)
        }
        DumpWhat::Version(path, number) => {
            let versions = repo.versions_with_nodes(view, fetcher, path)?;
            (path, numbered(path, &versions, *number)?.1.clone())
        }
    };
    if node.flags.contains(Flags::UNREAD) && node.folder().is_none() {
        return Err(Error::NotFound {
            what: format!("{}: it could not be read when it was backed up", path.display()),
        });
    }
    let name = match node.folder() {
        Some(_) => Vec::new(),
        None => path.file_name().map(|name| name.as_encoded_bytes().to_vec()).unwrap_or_default(),
    };
    Ok(vec![(name, node)])
}

/// An archive that is being written.
trait DumpWriter {
    /// Adds what has no bytes of its own: a folder, a link, a pipe, a device. False for what it has no place for.
    fn add(&mut self, path: &[u8], node: &Node) -> io::Result<bool>;
    /// Adds another name of a file that is there. False where it has no such names: then the file is added again.
    fn link(&mut self, path: &[u8], node: &Node, first: &[u8]) -> io::Result<bool>;
    /// Adds a file with its bytes, as many as its node says.
    fn file(&mut self, path: &[u8], node: &Node, bytes: &mut dyn Read) -> io::Result<()>;
    /// Ends it.
    fn finish(&mut self) -> io::Result<()>;
}

struct Run<'a> {
    fetcher: &'a Fetcher<'a>,
    monitor: &'a dyn Monitor,
    /// The first path of every inode with several names.
    linked: HashMap<(u32, u64), Vec<u8>>,
    report: DumpReport,
}

impl Run<'_> {
    /// The bytes of one file. What was written before damage is met is right.
    fn bytes(&mut self, node: &Node, out: &mut dyn Write) -> Result<(), Error> {
        let mut reader = FileReader::new(self.fetcher, self.monitor, node);
        while let Some(bytes) = reader.next_bytes()? {
            out.write_all(bytes).map_err(not_written)?;
        }
        self.report.files = 1;
        self.report.bytes = node.size();
        Ok(())
    }

    fn archive(&mut self, roots: &[(Vec<u8>, Node)], archive: &mut dyn DumpWriter) -> Result<(), Error> {
        for (base, root) in roots {
            if !base.is_empty() {
                self.entry(archive, base, root)?;
            }
            let Some(recipe) = root.folder() else { continue };
            for (below, node) in TreeWalk::new(self.fetcher, recipe) {
                if self.monitor.should_stop() {
                    return Err(Error::Interrupted);
                }
                let path = crate::snapshot::versions::join(base, &below);
                match node {
                    Ok(node) => self.entry(archive, &path, &node)?,
                    Err(error) => self.left_out(&path, &error),
                }
            }
        }
        archive.finish().map_err(not_written)
    }

    fn entry(&mut self, archive: &mut dyn DumpWriter, path: &[u8], node: &Node) -> Result<(), Error> {
        self.monitor.current(&String::from_utf8_lossy(path));
        if node.flags.contains(Flags::UNREAD) {
            let detail = match node.folder() {
                Some(_) => "what was in it was never backed up, because it could not be read",
                None => "it was never backed up, because it could not be read",
            };
            self.problem(path, ProblemKind::NeverBackedUp, detail.to_owned());
            if node.folder().is_none() {
                return Ok(());
            }
        }
        if let Some(inode) = node.metadata.shared_inode()
            && node.folder().is_none()
        {
            match self.linked.get(&inode) {
                Some(first) if archive.link(path, node, first).map_err(not_written)? => return Ok(()),
                Some(_) => {}
                None => {
                    self.linked.insert(inode, path.to_vec());
                }
            }
        }
        let NodeKind::File(recipe) = &node.kind else {
            if !archive.add(path, node).map_err(not_written)? {
                let detail = "such an archive has no place for it".to_owned();
                self.problem(path, ProblemKind::NotRestored, detail);
            }
            return Ok(());
        };
        let mut reader = FileReader::new(self.fetcher, self.monitor, node);
        if recipe.size <= WHOLE_MAX {
            match reader.whole() {
                Ok(bytes) => archive.file(path, node, &mut bytes.as_slice()).map_err(not_written)?,
                Err(Error::Read(error)) => {
                    self.left_out(path, &error);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        } else if let Err(error) = archive.file(path, node, &mut reader) {
            return Err(reader.take_error().unwrap_or_else(|| not_written(error)));
        }
        self.report.files += 1;
        self.report.bytes += recipe.size;
        Ok(())
    }

    fn left_out(&mut self, path: &[u8], error: &ReadError) {
        self.problem(path, ProblemKind::Damaged, format!("it is not in the archive: {error}"));
    }

    fn problem(&mut self, path: &[u8], kind: ProblemKind, detail: String) {
        let problem = Problem { path: paths::from_bytes(path), kind, detail };
        self.monitor.problem(&problem);
        self.report.problems.push(problem);
    }
}

fn not_written(source: io::Error) -> Error {
    Error::Io { what: "write".to_owned(), path: "what was dumped".into(), source }
}
