//! Whether there is an NVIDIA GPU, without starting anything on it.

use std::path::Path;

use crate::proc;

/// Facts about NVIDIA GPUs, as the driver's own files tell them (Linux).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gpu {
    /// One name for each GPU that the kernel driver has found.
    pub names: Vec<String>,
    /// The version of the kernel driver; `None` where it is not loaded.
    pub driver: Option<String>,
}

/// Asks for all facts.
#[must_use]
pub fn gpu() -> Gpu {
    from_driver(Path::new("/proc/driver/nvidia"))
}

/// What the kernel driver's folder says.
fn from_driver(folder: &Path) -> Gpu {
    let mut found: Vec<_> = std::fs::read_dir(folder.join("gpus"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    found.sort(); // by bus address
    let name = |gpu: &std::path::PathBuf| {
        let text = proc::read(gpu.join("information"))?;
        Some(proc::field(&text, "Model")?.to_owned())
    };
    let names = found.iter().map(|gpu| name(gpu).unwrap_or_else(|| "unknown".to_owned())).collect();
    let driver = proc::read(folder.join("version")).and_then(|text| version(&text));
    Gpu { names, driver }
}

/// The version in a line such as
/// `NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024`.
fn version(text: &str) -> Option<String> {
    let line = proc::field(text, "NVRM version")?;
    let is_version =
        |word: &&str| word.contains('.') && word.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    line.split_whitespace().find(is_version).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_drivers_files_are_read() {
        let root = std::env::temp_dir().join(format!("lightbox-gpu-{}", std::process::id()));
        for (address, text) in [
            ("0000:c1:00.0", "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 1\n"),
            ("0000:01:00.0", "Model: \t\t NVIDIA L4\n"),
            ("0000:d1:00.0", "IRQ: 3\n"),
        ] {
            let folder = root.join("gpus").join(address);
            fs::create_dir_all(&folder).expect("a temporary folder");
            fs::write(folder.join("information"), text).expect("a temporary file");
        }
        let text = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (x@y)\nGCC version: 12.2.0\n";
        fs::write(root.join("version"), text).expect("a temporary file");
        let gpu = from_driver(&root);
        assert_eq!(gpu.names, ["NVIDIA L4", "NVIDIA H100 80GB HBM3", "unknown"]);
        assert_eq!(gpu.driver.as_deref(), Some("580.95.05"));
        fs::remove_dir_all(&root).expect("it is there");
        assert_eq!(from_driver(&root), Gpu::default());
    }
}
