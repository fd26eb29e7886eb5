//! What docs/format.md says about keys, seals, padding and cutting, written a second time from its words.

use aes_gcm_siv::aead::inout::InOutBuf;
use aes_gcm_siv::{AeadInOut, Aes256GcmSiv, KeyInit, Tag};

use crate::encode::little_endian;

pub const OBJECT_CONTEXT: &str = "CBK1 2026-11-23 object key and commitment";
pub const SLOT_CONTEXT: &str = "CBK1 2026-11-23 slot key and commitment";
pub const GEAR_CONTEXT: &str = "CBK1 2026-11-23 gear table";
pub const PADDING_CONTEXT: &str = "CBK1 2026-11-23 pack padding";

/// `length` bytes of BLAKE3 `derive_key` output.
pub fn derive(context: &str, input: &[u8], length: usize) -> Vec<u8> {
    let mut output = vec![0; length];
    blake3::Hasher::new_derive_key(context).update(input).finalize_xof().fill(&mut output);
    output
}

/// A 32-byte key and its 32-byte commitment.
pub fn key_and_commitment(context: &str, secret: &[u8], repo: &[u8], salt: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut key = derive(context, &[secret, repo, salt].concat(), 64);
    let commitment = key.split_off(32);
    (key, commitment)
}

/// §1, nonces.
pub fn nonce(part: u8, counter: u64) -> Vec<u8> {
    [&[part, 0, 0, 0], little_endian(counter, 8).as_slice()].concat()
}

/// One AEAD call: ciphertext and tag.
pub fn seal(key: &[u8], nonce: &[u8], aad: &[u8], plain: &[u8]) -> Vec<u8> {
    let cipher = Aes256GcmSiv::new(key.try_into().expect("a key of 32 bytes"));
    let nonce = nonce.try_into().expect("a nonce of 12 bytes");
    let mut out = plain.to_vec();
    let tag = cipher.encrypt_inout_detached(nonce, aad, InOutBuf::from(out.as_mut_slice())).expect("a short message");
    out.extend_from_slice(&tag);
    out
}

/// The plaintext of ciphertext and tag, if they are authentic.
pub fn open(key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let cipher = Aes256GcmSiv::new(key.try_into().ok()?);
    let (body, tag) = sealed.split_last_chunk::<16>()?;
    let mut out = body.to_vec();
    cipher
        .decrypt_inout_detached(nonce.try_into().ok()?, aad, InOutBuf::from(out.as_mut_slice()), &Tag::from(*tag))
        .ok()?;
    Some(out)
}

/// The seal of one object (§6).
#[derive(Clone)]
pub struct ObjectSeal {
    pub object: u8,
    pub epoch: u32,
    pub repo: Vec<u8>,
    pub salt: Vec<u8>,
    pub key: Vec<u8>,
    pub commitment: Vec<u8>,
}

impl ObjectSeal {
    pub fn new(object: u8, epoch: u32, epoch_key: &[u8], repo: &[u8], salt: &[u8]) -> Self {
        let (key, commitment) = key_and_commitment(OBJECT_CONTEXT, epoch_key, repo, salt);
        Self { object, epoch, repo: repo.to_vec(), salt: salt.to_vec(), key, commitment }
    }

    pub fn aad(&self, part: u8, counter: u64) -> Vec<u8> {
        let mut aad = b"CBK1".to_vec();
        aad.extend(&self.repo);
        aad.push(self.object);
        aad.extend(little_endian(1, 2));
        aad.extend(little_endian(self.epoch.into(), 4));
        aad.extend(&self.salt);
        aad.push(part);
        aad.extend(little_endian(counter, 8));
        aad
    }

    pub fn seal(&self, part: u8, counter: u64, plain: &[u8]) -> Vec<u8> {
        seal(&self.key, &nonce(part, counter), &self.aad(part, counter), plain)
    }

    pub fn open(&self, part: u8, counter: u64, sealed: &[u8]) -> Option<Vec<u8>> {
        open(&self.key, &nonce(part, counter), &self.aad(part, counter), sealed)
    }

    /// A whole sealed record.
    pub fn record(&self, record: &[u8]) -> Vec<u8> {
        let mut stored = [b"CBK1RECD", &[self.object, 0, 1, 0][..], &little_endian(self.epoch.into(), 4)].concat();
        stored.extend(&self.salt);
        stored.extend(&self.commitment);
        let bare = 80 + 4 + record.len() + 16;
        let mut plain = little_endian(record.len() as u64, 4);
        plain.extend(record);
        plain.resize(plain.len() + padme(bare.max(4096) as u64) as usize - bare, 0);
        stored.extend(self.seal(5, 0, &plain));
        stored
    }

    /// Head or foot of a pack.
    pub fn pack_end(&self, is_head: bool, extents: &[u8]) -> Vec<u8> {
        let (magic, part) = if is_head { (b"CBK1PACK", 3) } else { (b"CBK1FOOT", 4) };
        let mut end = [magic, &[1, 0, 0, 0][..], &little_endian(self.epoch.into(), 4)].concat();
        end.extend(&self.salt);
        end.extend(&self.commitment);
        end.extend(self.seal(part, 0, extents));
        end.extend(little_endian(crc32fast::hash(&end).into(), 4));
        end
    }
}

/// §1, padded sizes.
pub fn padme(length: u64) -> u64 {
    if length < 2 {
        return length;
    }
    let e = length.ilog2();
    let s = e.checked_ilog2().unwrap_or(0) + 1;
    let unit = 1 << e.saturating_sub(s);
    length.div_ceil(unit) * unit
}

/// §8, length.
pub fn pack_len(used: u64, pack_bytes: u64) -> u64 {
    let padded = padme(used.div_ceil(65536) * 65536).div_ceil(65536) * 65536;
    if used <= pack_bytes { padded.min(pack_bytes) } else { padded }
}

/// §15, the table.
pub fn gear(chunker_key: &[u8]) -> Vec<u64> {
    let bytes = derive(GEAR_CONTEXT, chunker_key, 2048);
    bytes.as_chunks::<8>().0.iter().map(|entry| u64::from_le_bytes(*entry)).collect()
}

/// §15, one cut.
pub fn cut(bytes: &[u8], gear: &[u64], sizes: (usize, usize, usize), masks: (u64, u64)) -> usize {
    let (min, avg, max) = sizes;
    if bytes.len() <= min {
        return bytes.len();
    }
    let end = bytes.len().min(max);
    let mut hash = 0u64;
    for i in min..end / 2 * 2 {
        hash = hash.wrapping_mul(2).wrapping_add(gear[usize::from(bytes[i])]);
        let mask = if i < avg { masks.0 } else { masks.1 };
        if hash & mask == 0 {
            return i;
        }
    }
    end
}

/// §5, passphrases.
pub fn argon2id(passphrase: &[u8], salt: &[u8], memory: u32, passes: u32, lanes: u32) -> Vec<u8> {
    let params = argon2::Params::new(memory, passes, lanes, Some(32)).expect("an allowed cost");
    let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut out = vec![0; 32];
    argon.hash_password_into(passphrase, salt, &mut out).expect("enough memory");
    out
}
