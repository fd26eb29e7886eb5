//! Bytes as a row of choices: how one input says several things.

/// Takes pieces off the front; there is always another one, if only an empty one.
pub struct Pieces<'a>(&'a [u8]);

impl<'a> Pieces<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// The next number below 65536.
    pub fn number(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// The next 32 bits.
    pub fn long(&mut self) -> u32 {
        u32::from(self.number()) | u32::from(self.number()) << 16
    }

    /// Up to `length` bytes.
    pub fn take(&mut self, length: usize) -> &'a [u8] {
        let (piece, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        piece
    }

    /// A number, and so many bytes.
    pub fn sized(&mut self) -> &'a [u8] {
        let length = self.number();
        self.take(length.into())
    }

    /// What is left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// Puts pieces together so that [`Pieces`] takes them apart again.
#[derive(Default)]
pub struct Said(pub Vec<u8>);

impl Said {
    pub fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    pub fn number(self, number: u16) -> Self {
        let [low, high] = number.to_le_bytes();
        self.byte(low).byte(high)
    }

    pub fn long(self, number: u32) -> Self {
        self.number(number as u16).number((number >> 16) as u16)
    }

    pub fn sized(self, bytes: &[u8]) -> Self {
        let length = u16::try_from(bytes.len()).expect("seeds are short");
        let mut said = self.number(length);
        said.0.extend_from_slice(bytes);
        said
    }
}
