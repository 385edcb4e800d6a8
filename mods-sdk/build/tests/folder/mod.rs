//! Mods in temporary folders: writing, editing and building them, and reading names out of what comes out.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use tickswap_build::ModBuild;

/// A mod with a path dependency whose generic code ends up in the module.
pub(crate) const MOD: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[package]\nname = \"hand-made\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n\
         [features]\nloud = []\n[dependencies]\nhelper = { path = \"helper\" }\n",
    ),
    (
        "src/lib.rs",
        "use std::cell::RefCell;\nuse std::collections::HashMap;\n\
         thread_local! { static SEEN: RefCell<HashMap<u32, Box<dyn helper::Score>>> = RefCell::default(); }\n\
         struct Local(u32);\n\
         impl helper::Score for Local { fn score(&self) -> u32 { self.0 * if cfg!(v2) { 2 } else { 1 } } }\n\
         #[unsafe(no_mangle)] pub extern \"C\" fn see(key: u32) -> u32 { SEEN.with_borrow_mut(|seen| {\n\
         seen.insert(key, if key % 2 == 0 { Box::new(Local(key)) } else { Box::new(helper::Fixed(key)) });\n\
         if cfg!(feature = \"loud\") { panic!(\"loud {key}\") }\n\
         seen.values().map(|score| score.score()).sum() }) }\n\
         #[unsafe(no_mangle)] pub extern \"C\" fn version() -> u32 { env!(\"CARGO_PKG_VERSION_MINOR\").parse().unwrap() }\n",
    ),
    ("helper/Cargo.toml", "[package]\nname = \"helper\"\nversion = \"1.0.0\"\nedition = \"2024\"\n"),
    (
        "helper/src/lib.rs",
        "pub trait Score { fn score(&self) -> u32; }\npub struct Fixed(pub u32);\n\
         impl Score for Fixed { fn score(&self) -> u32 { assert!(self.0 < 1000, \"too high\"); self.0 } }\n",
    ),
];

/// A temporary folder with files.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self { folder: tempfile::tempdir().unwrap() };
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(inside)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn append(&self, path: &str, text: &str) {
        let before = fs::read_to_string(self.path(path)).unwrap();
        self.write(path, &(before + text));
    }

    pub(crate) fn replace(&self, path: &str, from: &str, to: &str) {
        let before = fs::read_to_string(self.path(path)).unwrap();
        assert!(before.contains(from), "{path} has no {from}");
        self.write(path, &before.replacen(from, to, 1));
    }

    /// An executable script in the folder `programs`.
    #[cfg(unix)]
    pub(crate) fn program(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = format!("programs/{name}");
        self.write(&path, text);
        fs::set_permissions(self.path(&path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn build(&self) -> ModBuild {
        ModBuild::new(self.path("")).offline(true)
    }
}

/// Every crate root that stands in the module's v0 names: `Cs` HASH `_` LENGTH NAME.
pub(crate) fn crate_names(module: &[u8]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let starts = module.windows(2).enumerate().filter(|(_, window)| window == b"Cs");
    for (start, _) in starts {
        let name: String = module[start..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .map(|&byte| char::from(byte))
            .collect();
        for local in ["_9hand_made", "_6helper"] {
            if let Some(end) = name.find(local).filter(|&end| end < 20) {
                names.insert(name[..end + local.len()].to_owned());
            }
        }
    }
    names
}
