//! Signals whose default would end the program where an error does better.

/// Makes a write beyond the process's file-size limit fail with an error instead of ending the program.
///
/// The default action of `SIGXFSZ` kills a process that reaches `ulimit -f`; ignored, the write returns `EFBIG`,
/// which callers treat as a full disk. To be called once, early in `main`. Programs started from here inherit it.
/// Does nothing where there is no such signal.
pub fn ignore_file_size_signal() {
    #[cfg(unix)]
    // SAFETY: setting a signal to be ignored runs no code in a handler and touches no memory; the only failure,
    // an invalid signal number, cannot happen with the constant of the platform.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write as _;
    use std::process::Command;
    use std::{env, fs};

    const CHILD: &str = "LIGHTBOX_TEST_FILE_SIZE_SIGNAL";

    /// Runs in a child whose files hold at most some kilobytes, and in the parent with nothing to do.
    #[test]
    fn writes_beyond_the_limit() {
        let Some(path) = env::var_os(CHILD) else { return };
        super::ignore_file_size_signal();
        let mut file = fs::File::create(path).expect("the parent gave a folder");
        let refused = file.write_all(&[0; 1 << 20]).expect_err("the file may not be this long");
        assert_eq!(refused.kind(), std::io::ErrorKind::FileTooLarge);
        std::io::stdout().write_all(b"the child refused\n").expect("the parent listens");
    }

    #[test]
    fn a_file_size_limit_is_an_error_and_not_the_end() {
        let path = env::temp_dir().join(format!("lightbox-file-size-{}", std::process::id()));
        let output = Command::new("sh")
            .args([
                "-c",
                "ulimit -f 100; exec \"$0\" --exact signals::tests::writes_beyond_the_limit --nocapture",
            ])
            .arg(env::current_exe().expect("a test has a program"))
            .env(CHILD, &path)
            .output()
            .expect("sh is there");
        fs::remove_file(&path).expect("the child made the file");
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && shown.contains("the child refused"), "{output:?}");
    }
}
