//! A policy chosen by name at run time.

use crate::options::{BadSpec, Configured, Options};
use crate::{
    Aging, Arc, Car, Clock, ClockPro, Fifo, FrameNo, Frames, Gclock, Gone, Lfu, Lirs, Lru, Mglru, Nru,
    Observes, Opt, PageNo, Policy, Random, S3Fifo, Sieve, TwoQ, WTinyLfu, WsClock,
};
use core::fmt;

/// No policy has this name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownPolicy;

impl fmt::Display for UnknownPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown policy; expected one of: ")?;
        for (i, name) in Any::NAMES.iter().enumerate() {
            write!(f, "{}{name}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl core::error::Error for UnknownPolicy {}

/// Something done with a policy whose type is known only once its name has been read: code for each policy is made
/// where speed matters, instead of asking at every call which one it is.
pub trait Visitor {
    /// What comes of it.
    type Output;
    /// Does it with `policy`.
    fn visit<P: Policy + Send + 'static>(self, policy: P) -> Self::Output;
}

macro_rules! plain {
    ($($policy:ident),+ $(,)?) => { $(
        impl Configured for $policy {
            fn configured(frames: u32, _options: &mut Options<'_>) -> Result<Self, BadSpec> {
                Ok($policy::new(frames))
            }
        }
    )+ };
}

// Policies without parameters.
plain!(Arc, Car, Clock, ClockPro, Fifo, Lfu, Lru, Opt, Sieve);

macro_rules! any_policy {
    ($($name:literal => $variant:ident),+ $(,)?) => {
        /// Any of this crate's policies, by name.
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "each variant is documented where its policy is")]
        #[expect(clippy::large_enum_variant, reason = "a few hundred bytes, once a run")]
        pub enum Any { $($variant($variant)),+ }

        impl Any {
            /// The names [`Any::new`] knows.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The policy called `name` over frames `0..frames`, with its default parameters.
            pub fn new(name: &str, frames: u32) -> Result<Self, UnknownPolicy> {
                match name {
                    $($name => Ok(Any::$variant($variant::new(frames))),)+
                    _ => Err(UnknownPolicy),
                }
            }

            fn configured(name: &str, frames: u32, options: &mut Options<'_>) -> Result<Self, BadSpec> {
                match name {
                    $($name => <$variant as Configured>::configured(frames, options).map(Any::$variant),)+
                    _ => Err(BadSpec::Unknown(UnknownPolicy)),
                }
            }

            /// Hands the policy itself to `visitor`.
            pub fn visit<V: Visitor>(self, visitor: V) -> V::Output {
                match self { $(Any::$variant(p) => visitor.visit(p)),+ }
            }

            /// The name it was made by.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Any::$variant(_) => $name),+ }
            }
        }

        impl Policy for Any {
            fn needs(&self) -> Observes {
                match self { $(Any::$variant(p) => p.needs()),+ }
            }
            fn admit(&mut self, frame: FrameNo, page: PageNo) {
                match self { $(Any::$variant(p) => p.admit(frame, page)),+ }
            }
            fn remove(&mut self, frame: FrameNo, why: Gone) {
                match self { $(Any::$variant(p) => p.remove(frame, why)),+ }
            }
            fn forget(&mut self, page: PageNo) {
                match self { $(Any::$variant(p) => p.forget(page)),+ }
            }
            fn touched(&mut self, frame: FrameNo) {
                match self { $(Any::$variant(p) => p.touched(frame)),+ }
            }
            fn foretold(&mut self, frame: FrameNo, next: u64) {
                match self { $(Any::$variant(p) => p.foretold(frame, next)),+ }
            }
            fn resize(&mut self, frames: u32) {
                match self { $(Any::$variant(p) => p.resize(frames)),+ }
            }
            fn tick(&mut self) {
                match self { $(Any::$variant(p) => p.tick()),+ }
            }
            fn victim(&mut self, incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
                match self { $(Any::$variant(p) => p.victim(incoming, frames)),+ }
            }
            fn upcoming(&self, victims: u32, spare: &mut dyn FnMut(FrameNo) -> bool) -> bool {
                match self { $(Any::$variant(p) => p.upcoming(victims, spare)),+ }
            }
            fn order(&self, visit: &mut dyn FnMut(FrameNo)) {
                match self { $(Any::$variant(p) => p.order(visit)),+ }
            }
        }
    };
}

any_policy! {
    "clock" => Clock,
    "fifo" => Fifo,
    "random" => Random,
    "gclock" => Gclock,
    "nru" => Nru,
    "aging" => Aging,
    "wsclock" => WsClock,
    "mglru" => Mglru,
    "sieve" => Sieve,
    "s3-fifo" => S3Fifo,
    "car" => Car,
    "clock-pro" => ClockPro,
    "lru" => Lru,
    "lfu" => Lfu,
    "2q" => TwoQ,
    "arc" => Arc,
    "lirs" => Lirs,
    "w-tinylfu" => WTinyLfu,
    "opt" => Opt,
}

impl Any {
    /// The policy described by `spec`, a name and its parameters (`s3-fifo:small=0.2:counts=1`), over frames
    /// `0..frames`.
    pub fn from_spec(spec: &str, frames: u32) -> Result<Self, BadSpec> {
        let (name, mut options) = Options::split(spec);
        let policy = Any::configured(name, frames, &mut options)?;
        if options.all_taken() { Ok(policy) } else { Err(BadSpec::NoSuchKey) }
    }
}
