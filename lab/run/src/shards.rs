//! A trace in miniature: all accesses to a few of the pages.
//!
//! Source: C. Waldspurger and others, "Efficient MRC Construction with SHARDS", FAST 2015, and "Cache Modeling and
//! Optimization using Miniature Simulations", USENIX 2017. A page is in the sample if a hash of it says so; a memory
//! of the same share of the frames then behaves much as the whole would. Misses are set against the number of
//! accesses a fair sample would have, which takes most of the error of having drawn or missed a hot page away.

use crate::{Access, Trace};

/// A sample of a trace.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The accesses to the pages drawn, with dense numbers of their own.
    pub accesses: Vec<Access>,
    /// How many pages were drawn.
    pub pages: u32,
    /// The share of pages drawn on average.
    pub rate: f64,
    /// Accesses a fair sample has.
    pub fair: f64,
}

fn hash(page: u32) -> u32 {
    let mixed = (u64::from(page) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    u32::try_from(mixed >> 32).expect("the high half")
}

impl Sample {
    /// A sample of `trace` of about `pages` pages; the whole trace if it has no more.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a number of accesses on average")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 2^32")]
    pub fn of(trace: &Trace, pages: u32) -> Self {
        let rate = (f64::from(pages) / f64::from(trace.pages.max(1))).min(1.0);
        let below = (rate * f64::from(u32::MAX)) as u32;
        let mut number = vec![u32::MAX; trace.pages as usize];
        let mut drawn = 0;
        for (page, number) in (0..trace.pages).zip(&mut number) {
            if rate >= 1.0 || hash(page) < below {
                *number = drawn;
                drawn += 1;
            }
        }
        let kept = trace.accesses.iter().filter_map(|access| {
            let page = number[access.page() as usize];
            (page != u32::MAX).then(|| Access::new(page, access.write()))
        });
        Sample { accesses: kept.collect(), pages: drawn, rate, fair: trace.accesses.len() as f64 * rate }
    }

    /// The frames of the miniature that stand for `frames` frames.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a u32 is a u32")]
    pub fn frames(&self, frames: u32) -> u32 {
        ((f64::from(frames) * self.rate).round() as u32).max(1)
    }

    /// The miss ratio that `misses` misses in the miniature stand for.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    pub fn ratio(&self, misses: u64) -> f64 {
        if self.fair > 0.0 { (misses as f64 / self.fair).min(1.0) } else { 0.0 }
    }
}
