//! What a read keeps on disk so that the next one need not compute it: pictures, and prompts where somebody asked.
//!
//! Such entries are about a patient. They lie in the data folder, in the study of the read's inputs, encrypted under
//! its key, and are written only where the read is recorded too.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::Args;
use lightbox_archive::{Archive, CachedKind, ErrorKind, MakerTag, StudyId, hex};
use lightbox_models::{CacheKind, CacheStore, Engine, LocalEngine};
use lightbox_records::Input;

use crate::exit::{Code, Failure};
use crate::folders;
use crate::recording::RecordArguments;
use crate::terminal::{say, size};

/// The variable that switches caches on disk off or says how much they may take.
pub const VARIABLE: &str = "LIGHTBOX_CACHE";
/// What they take at most where nobody says otherwise.
const USUAL_BYTES: u64 = 4_000_000_000;
/// What they leave free on the disk, for records above all.
const SPARE_BYTES: u64 = 64 << 20;

/// What is kept on disk of a read beside its record.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Cache")]
pub struct CacheArguments {
    /// Keep no cached entry on disk, and use none
    ///
    /// Without it encoded pictures are kept, encrypted, for further reads of the same inputs. LIGHTBOX_CACHE=off says it
    /// for all reads, LIGHTBOX_CACHE=SIZE, such as 2GB, how much all entries together may take. A read with --no-record
    /// keeps nothing either.
    #[arg(long)]
    pub no_cache: bool,

    /// Keep the prompt on disk too, as keys and values, encrypted: the next question on the same inputs starts sooner
    ///
    /// Takes more room than pictures do: `lightbox cache show` says how much.
    #[arg(long, conflicts_with_all = ["no_cache", "no_record"])]
    pub keep_prefix: bool,
}

/// How much cached entries may take on disk; `None` where they are switched off.
///
/// # Errors
/// [`Code::Usage`] for a value that is not understood.
pub fn limit_bytes() -> Result<Option<u64>, Failure> {
    parse(std::env::var_os(VARIABLE).as_deref())
}

fn parse(value: Option<&OsStr>) -> Result<Option<u64>, Failure> {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(Some(USUAL_BYTES)) };
    let text = value.to_str().unwrap_or_default();
    if text == "off" {
        return Ok(None);
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let factor = match unit {
        "" => Some(1),
        "kB" => Some(1000),
        "MB" => Some(1_000_000),
        "GB" => Some(1_000_000_000),
        _ => None,
    };
    let bytes = digits.parse::<u64>().ok().zip(factor).and_then(|(n, factor)| n.checked_mul(factor));
    bytes.map(Some).ok_or_else(|| {
        Failure::new(
            Code::Usage,
            format!(
                "{VARIABLE}: expected `off` or a size such as 500MB or 2GB, found `{}`",
                value.to_string_lossy()
            ),
        )
    })
}

/// Where a read's cached entries go; decided before the work begins.
pub struct Caching {
    /// The data folder and how much may lie in it; `None` where nothing is kept.
    place: Option<(PathBuf, u64)>,
    keep_prefix: bool,
}

impl Caching {
    /// What arguments and environment say.
    ///
    /// # Errors
    /// [`Code::Usage`] where they contradict each other or are not understood.
    pub fn of(arguments: &RecordArguments) -> Result<Self, Failure> {
        let CacheArguments { no_cache, keep_prefix } = arguments.cache;
        let limit_bytes = limit_bytes()?;
        if keep_prefix && limit_bytes.is_none() {
            return Err(Failure::new(
                Code::Usage,
                format!("--keep-prefix: {VARIABLE}=off forbids keeping anything; leave one of them out"),
            ));
        }
        let limit_bytes = limit_bytes.filter(|_| !no_cache && !arguments.no_record);
        let place = limit_bytes
            .map(|bytes| Ok::<_, Failure>((folders::data(&arguments.data)?, bytes)))
            .transpose()?;
        Ok(Self { place, keep_prefix })
    }

    /// Gives an engine the store for a read of these inputs. Where the folder cannot be used it says so, and the engine
    /// does without.
    pub fn attach(&self, engine: &mut LocalEngine, inputs: &[Input]) {
        engine.attach(None);
        if self.keep_prefix && inputs.is_empty() {
            say(
                "warning: --keep-prefix: nothing is kept of a request without inputs, which belongs to no study",
            );
        }
        let Some((root, limit_bytes)) = self.place.as_ref().filter(|_| !inputs.is_empty()) else { return };
        match Archive::open(root) {
            Ok(archive) => {
                let shelf = Shelf {
                    maker: archive.maker(&engine.card().digest),
                    archive,
                    inputs: inputs.iter().filter_map(|input| input.digest.bytes().try_into().ok()).collect(),
                    study: None,
                    limit_bytes: *limit_bytes,
                    keep_prefix: self.keep_prefix,
                    is_told: false,
                    is_full: false,
                };
                engine.attach(Some(Box::new(shelf)));
            }
            Err(error) => say(&format!("warning: the read goes on without its cache: {error}")),
        }
    }
}

/// The cached entries of one study.
struct Shelf {
    archive: Archive,
    inputs: Vec<[u8; 32]>,
    /// The study when it was last looked for.
    study: Option<StudyId>,
    maker: MakerTag,
    limit_bytes: u64,
    keep_prefix: bool,
    /// Whether something was said: once is enough.
    is_told: bool,
    /// Whether writing failed, so that it is not tried again.
    is_full: bool,
}

impl Shelf {
    /// The study of the inputs, if it is there. Looking for it asks every study, so the last answer is tried first.
    fn study(&mut self) -> lightbox_archive::Result<Option<StudyId>> {
        if let Some(study) = self.study
            && self.archive.is_of(&study, &self.inputs)?
        {
            return Ok(Some(study));
        }
        self.study = self.archive.study_of(&self.inputs)?;
        Ok(self.study)
    }

    fn tell(&mut self, what: &str) {
        if !std::mem::replace(&mut self.is_told, true) {
            say(&format!("warning: {what}"));
        }
    }

    fn tell_unwritten(&mut self, why: &str) {
        self.is_full = true;
        self.tell(&format!("the read goes on, and nothing more of it is cached: {why}"));
    }
}

impl CacheStore for Shelf {
    fn keeps(&self, kind: CacheKind) -> bool {
        !self.is_full && (kind == CacheKind::Image || self.keep_prefix)
    }

    fn get(&mut self, kind: CacheKind, key: &[u8; 32]) -> Option<Vec<u8>> {
        let found = self.study().and_then(|study| match study {
            Some(study) => self.archive.cached(&study, archived(kind), &hex::encode(key)),
            None => Ok(None),
        });
        found.unwrap_or_else(|error| {
            match error.kind() {
                ErrorKind::Altered => self.tell(&format!("{error}; it is computed again")),
                _ => self.tell(&format!("a cached entry cannot be read and is computed again: {error}")),
            }
            None
        })
    }

    fn put(&mut self, kind: CacheKind, key: &[u8; 32], bytes: &[u8]) {
        if !self.keeps(kind) {
            return;
        }
        if let Some(why) = no_room(self.archive.root(), bytes.len() as u64) {
            return self.tell_unwritten(&why);
        }
        let kept = self.archive.keep_cached(
            &self.inputs,
            archived(kind),
            &hex::encode(key),
            self.maker,
            bytes,
            self.limit_bytes,
        );
        match kept {
            Ok(true) => {}
            Ok(false) => self.tell(&format!(
                "an entry of {} is not cached: {VARIABLE} allows {}",
                size(bytes.len() as u64),
                size(self.limit_bytes)
            )),
            Err(error) => self.tell_unwritten(&error.to_string()),
        }
    }

    fn remove(&mut self, kind: CacheKind, key: &[u8; 32]) {
        let removed = self.study().and_then(|study| match study {
            Some(study) => self.archive.drop_cached(&study, archived(kind), &hex::encode(key)),
            None => Ok(()),
        });
        match removed {
            Ok(()) => {
                self.tell("a cached entry was not what was kept, and was dropped; it is computed again")
            }
            Err(error) => self.tell(&format!("a cached entry does not hold and cannot be removed: {error}")),
        }
    }
}

fn archived(kind: CacheKind) -> CachedKind {
    match kind {
        CacheKind::Image => CachedKind::Image,
        CacheKind::Prefix => CachedKind::Prefix,
    }
}

/// Why `n_bytes` more would leave too little for records; where the system does not say, the writing will.
fn no_room(folder: &Path, n_bytes: u64) -> Option<String> {
    let free = lightbox_host::free_disk_bytes(folder).ok()?;
    (free < n_bytes.saturating_add(SPARE_BYTES)).then(|| {
        format!("{} has {} free, and {} are left to records", folder.display(), size(free), size(SPARE_BYTES))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_off_or_a_size() {
        let table = [
            ("", Some(USUAL_BYTES)),
            ("off", None),
            ("0", Some(0)),
            ("1500", Some(1500)),
            ("20kB", Some(20_000)),
            ("500MB", Some(500_000_000)),
            ("2GB", Some(2_000_000_000)),
        ];
        for (text, expected) in table {
            assert_eq!(parse(Some(OsStr::new(text))).expect(text), expected, "{text}");
        }
        assert_eq!(parse(None).expect("the usual"), Some(USUAL_BYTES));
        for text in ["on", "OFF", "GB", "2 GB", "2gb", "-1", "1.5GB", "99999999999999999999", "99999999999GB"]
        {
            let failure = parse(Some(OsStr::new(text))).expect_err(text);
            assert_eq!(failure.code, Code::Usage);
            assert!(failure.message.contains(text), "{}", failure.message);
        }
    }

    #[test]
    fn a_cache_leaves_room_for_records() {
        assert!(no_room(Path::new("."), u64::MAX).is_some_and(|why| why.contains("left to records")));
        assert_eq!(no_room(Path::new("./no such folder"), 1), None);
    }
}
