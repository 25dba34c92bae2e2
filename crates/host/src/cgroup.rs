//! The memory limit of the control group that this process is in (containers and services set one).

use std::path::{Path, PathBuf};

use crate::proc;

/// Limits from here on mean "none": version 1 writes a number of pages close to 2⁶³ bytes.
const NO_LIMIT_BYTES: u64 = 1 << 60;

/// The smallest limit on the way from this process's group up to the root; `None` where nothing limits it or groups
/// are not told.
pub(crate) fn memory_limit_bytes() -> Option<u64> {
    limit(&proc::read("/proc/self/cgroup")?, Path::new("/sys/fs/cgroup"))
}

/// `groups` is the text of `/proc/self/cgroup`, `mounted` where control groups are mounted.
fn limit(groups: &str, mounted: &Path) -> Option<u64> {
    groups.lines().filter_map(|line| limit_of(line, mounted)).min()
}

/// The limit that one line `id:controllers:/path` leads to.
fn limit_of(line: &str, mounted: &Path) -> Option<u64> {
    let mut parts = line.splitn(3, ':');
    let (id, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let (root, file) = if id == "0" && controllers.is_empty() {
        (mounted.to_owned(), "memory.max")
    } else if controllers.split(',').any(|c| c == "memory") {
        (mounted.join("memory"), "memory.limit_in_bytes")
    } else {
        return None;
    };
    // Seen from inside a container the path may not exist below the mount; the groups above it still count.
    let group: PathBuf = root.join(path.trim_start_matches('/'));
    (group.ancestors().take_while(|group| group.starts_with(&root)))
        .filter_map(|group| proc::read(group.join(file))?.trim().parse::<u64>().ok())
        .filter(|limit| *limit < NO_LIMIT_BYTES)
        .min()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_smallest_limit_above_the_process_counts() {
        let root = std::env::temp_dir().join(format!("lightbox-cgroup-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("it has one")).expect("a temporary folder");
            fs::write(path, text).expect("a temporary file");
        };
        write("memory.max", "max\n");
        write("a/memory.max", "4096\n");
        write("a/b/memory.max", "8192\n");
        write("memory/x/memory.limit_in_bytes", "1000\n");
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        for (groups, expected) in [
            ("0::/a/b\n", Some(4096)),
            ("0::/a/b/not/here\n", Some(4096)),
            ("0::/\n", None),
            ("0::/elsewhere\n", None),
            ("4:cpu,memory:/x\n0::/\n", Some(1000)),
            ("4:memory:/\n", None),
            ("5:pids:/x\n", None),
            ("0::/a\n4:memory:/x\n", Some(1000)),
            ("nonsense\n", None),
            ("", None),
        ] {
            assert_eq!(limit(groups, &root), expected, "{groups:?}");
        }
        fs::remove_dir_all(root).expect("it is there");
    }
}
