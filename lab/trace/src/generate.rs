//! Synthetic traces, each from one seed.

use crate::Batch;

/// Steele and others' SplitMix64: small, fast, and the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Numbers that follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// The next 64 bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number below `below`, by the high half of a product.
    #[inline]
    pub fn below(&mut self, below: u64) -> u64 {
        let product = u128::from(self.bits()) * u128::from(below);
        u64::try_from(product >> 64).expect("the high half of 128 bits")
    }

    /// A number from 0 to just below 1.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        // 53 bits are what the fraction holds.
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A kind of load. `pages` is the footprint.
#[derive(Clone, Debug)]
pub enum Load {
    /// Page `i` with a chance in proportion to `1 / (i+1)^skew`.
    Zipf {
        /// The exponent.
        skew: f64,
    },
    /// Every page once, then the next round: 0, 1, 2, .. for ever.
    Scan,
    /// Rounds over the first `part` of the pages, then over all, and so on: a loop with a longer loop around it.
    Loop {
        /// Share of the pages in the inner loop.
        part: f64,
        /// Inner rounds for each outer one.
        rounds: u64,
    },
    /// Uniform accesses within a window that jumps to another place now and then.
    Phases {
        /// Share of the pages in the window.
        part: f64,
        /// Accesses until it jumps.
        length: u64,
    },
    /// Zipf accesses with a scan of all pages among them.
    Mix {
        /// The exponent.
        skew: f64,
        /// Share of the accesses that belong to the scan.
        scan: f64,
    },
}

/// Draws from `1 / (i+1)^skew` in constant time: Walker's alias method as Vose builds it.
struct Zipf {
    keep: Vec<f64>,
    alias: Vec<u32>,
}

impl Zipf {
    fn new(pages: u32, skew: f64) -> Self {
        let weight =
            |i: u32| if skew == 1.0 { 1.0 / (f64::from(i) + 1.0) } else { (f64::from(i) + 1.0).powf(-skew) };
        let total: f64 = (0..pages).rev().map(weight).sum();
        let mut keep: Vec<f64> = (0..pages).map(|i| weight(i) / total * f64::from(pages)).collect();
        let mut alias: Vec<u32> = (0..pages).collect();
        let (mut small, mut large): (Vec<u32>, Vec<u32>) = (0..pages).partition(|&i| keep[i as usize] < 1.0);
        while let (Some(&less), Some(&more)) = (small.last(), large.last()) {
            small.pop();
            alias[less as usize] = more;
            keep[more as usize] -= 1.0 - keep[less as usize];
            if keep[more as usize] < 1.0 {
                large.pop();
                small.push(more);
            }
        }
        small.into_iter().chain(large).for_each(|i| keep[i as usize] = 1.0);
        Zipf { keep, alias }
    }

    fn draw(&self, random: &mut Random) -> u64 {
        let column = random.below(self.keep.len() as u64);
        let index = usize::try_from(column).expect("a place in the table");
        if random.unit() < self.keep[index] { column } else { u64::from(self.alias[index]) }
    }
}

/// `part` of `pages`, at least 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and a u32")]
fn share(pages: u32, part: f64) -> u64 {
    (f64::from(pages) * part).clamp(1.0, f64::from(pages)) as u64
}

/// Makes `accesses` accesses over `pages` pages, `writes` of them (0 to 1) writes, and hands them to `each` in
/// batches, until it says stop.
pub fn generate<E>(
    load: &Load,
    pages: u32,
    accesses: u64,
    writes: f64,
    seed: u64,
    mut each: impl FnMut(&Batch) -> Result<(), E>,
) -> Result<(), E> {
    let mut random = Random::new(seed);
    let mut page = source(load, pages.max(1));
    let mut batch = Batch::default();
    for number in 0..accesses {
        let at = page(number, &mut random);
        let write = writes > 0.0 && random.unit() < writes;
        batch.push(at, write);
        if batch.len() == 1 << 14 {
            each(&batch)?;
            batch.clear();
        }
    }
    if batch.is_empty() { Ok(()) } else { each(&batch) }
}

/// The page of an access, by its number and chance.
type Source = Box<dyn FnMut(u64, &mut Random) -> u64>;

/// How `load` over `pages` pages chooses.
fn source(load: &Load, pages: u32) -> Source {
    let all = u64::from(pages);
    match *load {
        Load::Zipf { skew } => {
            let zipf = Zipf::new(pages, skew);
            Box::new(move |_, random| zipf.draw(random))
        }
        Load::Scan => Box::new(move |number, _| number % all),
        Load::Loop { part, rounds } => {
            let inner = share(pages, part);
            let period = (inner * rounds + all).max(1);
            Box::new(move |number, _| {
                let at = number % period;
                if at < inner * rounds { at % inner } else { at - inner * rounds }
            })
        }
        Load::Phases { part, length } => {
            let (window, mut base) = (share(pages, part), 0);
            Box::new(move |number, random| {
                if number.is_multiple_of(length.max(1)) {
                    base = random.below(all);
                }
                (base + random.below(window)) % all
            })
        }
        Load::Mix { skew, scan } => {
            let (zipf, mut next) = (Zipf::new(pages, skew), 0);
            Box::new(move |_, random| {
                if random.unit() >= scan {
                    return zipf.draw(random);
                }
                next = (next + 1) % all;
                next
            })
        }
    }
}
