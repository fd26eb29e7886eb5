//! §4 to §7: from a secret to the keys, and sealed records.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aes_gcm_siv::aead::inout::InOutBuf;
use aes_gcm_siv::{AeadInOut, Aes256GcmSiv, KeyInit, Nonce, Tag};

use super::Secret;
use super::bytes::{Bytes, checked};

pub const PACK: u8 = 1;
pub const SNAPSHOT: u8 = 2;
pub const MARK: u8 = 6;
const RING: u8 = 4;
const RECORD_PART: u8 = 5;
const REMOVED_TAG: u32 = 6;
const RECORD_MAX: usize = 16 << 20;

/// The keys of a repository.
pub struct Keys {
    repo: [u8; 16],
    pub data_id_key: [u8; 32],
    pub tree_id_key: [u8; 32],
    epochs: BTreeMap<u32, Vec<[u8; 32]>>,
}

struct Ring {
    number: u32,
    name: String,
    data_id_key: [u8; 32],
    tree_id_key: [u8; 32],
    epochs: Vec<(u32, [u8; 32])>,
    removed: Vec<String>,
}

impl Keys {
    /// Reads header, slots and rings.
    pub fn open(destination: &Path, secret: &Secret) -> Result<Self, String> {
        let repo = header(&destination.join("cryptbackup.repo"))?;
        let (mut opened, mut rings, mut removed) = (Vec::new(), Vec::new(), BTreeSet::new());
        let objects = objects(&destination.join("keys"))?;
        let slots: Vec<_> = objects.iter().filter(|(name, _)| name.len() == 64).collect();
        for (name, stored) in &slots {
            opened.extend(slot(stored, repo, secret).ok().flatten().map(|root| (name.clone(), root)));
        }
        let (_, root) = *opened.first().ok_or("no slot opens with this secret")?;
        for (name, stored) in &objects {
            let Some((number, hash)) = name.strip_prefix("ring-").and_then(|rest| rest.split_once('-')) else {
                continue;
            };
            let seal = |epoch: u32, salt, commitment| {
                let seal = Seal::new(RING, 0, &root, repo, salt);
                let is_its = epoch == 0 && seal.commitment == commitment;
                if is_its { Ok(seal) } else { Err("sealed under another key".to_owned()) }
            };
            let Ok(mut ring) = open_record(RING, seal, stored).and_then(|record| read_ring(&record)) else { continue };
            if ring.number.to_string() == number {
                ring.name = hash.to_owned();
                removed.extend(std::mem::take(&mut ring.removed));
                rings.push(ring);
            }
        }
        let is_left = |name: &str| !removed.contains(name);
        if slots.iter().any(|(name, _)| is_left(name)) && !opened.iter().any(|(name, _)| is_left(name)) {
            return Err("the slot was removed".into());
        }
        rings.sort_by(|left, right| (left.number, &left.name).cmp(&(right.number, &right.name)));
        let winner = rings.last().ok_or("no key ring opens")?;
        let (data_id_key, tree_id_key) = (winner.data_id_key, winner.tree_id_key);
        let mut epochs = BTreeMap::<u32, Vec<[u8; 32]>>::new();
        for (epoch, key) in rings.into_iter().flat_map(|ring| ring.epochs) {
            epochs.entry(epoch).or_default().push(key);
        }
        Ok(Self { repo, data_id_key, tree_id_key, epochs })
    }

    /// The seal of an object: under whichever key of the epoch has its commitment.
    pub fn seal(&self, object: u8, epoch: u32, salt: [u8; 32], commitment: [u8; 32]) -> Result<Seal, String> {
        let keys = self.epochs.get(&epoch).ok_or("an epoch that no ring has")?;
        let mut seals = keys.iter().map(|key| Seal::new(object, epoch, key, self.repo, salt));
        seals.find(|seal| seal.commitment == commitment).ok_or("sealed under another key".into())
    }

    /// The record in a sealed record.
    pub fn open_record(&self, object: u8, stored: &[u8]) -> Result<Vec<u8>, String> {
        open_record(object, |epoch, salt, commitment| self.seal(object, epoch, salt, commitment), stored)
    }
}

/// The objects in a folder whose names end with the hash of their bytes. Everything else is not ours.
pub fn objects(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(found) };
    for entry in entries {
        let entry = entry.map_err(|error| error.to_string())?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !is_file || name.len() < 64 {
            continue;
        }
        let stored = std::fs::read(entry.path()).map_err(|error| format!("{name}: {error}"))?;
        if name.ends_with(blake3::hash(&stored).to_hex().as_str()) {
            found.push((name, stored));
        }
    }
    found.sort();
    Ok(found)
}

fn header(path: &Path) -> Result<[u8; 16], String> {
    let stored = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut bytes = checked(&stored)?;
    bytes.magic(b"CBK1REPO")?;
    if bytes.fixed(2)? != 1 {
        return Err("a newer program is needed".into());
    }
    bytes.zeros(6)?;
    let repo = bytes.array()?;
    if bytes.fixed(8)? != 0 {
        return Err("a newer program is needed".into());
    }
    bytes.take(16)?;
    bytes.zeros(4)?;
    bytes.end()?;
    Ok(repo)
}

/// The root key, where the secret is of the slot's kind and the right one.
fn slot(stored: &[u8], repo: [u8; 16], secret: &Secret) -> Result<Option<[u8; 32]>, String> {
    let mut bytes = checked(stored)?;
    bytes.magic(b"CBK1SLOT")?;
    if bytes.fixed(2)? != 1 {
        return Err("a newer program is needed".into());
    }
    let kind = bytes.byte()?;
    bytes.zeros(1)?;
    let cost = [bytes.fixed(4)? as u32, bytes.fixed(4)? as u32, bytes.fixed(4)? as u32];
    if bytes.array()? != repo {
        return Err("a slot of another repository".into());
    }
    let salt: [u8; 32] = bytes.array()?;
    let commitment: [u8; 32] = bytes.array()?;
    let wrapped = bytes.take(48)?;
    bytes.end()?;
    let secret = match (kind, secret) {
        (1, Secret::Inline(text)) => {
            data_encoding::BASE64.decode(text.as_bytes()).map_err(|_| "the key is not base64")?
        }
        (2, Secret::Passphrase(text)) => stretch(text, &salt, cost)?,
        (3, Secret::Words(words)) => {
            bip39::Mnemonic::parse(words.as_str()).map_err(|error| error.to_string())?.to_entropy()
        }
        (4, Secret::KeyFile(bytes)) => blake3::hash(bytes).as_bytes().to_vec(),
        _ => return Ok(None),
    };
    if secret.len() != 32 || (kind != 2 && cost != [0; 3]) {
        return Err("not 32 bytes, or a cost that is not allowed".into());
    }
    let (key, expected) = derive("CBK1 2026-11-23 slot key and commitment", &[&secret, &repo, &salt]);
    if commitment != expected {
        return Ok(None);
    }
    let root = decrypt(&key, [0; 12], &stored[..104], wrapped)?;
    Ok(Some(root.try_into().map_err(|_| "a root key of another length")?))
}

fn stretch(passphrase: &str, salt: &[u8], [memory, passes, lanes]: [u32; 3]) -> Result<Vec<u8>, String> {
    if !(65536..=2_097_152).contains(&memory) || !(3..=32).contains(&passes) || !(1..=16).contains(&lanes) {
        return Err("a cost that is not allowed".into());
    }
    let params = argon2::Params::new(memory, passes, lanes, Some(32)).map_err(|error| error.to_string())?;
    let mut out = vec![0; 32];
    argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut out)
        .map_err(|error| error.to_string())?;
    Ok(out)
}

fn read_ring(record: &[u8]) -> Result<Ring, String> {
    let mut bytes = Bytes(record);
    bytes.v1()?;
    let (number, data_id_key, tree_id_key) = (bytes.u32()?, bytes.array()?, bytes.array()?);
    bytes.take(32)?;
    let epochs = bytes.list(|bytes| Ok((bytes.u32()?, bytes.array()?)))?;
    let additions = bytes.additions()?;
    bytes.end()?;
    let mut removed = Vec::new();
    if let Some((_, slots)) = additions.iter().find(|(tag, _)| *tag == REMOVED_TAG) {
        let mut bytes = Bytes(slots);
        removed = bytes.list(|bytes| Ok(data_encoding::HEXLOWER.encode(&bytes.array::<32>()?)))?;
        bytes.end()?;
    }
    Ok(Ring { number, name: String::new(), data_id_key, tree_id_key, epochs, removed })
}

fn open_record(
    object: u8,
    seal: impl FnOnce(u32, [u8; 32], [u8; 32]) -> Result<Seal, String>,
    stored: &[u8],
) -> Result<Vec<u8>, String> {
    if stored.len() > RECORD_MAX {
        return Err("a record that is too long".into());
    }
    let mut bytes = Bytes(stored);
    bytes.magic(b"CBK1RECD")?;
    let (found, reserved) = (bytes.byte()?, bytes.byte()?);
    if bytes.fixed(2)? != 1 {
        return Err("a newer program is needed".into());
    }
    if found != object || reserved != 0 {
        return Err("another type of object".into());
    }
    let epoch = bytes.fixed(4)? as u32;
    let seal = seal(epoch, bytes.array()?, bytes.array()?)?;
    let padded = seal.open(RECORD_PART, 0, bytes.0)?;
    let mut padded = Bytes(&padded);
    let length = padded.fixed(4)? as usize;
    let record = padded.take(length)?.to_vec();
    padded.zeros(padded.0.len())?;
    Ok(record)
}

/// What opens the parts of one object.
#[derive(Clone)]
pub struct Seal {
    key: [u8; 32],
    commitment: [u8; 32],
    aad: Vec<u8>,
}

impl Seal {
    fn new(object: u8, epoch: u32, epoch_key: &[u8; 32], repo: [u8; 16], salt: [u8; 32]) -> Self {
        let (key, commitment) = derive("CBK1 2026-11-23 object key and commitment", &[epoch_key, &repo, &salt]);
        let aad = [b"CBK1", &repo[..], &[object], &1u16.to_le_bytes(), &epoch.to_le_bytes(), &salt].concat();
        Self { key, commitment, aad }
    }

    pub fn open(&self, part: u8, counter: u64, sealed: &[u8]) -> Result<Vec<u8>, String> {
        let mut nonce = [part, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        nonce[4..].copy_from_slice(&counter.to_le_bytes());
        let aad = [self.aad.as_slice(), &[part], &counter.to_le_bytes()].concat();
        decrypt(&self.key, nonce, &aad, sealed)
    }
}

fn derive(context: &str, parts: &[&[u8]]) -> ([u8; 32], [u8; 32]) {
    let mut output = blake3::Hasher::new_derive_key(context).update(&parts.concat()).finalize_xof();
    let (mut key, mut commitment) = ([0; 32], [0; 32]);
    output.fill(&mut key);
    output.fill(&mut commitment);
    (key, commitment)
}

fn decrypt(key: &[u8; 32], nonce: [u8; 12], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, String> {
    let (body, tag) = sealed.split_last_chunk::<16>().ok_or("shorter than a tag")?;
    let mut plain = body.to_vec();
    Aes256GcmSiv::new(key.into())
        .decrypt_inout_detached(&Nonce::from(nonce), aad, InOutBuf::from(plain.as_mut_slice()), &Tag::from(*tag))
        .map_err(|_| "authentication failed")?;
    Ok(plain)
}
