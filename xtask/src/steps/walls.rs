//! The rooms of the house: which may use which, what from outside each may use, and where unsafe code may stand.
//!
//! The table below is the one place that says so. A new line in a `Cargo.toml` that it does not know is an error:
//! a dependency is a decision, and this is where it is written down.

use std::path::Path;

use crate::metadata::{Metadata, Package};
use crate::outcome::Outcome;
use crate::{rust_text, tree};

/// A package of the workspace and what it may know.
struct Room {
    /// Package name.
    name: &'static str,
    /// Rooms that it may use.
    rooms: &'static [&'static str],
    /// Packages of others that it may use.
    external: &'static [&'static str],
    /// Packages that its tests may use on top.
    in_tests: &'static [&'static str],
    /// Whether unsafe code may stand in it.
    may_be_unsafe: bool,
    /// Paths that its code, tests apart, must not name on top of [`NOWHERE`].
    never: &'static [&'static str],
}

/// Everything is at its narrowest; a room names what it needs.
const NARROW: Room =
    Room { name: "", rooms: &[], external: &[], in_tests: &[], may_be_unsafe: false, never: &[] };

const ROOMS: &[Room] = &[
    // Operating-system calls.
    Room { name: "lightbox-host", external: &["libc"], may_be_unsafe: true, ..NARROW },
    // Arithmetic: no files, no formats.
    Room {
        name: "lightbox-kernels",
        rooms: &["lightbox-host"],
        external: &["half"],
        may_be_unsafe: true,
        never: &["std::fs", "serde", "serde_json"],
        ..NARROW
    },
    // Models: no medical inputs, no wording of prompts.
    Room {
        name: "lightbox-models",
        rooms: &["lightbox-host", "lightbox-kernels"],
        external: &["half", "minijinja", "minijinja-contrib", "serde", "serde_json", "sha2", "tokenizers"],
        in_tests: &["tempfile"],
        ..NARROW
    },
    // Coded pictures: no files, nothing medical.
    Room {
        name: "lightbox-codecs",
        rooms: &["lightbox-host"],
        external: &["jxl-bitstream", "jxl-oxide", "jxl-oxide-common"],
        never: &["std::fs", "serde"],
        ..NARROW
    },
    // Medical inputs: nothing about a model.
    Room {
        name: "lightbox-intake",
        rooms: &["lightbox-codecs", "lightbox-host"],
        external: &["dicom-core", "dicom-dictionary-std", "dicom-encoding", "flate2", "png", "serde", "sha2"],
        in_tests: &["tempfile", "lightbox-phantoms"],
        ..NARROW
    },
    // Views, tasks, prompts, answers.
    Room {
        name: "lightbox-reading",
        rooms: &["lightbox-intake", "lightbox-models"],
        external: &["minijinja", "serde", "serde_json", "sha2"],
        in_tests: &["tempfile", "lightbox-phantoms"],
        ..NARROW
    },
    // What rests on disk.
    Room {
        name: "lightbox-archive",
        external: &["chacha20poly1305", "getrandom", "hmac", "serde", "sha2", "zeroize"],
        in_tests: &["tempfile"],
        ..NARROW
    },
    // The written form of a reading.
    Room {
        name: "lightbox-records",
        rooms: &["lightbox-archive", "lightbox-models", "lightbox-reading"],
        external: &["serde", "serde_json", "sha2"],
        in_tests: &["tempfile"],
        ..NARROW
    },
    // Request and response types.
    Room { name: "lightbox-serve", external: &["serde", "serde_json"], ..NARROW },
    // Studies with known truth.
    Room {
        name: "lightbox-phantoms",
        external: &[
            "dicom-core",
            "dicom-dictionary-std",
            "dicom-object",
            "dicom-transfer-syntax-registry",
            "flate2",
            "png",
        ],
        ..NARROW
    },
    // The program.
    Room {
        name: "lightbox",
        rooms: &[
            "lightbox-host",
            "lightbox-kernels",
            "lightbox-models",
            "lightbox-intake",
            "lightbox-reading",
            "lightbox-archive",
            "lightbox-records",
            "lightbox-serve",
            "lightbox-phantoms",
        ],
        external: &[
            "base64",
            "clap",
            "indicatif",
            "png",
            "serde",
            "serde_json",
            "sha1",
            "sha2",
            "signal-hook",
            "ureq",
        ],
        in_tests: &["tempfile"],
        ..NARROW
    },
    // Tools for developers; they are not part of what ships. The fuzz program counts memory in an allocator of its
    // own, and an allocator cannot be written without unsafe code.
    Room {
        name: "lightbox-fuzz",
        rooms: &[
            "lightbox-codecs",
            "lightbox-intake",
            "lightbox-models",
            "lightbox-reading",
            "lightbox-archive",
            "lightbox-records",
            "lightbox-serve",
            "lightbox-phantoms",
        ],
        may_be_unsafe: true,
        ..NARROW
    },
    Room { name: "xtask", external: &["serde", "serde_json"], ..NARROW },
];

/// The one dependency that can open a connection, the room that has it, and that a feature turns it on.
const CONNECTION: (&str, &str) = ("ureq", "lightbox");

/// Paths and words that no room's code may name: sockets and async belong to a server that does not exist yet.
const NOWHERE: &[&str] =
    &["std::net", "TcpStream", "TcpListener", "UdpSocket", "UnixStream", "async", "await"];

/// Packages that must not be built at all: async runtimes, second HTTP stacks, system cryptography, and what needs
/// a C++ compiler, CMake or libclang.
const UNWANTED: &[&str] = &[
    "async-std",
    "aws-lc-sys",
    "bindgen",
    "cmake",
    "cxx",
    "cxx-build",
    "hyper",
    "native-tls",
    "onig_sys",
    "openssl-sys",
    "reqwest",
    "smol",
    "tokio",
];

/// Checks the table against `cargo metadata` and the sources.
pub fn run(root: &Path) -> Outcome {
    let metadata = match Metadata::read(root) {
        Ok(metadata) => metadata,
        Err(error) => return Outcome::fail(error),
    };
    let mut findings: Vec<String> = metadata
        .external()
        .filter(|package| UNWANTED.contains(&package.name.as_str()))
        .map(|package| format!("{} is built; find who brings it with `cargo tree -i {0}`", package.name))
        .collect();
    for package in metadata.members() {
        match ROOMS.iter().find(|room| room.name == package.name) {
            None => findings
                .push(format!("{} is not in the table of rooms in xtask/src/steps/walls.rs", package.name)),
            Some(room) => {
                findings.extend(dependencies(room, package));
                findings.extend(unused(room, package));
                findings.extend(place(root, package));
                findings.extend(roots(root, room, package));
                findings.extend(code(root, room, package));
            }
        }
    }
    for room in ROOMS.iter().filter(|room| !metadata.members().any(|package| package.name == room.name)) {
        findings.push(format!("{} is in the table of rooms and not in the workspace", room.name));
    }
    Outcome::of_findings(findings)
}

fn dependencies(room: &Room, package: &Package) -> Vec<String> {
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        let is_room = ROOMS.iter().any(|other| other.name == name);
        let allowed = room.rooms.contains(&name) || room.external.contains(&name);
        let in_tests = dependency.kind.as_deref() == Some("dev") && room.in_tests.contains(&name);
        if !allowed && !in_tests {
            let what = if is_room { "the room" } else { "the package" };
            let why = dependency.kind.as_deref().map(|kind| format!(" ({kind})")).unwrap_or_default();
            findings.push(format!("{} may not use {what} {name}{why}", room.name));
        }
        if name == CONNECTION.0 && !(room.name == CONNECTION.1 && dependency.optional) {
            findings.push(format!("{name} may only be an optional dependency of {}", CONNECTION.1));
        }
    }
    findings
}

/// What the table allows and nobody needs any more would let it back in without a decision.
fn unused(room: &Room, package: &Package) -> Vec<String> {
    [room.rooms, room.external, room.in_tests]
        .into_iter()
        .flatten()
        .filter(|name| !package.dependencies.iter().any(|dependency| dependency.name == **name))
        .map(|name| format!("{} does not use {name}: take it off the table of rooms", room.name))
        .collect()
}

/// A room's folder is its name without the prefix.
fn place(root: &Path, package: &Package) -> Option<String> {
    let folder = match package.name.strip_prefix("lightbox-") {
        Some("fuzz") => "fuzz".to_owned(),
        Some(short) => format!("crates/{short}"),
        None if package.name == "xtask" => "xtask".to_owned(),
        None => format!("crates/{}", package.name),
    };
    let expected = root.join(&folder).join("Cargo.toml");
    (package.manifest_path != expected).then(|| format!("{} must lie in {folder}", package.name))
}

/// The compiler itself keeps unsafe code out: each library and program forbids it in its root file.
fn roots(root: &Path, room: &Room, package: &Package) -> Vec<String> {
    let ships = |kind: &String| matches!(kind.as_str(), "lib" | "bin");
    let mut findings = Vec::new();
    for target in package.targets.iter().filter(|target| target.kind.iter().any(ships)) {
        let path = target.src_path.strip_prefix(root).unwrap_or(&target.src_path).display();
        match std::fs::read_to_string(&target.src_path) {
            Err(error) => findings.push(format!("failed to read {path}: {error}")),
            Ok(text) => {
                let forbids = rust_text::code_of(&text).contains("#![forbid(unsafe_code)]");
                if !room.may_be_unsafe && !forbids {
                    findings.push(format!("{path} must say `#![forbid(unsafe_code)]`"));
                }
            }
        }
    }
    findings
}

/// Words in the code of a room, tests under `tests/` apart.
fn code(root: &Path, room: &Room, package: &Package) -> Vec<String> {
    let folder = package.manifest_path.parent().map(|folder| folder.join("src"));
    let Some(prefix) = folder.as_deref().and_then(|folder| folder.strip_prefix(root).ok()) else {
        return Vec::new();
    };
    let sources = match tree::texts(root, ".rs") {
        Ok(sources) => sources,
        Err(error) => return vec![error],
    };
    let mut findings = Vec::new();
    for (path, text) in sources.iter().filter(|(path, _)| Path::new(path).starts_with(prefix)) {
        let code = rust_text::code_of(text);
        for word in room.never.iter().chain(NOWHERE) {
            for line in rust_text::lines_with(&code, word) {
                findings.push(format!("{path}:{line} names `{word}`, which {} must not", room.name));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    fn package(dependencies: &[(&str, Option<&str>, bool)]) -> Package {
        Package {
            id: String::new(),
            name: "lightbox-serve".to_owned(),
            version: String::new(),
            license: None,
            manifest_path: "/house/crates/serve/Cargo.toml".into(),
            dependencies: dependencies
                .iter()
                .map(|&(name, kind, optional)| Dependency {
                    name: name.into(),
                    kind: kind.map(Into::into),
                    optional,
                })
                .collect(),
            targets: Vec::new(),
        }
    }

    fn room(name: &str) -> &'static Room {
        ROOMS.iter().find(|room| room.name == name).expect("the table has the room")
    }

    #[test]
    fn what_a_room_may_not_use_is_named() {
        let cases = [
            ("lightbox-reading", ("lightbox-models", None, false), None),
            ("lightbox-models", ("lightbox-intake", None, false), Some("the room lightbox-intake")),
            ("lightbox-intake", ("lightbox-models", Some("dev"), false), Some("lightbox-models (dev)")),
            ("lightbox-models", ("tempfile", Some("dev"), false), None),
            ("lightbox-models", ("tempfile", None, false), Some("the package tempfile")),
            ("lightbox-kernels", ("cc", Some("build"), false), Some("cc (build)")),
            ("lightbox", ("ureq", None, true), None),
            ("lightbox", ("ureq", None, false), Some("only be an optional dependency")),
        ];
        for (name, dependency, finding) in cases {
            let findings = dependencies(room(name), &package(&[dependency]));
            match finding {
                None => assert!(findings.is_empty(), "{name} {dependency:?}: {findings:?}"),
                Some(says) => {
                    assert!(findings.iter().any(|found| found.contains(says)), "{name}: {findings:?}")
                }
            }
        }
    }

    #[test]
    fn the_table_has_no_circle() {
        // Rooms are listed after the rooms that they use, so that the order itself is the proof.
        for (idx, room) in ROOMS.iter().enumerate() {
            for used in room.rooms {
                assert!(
                    ROOMS[..idx].iter().any(|earlier| earlier.name == *used),
                    "{} uses {used}",
                    room.name
                );
            }
        }
    }

    #[test]
    fn a_package_in_another_folder_is_named() {
        assert_eq!(place(Path::new("/house"), &package(&[])), None);
        assert!(place(Path::new("/elsewhere"), &package(&[])).expect("wrong place").contains("crates/serve"));
    }
}
