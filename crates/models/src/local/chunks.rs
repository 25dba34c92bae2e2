//! How a prompt is cut into steps.

use std::ops::Range;

/// Steps of at most `chunk` positions over `all` of them, none of which splits a picture.
///
/// `pictures` are disjoint and increasing; a picture longer than `chunk` gets a step of its own length, which the
/// caller has ruled out where the buffers do not allow it.
pub(super) fn chunks(all: Range<usize>, pictures: &[Range<usize>], chunk: usize) -> Vec<Range<usize>> {
    let mut steps = Vec::new();
    let mut start = all.start;
    while start < all.end {
        let mut end = start.saturating_add(chunk.max(1)).min(all.end);
        if let Some(cut) = pictures.iter().find(|p| p.start < end && end < p.end) {
            end = if cut.start > start { cut.start } else { cut.end };
        }
        steps.push(start..end);
        start = end;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_cover_the_prompt_and_split_no_picture() {
        // Pictures and expected steps as pairs of first position and end.
        type Pairs = &'static [(usize, usize)];
        let table: [(usize, Pairs, usize, Pairs); 7] = [
            (10, &[], 4, &[(0, 4), (4, 8), (8, 10)]),
            (10, &[(2, 6)], 4, &[(0, 2), (2, 6), (6, 10)]),
            (10, &[(0, 4), (5, 9)], 4, &[(0, 4), (4, 5), (5, 9), (9, 10)]),
            (10, &[(1, 5), (6, 10)], 6, &[(0, 6), (6, 10)]),
            (6, &[(1, 5)], 2, &[(0, 1), (1, 5), (5, 6)]),
            (3, &[], 100, &[(0, 3)]),
            (0, &[], 4, &[]),
        ];
        assert_eq!(chunks(6..13, &[2..6, 8..12], 4), [6..8, 8..12, 12..13], "from where a prompt goes on");
        let ranges = |pairs: Pairs| pairs.iter().map(|(start, end)| *start..*end).collect::<Vec<_>>();
        for (n, pictures, chunk, expected) in table {
            assert_eq!(chunks(0..n, &ranges(pictures), chunk), ranges(expected), "{n} {pictures:?} {chunk}");
        }
    }

    #[test]
    fn any_prompt_is_covered_once_and_in_order() {
        for chunk in 5..40 {
            for gap in 0..7 {
                let pictures: Vec<Range<usize>> =
                    (0..6).map(|i| (i * (5 + gap) + gap)..(i * (5 + gap) + gap + 5)).collect();
                let steps = chunks(0..80, &pictures, chunk);
                assert_eq!(steps.iter().map(ExactSizeIterator::len).sum::<usize>(), 80);
                for pair in steps.windows(2) {
                    assert_eq!(pair[0].end, pair[1].start);
                }
                for step in &steps {
                    assert!(!step.is_empty() && step.len() <= chunk, "{step:?} of {chunk}");
                    assert!(
                        pictures.iter().all(|p| p.end <= step.start
                            || p.start >= step.end
                            || (p.start >= step.start && p.end <= step.end)),
                        "{step:?} splits a picture of {pictures:?}"
                    );
                }
            }
        }
    }
}
