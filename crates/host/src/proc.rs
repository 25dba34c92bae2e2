//! `name: value` files, as `/proc` has them.

/// The value of the first line `name: value`, trimmed.
pub(crate) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim_end() == name).then(|| value.trim())
    })
}

/// A value in kB (which are KiB), as bytes.
pub(crate) fn kib_field(text: &str, name: &str) -> Option<u64> {
    field(text, name)?.strip_suffix("kB")?.trim_end().parse::<u64>().ok()?.checked_mul(1024)
}

/// The text of a file of `/proc` or `/sys`; `None` where there is none.
pub(crate) fn read(path: impl AsRef<std::path::Path>) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "MemTotal:  16 kB\nMem: 1\nmodel name\t: AMD EPYC: 2\nVmHWM:\t 12 kB\nBad: 3 MB\nHuge: 99999999999999999999 kB\n";
        assert_eq!(field(text, "model name"), Some("AMD EPYC: 2"));
        assert_eq!(field(text, "Mem"), Some("1"));
        assert_eq!(field(text, "model"), None);
        assert_eq!(kib_field(text, "MemTotal"), Some(16 << 10));
        assert_eq!(kib_field(text, "VmHWM"), Some(12 << 10));
        for name in ["Mem", "Bad", "Huge", "VmRSS"] {
            assert_eq!(kib_field(text, name), None, "{name}");
        }
    }
}
