//! The key ring and the seal of one object.

mod ring;

use aes_gcm_siv::aead::inout::InOutBuf;
use aes_gcm_siv::{AeadInOut, Aes256GcmSiv, KeyInit, Tag};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::SealError;
use crate::format::FormatError;
use crate::format::id::{ChunkId, ChunkKind, ObjectHash, RepoId};
use crate::format::record::{Extra, RemovedSlots, RingRecord};
use crate::format::sealed::{
    Binding, OBJECT_KEY_CONTEXT, ObjectType, PADDING_CONTEXT, Part, RecordHead, TAG_LEN, pad_record, unpad_record,
};
use crate::format::wire::nonce;

/// `N` random bytes from the operating system.
///
/// # Errors
/// [`SealError::System`].
pub fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| SealError::System("random bytes"))?;
    Ok(bytes)
}

/// 32 bytes of key and 32 of commitment from one key stream.
pub(super) fn key_and_commitment(context: &str, parts: &[&[u8]]) -> (Zeroizing<[u8; 32]>, [u8; 32]) {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for part in parts {
        hasher.update(part);
    }
    let mut stream = hasher.finalize_xof();
    let mut key = Zeroizing::new([0; 32]);
    let mut commitment = [0; 32];
    stream.fill(key.as_mut_slice());
    stream.fill(&mut commitment);
    stream.zeroize();
    hasher.zeroize();
    (key, commitment)
}

/// Every key of a repository: those of one ring, or of several together.
#[derive(Clone)]
pub struct Keys {
    repo: RepoId,
    root: Zeroizing<[u8; 32]>,
    /// The ring that wins, with the epochs of the others too. Of one epoch it may have several keys: machines that could
    /// not know of each other gave them one number. The last is that of the ring that wins.
    ring: RingRecord,
    /// Slots that any ring says were removed, ascending.
    removed: Vec<ObjectHash>,
}

impl Keys {
    /// Fresh keys for a new repository.
    ///
    /// # Errors
    /// [`SealError::System`].
    pub fn generate(repo: RepoId) -> Result<Self, SealError> {
        let ring = RingRecord {
            number: 1,
            data_id_key: random()?,
            tree_id_key: random()?,
            chunker_key: random()?,
            epochs: vec![(1, random()?)],
            extra: Extra::new(),
        };
        Ok(Self { repo, root: Zeroizing::new(random()?), ring, removed: Vec::new() })
    }

    /// The keys in a stored ring.
    ///
    /// # Errors
    /// [`SealError::WrongKey`] when `root` is not the key it was sealed under; damage.
    pub fn open_ring(repo: RepoId, root: Zeroizing<[u8; 32]>, stored: &[u8]) -> Result<Self, SealError> {
        let record = Zeroizing::new(open_record_with(repo, &root, ObjectType::Ring, 0, stored)?);
        let ring = RingRecord::decode(&record)?;
        if ring.epochs.is_empty() {
            return Err(SealError::UnknownEpoch(1));
        }
        let removed = RemovedSlots::find(&ring.extra)?.slots;
        Ok(Self { repo, root, ring, removed })
    }

    /// The ring as it is stored.
    ///
    /// # Errors
    /// [`SealError::System`].
    pub fn seal_ring(&self) -> Result<Vec<u8>, SealError> {
        let record = Zeroizing::new(self.ring.encode()?);
        seal_record_with(self.repo, &self.root, ObjectType::Ring, 0, &record)
    }

    /// The repository these keys belong to.
    pub fn repo(&self) -> RepoId {
        self.repo
    }

    /// The number of the ring.
    pub fn ring_number(&self) -> u32 {
        self.ring.number
    }

    /// The root key, for wrapping it in a slot.
    pub(super) fn root(&self) -> &[u8; 32] {
        &self.root
    }

    /// The chunker's key.
    pub fn chunker_key(&self) -> &[u8; 32] {
        &self.ring.chunker_key
    }

    /// The id of a chunk with these bytes.
    pub fn chunk_id(&self, kind: ChunkKind, bytes: &[u8]) -> ChunkId {
        let key = match kind {
            ChunkKind::Data => &self.ring.data_id_key,
            ChunkKind::Tree => &self.ring.tree_id_key,
        };
        ChunkId::from_bytes(*blake3::keyed_hash(key, bytes).as_bytes())
    }

    /// The epoch new objects are sealed in.
    pub fn epoch(&self) -> u32 {
        self.ring.epochs.last().map_or(1, |(epoch, _)| *epoch)
    }

    /// The keys of an epoch: one, but for machines that rotated at once.
    fn keys_of(&self, epoch: u32) -> impl Iterator<Item = &[u8; 32]> {
        self.ring.epochs.iter().filter(move |(number, _)| *number == epoch).map(|(_, key)| key)
    }

    /// Whether a stored record was sealed in an epoch of which there is no key.
    pub fn is_of_unknown_epoch(&self, stored: &[u8]) -> bool {
        RecordHead::split(stored).is_ok_and(|(head, _)| self.keys_of(head.epoch).next().is_none())
    }

    /// The seal of a new object of an epoch.
    ///
    /// # Errors
    /// [`SealError::UnknownEpoch`].
    pub fn object_seal(&self, object: ObjectType, epoch: u32, salt: [u8; 32]) -> Result<ObjectSeal, SealError> {
        let key = self.keys_of(epoch).last().ok_or(SealError::UnknownEpoch(epoch))?;
        Ok(ObjectSeal::new(key, Binding { repo: self.repo, object, epoch, salt }))
    }

    /// The seal of a stored object, which is the one that has its commitment.
    ///
    /// # Errors
    /// [`SealError::UnknownEpoch`], [`SealError::WrongKey`].
    pub fn stored_seal(
        &self,
        object: ObjectType,
        epoch: u32,
        salt: [u8; 32],
        commitment: &[u8; 32],
    ) -> Result<ObjectSeal, SealError> {
        let mut fault = SealError::UnknownEpoch(epoch);
        for key in self.keys_of(epoch) {
            let seal = ObjectSeal::new(key, Binding { repo: self.repo, object, epoch, salt });
            match seal.check_commitment(commitment) {
                Ok(()) => return Ok(seal),
                Err(error) => fault = error,
            }
        }
        Err(fault)
    }

    /// The seals a stored object can have of which the commitment is not at hand, the likeliest first.
    ///
    /// # Errors
    /// [`SealError::UnknownEpoch`].
    pub fn possible_seals(&self, object: ObjectType, epoch: u32, salt: [u8; 32]) -> Result<Vec<ObjectSeal>, SealError> {
        let seal = |key| ObjectSeal::new(key, Binding { repo: self.repo, object, epoch, salt });
        let mut seals: Vec<ObjectSeal> = self.keys_of(epoch).map(seal).collect();
        seals.reverse();
        if seals.is_empty() { Err(SealError::UnknownEpoch(epoch)) } else { Ok(seals) }
    }

    /// Seals a record of the newest epoch.
    ///
    /// # Errors
    /// [`SealError::System`], or [`SealError::Format`] for one that is too long.
    pub fn seal_record(&self, object: ObjectType, record: &[u8]) -> Result<Vec<u8>, SealError> {
        let epoch = self.epoch();
        let (_, key) = self.ring.epochs.last().ok_or(SealError::UnknownEpoch(epoch))?;
        seal_record_with(self.repo, key, object, epoch, record)
    }

    /// Opens a record.
    ///
    /// # Errors
    /// [`SealError`]: wrong key, damage, or an object of another type.
    pub fn open_record(&self, object: ObjectType, stored: &[u8]) -> Result<Vec<u8>, SealError> {
        let (head, _) = RecordHead::split(stored)?;
        let mut fault = SealError::UnknownEpoch(head.epoch);
        for key in self.keys_of(head.epoch) {
            match open_record_with(self.repo, key, object, head.epoch, stored) {
                Err(error @ SealError::WrongKey) => fault = error,
                done => return done,
            }
        }
        Err(fault)
    }
}

fn seal_record_with(
    repo: RepoId,
    key: &[u8; 32],
    object: ObjectType,
    epoch: u32,
    record: &[u8],
) -> Result<Vec<u8>, SealError> {
    let salt = random()?;
    let seal = ObjectSeal::new(key, Binding { repo, object, epoch, salt });
    let mut padded = pad_record(record)?;
    let tag = seal.seal(Part::Record, 0, &mut padded)?;
    let mut stored = RecordHead { object: object.code(), epoch, salt, commitment: seal.commitment }.encode();
    stored.extend_from_slice(&padded);
    stored.extend_from_slice(&tag);
    Ok(stored)
}

fn open_record_with(
    repo: RepoId,
    key: &[u8; 32],
    object: ObjectType,
    epoch: u32,
    stored: &[u8],
) -> Result<Vec<u8>, SealError> {
    let (head, ciphertext) = RecordHead::split(stored)?;
    if head.object != object.code() || head.epoch != epoch {
        return Err(SealError::Tampered);
    }
    let seal = ObjectSeal::new(key, Binding { repo, object, epoch, salt: head.salt });
    seal.check_commitment(&head.commitment)?;
    let mut padded = Zeroizing::new(ciphertext.to_vec());
    let length = seal.open(Part::Record, 0, &mut padded)?.len();
    Ok(unpad_record(&padded[..length])?.to_vec())
}

/// The seal of one object: its own key, and what every call is bound to. A (key, nonce) pair occurs once, because the
/// salt is random and part and counter differ within the object.
pub struct ObjectSeal {
    cipher: Aes256GcmSiv,
    binding: Binding,
    commitment: [u8; 32],
    key: Zeroizing<[u8; 32]>,
}

impl ObjectSeal {
    fn new(epoch_key: &[u8; 32], binding: Binding) -> Self {
        let (key, commitment) =
            key_and_commitment(OBJECT_KEY_CONTEXT, &[epoch_key, binding.repo.as_bytes(), &binding.salt]);
        Self { cipher: Aes256GcmSiv::new((&*key).into()), binding, commitment, key }
    }

    /// What the object's head says so that a wrong key is told from damage.
    pub fn commitment(&self) -> [u8; 32] {
        self.commitment
    }

    /// The salt of the object.
    pub fn salt(&self) -> [u8; 32] {
        self.binding.salt
    }

    /// The epoch of the object.
    pub fn epoch(&self) -> u32 {
        self.binding.epoch
    }

    /// Compares in constant time.
    ///
    /// # Errors
    /// [`SealError::WrongKey`].
    pub fn check_commitment(&self, stored: &[u8; 32]) -> Result<(), SealError> {
        if bool::from(self.commitment.ct_eq(stored)) { Ok(()) } else { Err(SealError::WrongKey) }
    }

    /// Encrypts in place and returns the tag that belongs after it.
    ///
    /// # Errors
    /// [`SealError::Format`] for more bytes than the cipher takes (2³⁶).
    pub fn seal(&self, part: Part, counter: u64, bytes: &mut [u8]) -> Result<[u8; TAG_LEN], SealError> {
        let aad = self.binding.aad(part, counter);
        let nonce = nonce(part.code(), counter);
        self.cipher
            .encrypt_inout_detached(&nonce.into(), &aad, InOutBuf::from(bytes))
            .map(Into::into)
            .map_err(|_| SealError::Format(FormatError::Limit("length of a sealed part")))
    }

    /// Authenticates and decrypts in place; gives the plaintext, which is `sealed` without the tag at its end.
    ///
    /// # Errors
    /// [`SealError::Tampered`]; the buffer then holds nothing of meaning.
    pub fn open<'a>(&self, part: Part, counter: u64, sealed: &'a mut [u8]) -> Result<&'a mut [u8], SealError> {
        let (bytes, tag) = sealed.split_last_chunk_mut::<TAG_LEN>().ok_or(SealError::Tampered)?;
        self.decrypt(part, counter, InOutBuf::from(&mut *bytes), tag)?;
        Ok(bytes)
    }

    /// The same out of place: the plaintext is at the front of `plain`, which is made longer where it has to be.
    ///
    /// # Errors
    /// [`SealError::Tampered`]; `plain` then holds nothing of meaning.
    pub fn open_into<'a>(
        &self,
        part: Part,
        counter: u64,
        sealed: &[u8],
        plain: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], SealError> {
        let (bytes, tag) = sealed.split_last_chunk::<TAG_LEN>().ok_or(SealError::Tampered)?;
        if plain.len() < bytes.len() {
            plain.reserve_exact(bytes.len() - plain.len());
            plain.resize(bytes.len(), 0);
        }
        let plain = &mut plain[..bytes.len()];
        let buffer = InOutBuf::new(bytes, plain).map_err(|_| SealError::Tampered)?;
        self.decrypt(part, counter, buffer, tag)?;
        Ok(plain)
    }

    fn decrypt(
        &self,
        part: Part,
        counter: u64,
        bytes: InOutBuf<'_, '_, u8>,
        tag: &[u8; TAG_LEN],
    ) -> Result<(), SealError> {
        let aad = self.binding.aad(part, counter);
        let nonce = nonce(part.code(), counter);
        self.cipher
            .decrypt_inout_detached(&nonce.into(), &aad, bytes, &Tag::from(*tag))
            .map_err(|_| SealError::Tampered)
    }

    /// Fills `padding` with bytes that look like everything else in the object.
    pub fn fill_padding(&self, padding: &mut [u8]) {
        blake3::Hasher::new_derive_key(PADDING_CONTEXT).update(self.key.as_slice()).finalize_xof().fill(padding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys")
    }

    #[test]
    fn records_open_only_as_what_they_are() {
        let keys = keys();
        let stored = keys.seal_record(ObjectType::Snapshot, b"hello").expect("sealed");
        assert_eq!(keys.open_record(ObjectType::Snapshot, &stored).as_deref(), Ok(&b"hello"[..]));
        assert_eq!(keys.open_record(ObjectType::Config, &stored), Err(SealError::Tampered));
        let mut relabelled = stored.clone();
        relabelled[8] = ObjectType::Config.code();
        assert_eq!(keys.open_record(ObjectType::Config, &relabelled), Err(SealError::Tampered));
        for byte in 0..stored.len() {
            let mut damaged = stored.clone();
            damaged[byte] ^= 1;
            assert!(keys.open_record(ObjectType::Snapshot, &damaged).is_err(), "byte {byte}");
        }
        let other = Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys");
        assert_eq!(other.open_record(ObjectType::Snapshot, &stored), Err(SealError::WrongKey));
    }

    #[test]
    fn a_ring_brings_back_the_same_keys() {
        let keys = keys();
        let ring = keys.seal_ring().expect("sealed");
        let root = Zeroizing::new(*keys.root());
        let back = Keys::open_ring(keys.repo(), root, &ring).expect("opened");
        assert_eq!(back.chunk_id(ChunkKind::Data, b"x"), keys.chunk_id(ChunkKind::Data, b"x"));
        assert_ne!(keys.chunk_id(ChunkKind::Tree, b"x"), keys.chunk_id(ChunkKind::Data, b"x"));
        let moved = Keys::open_ring(RepoId::from_bytes([2; 16]), Zeroizing::new(*keys.root()), &ring);
        assert_eq!(moved.err(), Some(SealError::WrongKey), "a ring of another repository");
        let wrong = Keys::open_ring(keys.repo(), Zeroizing::new([0; 32]), &ring);
        assert_eq!(wrong.err(), Some(SealError::WrongKey));
    }

    #[test]
    fn parts_and_counters_cannot_be_swapped() {
        let seal = keys().object_seal(ObjectType::Pack, 1, [3; 32]).expect("epoch 1");
        let mut sealed = b"some bytes".to_vec();
        let tag = seal.seal(Part::Block, 1, &mut sealed).expect("sealed");
        sealed.extend(tag);
        assert_eq!(seal.open(Part::Block, 2, &mut sealed.clone()), Err(SealError::Tampered));
        assert_eq!(seal.open(Part::DirectoryA, 1, &mut sealed.clone()), Err(SealError::Tampered));
        assert_eq!(seal.open(Part::Block, 1, &mut sealed).as_deref(), Ok(&b"some bytes"[..]));
    }

    /// The official vectors, through the functions that name chunks and derive keys.
    #[test]
    fn ids_and_derived_keys_are_those_of_blake3() {
        const CONTEXT: &str = "BLAKE3 2019-12-27 16:29:52 test vectors context";
        let vectors = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile/vectors/blake3.txt"));
        let mut keys = keys();
        keys.ring.data_id_key = *b"whats the Elvish word for friend";
        let mut tried = 0;
        for line in vectors.lines().skip_while(|line| !line.is_empty()).skip(1) {
            let fields: Vec<&str> = line.split(' ').collect();
            let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
            let length = fields[0].parse().expect("a length");
            let input: Vec<u8> = (0..length).map(|at: usize| (at % 251) as u8).collect();
            assert_eq!(hex(keys.chunk_id(ChunkKind::Data, &input).as_bytes()), fields[1], "{length} bytes");
            let (front, back) = input.split_at(length / 3);
            let (key, _) = key_and_commitment(CONTEXT, &[front, back]);
            assert_eq!(hex(key.as_slice()), fields[2], "{length} bytes");
            tried += 1;
        }
        assert_eq!(tried, 22);
    }

    /// Whoever adds a field has to say here how it is wiped.
    #[test]
    fn every_field_that_holds_a_key_is_wiped_when_it_goes() {
        fn is_wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        let Keys { repo: _, root, ring, removed: _ } = &keys();
        is_wiped(root);
        is_wiped(ring);
        let seal = keys().object_seal(ObjectType::Pack, 1, [3; 32]).expect("epoch 1");
        let ObjectSeal { cipher: _, binding: _, commitment: _, key } = &seal;
        is_wiped(key);
        assert!(std::mem::needs_drop::<Aes256GcmSiv>(), "`aes` is built without `zeroize`");
    }
}
