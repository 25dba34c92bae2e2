//! What the terminal shows: data on standard output, everything else on standard error.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::exit::{Code, Failure};

/// Says something beside the data, on standard error. Names of files and words of a hub stand in what is said: control
/// characters go, whether it is a terminal or a log that is shown on one later.
pub fn say(message: &str) {
    // Standard error may be closed; there is then nobody to tell.
    let _ = writeln!(io::stderr(), "{}", without_controls(message));
}

/// Adds to what is being said beside the data, without a line end.
pub fn say_more(text: &str) {
    let mut stderr = io::stderr();
    let _ = stderr.write_all(without_controls(text).as_bytes()).and_then(|()| stderr.flush());
}

/// Says a sentence that must accompany every output of a model.
pub fn notice(sentence: &str) {
    say(&format!("notice: {sentence}"));
}

/// Writes `value` as indented JSON and a line end to standard output.
///
/// # Errors
/// [`Code::Output`] if it cannot be written.
pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    print(serde_json::to_string_pretty(value))
}

/// Writes `value` as JSON in one line: for what holds an entry a token.
///
/// # Errors
/// [`Code::Output`] if it cannot be written.
pub fn print_json_line(value: &impl Serialize) -> Result<(), Failure> {
    print(serde_json::to_string(value))
}

fn print(json: serde_json::Result<String>) -> Result<(), Failure> {
    let mut text =
        json.map_err(|error| Failure::new(Code::Output, format!("failed to write JSON: {error}")))?;
    text.push('\n');
    Output::new().write(&text)
}

/// Standard output. What goes to a terminal loses its control characters: text of a model, or of a file that
/// someone sent, must not steer the terminal.
pub struct Output {
    stdout: io::Stdout,
    is_terminal: bool,
}

impl Output {
    /// Standard output of this process.
    pub fn new() -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        Self { stdout, is_terminal }
    }

    /// Writes `text` and flushes, so that a stream is seen while it grows.
    ///
    /// # Errors
    /// [`Code::Output`] if it cannot be written. Without a message where the reader of a pipe has left: it has seen
    /// what it wanted.
    pub fn write(&mut self, text: &str) -> Result<(), Failure> {
        let mut stdout = self.stdout.lock();
        let written = if self.is_terminal {
            stdout.write_all(without_controls(text).as_bytes())
        } else {
            stdout.write_all(text.as_bytes())
        };
        written.and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::new(Code::Output, ""),
            _ => Failure::output("standard output", &error),
        })
    }
}

fn without_controls(text: &str) -> String {
    text.chars().filter(|&c| !is_control(c)).collect()
}

/// Whether a character steers a terminal; line ends and tabs do not count.
pub fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
}

/// A progress bar on standard error; nothing where that is not a terminal.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Counts bytes up to `total`.
    pub fn bytes(label: &str, total: u64) -> Self {
        Self::new(
            label,
            total,
            "{msg:24!} {bar:30} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}",
        )
    }

    /// Counts steps up to `total`.
    pub fn steps(label: &str, total: u64) -> Self {
        Self::new(label, total, "{msg:24!} {bar:30} {pos}/{len}")
    }

    fn new(label: &str, total: u64, template: &str) -> Self {
        let target = if io::stderr().is_terminal() {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(total), target).with_style(style);
        bar.set_message(without_controls(label));
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar }
    }

    /// Shows that `done` of `total` is done.
    pub fn set(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    /// Names what is being done now.
    pub fn label(&self, label: &str) {
        self.bar.set_message(without_controls(label));
    }

    /// Removes the bar.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A number of bytes for people, such as `8.6 GB` (powers of ten, as disks and the hub count).
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 || value >= 99.5 {
        format!("{value:.0} {}", UNITS[unit])
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

/// So many of something, such as `1 record` and `2 records`; `one` is a word whose plural takes an s.
pub fn count(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_control_characters() {
        assert_eq!(without_controls("a\u{1b}[2Jb\r\n\tc\u{9b}d\u{7}"), "a[2Jb\n\tcd");
    }

    #[test]
    fn counts_read_well() {
        assert_eq!([0, 1, 2].map(|n| count(n, "record")), ["0 records", "1 record", "2 records"]);
    }

    #[test]
    fn sizes_read_well() {
        for (bytes, text) in
            [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (8_600_000_000, "8.6 GB"), (999_999, "1.0 MB")]
        {
            assert_eq!(size(bytes), text);
        }
    }
}
