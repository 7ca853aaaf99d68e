//! Where a fault waits: on its page, or in the one FIFO of demands for a frame. And who waits for a flush.

use crate::page::NONE;
use crate::{Denied, Fault, Ticket};
use alloc::{collections::VecDeque, vec::Vec};
use mager_policies::PageNo;

/// A need for a frame. The fault of a page-in waits on its page; the others wait here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Demand {
    /// A frame of zeros for an untouched page.
    Fill(Fault),
    /// A frame to read a page into.
    PageIn(PageNo),
    /// A frame for a copy of a shared page.
    Copy {
        /// Whose copy it is.
        fault: Fault,
        /// What is copied.
        source: PageNo,
    },
}

/// Who waits on a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiter {
    /// A fault, to be run again from the top.
    Fault(Fault),
    /// A flush, by its slot.
    Flush(u32),
}

/// A list of waiters, known by its last; in 28 bits, so that it can share a word with something else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct List(u32);

impl List {
    pub(crate) const BITS: u32 = 28;
    pub(crate) const MASK: u32 = (1 << Self::BITS) - 1;
    pub(crate) const EMPTY: List = List(Self::MASK);

    fn ending_with(node: u32) -> Self {
        assert!(node < Self::MASK, "wait: more waiters than can be numbered");
        List(node)
    }

    /// The list in the lowest bits of `word`.
    #[inline]
    pub(crate) const fn from_bits(word: u32) -> Self {
        List(word & Self::MASK)
    }

    #[inline]
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    #[inline]
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == Self::MASK
    }

    #[inline]
    fn get(self) -> Option<u32> {
        (!self.is_empty()).then_some(self.0)
    }
}

#[derive(Clone, Copy, Debug)]
struct Node {
    waiter: Waiter,
    next: u32,
}

/// The pool of waiters: circular lists in order of arrival, each known by its last node.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    nodes: Vec<Node>,
    free: Vec<u32>,
}

impl Waiters {
    pub(crate) fn waiting(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    /// Appends to the list whose last node is `last`.
    #[inline]
    pub(crate) fn push(&mut self, last: &mut List, waiter: Waiter) {
        let number = self.free.pop().unwrap_or_else(|| {
            self.nodes.push(Node { waiter, next: NONE });
            u32::try_from(self.nodes.len() - 1).expect("fewer waiters than tickets")
        });
        let next = match last.get() {
            Some(tail) => core::mem::replace(&mut self.nodes[tail as usize].next, number),
            None => number,
        };
        self.nodes[number as usize] = Node { waiter, next };
        *last = List::ending_with(number);
    }

    /// Takes the first waiter off the list whose last node is `last`.
    #[inline]
    pub(crate) fn pop(&mut self, last: &mut List) -> Option<Waiter> {
        let tail = last.get()?;
        let first = self.nodes[tail as usize].next;
        let Node { waiter, next } = self.nodes[first as usize];
        if first == tail {
            *last = List::EMPTY;
        } else {
            self.nodes[tail as usize].next = next;
        }
        self.free.push(first);
        Some(waiter)
    }

    /// Everyone on the list whose last node is `last`, in order.
    pub(crate) fn iter(&self, last: List) -> impl Iterator<Item = Waiter> {
        let mut at = last.get().map(|tail| self.nodes[tail as usize].next);
        core::iter::from_fn(move || {
            let number = at?;
            at = (Some(number) != last.get()).then(|| self.nodes[number as usize].next);
            Some(self.nodes[number as usize].waiter)
        })
    }
}

/// The queue of demands.
pub(crate) type Demands = VecDeque<Demand>;

/// A flush under way: how many writes it still waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flush {
    pub(crate) who: Ticket,
    pub(crate) pending: u32,
    pub(crate) outcome: Result<(), Denied>,
}

/// All flushes under way, by slot.
#[derive(Debug, Default)]
pub(crate) struct Flushes {
    slots: Vec<Option<Flush>>,
}

impl Flushes {
    pub(crate) fn add(&mut self, flush: Flush) -> u32 {
        let slot = self.slots.iter().position(Option::is_none).unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[slot] = Some(flush);
        u32::try_from(slot).expect("fewer flushes than tickets")
    }

    /// One write the flush waited for was answered. The flush, if it was the last one.
    pub(crate) fn settle(&mut self, slot: u32, outcome: Result<(), Denied>) -> Option<Flush> {
        let entry = &mut self.slots[slot as usize];
        let flush = entry.as_mut().expect("a flush waits until all its writes are answered");
        flush.pending -= 1;
        flush.outcome = flush.outcome.and(outcome);
        if flush.pending == 0 { entry.take() } else { None }
    }

    pub(crate) fn live(&self) -> usize {
        self.slots.iter().flatten().count()
    }
}
