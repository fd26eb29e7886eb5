//! Numbers as bytes, from the words of docs/format.md §1 and §7: no call into the library that is being checked.

/// A number below 2⁶⁴ as a varint.
pub fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 127 {
        bytes.push(value as u8 | 128);
        value /= 128;
    }
    bytes.push(value as u8);
    bytes
}

/// A signed number as a varint.
pub fn zigzag(value: i64) -> Vec<u8> {
    let doubled = if value < 0 { -2 * i128::from(value) - 1 } else { 2 * i128::from(value) };
    varint(doubled as u64)
}

/// The lowest `size` bytes of a number, lowest first.
pub fn little_endian(value: u64, size: usize) -> Vec<u8> {
    (0..size).map(|place| (value >> (8 * place)) as u8).collect()
}

/// Bytes with their length before them.
pub fn counted(bytes: &[u8]) -> Vec<u8> {
    [varint(bytes.len() as u64).as_slice(), bytes].concat()
}
