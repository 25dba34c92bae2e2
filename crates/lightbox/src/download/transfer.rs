//! One file from the hub into the cache: resumed where it broke, checked before it counts.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::Duration;

use ureq::http::{StatusCode, header};

use super::cache::Cache;
use super::checksum::Checksum;
use super::client::{Client, Described, Trouble};
use super::listing::RemoteFile;
use super::{FetchedFile, failed};
use crate::exit::{Code, Failure};
use crate::terminal;

/// Tries in a row that bring nothing before it is given up.
const MAX_TRIES: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const BUFFER_BYTES: usize = 1 << 20;

/// Repeats what may only be broken for the moment.
///
/// # Errors
/// What was refused, or the last break after [`MAX_TRIES`] of them.
pub fn persist<T>(mut work: impl FnMut() -> Result<T, Trouble>) -> Result<T, Failure> {
    let mut wait = FIRST_WAIT;
    for attempt in 1.. {
        match work() {
            Ok(value) => return Ok(value),
            Err(Trouble::Refused(failure)) => return Err(failure),
            Err(Trouble::Broken(reason)) if attempt >= MAX_TRIES => return Err(given_up(&reason)),
            Err(Trouble::Broken(_)) => {
                std::thread::sleep(wait);
                wait *= 2;
            }
        }
    }
    Err(given_up("no try was made"))
}

fn given_up(reason: &str) -> Failure {
    failed(format!(
        "{reason}; gave up after {MAX_TRIES} tries, run the same command again to go on where it stopped"
    ))
}

/// Brings a file into the cache, unless it is there.
///
/// # Errors
/// As [`super::fetch`].
pub fn bring(
    client: &Client,
    cache: &Cache,
    file: &RemoteFile,
    url: &str,
    on_bytes: &mut dyn FnMut(u64),
) -> Result<FetchedFile, Failure> {
    let described = persist(|| client.describe(url))?;
    agree(file, &described)?;
    let etag = &described.etag;
    let present = is_present(cache, file, etag)?;
    if !present {
        if cache.blob(etag).exists() {
            let name = &file.name;
            terminal::say(&format!(
                "{name}: what is in the cache is not what the hub has; fetching it again"
            ));
        }
        receive(client, cache, file, etag, url, on_bytes)?;
    }
    cache.link(&file.name, etag)?;
    let checked = match Checksum::of_tag(etag, file.size_bytes) {
        Checksum::Sha256(_) if present => "size",
        sum => sum.name(),
    };
    Ok(FetchedFile { name: file.name.clone(), size_bytes: file.size_bytes, checked, present })
}

/// Whether the contents with that tag are there. Small ones are checked again, as another tool or a broken disk may have
/// left something else; of the weights the length has to do, as reading them takes as long as using them.
fn is_present(cache: &Cache, file: &RemoteFile, etag: &str) -> Result<bool, Failure> {
    let blob = cache.blob(etag);
    if !fs::metadata(&blob).is_ok_and(|facts| facts.is_file() && facts.len() == file.size_bytes) {
        return Ok(false);
    }
    let mut sum = Checksum::of_tag(etag, file.size_bytes);
    if matches!(sum, Checksum::Sha256(_)) {
        return Ok(true);
    }
    let unreadable =
        |error: io::Error| Failure::new(Code::Output, format!("failed to check {}: {error}", blob.display()));
    let mut there = File::open(&blob).map_err(unreadable)?;
    take_all(&mut there, |bytes| sum.update(bytes)).map_err(unreadable)?;
    Ok(sum.finish() == etag.to_ascii_lowercase())
}

/// Reads a file from where it stands to its end.
fn take_all(file: &mut File, mut on_bytes: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            n => on_bytes(&buffer[..n]),
        }
    }
}

/// The listing and the file's own address must mean the same bytes.
fn agree(file: &RemoteFile, described: &Described) -> Result<(), Failure> {
    let name = &file.name;
    if let Some(size) = described.size_bytes.filter(|&size| size != file.size_bytes) {
        return Err(failed(format!(
            "{name}: the hub lists {} bytes and offers {size}; try again later",
            file.size_bytes
        )));
    }
    match &file.sha256 {
        Some(sha256) if *sha256 != described.etag.to_ascii_lowercase() => Err(failed(format!(
            "{name}: the hub lists sha256 {sha256} and offers {}; try again later",
            described.etag
        ))),
        _ => Ok(()),
    }
}

/// Fills the unfinished file, checks it and puts it in its place.
fn receive(
    client: &Client,
    cache: &Cache,
    remote: &RemoteFile,
    etag: &str,
    url: &str,
    on_bytes: &mut dyn FnMut(u64),
) -> Result<(), Failure> {
    let path = cache.incomplete(etag);
    let unwritable = |error: io::Error| Failure::output(path.display(), &error);
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(unwritable)?;
    if file.try_lock().is_err() {
        let message = format!("{}: another download of this file is running; wait for it", remote.name);
        return Err(Failure::new(Code::Output, message));
    }
    // Another download may have ended between the opening and the lock: what was opened is then the whole file itself, or
    // a new one that nobody needs.
    if is_present(cache, remote, etag)? {
        let _ = fs::remove_file(&path);
        return Ok(());
    }
    let mut part = Part::resume(&mut file, remote.size_bytes, etag).map_err(unwritable)?;
    if part.len > 0 {
        terminal::say(&format!("{}: going on at {}", remote.name, terminal::size(part.len)));
    }
    let mut wait = FIRST_WAIT;
    let mut tries = 0;
    while part.len < remote.size_bytes {
        let before = part.len;
        let reason = match part.pull(client, remote, url, on_bytes) {
            Ok(()) => "the connection ended early".to_owned(),
            Err(Trouble::Refused(failure)) => return Err(failure),
            Err(Trouble::Broken(reason)) => reason,
        };
        if part.len >= remote.size_bytes {
            break;
        }
        if part.len > before {
            (tries, wait) = (0, FIRST_WAIT);
        }
        tries += 1;
        if tries >= MAX_TRIES {
            return Err(given_up(&format!("{}: {reason}", remote.name)));
        }
        std::thread::sleep(wait);
        wait *= 2;
    }
    part.file.sync_all().map_err(unwritable)?;
    let name = part.sum.name();
    let found = part.sum.finish();
    if found != etag.to_ascii_lowercase() {
        // Going on from these bytes could only end the same.
        fs::remove_file(&path).map_err(unwritable)?;
        return Err(failed(format!(
            "{}: expected {name} {etag}, found {found}; the bytes were dropped, run the command again",
            remote.name
        )));
    }
    // Still under the lock, so that no other download takes up what is whole.
    let blob = cache.blob(etag);
    fs::rename(&path, &blob).map_err(|error| Failure::output(blob.display(), &error))
}

/// The part of a file that has come, and its running hash.
struct Part<'a> {
    file: &'a mut File,
    len: u64,
    sum: Checksum,
    /// The hash of nothing.
    start: Checksum,
}

impl<'a> Part<'a> {
    /// Reads what an earlier run left; more than `size_bytes` is of no use and dropped.
    fn resume(file: &'a mut File, size_bytes: u64, etag: &str) -> io::Result<Self> {
        let start = Checksum::of_tag(etag, size_bytes);
        let mut sum = start.clone();
        let mut len = 0;
        if file.metadata()?.len() > size_bytes {
            file.set_len(0)?;
        }
        file.seek(SeekFrom::Start(0))?;
        take_all(file, |bytes| {
            sum.update(bytes);
            len += bytes.len() as u64;
        })?;
        Ok(Self { file, len, sum, start })
    }

    /// Starts again from nothing.
    fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        (self.len, self.sum) = (0, self.start.clone());
        Ok(())
    }

    /// Takes bytes until they end or the connection breaks.
    fn pull(
        &mut self,
        client: &Client,
        remote: &RemoteFile,
        url: &str,
        on_bytes: &mut dyn FnMut(u64),
    ) -> Result<(), Trouble> {
        let unwritable = |error: io::Error| Trouble::Refused(Failure::output(&remote.name, &error));
        let answer = client.open(url, self.len)?;
        match answer.status() {
            StatusCode::PARTIAL_CONTENT => {
                let range = answer.headers().get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
                let expected = format!("bytes {}-{}/{}", self.len, remote.size_bytes - 1, remote.size_bytes);
                if range != Some(expected.as_str()) {
                    let found = range.unwrap_or("none");
                    return Err(failed(format!(
                        "{}: expected range `{expected}`, found `{found}`",
                        remote.name
                    ))
                    .into());
                }
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                self.restart().map_err(unwritable)?;
                return Err(Trouble::Broken("the server does not go on where it stopped".to_owned()));
            }
            // A server that does not know ranges sends the whole.
            _ if self.len > 0 => self.restart().map_err(unwritable)?,
            _ => {}
        }
        let mut body = answer.into_body().into_reader();
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let n = match body.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Trouble::Broken(error.to_string())),
            };
            if self.len + n as u64 > remote.size_bytes {
                self.restart().map_err(unwritable)?;
                let message =
                    format!("{}: expected {} bytes, the hub sends more", remote.name, remote.size_bytes);
                return Err(failed(message).into());
            }
            self.file.write_all(&buffer[..n]).map_err(unwritable)?;
            self.sum.update(&buffer[..n]);
            self.len += n as u64;
            on_bytes(self.len);
        }
    }
}
