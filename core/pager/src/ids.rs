//! The pager's index types. Every table has its own; reusable handles carry a generation.

use core::fmt;

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index into a table.
            #[inline]
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

index! {
    /// One page-sized part of an arena, counted from the arena's base.
    VirtPage
}
index! {
    /// A memory object: a file, by the machine's own number. Numbers should be dense.
    ObjectNo
}
index! {
    /// A page-sized part of a memory object.
    BlockNo
}
index! {
    /// A page-sized part of the swap store.
    SwapBlock
}
/// One address space under the pager's control: a slot, and how often the slot was used before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ArenaId {
    /// Index among the live arenas.
    pub slot: u32,
    /// Counts the arenas that had this slot; a stale handle is recognised by it.
    pub generation: u32,
}

impl fmt::Display for ArenaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot, self.generation)
    }
}

/// Where a fault happens: an arena and a virtual page in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Site {
    /// The address space.
    pub arena: ArenaId,
    /// The page in it.
    pub page: VirtPage,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.arena, self.page)
    }
}

/// Whose fault or flush it is: the machine's own number, given back in `Resume`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub u64);

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A run of virtual pages.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Pages {
    /// The first page.
    pub start: VirtPage,
    /// How many.
    pub count: u32,
}

impl Pages {
    /// A single page.
    #[must_use]
    pub const fn one(page: VirtPage) -> Self {
        Pages { start: page, count: 1 }
    }

    /// One past the last page; `None` if that overflows.
    #[must_use]
    pub const fn end(self) -> Option<u32> {
        self.start.0.checked_add(self.count)
    }

    /// Every page of the run, in order.
    pub fn iter(self) -> impl Iterator<Item = VirtPage> + use<> {
        (self.start.0..self.start.0 + self.count).map(VirtPage)
    }
}

impl fmt::Display for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.start, self.count)
    }
}
