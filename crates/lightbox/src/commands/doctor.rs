//! `doctor`: what this machine has, where things are kept, and what is missing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use lightbox_kernels::Isa;
use lightbox_models::hub;
use lightbox_records::{Records, Report};
use serde::Serialize;

use crate::arguments::{DataArguments, OutputArguments};
use crate::commands::records::{CACHED, LEFTOVERS};
use crate::exit::{Code, Failure};
use crate::folders;
use crate::model;
use crate::recording::LEAST_FREE_BYTES;
use crate::terminal::{Output, count, print_json, size};

/// Say what this machine has, where things are kept, and what is missing
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  lightbox doctor
  lightbox doctor --json | jq .missing

Whether records could be written is tried with an empty file, which is gone again.
Exit code 3 if records are not as they were written; anything else that is missing is only said.")]
pub struct Arguments {
    #[command(flatten)]
    output: OutputArguments,

    #[command(flatten)]
    data: DataArguments,
}

#[derive(Serialize)]
struct Examination {
    version: &'static str,
    cpu: Cpu,
    memory: Memory,
    gpu: Gpu,
    caches: Caches,
    /// `None` where no place for it is known.
    data: Option<Data>,
    missing: Vec<String>,
}

#[derive(Serialize)]
struct Cpu {
    name: Option<String>,
    architecture: &'static str,
    features: Vec<&'static str>,
    logical: usize,
    physical: Option<usize>,
    threads: usize,
    computes_with: String,
}

#[derive(Serialize)]
struct Memory {
    total_bytes: Option<u64>,
    available_bytes: Option<u64>,
    limit_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Gpu {
    names: Vec<String>,
    driver: Option<String>,
    used: bool,
}

#[derive(Serialize)]
struct Caches {
    hub: Option<PathBuf>,
    models: Vec<String>,
    free_bytes: Option<u64>,
    connections_forbidden: bool,
    prompts: Option<PathBuf>,
}

#[derive(Serialize)]
struct Data {
    folder: PathBuf,
    exists: bool,
    free_bytes: Option<u64>,
    /// Whether a file can be made in it, or in the folder in which it would be made.
    writable: bool,
    /// Whether others than the owner may enter; `None` where the system has no such modes, or no folder.
    open_to_others: Option<bool>,
    records: Option<usize>,
    /// Whether a crash left something that belongs to no record.
    leftovers: bool,
    /// Bytes of cached entries.
    cached_bytes: u64,
    /// Studies that hold cached entries and no record.
    cached_studies: usize,
    /// Whether folder and records could be looked into; if not, why stands among the faults.
    readable: bool,
    /// What is wrong with the records; empty if all is as it was written.
    faults: Vec<String>,
}

pub fn run(arguments: &Arguments) -> Result<Code, Failure> {
    // What the machine has is said whether or not there is a place for records.
    let (data, no_data) = match folders::data(&arguments.data) {
        Ok(folder) => (Some(data(folder)), None),
        Err(failure) => (None, Some(format!("a data folder: {}", failure.message))),
    };
    let mut found = Examination {
        version: env!("CARGO_PKG_VERSION"),
        cpu: cpu(),
        memory: memory(),
        gpu: gpu(),
        caches: caches(),
        data,
        missing: Vec::new(),
    };
    found.missing = missing(&found);
    found.missing.extend(no_data);
    if arguments.output.json {
        print_json(&found)?;
    } else {
        Output::new().write(&told(&found))?;
    }
    Ok(if found.data.is_none_or(|data| data.faults.is_empty()) { Code::Done } else { Code::Input })
}

fn cpu() -> Cpu {
    let cpu = lightbox_host::cpu();
    Cpu {
        name: cpu.name,
        architecture: cpu.architecture,
        features: cpu.features,
        logical: cpu.logical,
        physical: cpu.physical,
        threads: lightbox_host::default_threads(),
        computes_with: Isa::best().to_string(),
    }
}

fn memory() -> Memory {
    let lightbox_host::Memory { total_bytes, available_bytes, limit_bytes } = lightbox_host::memory();
    Memory { total_bytes, available_bytes, limit_bytes }
}

fn gpu() -> Gpu {
    let gpu = lightbox_host::gpu();
    Gpu { names: gpu.names, driver: gpu.driver, used: false }
}

fn caches() -> Caches {
    let hub = folders::hub_cache();
    let models = hub.as_deref().map(hub::cached).unwrap_or_default();
    Caches {
        free_bytes: hub.as_deref().and_then(free),
        models: models.into_iter().map(|model| model.repo.to_string()).collect(),
        connections_forbidden: model::connections_forbidden().is_some(),
        prompts: folders::prompt_overrides().filter(|folder| folder.is_dir()),
        hub,
    }
}

/// Looks at the data folder without making or changing anything in it, as far as there is something.
fn data(folder: PathBuf) -> Data {
    let exists = folder.is_dir();
    let mut faults = Vec::new();
    let mut records = None;
    let mut leftovers = false;
    let (mut cached_bytes, mut cached_studies) = (0, 0);
    let looked = look(&folder);
    let mut readable = looked.is_ok();
    // A folder without log and head, which comes first, has nothing to be checked.
    if matches!(looked, Ok(true)) {
        let opened = Records::open_to_read(&folder);
        let examined = opened.and_then(|records| match records {
            None => Ok((Report::of_nothing(), Vec::new())),
            Some(records) => Ok((records.verify()?, records.cached()?)),
        });
        match examined {
            Ok((report, cached)) => {
                cached_bytes = cached.iter().map(|study| study.size_bytes).sum();
                cached_studies = report.cached_studies;
                records = Some(report.intact + report.erased + report.unsound.len());
                leftovers = report.has_leftovers();
                faults.extend(
                    report.broken.map(|broken| format!("line {} of the log: {}", broken.line, broken.why)),
                );
                if !report.unsound.is_empty() {
                    faults.push(format!("{} records are missing or altered", report.unsound.len()));
                }
            }
            Err(error) => {
                readable = false;
                faults.push(error.to_string());
            }
        }
    }
    faults.extend(looked.err().map(|error| format!("{}: {error}", folder.display())));
    Data {
        writable: writable(&folder),
        readable,
        free_bytes: free(&folder),
        open_to_others: open_to_others(&folder),
        exists,
        folder,
        records,
        leftovers,
        cached_bytes,
        cached_studies,
        faults,
    }
}

/// Whether the folder has a log of records; a folder that is not there has none.
fn look(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        read => drop(read?),
    }
    for name in ["records.log", "records.head"] {
        if folder.join(name).try_exists()? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a file can be made where `path` is, or would be. Modes do not say it (read-only mounts, quotas): it is
/// tried, and the file is gone again.
fn writable(path: &Path) -> bool {
    let Some(folder) = path.ancestors().find(|folder| folder.is_dir()) else { return false };
    let trial = folder.join(format!(".lightbox-doctor-{}", std::process::id()));
    let made = fs::OpenOptions::new().write(true).create_new(true).open(&trial).is_ok();
    made && fs::remove_file(&trial).is_ok()
}

/// Free space where `path` is, or would be.
fn free(path: &Path) -> Option<u64> {
    path.ancestors()
        .find(|folder| folder.is_dir())
        .and_then(|folder| lightbox_host::free_disk_bytes(folder).ok())
}

#[cfg(unix)]
fn open_to_others(folder: &Path) -> Option<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(folder).ok().map(|facts| facts.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn open_to_others(_folder: &Path) -> Option<bool> {
    None
}

fn missing(found: &Examination) -> Vec<String> {
    let mut missing = Vec::new();
    if found.caches.hub.is_none() {
        missing.push("a home folder for the hub's cache: set HOME or HF_HUB_CACHE".to_owned());
    }
    if found.caches.models.is_empty() {
        let way_out = if found.caches.connections_forbidden {
            "copy one into the hub's cache, or --model FOLDER or FILE.gguf"
        } else {
            "`lightbox models pull google/medgemma-1.5-4b-it`, or --model FOLDER or FILE.gguf"
        };
        missing.push(format!("a model with medical knowledge: {way_out}"));
    }
    if found.cpu.computes_with == Isa::PORTABLE.to_string() {
        missing.push(
            "an instruction set that this version is fast with (AVX2 with FMA): expect slow reads".to_owned(),
        );
    }
    if let Some(data) = &found.data {
        missing_of(data, &mut missing);
    }
    missing
}

fn missing_of(data: &Data, missing: &mut Vec<String>) {
    let place = data.folder.display();
    if data.open_to_others == Some(true) {
        missing.push(format!("privacy of the data folder: others may enter it; `chmod 700 {place}`"));
    }
    if !data.writable {
        missing.push(format!(
            "a data folder that can be written: {place} cannot; choose another with LIGHTBOX_DATA, or read with \
             --no-record"
        ));
    } else if data.free_bytes.is_some_and(|free| free < LEAST_FREE_BYTES) {
        missing.push(format!(
            "room for records: a read is refused below {} free; make room, choose another folder with LIGHTBOX_DATA, or \
             read with --no-record",
            size(LEAST_FREE_BYTES)
        ));
    }
    if data.leftovers {
        missing.push(format!("erasure of what is no record: {LEFTOVERS}"));
    }
    if data.cached_studies > 0 {
        missing.push(format!("records of what is cached: {CACHED}"));
    }
    let kind = if data.readable { "sound records" } else { "records that can be read" };
    missing.extend(data.faults.iter().map(|fault| format!("{kind}: {fault}")));
}

fn told(found: &Examination) -> String {
    let bytes = |n: Option<u64>| n.map_or_else(|| "unknown".to_owned(), size);
    let path = |path: &Option<PathBuf>| {
        path.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string())
    };
    let Examination { cpu, memory, gpu, caches, data, .. } = found;
    let physical = cpu.physical.map_or_else(String::new, |n| format!(" on {n} cores"));
    let gpus = if gpu.names.is_empty() {
        "none found".to_owned()
    } else {
        format!("{} (not used by this version)", gpu.names.join(", "))
    };
    let models = if caches.models.is_empty() { "none".to_owned() } else { caches.models.join(", ") };
    let data = data.as_ref().map_or_else(
        || "none".to_owned(),
        |data| format!("{}, {} free: {}", data.folder.display(), bytes(data.free_bytes), records(data)),
    );
    let mut text = format!(
        "lightbox    {}\ncpu         {} ({})\n            {} threads{physical}; computes with {} on {}\n",
        found.version,
        cpu.name.as_deref().unwrap_or("unknown"),
        [&[cpu.architecture][..], &cpu.features].concat().join(" "),
        cpu.logical,
        cpu.computes_with,
        cpu.threads,
    );
    text.push_str(&format!(
        "memory      {} of {} available{}\ngpu         {gpus}\n",
        bytes(memory.available_bytes),
        bytes(memory.total_bytes),
        memory.limit_bytes.map_or_else(String::new, |limit| format!(", limited to {}", size(limit))),
    ));
    text.push_str(&format!(
        "hub cache   {}, {} free\nmodels      {models}\ndata        {data}\nprompts     {}\n",
        path(&caches.hub),
        bytes(caches.free_bytes),
        caches.prompts.as_ref().map_or_else(|| "built in".to_owned(), |folder| folder.display().to_string()),
    ));
    if let Some(data) = found.data.as_ref().filter(|data| data.cached_bytes > 0) {
        text.push_str(&format!("cached      {} of pictures and prompts\n", size(data.cached_bytes)));
    }
    if caches.connections_forbidden {
        text.push_str("network     forbidden\n");
    }
    for one in &found.missing {
        text.push_str(&format!("missing     {one}\n"));
    }
    text
}

/// The records of the data folder in a few words.
fn records(data: &Data) -> String {
    match (data.records, data.exists) {
        _ if !data.readable => "cannot be read".to_owned(),
        (Some(n), _) if data.faults.is_empty() && !data.leftovers => {
            format!("{}, all as written", count(n, "record"))
        }
        (Some(n), _) if data.faults.is_empty() => {
            format!("{}, all as written, and leftovers of a crash", count(n, "record"))
        }
        (Some(n), _) => count(n, "record"),
        (None, true) => "no records yet".to_owned(),
        (None, false) => "not made yet".to_owned(),
    }
}
