//! T18: published vectors, through the calls this program makes. A seal makes its own key and its own additional data, and
//! a slot has neither a secret nor associated data for Argon2, so here it is the crates below them that are called, in the
//! same way. BLAKE3 is tried through our own functions, beside them (src/seal/keys.rs).

use std::mem::needs_drop;

use aes_gcm_siv::aead::inout::InOutBuf;
use aes_gcm_siv::{AeadInOut, Aes256GcmSiv, KeyInit, Tag};
use argon2::{Algorithm, Argon2, ParamsBuilder, Version};
use cryptbackup::format::record::RingRecord;
use cryptbackup::seal::{Keys, ObjectSeal, slots};
use zeroize::{ZeroizeOnDrop, Zeroizing};

fn hex(text: &str) -> Vec<u8> {
    let text = if text == "-" { "" } else { text };
    data_encoding::HEXLOWER.decode(text.as_bytes()).expect("hex")
}

/// A vector: what is sealed, or nothing where it must be rejected.
struct Vector {
    cipher: Aes256GcmSiv,
    nonce: [u8; 12],
    additional: Vec<u8>,
    plain: Option<Vec<u8>>,
    sealed: Vec<u8>,
}

impl Vector {
    fn parse(line: &str) -> Self {
        let fields: Vec<&str> = line.split(' ').collect();
        let [key, nonce, additional, plain, sealed] = fields[..] else { panic!("{line}: not five fields") };
        let key: [u8; 32] = hex(key).try_into().expect("32 bytes");
        Self {
            cipher: Aes256GcmSiv::new((&key).into()),
            nonce: hex(nonce).try_into().expect("12 bytes"),
            additional: hex(additional),
            plain: (plain != "!").then(|| hex(plain)),
            sealed: hex(sealed),
        }
    }

    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let mut bytes = plain.to_vec();
        let buffer = InOutBuf::from(bytes.as_mut_slice());
        let tag = self.cipher.encrypt_inout_detached(&self.nonce.into(), &self.additional, buffer).expect("sealed");
        bytes.extend(tag);
        bytes
    }

    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (bytes, tag) = sealed.split_last_chunk::<16>()?;
        let mut bytes = bytes.to_vec();
        let buffer = InOutBuf::from(bytes.as_mut_slice());
        let tag = Tag::from(*tag);
        self.cipher.decrypt_inout_detached(&self.nonce.into(), &self.additional, buffer, &tag).ok()?;
        Some(bytes)
    }
}

#[test]
fn t18_aes_256_gcm_siv_is_that_of_rfc_8452() {
    let (mut valid, mut invalid) = (0, 0);
    let lines = include_str!("vectors/aes_256_gcm_siv.txt").lines();
    for line in
        lines.skip_while(|line| !line.starts_with('#')).filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let vector = Vector::parse(line);
        let Some(plain) = &vector.plain else {
            assert_eq!(vector.open(&vector.sealed), None, "{line}");
            invalid += 1;
            continue;
        };
        assert_eq!(vector.seal(plain), vector.sealed, "{line}");
        assert_eq!(vector.open(&vector.sealed).as_ref(), Some(plain), "{line}");
        for bit in 0..vector.sealed.len() * 8 {
            let mut changed = vector.sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(vector.open(&changed), None, "{line}, bit {bit}");
        }
        valid += 1;
    }
    assert_eq!((valid, invalid), (24 + 2 + 45, 35));
}

#[test]
fn t18_argon2id_is_that_of_rfc_9106() {
    // Section 5.3.
    let mut params = ParamsBuilder::new();
    params.m_cost(32).t_cost(3).p_cost(4).data(argon2::AssociatedData::new(&[4; 12]).expect("short"));
    let params = params.build().expect("parameters");
    let argon = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).expect("a secret");
    let mut out = [0; 32];
    argon.hash_password_into(&[1; 32], &[2; 16], &mut out).expect("hashed");
    assert_eq!(out.to_vec(), hex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"));
}

/// The types say so; that nothing of a key is left out of them is checked beside each (src/seal).
#[test]
fn t18_what_holds_a_key_is_wiped_when_it_goes() {
    fn is_wiped<T: ZeroizeOnDrop>() -> bool {
        needs_drop::<T>()
    }
    assert!(is_wiped::<RingRecord>() && is_wiped::<Zeroizing<[u8; 32]>>());
    // The cipher keeps one key, in the round keys of AES, and does not say so itself. Both crates wipe only when told to.
    assert!(is_wiped::<aes::Aes256>());
    assert!(needs_drop::<Aes256GcmSiv>() && needs_drop::<polyval::Polyval>());
    assert!(needs_drop::<Keys>() && needs_drop::<ObjectSeal>() && needs_drop::<slots::Secret>());
}
