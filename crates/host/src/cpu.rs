//! What the CPU is, and how many of its cores this process may use.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;

use crate::proc;

/// Facts about the CPU.
#[derive(Clone, Debug)]
pub struct Cpu {
    /// What it calls itself; `None` where the system does not tell.
    pub name: Option<String>,
    /// The architecture that this program is built for ("x86_64").
    pub architecture: &'static str,
    /// Those instruction-set extensions of interest that it has ("avx2"); empty on architectures that are not asked.
    pub features: Vec<&'static str>,
    /// Logical CPUs that this process may use at once, by affinity and by the control group's quota; at least 1.
    pub logical: usize,
    /// Physical cores among the CPUs that affinity allows, at least 1; `None` where the system does not tell.
    pub physical: Option<usize>,
}

/// Asks for all facts.
#[must_use]
pub fn cpu() -> Cpu {
    Cpu {
        name: proc::read("/proc/cpuinfo").and_then(|text| name(&text)),
        architecture: std::env::consts::ARCH,
        features: features(),
        // The standard library asks affinity and control groups itself.
        logical: thread::available_parallelism().map_or(1, Into::into),
        physical: proc::read("/proc/self/status")
            .and_then(|status| physical(&status, Path::new(SYSTEM_CPUS))),
    }
}

/// One line for people: "AMD EPYC 7763, x86_64 with avx2 fma f16c".
#[must_use]
pub fn cpu_description() -> String {
    cpu().description()
}

/// Threads to compute with where nothing else is said: physical cores that this process may use. A second thread on
/// the same core shares its arithmetic and gains nothing.
#[must_use]
pub fn default_threads() -> usize {
    let cpu = cpu();
    cpu.physical.map_or(cpu.logical, |physical| physical.min(cpu.logical))
}

impl Cpu {
    /// One line for people: "AMD EPYC 7763, x86_64 with avx2 fma f16c".
    #[must_use]
    pub fn description(&self) -> String {
        let name = self.name.as_deref().unwrap_or("unknown CPU");
        let mut line = format!("{name}, {}", self.architecture);
        if !self.features.is_empty() {
            line += " with ";
            line += &self.features.join(" ");
        }
        line
    }
}

const SYSTEM_CPUS: &str = "/sys/devices/system/cpu";

fn name(cpuinfo: &str) -> Option<String> {
    // x86 and most others; some arm64 kernels name the board only.
    ["model name", "Model", "Hardware"].iter().find_map(|key| proc::field(cpuinfo, key)).map(str::to_owned)
}

/// Distinct cores among the CPUs that the status of a process allows, by the topology in `cpus`.
fn physical(status: &str, cpus: &Path) -> Option<usize> {
    let allowed = cpu_list(proc::field(status, "Cpus_allowed_list")?)?;
    let cores: Option<BTreeSet<String>> = (allowed.into_iter())
        .filter(|cpu| cpus.join(format!("cpu{cpu}")).exists())
        .map(|cpu| {
            // Siblings on one core name the same list. Kernels before 5.3 know the second file only.
            let topology = cpus.join(format!("cpu{cpu}/topology"));
            proc::read(topology.join("core_cpus_list"))
                .or_else(|| proc::read(topology.join("thread_siblings_list")))
        })
        .collect();
    cores.map(|cores| cores.len()).filter(|n| *n > 0)
}

/// "0-2,5" as 0, 1, 2, 5; `None` if it is not such a list, or names CPUs that no machine has.
fn cpu_list(text: &str) -> Option<Vec<usize>> {
    const MOST: usize = 1 << 16;
    let mut cpus = Vec::new();
    for range in text.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.trim().parse::<usize>().ok()?, last.trim().parse::<usize>().ok()?);
        if first > last || last >= MOST {
            return None;
        }
        cpus.extend(first..=last);
    }
    Some(cpus)
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    use std::arch::is_x86_feature_detected as has;
    [
        ("avx2", has!("avx2")),
        ("fma", has!("fma")),
        ("f16c", has!("f16c")),
        ("avxvnni", has!("avxvnni")),
        ("avx512f", has!("avx512f")),
        ("avx512bw", has!("avx512bw")),
        ("avx512vnni", has!("avx512vnni")),
        ("avx512bf16", has!("avx512bf16")),
    ]
    .into_iter()
    .filter_map(|(name, has)| has.then_some(name))
    .collect()
}

#[cfg(target_arch = "aarch64")]
fn features() -> Vec<&'static str> {
    use std::arch::is_aarch64_feature_detected as has;
    [
        ("neon", has!("neon")),
        ("fp16", has!("fp16")),
        ("dotprod", has!("dotprod")),
        ("i8mm", has!("i8mm")),
        ("bf16", has!("bf16")),
        ("sve", has!("sve")),
    ]
    .into_iter()
    .filter_map(|(name, has)| has.then_some(name))
    .collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> Vec<&'static str> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lists_of_cpus_are_read_or_refused() {
        for (text, expected) in [
            ("0", Some(vec![0])),
            ("0-1", Some(vec![0, 1])),
            ("3,5-7,9", Some(vec![3, 5, 6, 7, 9])),
            ("", None),
            ("2-1", None),
            ("0-", None),
            ("a", None),
            ("0-99999999999", None),
        ] {
            assert_eq!(cpu_list(text), expected, "{text:?}");
        }
    }

    #[test]
    fn siblings_on_one_core_count_once() {
        let root = std::env::temp_dir().join(format!("lightbox-cpus-{}", std::process::id()));
        // Two cores of two threads with the new file, one core of one thread with the old file alone.
        for (cpu, file, list) in [
            (0, "core_cpus_list", "0,2\n"),
            (1, "core_cpus_list", "1,3\n"),
            (2, "core_cpus_list", "0,2\n"),
            (3, "core_cpus_list", "1,3\n"),
            (4, "thread_siblings_list", "4\n"),
        ] {
            let topology = root.join(format!("cpu{cpu}/topology"));
            fs::create_dir_all(&topology).expect("a temporary folder");
            fs::write(topology.join(file), list).expect("a temporary file");
        }
        fs::create_dir_all(root.join("cpu5")).expect("a temporary folder");
        for (allowed, expected) in [
            ("0-4", Some(3)),
            ("0,2", Some(1)),
            ("0-1", Some(2)),
            ("3-4", Some(2)),
            ("4,8-100", Some(1)), // allowed, but not there
            ("5", None),          // there, but without a topology
            ("7", None),
        ] {
            let status = format!("Name:\tlightbox\nCpus_allowed_list:\t{allowed}\n");
            assert_eq!(physical(&status, &root), expected, "{allowed}");
        }
        assert_eq!(physical("Name:\tlightbox\n", &root), None);
        fs::remove_dir_all(root).expect("it is there");
    }

    #[test]
    fn names_are_those_of_the_first_cpu() {
        assert_eq!(
            name("processor\t: 0\nmodel name\t: AMD EPYC\nmodel name\t: B\n").as_deref(),
            Some("AMD EPYC")
        );
        assert_eq!(name("processor : 0\nModel : A Board\n").as_deref(), Some("A Board"));
        assert_eq!(name("processor : 0\n"), None);
    }

    #[test]
    fn this_machine_has_at_least_one_core() {
        let cpu = cpu();
        assert!(cpu.logical >= 1 && (1..=cpu.logical).contains(&default_threads()), "{cpu:?}");
        assert!(cpu_description().contains(cpu.architecture));
        if cfg!(target_os = "linux") {
            assert!(cpu.physical.is_some_and(|n| n >= 1), "{cpu:?}");
        }
    }
}
