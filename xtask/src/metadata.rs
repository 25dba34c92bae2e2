//! What `cargo metadata` says about the workspace, cut down to what the steps ask.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cargo;

/// The platforms whose dependencies are looked at; what only others need is neither fetched nor checked.
const PLATFORMS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// The workspace and everything it is built from.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    /// Every package that is built for one of the platforms, ours included.
    pub packages: Vec<Package>,
    /// Ids of our own packages.
    pub workspace_members: Vec<String>,
    /// Where cargo builds.
    pub target_directory: PathBuf,
    /// Which packages are really used.
    resolve: Resolve,
}

/// One package.
#[derive(Debug, Deserialize)]
pub struct Package {
    /// Cargo's name for this version from this source.
    pub id: String,
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// SPDX expression.
    pub license: Option<String>,
    /// Where its `Cargo.toml` lies.
    pub manifest_path: PathBuf,
    /// What it asks for itself.
    pub dependencies: Vec<Dependency>,
    /// Libraries, programs, tests.
    pub targets: Vec<Target>,
}

/// A line of a `[dependencies]` table.
#[derive(Debug, Deserialize)]
pub struct Dependency {
    /// Name of the package.
    pub name: String,
    /// `None` for a normal dependency, else `dev` or `build`.
    pub kind: Option<String>,
    /// Whether a feature turns it on.
    #[serde(default)]
    pub optional: bool,
}

/// Something that cargo builds.
#[derive(Debug, Deserialize)]
pub struct Target {
    /// `lib`, `bin`, `test`, `custom-build`, …
    pub kind: Vec<String>,
    /// Its root file.
    pub src_path: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
}

impl Metadata {
    /// Asks cargo.
    ///
    /// # Errors
    /// Cargo's own words, or what does not look like its answer.
    pub fn read(root: &Path) -> Result<Self, String> {
        let mut arguments = vec!["metadata", "--format-version", "1", "--locked", "--all-features"];
        for platform in PLATFORMS {
            arguments.extend(["--filter-platform", platform]);
        }
        let output = cargo::command(root, &arguments)
            .output()
            .map_err(|error| format!("failed to run cargo metadata: {error}"))?;
        if !output.status.success() {
            return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("cargo metadata is not as expected: {error}"))
    }

    /// Our own packages, by name.
    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The packages of others that are built, by name and version.
    pub fn external(&self) -> impl Iterator<Item = &Package> {
        let used: std::collections::BTreeSet<&str> =
            self.resolve.nodes.iter().map(|node| node.id.as_str()).collect();
        self.packages.iter().filter(move |package| {
            used.contains(package.id.as_str()) && !self.workspace_members.contains(&package.id)
        })
    }

    /// Versions of each external package, by name.
    pub fn versions(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for package in self.external() {
            versions.entry(&package.name).or_default().push(&package.version);
        }
        versions
    }
}
