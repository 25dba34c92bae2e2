//! HTTP to the hub: where the token may go, which answers mean what.

use std::time::Duration;

use lightbox_models::hub::Repo;
use serde_json::Value;
use ureq::http::{HeaderMap, Response, StatusCode, Uri, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use super::failed;
use super::token::Token;
use crate::exit::{Code, Failure};

const PUBLIC_HUB: &str = "https://huggingface.co";
const MAX_REDIRECTS: usize = 5;
/// The listing of a repository is a few kilobytes; some have thousands of files.
const MAX_LISTING_BYTES: u64 = 32 << 20;

/// Why a request brought nothing.
pub enum Trouble {
    /// The connection failed, broke or stalled, or the server is busy: worth another try.
    Broken(String),
    /// Another try would end the same.
    Refused(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

/// A hub, and who asks it.
pub struct Client {
    agent: Agent,
    endpoint: String,
    origin: Origin,
    token: Option<Token>,
}

/// Scheme, host and port: a token given to one of them is shown to no other.
#[derive(Clone, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    fn of(uri: &Uri) -> Option<Self> {
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let port = match scheme.as_str() {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        Some(Self { port: uri.port_u16().unwrap_or(port), host: uri.host()?.to_ascii_lowercase(), scheme })
    }

    /// Whether what is sent stays unread on the way.
    fn is_private(&self) -> bool {
        self.scheme == "https" || matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "[::1]")
    }
}

/// What the hub says of a file before it sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its content's tag.
    pub etag: String,
    /// Its length, where the hub says it.
    pub size_bytes: Option<u64>,
}

impl Client {
    /// A client of the hub that `HF_ENDPOINT` names, or of the public one.
    ///
    /// # Errors
    /// [`Code::Usage`] if the endpoint is not a URL, [`Code::Policy`] if a token would travel unencrypted.
    pub fn new(token: Option<Token>) -> Result<Self, Failure> {
        let endpoint = std::env::var("HF_ENDPOINT").ok().filter(|value| !value.trim().is_empty());
        let endpoint = endpoint.as_deref().unwrap_or(PUBLIC_HUB).trim().trim_end_matches('/').to_owned();
        let origin = endpoint.parse().ok().as_ref().and_then(Origin::of).ok_or_else(|| {
            Failure::new(
                Code::Usage,
                format!("HF_ENDPOINT: expected a URL such as {PUBLIC_HUB}, found `{endpoint}`"),
            )
        })?;
        if token.is_some() && !origin.is_private() {
            return Err(Failure::new(
                Code::Policy,
                "HF_ENDPOINT is not https: a token is not sent unencrypted; unset HF_TOKEN or use https",
            ));
        }
        let config = Agent::config_builder()
            // Redirects are followed here, not there: the token must not.
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(30)))
            .timeout_per_read(Some(Duration::from_secs(60)))
            .user_agent(concat!("lightbox/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(root_certs()?).build())
            .build();
        Ok(Self { agent: config.new_agent(), endpoint, origin, token })
    }

    /// Where a file of a commit is.
    pub fn file_url(&self, repo: &Repo, commit: &str, name: &str) -> String {
        format!("{}/{repo}/resolve/{commit}/{name}", self.endpoint)
    }

    /// What a repository holds at a revision, as the hub writes it.
    pub fn listing(&self, repo: &Repo, revision: &str) -> Result<Value, Trouble> {
        let revision = revision.replace('/', "%2F");
        let url = format!("{}/api/models/{repo}/revision/{revision}?blobs=true", self.endpoint);
        let mut answer = self.follow("GET", &url, None, &mut |_| {})?;
        let text = answer.body_mut().with_config().limit(MAX_LISTING_BYTES).read_to_vec();
        let text = text.map_err(|error| Trouble::Broken(error.to_string()))?;
        serde_json::from_slice(&text)
            .map_err(|error| failed(format!("the hub's listing of {repo} is not JSON: {error}")).into())
    }

    /// What the hub says of a file. Does not leave the hub: the tag of another server is another tag.
    pub fn describe(&self, url: &str) -> Result<Described, Trouble> {
        let mut etag = None;
        let mut size = None;
        self.follow("HEAD", url, None, &mut |headers| {
            // Only an answer about a file of a repository says this; one about a renamed repository does not.
            if !headers.contains_key("x-repo-commit") {
                return;
            }
            etag = etag.take().or_else(|| {
                let tag = text(headers, "x-linked-etag").or_else(|| text(headers, "etag"))?;
                Some(tag.trim_start_matches("W/").trim_matches('"').to_owned())
            });
            size = size.or_else(|| text(headers, "x-linked-size")?.parse().ok());
        })
        .and_then(|answer| {
            // The length of a page about a redirect is not that of the file.
            let length = text(answer.headers(), "content-length").and_then(|value| value.parse().ok());
            let size_bytes = size.or_else(|| length.filter(|_| answer.status().is_success()));
            let etag = etag.ok_or_else(|| failed(format!("{url}: the hub sent no ETag of the file")))?;
            // It becomes a file name.
            if !matches!(etag.len(), 40 | 64) || !etag.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(failed(format!("{url}: expected a tag of 40 or 64 hexadecimal digits")).into());
            }
            Ok(Described { etag, size_bytes })
        })
    }

    /// The bytes of a file from `from` on.
    pub fn open(&self, url: &str, from: u64) -> Result<Response<Body>, Trouble> {
        self.follow("GET", url, Some(from), &mut |_| {})
    }

    /// Sends a request, follows redirects (a HEAD request only within the hub) and shows the headers of each answer
    /// that came from the hub.
    fn follow(
        &self,
        method: &str,
        url: &str,
        from: Option<u64>,
        on_headers: &mut dyn FnMut(&HeaderMap),
    ) -> Result<Response<Body>, Trouble> {
        let mut url: Uri = url.parse().map_err(|_| failed(format!("`{url}` is not a URL")))?;
        for _ in 0..=MAX_REDIRECTS {
            let origin =
                Origin::of(&url).ok_or_else(|| failed("the hub redirects to something that is not http"))?;
            let at_hub = origin == self.origin;
            if !origin.is_private() && self.origin.is_private() {
                return Err(failed("the hub redirects to an address that is not encrypted").into());
            }
            let answer = self.send(method, &url, from, at_hub)?;
            if at_hub {
                on_headers(answer.headers());
            }
            if !answer.status().is_redirection() {
                return if at_hub { checked(answer, &url) } else { checked_elsewhere(answer, &origin.host) };
            }
            let location = text(answer.headers(), "location");
            let next = location.as_deref().and_then(|location| resolve(&url, location));
            let next = next.ok_or_else(|| failed("the hub redirects without saying where to"))?;
            if method == "HEAD" && Origin::of(&next).as_ref() != Some(&self.origin) {
                return Ok(answer);
            }
            url = next;
        }
        Err(failed(format!("the hub redirects more than {MAX_REDIRECTS} times")).into())
    }

    fn send(
        &self,
        method: &str,
        url: &Uri,
        from: Option<u64>,
        at_hub: bool,
    ) -> Result<Response<Body>, Trouble> {
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        if let Some(from) = from.filter(|&from| from > 0) {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        if let Some(token) = self.token.as_ref().filter(|_| at_hub) {
            request = request.header(header::AUTHORIZATION, token.header());
        }
        let request = request.body(()).map_err(|error| failed(format!("cannot ask {url}: {error}")))?;
        self.agent.run(request).map_err(|error| match error {
            ureq::Error::Io(_)
            | ureq::Error::Timeout(_)
            | ureq::Error::ConnectionFailed
            | ureq::Error::HostNotFound
            | ureq::Error::Protocol(_) => {
                Trouble::Broken(format!("{}: {error}", url.host().unwrap_or_default()))
            }
            error => failed(format!("cannot ask {}: {error}", url.host().unwrap_or_default())).into(),
        })
    }
}

/// The servers that keep large files take signed addresses, which the hub gives anew with each try.
fn checked_elsewhere(answer: Response<Body>, host: &str) -> Result<Response<Body>, Trouble> {
    let status = answer.status();
    if status.is_success() || status == StatusCode::RANGE_NOT_SATISFIABLE {
        return Ok(answer);
    }
    Err(Trouble::Broken(format!("{host} answers {status}")))
}

/// Turns a status of the hub that is no success into what a person can do about it.
fn checked(answer: Response<Body>, url: &Uri) -> Result<Response<Body>, Trouble> {
    let status = answer.status();
    if status.is_success() || status == StatusCode::RANGE_NOT_SATISFIABLE {
        return Ok(answer);
    }
    if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
        return Err(Trouble::Broken(format!("the hub answers {status}")));
    }
    let code = text(answer.headers(), "x-error-code").unwrap_or_default();
    let path = url.path();
    let failure = match (status.as_u16(), code.as_str()) {
        (401 | 403, "GatedRepo") | (403, _) => Failure::new(
            Code::Policy,
            format!(
                "{path}: access is gated ({status}); accept the terms on the model's page of the hub, then pass a \
                 read token of that account with HF_TOKEN or --token"
            ),
        ),
        (_, "RevisionNotFound") => failed(format!("{path}: there is no such revision; see the model's page")),
        (_, "EntryNotFound") => failed(format!("{path}: the hub does not have this file")),
        (401 | 404, _) => failed(format!(
            "{path}: the hub knows no such repository ({status}); check the name, and pass a token with HF_TOKEN or \
             --token if it is not public"
        )),
        _ => failed(format!("{path}: the hub answers {status}")),
    };
    Err(failure.into())
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The place that a `Location` header means: a whole URL, or a path of the same server.
fn resolve(base: &Uri, location: &str) -> Option<Uri> {
    if location.starts_with('/') && !location.starts_with("//") {
        return format!("{}://{}{location}", base.scheme_str()?, base.authority()?).parse().ok();
    }
    location.parse().ok()
}

/// The certificates to trust: those in the file `SSL_CERT_FILE` (behind a proxy that opens TLS there is no other way),
/// or the ones built in.
fn root_certs() -> Result<RootCerts, Failure> {
    let Some(path) = std::env::var_os("SSL_CERT_FILE").filter(|value| !value.is_empty()) else {
        return Ok(RootCerts::WebPki);
    };
    let place = std::path::Path::new(&path).display();
    let pem = std::fs::read(&path)
        .map_err(|error| Failure::new(Code::Usage, format!("SSL_CERT_FILE: cannot read {place}: {error}")))?;
    let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(Failure::new(Code::Usage, format!("SSL_CERT_FILE: no certificate in {place}")));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_leads_to_a_whole_url_or_within_the_server() {
        let base: Uri = "https://hub.example:8443/a/resolve/x".parse().expect("a URL");
        for (location, expected) in [
            ("/api/b?c", Some("https://hub.example:8443/api/b?c")),
            ("https://cdn.example/b", Some("https://cdn.example/b")),
            ("http://[", None),
        ] {
            let found = resolve(&base, location).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let origin = |url: &str| Origin::of(&url.parse().expect("a URL")).expect("http or https");
        assert!(origin("https://A.example/x") == origin("https://a.example:443/y"));
        assert!(origin("https://a.example") != origin("http://a.example"));
        assert!(origin("https://a.example") != origin("https://a.example:444"));
        assert!(origin("http://127.0.0.1:9/").is_private() && !origin("http://a.example").is_private());
    }
}
