//! §1 Integers, padding and checksums: the only place that turns numbers into stored bytes.
//!
//! Fixed layouts are little-endian. A [`Decoder`] never indexes: every read is checked, and running past the
//! end is a [`FormatError::Truncated`].

use super::FormatError;

/// Writes fixed-layout fields in order.
#[derive(Default)]
pub struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// An empty encoder with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity) }
    }

    /// Appends bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Appends one byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    /// Appends a 16-bit integer, little-endian.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends a 32-bit integer, little-endian.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends a 64-bit integer, little-endian.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Appends `count` zero bytes (reserved fields).
    pub fn zeros(&mut self, count: usize) -> &mut Self {
        self.bytes.resize(self.bytes.len() + count, 0);
        self
    }

    /// Appends the CRC-32 of everything written so far and returns the bytes.
    pub fn finish_with_crc(mut self) -> Vec<u8> {
        let crc = crc32fast::hash(&self.bytes);
        self.u32(crc);
        self.bytes
    }

    /// Returns the bytes.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads fixed-layout fields in order.
pub struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// A decoder over `bytes`, whose length was already checked by the caller or will be by each read.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// A decoder over `bytes` without its last four, which must be the CRC-32 of the others.
    ///
    /// # Errors
    /// [`FormatError::Truncated`] or [`FormatError::Checksum`].
    pub fn with_crc(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let (body, crc) = bytes.split_last_chunk::<4>().ok_or(FormatError::Truncated)?;
        if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
            return Err(FormatError::Checksum);
        }
        Ok(Self { rest: body })
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`FormatError::Truncated`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(FormatError::Truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    /// The next byte.
    ///
    /// # Errors
    /// [`FormatError::Truncated`].
    pub fn u8(&mut self) -> Result<u8, FormatError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    /// The next 16-bit integer.
    ///
    /// # Errors
    /// [`FormatError::Truncated`].
    pub fn u16(&mut self) -> Result<u16, FormatError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// The next 32-bit integer.
    ///
    /// # Errors
    /// [`FormatError::Truncated`].
    pub fn u32(&mut self) -> Result<u32, FormatError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// The next 64-bit integer.
    ///
    /// # Errors
    /// [`FormatError::Truncated`].
    pub fn u64(&mut self) -> Result<u64, FormatError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Checks that the next bytes are `magic`.
    ///
    /// # Errors
    /// [`FormatError::Truncated`] or [`FormatError::Magic`].
    pub fn magic(&mut self, magic: &[u8; 8]) -> Result<(), FormatError> {
        if &self.array::<8>()? == magic { Ok(()) } else { Err(FormatError::Magic) }
    }

    /// Checks that the next `N` bytes are zero.
    ///
    /// # Errors
    /// [`FormatError::Truncated`] or [`FormatError::Reserved`].
    pub fn zeros<const N: usize>(&mut self) -> Result<(), FormatError> {
        if self.array::<N>()? == [0; N] { Ok(()) } else { Err(FormatError::Reserved) }
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// [`FormatError::Trailing`].
    pub fn finish(self) -> Result<(), FormatError> {
        if self.rest.is_empty() { Ok(()) } else { Err(FormatError::Trailing) }
    }
}

/// The 12-byte nonce of an AEAD call: the part's type, three zero bytes, a 64-bit counter.
pub fn nonce(part: u8, counter: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[0] = part;
    nonce[4..].copy_from_slice(&counter.to_le_bytes());
    nonce
}

/// The 64 bits at the start of `bytes`, little-endian; how the chunker's table is read from its key stream.
pub fn u64_table<const N: usize>(bytes: &[u8]) -> [u64; N] {
    let mut table = [0; N];
    for (slot, chunk) in table.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *slot = u64::from_le_bytes(*chunk);
    }
    table
}

/// `length` rounded up so that it keeps only as many significant bits as its own bit length has bits
/// (Padmé, Nikitin et al., *Reducing Metadata Leakage from Encrypted Files and Communication with PURBs*,
/// PETS 2019): at most 12 % more, far less for large lengths.
pub fn padme(length: u64) -> u64 {
    if length < 2 {
        return length;
    }
    let exponent = length.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1u64 << exponent.saturating_sub(kept)) - 1;
    length.saturating_add(mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padme_keeps_few_bits_and_never_shrinks() {
        assert_eq!(padme(0), 0);
        assert_eq!(padme(9), 10);
        assert_eq!(padme(100), 104);
        assert_eq!(padme(1_000_000), 1_015_808);
        for length in (1..1 << 20).step_by(977) {
            let padded = padme(length);
            assert!(padded >= length && (padded - length) as f64 <= 0.12 * length as f64, "{length} became {padded}");
            assert_eq!(padme(padded), padded, "padding is idempotent");
        }
    }

    #[test]
    fn a_crc_guards_every_bit() {
        let mut encoder = Encoder::default();
        encoder.bytes(b"CBK1TEST").u16(7);
        let bytes = encoder.finish_with_crc();
        let mut decoder = Decoder::with_crc(&bytes).expect("the checksum just written");
        decoder.magic(b"CBK1TEST").expect("the magic just written");
        assert_eq!(decoder.u16(), Ok(7));
        assert_eq!(decoder.finish(), Ok(()));
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Decoder::with_crc(&damaged).err(), Some(FormatError::Checksum), "bit {bit}");
        }
        assert_eq!(Decoder::with_crc(&bytes[..3]).err(), Some(FormatError::Truncated));
    }
}
