//! A copy of the example's mods that tests may edit.

use std::{
    fs,
    path::{Path, PathBuf},
};

use example_server::mods::ModsFolder;

pub(crate) struct Copy {
    pub(crate) folder: ModsFolder,
}

impl Copy {
    /// The mods as they are, whatever an earlier test left behind.
    pub(crate) fn fresh() -> Self {
        let original = ModsFolder::of_the_example();
        let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("development/developer_mods");
        synchronize(original.path(), &copy);
        let built = copy.join("built");
        if built.exists() {
            fs::remove_dir_all(&built).unwrap();
        }
        Self { folder: ModsFolder::new(copy) }
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(crate) fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    /// Saves a file with a part of it replaced.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let before = self.text(file);
        assert!(before.contains(from), "{file} has no {from:?}");
        fs::write(self.path(file), before.replace(from, to)).unwrap();
    }
}

/// Makes `to` what `from` is, without what was built. Files that are the same keep their times, for cargo's sake.
fn synchronize(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(to).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_file() && !from.join(name).exists() {
            fs::remove_file(&path).unwrap();
        }
    }
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        let target = to.join(name);
        if path.is_dir() {
            if name != "target" && name != "built" {
                synchronize(&path, &target);
            }
            continue;
        }
        let mut contents = fs::read(&path).unwrap();
        if name == "Cargo.toml" {
            contents = absolute(&String::from_utf8(contents).unwrap(), from).into_bytes();
        }
        if fs::read(&target).ok().as_ref() != Some(&contents) {
            fs::write(&target, contents).unwrap();
        }
    }
}

/// A manifest whose paths lead to the original crates.
fn absolute(manifest: &str, folder: &Path) -> String {
    let mut lines = Vec::new();
    for line in manifest.lines() {
        let path = line.split_once("path = \"").and_then(|(_, rest)| rest.split_once('"')).map(|(path, _)| path);
        let resolved =
            path.filter(|path| path.starts_with("..")).and_then(|path| folder.join(path).canonicalize().ok());
        lines.push(match (path, resolved) {
            (Some(path), Some(resolved)) => line.replace(path, &resolved.to_string_lossy()),
            _ => line.to_owned(),
        });
    }
    lines.join("\n") + "\n"
}
