//! Room on a file system, and what the system should fetch from it.

use std::fs::File;
use std::path::Path;

use crate::error::{Error, Result};

/// Bytes that an ordinary user can still write to the file system that holds `path`, which must exist.
///
/// # Errors
/// A path that is not there or may not be looked at, or a system that is not asked.
pub fn free_disk_bytes(path: &Path) -> Result<u64> {
    free(path)
        .map_err(|why| Error::new(format!("cannot ask for the free space of {}: {why}", path.display())))
}

/// Tells the system that `len` bytes from `offset` on will be read soon, so that it fetches them meanwhile. A request
/// that it cannot heed costs nothing.
pub fn will_read(file: &File, offset: u64, len: usize) {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        if let (Ok(offset), Ok(len)) = (offset.try_into(), len.try_into()) {
            // SAFETY: advice about an open file touches no memory of this process.
            unsafe { libc::posix_fadvise(file.as_raw_fd(), offset, len, libc::POSIX_FADV_WILLNEED) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, offset, len);
}

#[cfg(unix)]
fn free(path: &Path) -> std::result::Result<u64, String> {
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt;

    let name =
        CString::new(path.as_os_str().as_bytes()).map_err(|_| "the path has a zero byte".to_owned())?;
    // SAFETY: an all-zero `statvfs` is a valid value: it has numbers only.
    let mut facts: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: `name` ends with a zero byte and `facts` is written by the call alone; both outlive it.
    if unsafe { libc::statvfs(name.as_ptr(), &raw mut facts) } != 0 {
        return Err(std::io::Error::last_os_error().to_string());
    }
    // The fields' widths differ from system to system.
    #[allow(clippy::unnecessary_cast)]
    let (blocks, block_bytes) = (facts.f_bavail as u64, facts.f_frsize as u64);
    Ok(blocks.saturating_mul(block_bytes))
}

#[cfg(not(unix))]
fn free(_path: &Path) -> std::result::Result<u64, String> {
    Err("this system is not asked yet".to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_room_and_a_missing_one_is_an_error() {
        assert!(free_disk_bytes(&std::env::temp_dir()).expect("it is there") > 0);
        for path in ["/not/here", "a\0b"] {
            let message = free_disk_bytes(Path::new(path)).expect_err("it is not there").to_string();
            assert!(message.starts_with("cannot ask for the free space of"), "{message}");
        }
    }
}
