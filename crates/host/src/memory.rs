//! How much memory the machine has, and how much this process takes.

use crate::{cgroup, proc};

/// Facts about memory; `None` where the system does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Memory of the machine.
    pub total_bytes: Option<u64>,
    /// What a new program can have without swapping, caches that can be dropped included.
    pub available_bytes: Option<u64>,
    /// The smallest limit of a control group that this process is in; also `None` where none limits it.
    pub limit_bytes: Option<u64>,
}

impl Memory {
    /// The most that this process could ever take: the machine's memory or the control group's limit.
    #[must_use]
    pub fn usable_bytes(&self) -> Option<u64> {
        [self.total_bytes, self.limit_bytes].into_iter().flatten().min()
    }
}

/// Asks for all facts.
#[must_use]
pub fn memory() -> Memory {
    let text = proc::read("/proc/meminfo").unwrap_or_default();
    Memory {
        total_bytes: proc::kib_field(&text, "MemTotal"),
        available_bytes: proc::kib_field(&text, "MemAvailable"),
        limit_bytes: cgroup::memory_limit_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usable_is_the_smaller_of_what_is_known() {
        let memory = |total_bytes, limit_bytes| Memory { total_bytes, available_bytes: Some(1), limit_bytes };
        assert_eq!(memory(Some(8), Some(4)).usable_bytes(), Some(4));
        assert_eq!(memory(Some(8), Some(9)).usable_bytes(), Some(8));
        assert_eq!(memory(Some(8), None).usable_bytes(), Some(8));
        assert_eq!(memory(None, None).usable_bytes(), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells_all() {
        let memory = memory();
        let total = memory.total_bytes.expect("Linux tells it");
        assert!(memory.available_bytes.is_some_and(|available| available <= total), "{memory:?}");
    }
}
