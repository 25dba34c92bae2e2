//! Symbols that stand side by side become one, best pair first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// No neighbour.
const NONE: u32 = u32::MAX;

/// A stretch of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Symbol {
    /// Where it begins, in bytes.
    pub(super) start: u32,
    /// Where it ends.
    pub(super) end: u32,
    /// Its piece; `None` where the text has none, which never merges.
    pub(super) id: Option<u32>,
    /// Whether it may become part of another.
    pub(super) is_free: bool,
}

/// A pair that can merge: the lowest rank first, then the longer left part, then the one that stands first.
///
/// Left parts differ in length within a rank only where one piece can be put together in several ways; the merges of a
/// `tokenizer.json` that was made from scores name those with the longer left part first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    rank: u32,
    left_bytes: Reverse<u32>,
    left: u32,
    /// Where the right part ends: with the length of the left part, it tells whether both are still as they were.
    end: u32,
    id: u32,
}

#[derive(Clone, Copy)]
struct Link {
    symbol: Symbol,
    previous: u32,
    next: u32,
    is_alive: bool,
}

/// Merges `symbols`, which stand side by side. `pair` gives rank and piece of two that may become one.
///
/// Takes time in proportion to `n log n`, whatever the text.
pub(super) fn merge(
    symbols: &[Symbol],
    pair: impl Fn(&Symbol, &Symbol) -> Option<(u32, u32)>,
) -> Vec<Symbol> {
    let n = symbols.len() as u32;
    let mut links: Vec<Link> = (0..n)
        .zip(symbols)
        .map(|(i, symbol)| Link {
            symbol: *symbol,
            previous: if i == 0 { NONE } else { i - 1 },
            next: if i + 1 == n { NONE } else { i + 1 },
            is_alive: true,
        })
        .collect();
    let mut candidates = BinaryHeap::new();
    let consider = |links: &[Link], left: u32, candidates: &mut BinaryHeap<Reverse<Candidate>>| {
        let Some(a) = links.get(left as usize) else { return };
        let Some(b) = links.get(a.next as usize) else { return };
        let (a, b) = (&a.symbol, &b.symbol);
        if !a.is_free || !b.is_free {
            return;
        }
        if let Some((rank, id)) = pair(a, b) {
            let left_bytes = Reverse(a.end - a.start);
            candidates.push(Reverse(Candidate { rank, left_bytes, left, end: b.end, id }));
        }
    };
    for left in 0..n {
        consider(&links, left, &mut candidates);
    }
    while let Some(Reverse(best)) = candidates.pop() {
        let a = links[best.left as usize];
        let Some(b) = links.get(a.next as usize).copied() else { continue };
        let is_fresh =
            a.is_alive && a.symbol.end - a.symbol.start == best.left_bytes.0 && b.symbol.end == best.end;
        if !is_fresh {
            continue;
        }
        links[a.next as usize].is_alive = false;
        let merged = &mut links[best.left as usize];
        merged.symbol.end = b.symbol.end;
        merged.symbol.id = Some(best.id);
        merged.next = b.next;
        if let Some(after) = links.get_mut(b.next as usize) {
            after.previous = best.left;
        }
        consider(&links, a.previous, &mut candidates);
        consider(&links, best.left, &mut candidates);
    }
    links.into_iter().filter(|link| link.is_alive).map(|link| link.symbol).collect()
}
