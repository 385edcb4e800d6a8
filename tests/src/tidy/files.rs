//! The repository's own files, without what builds leave behind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The repository's folder.
pub fn repository() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.parent().unwrap_or(folder).to_owned()
}

/// All files with an extension: path within the repository and content, sorted.
pub fn with_extension(root: &Path, extension: &str) -> io::Result<Vec<(PathBuf, String)>> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let within = path.strip_prefix(root).unwrap_or(&path).to_owned();
                found.push((within, fs::read_to_string(&path)?));
            }
        }
    }
    found.sort();
    Ok(found)
}
