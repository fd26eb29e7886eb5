//! One simulated disk: files and folders, each with what is durable, what is seen now, and the steps between.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::content::Content;

/// Number of a file or folder on its disk.
pub type Inode = usize;
/// The root of every disk.
pub const ROOT: Inode = 0;

/// Something that was done to a file and is not durable yet.
#[derive(Clone, Debug)]
pub enum Change {
    Write { offset: u64, bytes: Arc<[u8]> },
    Length(u64),
}

/// A file. `pending` leads from `durable` to `current`.
#[derive(Clone, Default, Debug)]
pub struct File {
    pub durable: Content,
    pub current: Content,
    pub pending: Vec<(u64, Change)>,
    /// A sync failed: what was written until then never becomes durable, whatever later syncs say.
    pub is_lost: bool,
}

/// A folder. `pending` leads from `durable` to `current`, but for the steps that a failed sync lost; a step gives a name
/// something, or nothing.
#[derive(Clone, Default, Debug)]
pub struct Folder {
    pub durable: BTreeMap<String, Inode>,
    pub current: BTreeMap<String, Inode>,
    pub pending: Vec<(u64, String, Option<Inode>)>,
}

#[derive(Clone, Debug)]
pub enum Node {
    File(Arc<File>),
    Folder(Arc<Folder>),
}

/// A disk.
#[derive(Clone, Debug)]
pub struct Volume {
    pub nodes: Vec<Node>,
    /// A disk that says that it synced, and did not.
    pub is_lying: bool,
    /// Whether it is plugged in.
    pub is_there: bool,
}

impl Default for Volume {
    fn default() -> Self {
        Self { nodes: vec![Node::Folder(Arc::default())], is_lying: false, is_there: true }
    }
}

fn not_found() -> io::Error {
    io::Error::from_raw_os_error(2)
}

impl Volume {
    pub fn folder(&self, inode: Inode) -> io::Result<&Folder> {
        match &self.nodes[inode] {
            Node::Folder(folder) => Ok(folder),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn folder_mut(&mut self, inode: Inode) -> io::Result<&mut Folder> {
        match &mut self.nodes[inode] {
            Node::Folder(folder) => Ok(Arc::make_mut(folder)),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// A file; what is none is no error of the disk but of the caller.
    pub fn file(&self, inode: Inode) -> io::Result<&File> {
        match &self.nodes[inode] {
            Node::File(file) => Ok(file),
            Node::Folder(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a regular file")),
        }
    }

    fn file_mut(&mut self, inode: Inode) -> io::Result<&mut File> {
        match &mut self.nodes[inode] {
            Node::File(file) => Ok(Arc::make_mut(file)),
            Node::Folder(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    /// What is at a path below a folder; the empty path is the folder.
    pub fn find(&self, root: Inode, path: &str) -> io::Result<Inode> {
        let mut at = root;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            at = *self.folder(at)?.current.get(name).ok_or_else(not_found)?;
        }
        Ok(at)
    }

    /// The folder of a path, and the last name.
    pub fn parent<'p>(&self, root: Inode, path: &'p str) -> io::Result<(Inode, &'p str)> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = self.find(root, folder)?;
        self.folder(folder)?;
        Ok((folder, name))
    }

    fn enter(&mut self, now: u64, folder: Inode, name: &str, inode: Option<Inode>) -> io::Result<()> {
        let folder = self.folder_mut(folder)?;
        match inode {
            Some(inode) => folder.current.insert(name.to_owned(), inode),
            None => folder.current.remove(name),
        };
        folder.pending.push((now, name.to_owned(), inode));
        Ok(())
    }

    fn make(&mut self, now: u64, root: Inode, path: &str, node: Node) -> io::Result<Inode> {
        let (folder, name) = self.parent(root, path)?;
        if self.folder(folder)?.current.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.nodes.push(node);
        let inode = self.nodes.len() - 1;
        self.enter(now, folder, name, Some(inode))?;
        Ok(inode)
    }

    pub fn make_file(&mut self, now: u64, root: Inode, path: &str) -> io::Result<Inode> {
        self.make(now, root, path, Node::File(Arc::default()))
    }

    pub fn make_folder(&mut self, now: u64, root: Inode, path: &str) -> io::Result<Inode> {
        self.make(now, root, path, Node::Folder(Arc::default()))
    }

    pub fn change(&mut self, now: u64, inode: Inode, change: Change) -> io::Result<()> {
        let file = self.file_mut(inode)?;
        match &change {
            Change::Write { offset, bytes } => file.current.write(*offset, bytes),
            Change::Length(len) => file.current.set_len(*len),
        }
        file.pending.push((now, change));
        Ok(())
    }

    pub fn sync_file(&mut self, inode: Inode) -> io::Result<()> {
        if self.is_lying {
            return Ok(());
        }
        let file = self.file_mut(inode)?;
        if !file.is_lost {
            file.durable = file.current.clone();
        }
        file.pending.clear();
        Ok(())
    }

    pub fn sync_folder(&mut self, inode: Inode) -> io::Result<()> {
        self.folder(inode)?;
        if self.is_lying {
            return Ok(());
        }
        let folder = self.folder_mut(inode)?;
        // Not what is seen now: a name that a failed sync lost is durable when it is given again, and not before.
        for (_, name, inode) in std::mem::take(&mut folder.pending) {
            match inode {
                Some(inode) => drop(folder.durable.insert(name, inode)),
                None => drop(folder.durable.remove(&name)),
            }
        }
        Ok(())
    }

    pub fn sync_everything(&mut self) -> io::Result<()> {
        (0..self.nodes.len()).try_for_each(|inode| match self.nodes[inode] {
            Node::File(_) => self.sync_file(inode),
            Node::Folder(_) => self.sync_folder(inode),
        })
    }

    /// What a sync that fails leaves: the bytes or the names are gone, and nobody will say so again.
    pub fn lose(&mut self, inode: Inode) {
        match &mut self.nodes[inode] {
            Node::File(file) => {
                let file = Arc::make_mut(file);
                file.is_lost = true;
                file.pending.clear();
            }
            Node::Folder(folder) => Arc::make_mut(folder).pending.clear(),
        }
    }

    /// Gives the file at `from` the name `to`, over whatever file has it.
    pub fn rename(&mut self, now: u64, root: Inode, from: &str, to: &str) -> io::Result<()> {
        let (source, old) = self.parent(root, from)?;
        let (target, new) = self.parent(root, to)?;
        let inode = *self.folder(source)?.current.get(old).ok_or_else(not_found)?;
        self.enter(now, target, new, Some(inode))?;
        self.enter(now, source, old, None)
    }

    pub fn link(&mut self, now: u64, root: Inode, from: &str, to: &str) -> io::Result<()> {
        let inode = self.find(root, from)?;
        let (target, new) = self.parent(root, to)?;
        if self.folder(target)?.current.contains_key(new) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.enter(now, target, new, Some(inode))
    }

    pub fn remove(&mut self, now: u64, root: Inode, path: &str) -> io::Result<()> {
        let (folder, name) = self.parent(root, path)?;
        let inode = *self.folder(folder)?.current.get(name).ok_or_else(not_found)?;
        self.file(inode).map_err(|_| io::Error::from(io::ErrorKind::IsADirectory))?;
        self.enter(now, folder, name, None)
    }

    pub fn remove_folder(&mut self, now: u64, root: Inode, path: &str) -> io::Result<()> {
        let (folder, name) = self.parent(root, path)?;
        let inode = *self.folder(folder)?.current.get(name).ok_or_else(not_found)?;
        if !self.folder(inode)?.current.is_empty() {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        self.enter(now, folder, name, None)
    }
}
