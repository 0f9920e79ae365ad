//! A hash of names that is the same in any case.

/// The bit that tells a letter in lower case from one in upper case. Where it is set in every byte, some signs look the
/// same as well: whoever finds a name by its hash compares the name itself.
const LOWER_CASE: u64 = 0x2020_2020_2020_2020;

/// Odd, and its bits are as good as random: 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of `name` in any case. Eight bytes are taken in at once, since names make up most of a long preflight.
pub(crate) fn hash_folded(name: &[u8]) -> u64 {
    let mut hash = name.len() as u64;
    let mut rest = name;
    while let Some((word, others)) = rest.split_first_chunk() {
        hash = mix(hash, u64::from_le_bytes(*word));
        rest = others;
    }
    // The end of the name, which may begin within the last word.
    let end = name
        .last_chunk()
        .map_or_else(|| short(name), |word| u64::from_le_bytes(*word));
    mix(hash, end)
}

/// The bytes of a name of less than eight, in one word.
fn short(name: &[u8]) -> u64 {
    match (name.first_chunk(), name.last_chunk()) {
        (Some(first), Some(last)) => u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32,
        _ => name.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

fn mix(hash: u64, word: u64) -> u64 {
    let product = u128::from(hash ^ (word | LOWER_CASE)) * u128::from(MULTIPLIER);
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_name_has_one_hash_in_any_case() {
        for name in [
            "X",
            "X-Two",
            "X-Seven",
            "X-Eight8",
            "Content-Type",
            "X-A-Name-Of-Many-Bytes",
        ] {
            let (lower, upper) = (name.to_ascii_lowercase(), name.to_ascii_uppercase());
            assert_eq!(hash_folded(lower.as_bytes()), hash_folded(upper.as_bytes()), "{name}");
        }
    }

    #[test]
    fn names_that_differ_have_hashes_that_do() {
        let names = (0..100_000).map(|number| format!("x-{number}"));
        let hashes: HashSet<u64> = names.map(|name| hash_folded(name.as_bytes())).collect();
        assert_eq!(hashes.len(), 100_000);
        // hashbrown looks at the seven highest bits and at the lowest.
        let (high, low): (HashSet<u64>, HashSet<u64>) = hashes.iter().map(|hash| (hash >> 57, hash & 0xfff)).unzip();
        assert_eq!((high.len(), low.len()), (128, 4096));
    }
}
