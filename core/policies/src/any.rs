//! A policy chosen by name at run time.

use crate::{Clock, Fifo, FrameNo, Frames, Gone, Observes, PageNo, Policy};
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

macro_rules! any_policy {
    ($($name:literal => $variant:ident),+ $(,)?) => {
        /// Any of this crate's policies, by name.
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "each variant is documented where its policy is")]
        pub enum Any { $($variant($variant)),+ }

        impl Any {
            /// The names [`Any::new`] knows.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The policy called `name` over frames `0..frames`.
            pub fn new(name: &str, frames: u32) -> Result<Self, UnknownPolicy> {
                match name {
                    $($name => Ok(Any::$variant($variant::new(frames))),)+
                    _ => Err(UnknownPolicy),
                }
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
            fn tick(&mut self) {
                match self { $(Any::$variant(p) => p.tick()),+ }
            }
            fn victim(&mut self, incoming: Option<PageNo>, frames: &mut impl Frames) -> Option<FrameNo> {
                match self { $(Any::$variant(p) => p.victim(incoming, frames)),+ }
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
}
