//! Keys and ids that have a number.

/// Keys as even as real ones.
pub(crate) fn spread(number: u64, kind: u8) -> [u8; 32] {
    let mut key = [kind; 32];
    let first = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    key[..8].copy_from_slice(&first.to_be_bytes());
    key[8..16].copy_from_slice(&number.to_be_bytes());
    key
}

pub(crate) fn half(number: u64, kind: u8) -> [u8; 16] {
    let mut id = [kind; 16];
    id[8..].copy_from_slice(&number.to_be_bytes());
    id
}
