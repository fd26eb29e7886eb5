//! Key slots: the root key wrapped by one secret each.

use std::io::{self, Read};

use aes_gcm_siv::aead::inout::InOutBuf;
use aes_gcm_siv::{AeadInOut, Aes256GcmSiv, KeyInit, Tag};
use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::BASE64;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::keys::{key_and_commitment, random};
use super::{Keys, SealError};
use crate::format::FormatError;
use crate::format::id::RepoId;
use crate::format::sealed::{SLOT_KEY_CONTEXT, TAG_LEN};
use crate::format::slot::{ArgonCost, Slot, SlotKind, WRAPPED_LEN};

/// What a person or a file holds to open a repository.
#[derive(Clone)]
pub enum Secret {
    /// `encryption.key` of `config.yaml`: 32 bytes.
    Inline(Zeroizing<[u8; 32]>),
    /// A passphrase, as typed.
    Passphrase(Zeroizing<String>),
    /// The 32 bytes behind the recovery words.
    Recovery(Zeroizing<[u8; 32]>),
    /// BLAKE3 of all bytes of a key file.
    KeyFile(Zeroizing<[u8; 32]>),
}

impl Secret {
    /// A new random inline secret.
    ///
    /// # Errors
    /// [`SealError::System`].
    pub fn new_inline() -> Result<Self, SealError> {
        Ok(Self::Inline(Zeroizing::new(random()?)))
    }

    /// A new random recovery secret.
    ///
    /// # Errors
    /// [`SealError::System`].
    pub fn new_recovery() -> Result<Self, SealError> {
        Ok(Self::Recovery(Zeroizing::new(random()?)))
    }

    /// The secret behind `encryption.key`: standard base64 of 32 bytes. `None` for anything else.
    pub fn from_base64(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(BASE64.decode(text.trim().as_bytes()).ok()?);
        Some(Self::Inline(Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?)))
    }

    /// The secret behind 24 recovery words (BIP-39, English). `None` where a word or the checksum is wrong.
    pub fn from_words(words: &str) -> Option<Self> {
        let words = Zeroizing::new(words.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase());
        let mnemonic = bip39::Mnemonic::parse_normalized(&words).ok()?;
        let (entropy, length) = mnemonic.to_entropy_array();
        let entropy = Zeroizing::new(entropy);
        Some(Self::Recovery(Zeroizing::new(<[u8; 32]>::try_from(entropy.get(..length)?).ok()?)))
    }

    /// The secret behind the bytes of a key file, however many there are.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn from_key_file(mut file: impl Read) -> io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        let mut buffer = Zeroizing::new([0; 1 << 13]);
        loop {
            match file.read(buffer.as_mut_slice()) {
                Ok(0) => break,
                Ok(length) => _ = hasher.update(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let secret = Zeroizing::new(*hasher.finalize().as_bytes());
        hasher.zeroize();
        Ok(Self::KeyFile(secret))
    }

    /// How the secret is written down: base64, or words. A passphrase is not, and a key file is there already.
    pub fn to_text(&self) -> Option<Zeroizing<String>> {
        match self {
            Secret::Inline(bytes) => Some(Zeroizing::new(BASE64.encode(bytes.as_slice()))),
            Secret::Recovery(bytes) => {
                bip39::Mnemonic::from_entropy(bytes.as_slice()).ok().map(|words| Zeroizing::new(words.to_string()))
            }
            Secret::Passphrase(_) | Secret::KeyFile(_) => None,
        }
    }

    /// The kind of the slots it opens.
    pub fn kind(&self) -> SlotKind {
        match self {
            Secret::Inline(_) => SlotKind::Inline,
            Secret::Passphrase(_) => SlotKind::Passphrase,
            Secret::Recovery(_) => SlotKind::Recovery,
            Secret::KeyFile(_) => SlotKind::KeyFile,
        }
    }

    fn stretch(&self, salt: &[u8; 32], cost: ArgonCost) -> Result<Zeroizing<[u8; 32]>, SealError> {
        match self {
            Secret::Inline(bytes) | Secret::Recovery(bytes) | Secret::KeyFile(bytes) => Ok(bytes.clone()),
            Secret::Passphrase(passphrase) => {
                let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32))
                    .map_err(|_| SealError::Format(FormatError::Limit("key stretching cost")))?;
                let mut stretched = Zeroizing::new([0; 32]);
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                    .hash_password_into(passphrase.as_bytes(), salt, stretched.as_mut_slice())
                    .map_err(|_| SealError::System("memory for key stretching"))?;
                Ok(stretched)
            }
        }
    }
}

/// A slot that opens `keys` with `secret`.
///
/// # Errors
/// [`SealError::System`].
pub fn make(keys: &Keys, secret: &Secret) -> Result<Slot, SealError> {
    let cost = match secret {
        Secret::Passphrase(_) => ArgonCost::DEFAULT,
        Secret::Inline(_) | Secret::Recovery(_) | Secret::KeyFile(_) => ArgonCost::NONE,
    };
    let salt = random()?;
    let stretched = secret.stretch(&salt, cost)?;
    let (key, commitment) =
        key_and_commitment(SLOT_KEY_CONTEXT, &[stretched.as_slice(), keys.repo().as_bytes(), &salt]);
    let mut slot = Slot { kind: secret.kind(), cost, repo: keys.repo(), salt, commitment, wrapped: [0; WRAPPED_LEN] };
    let aad = slot.aad();
    let (body, tag) = slot.wrapped.split_at_mut(32);
    body.copy_from_slice(keys.root());
    let computed = Aes256GcmSiv::new((&*key).into())
        .encrypt_inout_detached(&[0; 12].into(), &aad, InOutBuf::from(body))
        .map_err(|_| SealError::System("a wrapped key"))?;
    tag.copy_from_slice(&computed);
    // A slot that cannot be opened again would lock its owner out: look before it is written anywhere.
    if open(&slot, keys.repo(), secret)?.as_slice() != keys.root() {
        return Err(SealError::Tampered);
    }
    Ok(slot)
}

/// The root key in `slot`.
///
/// # Errors
/// [`SealError::WrongKey`] when `secret` is of another kind or not the one of this slot.
pub fn open(slot: &Slot, repo: RepoId, secret: &Secret) -> Result<Zeroizing<[u8; 32]>, SealError> {
    if slot.kind != secret.kind() || slot.repo != repo {
        return Err(SealError::WrongKey);
    }
    let stretched = secret.stretch(&slot.salt, slot.cost)?;
    let (key, commitment) = key_and_commitment(SLOT_KEY_CONTEXT, &[stretched.as_slice(), repo.as_bytes(), &slot.salt]);
    if !bool::from(commitment.ct_eq(&slot.commitment)) {
        return Err(SealError::WrongKey);
    }
    let mut root = Zeroizing::new([0; 32]);
    let (body, tag) = slot.wrapped.split_last_chunk::<TAG_LEN>().ok_or(SealError::Tampered)?;
    root.copy_from_slice(body);
    Aes256GcmSiv::new((&*key).into())
        .decrypt_inout_detached(&[0; 12].into(), &slot.aad(), InOutBuf::from(root.as_mut_slice()), &Tag::from(*tag))
        .map_err(|_| SealError::Tampered)?;
    Ok(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_secret_opens_its_slot_and_no_other() {
        let keys = Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys");
        let secrets = [
            Secret::new_inline().expect("random"),
            Secret::Passphrase(Zeroizing::new("correct horse".into())),
            Secret::new_recovery().expect("random"),
            Secret::from_key_file(&b"any file\n"[..]).expect("bytes"),
        ];
        let slots: Vec<Slot> = secrets.iter().map(|secret| make(&keys, secret).expect("a slot")).collect();
        for (i, slot) in slots.iter().enumerate() {
            for (j, secret) in secrets.iter().enumerate() {
                let opened = open(slot, keys.repo(), secret);
                if i == j {
                    assert_eq!(opened.expect("the right secret").as_slice(), keys.root());
                } else {
                    assert_eq!(opened.err(), Some(SealError::WrongKey));
                }
            }
            let stored = slot.encode();
            for bit in (0..stored.len() * 8).step_by(if i == 1 { 111 } else { 1 }) {
                let mut damaged = stored.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                // Past the checksum, as an attacker would do it.
                let mut forged = crate::format::wire::Encoder::default();
                forged.bytes(&damaged[..damaged.len() - 4]);
                let damaged = forged.finish_with_crc();
                let opened = Slot::decode(&damaged).map(|slot| open(&slot, keys.repo(), &secrets[i]));
                let is_last_field = bit / 8 >= stored.len() - 4;
                assert!(is_last_field || !matches!(opened, Ok(Ok(_))), "bit {bit} of slot {i}");
            }
        }
    }

    #[test]
    fn secrets_can_be_written_down() {
        let secret = Secret::new_recovery().expect("random");
        let words = secret.to_text().expect("words");
        assert_eq!(words.split(' ').count(), 24);
        let Some(Secret::Recovery(back)) = Secret::from_words(&format!("  {}\n", words.to_uppercase())) else {
            panic!("the words just made")
        };
        let Secret::Recovery(bytes) = secret else { panic!("a recovery secret") };
        assert_eq!(back, bytes);
        let swapped = words.replacen(' ', "x ", 1);
        assert!(Secret::from_words(&swapped).is_none());
        assert!(Secret::from_words("abandon abandon").is_none());
        let inline = Secret::new_inline().expect("random").to_text().expect("base64");
        assert!(matches!(Secret::from_base64(&inline), Some(Secret::Inline(_))));
        assert!(Secret::from_base64("VOTRE_CLE_SECRETE_ICI").is_none());
    }

    #[test]
    fn a_key_file_is_all_its_bytes() {
        let secret = |bytes: &[u8]| match Secret::from_key_file(bytes) {
            Ok(Secret::KeyFile(secret)) => *secret,
            _ => panic!("the secret of a key file"),
        };
        let long = vec![7; (1 << 13) + 1];
        assert_eq!(secret(&long), *blake3::hash(&long).as_bytes());
        assert_ne!(secret(b"any file"), secret(b"any file\n"));
    }

    /// Whoever adds a kind has to say here how it is wiped.
    #[test]
    fn every_secret_is_wiped_when_it_goes() {
        fn is_wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        match &Secret::new_inline().expect("random") {
            Secret::Inline(bytes) | Secret::Recovery(bytes) | Secret::KeyFile(bytes) => is_wiped(bytes),
            Secret::Passphrase(text) => is_wiped(text),
        }
    }
}
