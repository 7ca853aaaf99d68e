//! What every word of the memory must be.
//!
//! Word 0 of a page tells its version; all others follow from their place. Half of a page compresses: of each 32 words
//! 16 are as good as random, 16 are the page's own constant; lz4 makes 1.9 to 1 of it.

pub(crate) const PAGE_BYTES: usize = 4096;
pub(crate) const PAGE_WORDS: usize = PAGE_BYTES / 8;

/// A number as good as random (the finish of splitmix64).
#[inline]
fn mix(of: u64) -> u64 {
    let mut z = of.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Word 0 of a page after so many changes; never zero by being forgotten.
#[inline]
pub(crate) fn version(page: usize, changes: u32) -> u64 {
    mix((page as u64) << 32 | u64::from(changes) | 1 << 63)
}

/// Any other word.
#[inline]
pub(crate) fn word(page: usize, index: usize) -> u64 {
    if index & 16 == 0 { mix((page * PAGE_WORDS + index) as u64) } else { mix(!(page as u64)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn half_of_a_page_repeats_itself() {
        let page: Vec<u64> = (1..PAGE_WORDS).map(|index| word(77, index)).collect();
        let different = page.iter().collect::<HashSet<_>>().len();
        assert_eq!(different, PAGE_WORDS / 2 - 1 + 1);
        assert!(!page.contains(&0));
    }

    #[test]
    fn pages_and_versions_differ() {
        let words: HashSet<u64> = (0..1000).flat_map(|page| [word(page, 1), word(page, 4)]).collect();
        assert_eq!(words.len(), 2000);
        let versions: HashSet<u64> = (0..1000).map(|n: u32| version(n as usize % 10, n / 10)).collect();
        assert_eq!(versions.len(), 1000);
    }
}
