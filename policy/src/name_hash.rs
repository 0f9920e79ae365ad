//! FNV-1a over names, byte by byte: names are short, and their bytes have to be folded to lower case.

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// The hash of `name` in any case.
pub(crate) fn hash_folded(name: &[u8]) -> u64 {
    let hash = name.iter().fold(OFFSET, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(PRIME)
    });
    // The table takes its tag from the top bits, which FNV mixes least: fold them.
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
