//! A server that speaks the hub's protocol, on this machine, as badly as a test wants.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The first byte asked for.
    fn from(&self) -> usize {
        let range = self.header("range").unwrap_or("bytes=0-");
        range.trim_start_matches("bytes=").trim_end_matches('-').parse().expect("one open range")
    }
}

/// An answer.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Send only so many bytes of the body, then break the connection.
    pub cut: Option<usize>,
}

impl Reply {
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), cut: None }
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// A server on a port of its own; it lives as long as the test program.
pub struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub fn start(answer: impl Fn(&Seen) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound port"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that leaves is what some tests are about.
                let _ = serve(stream, &answer, &log);
            }
        });
        Self { url, seen }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test panics while it holds this").clone()
    }

    /// Requests that asked for bytes of a file whose path ends so, as (first byte, with a token).
    pub fn gets(&self, ending: &str) -> Vec<(usize, bool)> {
        let is_meant = |seen: &&Seen| seen.method == "GET" && seen.path.ends_with(ending);
        let seen = self.seen();
        seen.iter()
            .filter(is_meant)
            .map(|seen| (seen.from(), seen.header("authorization").is_some()))
            .collect()
    }
}

fn serve(stream: TcpStream, answer: &impl Fn(&Seen) -> Reply, log: &Mutex<Vec<Seen>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, path) =
        (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let seen = Seen { method, path, headers };
    log.lock().expect("no test panics while it holds this").push(seen.clone());
    let reply = answer(&seen);
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {} X\r\nConnection: close\r\n", reply.status)?;
    if !reply.headers.iter().any(|(name, _)| name == "Content-Length") {
        write!(stream, "Content-Length: {}\r\n", reply.body.len())?;
    }
    for (name, value) in &reply.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    write!(stream, "\r\n")?;
    if seen.method != "HEAD" {
        stream.write_all(&reply.body[..reply.cut.unwrap_or(reply.body.len())])?;
    }
    stream.flush()?;
    stream.shutdown(Shutdown::Write)?;
    // Until the client has hung up: closing with unread bytes would drop what was sent.
    let _ = reader.read_to_end(&mut Vec::new());
    Ok(())
}

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A file as the hub keeps it.
#[derive(Clone)]
pub struct Kept {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    /// Large files have a SHA-256 and live on another server.
    pub large: bool,
}

impl Kept {
    pub fn sha256(&self) -> String {
        Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Small files are named as git names them.
    pub fn etag(&self) -> String {
        if self.large {
            return self.sha256();
        }
        let blob = [format!("blob {}\0", self.bytes.len()).as_bytes(), &self.bytes].concat();
        sha1::Sha1::digest(blob).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The files of a small model, as bytes: the protocol does not look inside.
pub fn model_files() -> Vec<Kept> {
    let weights =
        (0..200_000_u32).flat_map(|i| (i.wrapping_mul(2_654_435_761) >> 24).to_le_bytes()).collect();
    vec![
        Kept { name: "config.json", bytes: b"{\"model_type\": \"gemma3\"}".to_vec(), large: false },
        Kept { name: "README.md", bytes: b"not needed".to_vec(), large: false },
        Kept { name: "model.safetensors", bytes: weights, large: true },
    ]
}

pub fn listing(files: &[Kept]) -> Value {
    let siblings: Vec<_> = files
        .iter()
        .map(|file| {
            let mut one = json!({"rfilename": file.name, "size": file.bytes.len(), "blobId": "b"});
            if file.large {
                one["lfs"] = json!({"sha256": file.sha256(), "size": file.bytes.len(), "pointerSize": 134});
            }
            one
        })
        .collect();
    json!({"id": "google/medgemma-test", "sha": COMMIT, "siblings": siblings})
}

/// What the second server, which holds the large files, answers.
pub fn cdn(files: Vec<Kept>, spoil: impl Fn(usize, &Seen, Reply) -> Reply + Send + 'static) -> Server {
    let count = Mutex::new(0);
    Server::start(move |seen| {
        let Some(file) = files.iter().find(|file| seen.path.contains(file.name)) else {
            return Reply::new(404);
        };
        let n_before = {
            let mut count = count.lock().expect("one request at a time");
            *count += 1;
            *count - 1
        };
        spoil(n_before, seen, bytes_from(&file.bytes, seen))
    })
}

/// The hub: its listing, small files from itself, large files from `cdn`.
pub fn hub(files: Vec<Kept>, cdn: &str) -> Server {
    let cdn = cdn.to_owned();
    Server::start(move |seen| answer(&files, &cdn, seen))
}

pub fn answer(files: &[Kept], cdn: &str, seen: &Seen) -> Reply {
    let revision = seen.path.strip_prefix("/api/models/google/medgemma-test/revision/");
    if revision.is_some_and(|rest| ["main?", &format!("{COMMIT}?")].iter().any(|one| rest.starts_with(one))) {
        return Reply::new(200).body(listing(files).to_string());
    }
    let prefix = format!("/google/medgemma-test/resolve/{COMMIT}/");
    let name = seen.path.strip_prefix(&prefix).unwrap_or_default();
    let Some(file) = files.iter().find(|file| file.name == name) else { return not_found("EntryNotFound") };
    let reply = if file.large {
        Reply::new(302)
            .with("Location", format!("{cdn}/blobs/{name}?signature=x"))
            .with("X-Linked-Etag", format!("\"{}\"", file.etag()))
            .with("X-Linked-Size", file.bytes.len())
    } else {
        bytes_from(&file.bytes, seen).with("ETag", format!("\"{}\"", file.etag()))
    };
    reply.with("X-Repo-Commit", COMMIT)
}

pub fn not_found(code: &str) -> Reply {
    Reply::new(404).with("X-Error-Code", code)
}

fn bytes_from(bytes: &[u8], seen: &Seen) -> Reply {
    match seen.from() {
        0 => Reply::new(200).body(bytes),
        from if from >= bytes.len() => Reply::new(416),
        from => Reply::new(206)
            .body(&bytes[from..])
            .with("Content-Range", format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len())),
    }
}
