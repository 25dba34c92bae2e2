//! Vectors whose memory comes in huge pages.

/// Vectors of fewer bytes are not worth a call: their pages are few.
const LEAST_BYTES: usize = 4 << 20;

/// An empty vector with room for exactly `n` elements, or `None` where the system has no memory for them.
///
/// Whoever fills a vector for the first time waits for each page of it. On a virtual machine that is most of the time
/// that a film of 32 MB takes to be copied (22 ms against 5 ms with huge pages), so large vectors ask for those.
#[must_use]
pub fn try_vector<T>(n: usize) -> Option<Vec<T>> {
    let mut vector = Vec::new();
    vector.try_reserve_exact(n).ok()?;
    prefer_huge_pages(&vector);
    Some(vector)
}

/// Asks the system for huge pages under the room of a large vector. What is in it is not changed, and a system without
/// them refuses without harm.
pub fn prefer_huge_pages<T>(vector: &Vec<T>) {
    let n_bytes = vector.capacity().saturating_mul(size_of::<T>());
    if n_bytes >= LEAST_BYTES {
        advise(vector.as_ptr().cast(), n_bytes);
    }
}

#[cfg(target_os = "linux")]
fn advise(start: *const u8, n_bytes: usize) {
    /// A huge page of x86-64, and of aarch64 with small pages of 4 KB.
    const UNIT_BYTES: usize = 2 << 20;
    let head = start.align_offset(UNIT_BYTES);
    let Some(n_whole) = n_bytes.checked_sub(head).map(|rest| rest / UNIT_BYTES * UNIT_BYTES) else { return };
    // SAFETY: `head` + `n_whole` ≤ `n_bytes`, so the range lies within the memory of one vector that is alive, and the
    // advice changes neither what is in it nor who may use it.
    unsafe {
        libc::madvise(start.add(head).cast_mut().cast(), n_whole, libc::MADV_HUGEPAGE);
    }
}

#[cfg(not(target_os = "linux"))]
fn advise(_: *const u8, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_given_or_refused_and_what_is_there_stays() {
        for n in [0_usize, 1, 1000, 3 << 20] {
            let vector: Vec<u16> = try_vector(n).expect("a little memory");
            assert!(vector.is_empty() && vector.capacity() >= n);
        }
        assert!(try_vector::<u64>(usize::MAX / 8).is_none());
        let filled = vec![7_u8; 9 << 20];
        prefer_huge_pages(&filled);
        assert!(filled.iter().all(|byte| *byte == 7));
        prefer_huge_pages(&vec![(); 9 << 20]);
    }
}
