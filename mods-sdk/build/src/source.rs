//! Finding the mods of a folder such as `developer_mods`.

use std::path::{Path, PathBuf};

use crate::ModBuild;
use crate::environment::Environment;
use crate::error::BuildError;
use crate::manifest::Metadata;
use crate::recipe;

/// The sources of one mod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModSource {
    /// The package's name, which is the mod's.
    pub name: String,
    /// The folder that holds its `Cargo.toml`.
    pub manifest_dir: PathBuf,
    /// The folder of the workspace that it is a member of; itself, if it stands alone.
    pub workspace_dir: PathBuf,
}

impl ModSource {
    /// The mods of the workspace (or of the single crate) whose `Cargo.toml` lies in `folder`, sorted by name: its members
    /// with the crate type `cdylib`.
    pub fn discover(folder: impl AsRef<Path>) -> Result<Vec<Self>, BuildError> {
        let folder = folder.as_ref();
        let folder = std::path::absolute(folder).map_err(BuildError::io("find", folder))?;
        if !folder.join("Cargo.toml").is_file() {
            return Err(BuildError::NoManifest { folder });
        }
        let folder = folder.canonicalize().map_err(BuildError::io("find", &folder))?;
        let environment = Environment::new(&folder, &[]);
        let metadata = Metadata::read(&environment, &folder, &["--no-deps".to_owned()])?;
        let source = |(name, manifest_dir): (&str, &Path)| Self {
            name: name.to_owned(),
            manifest_dir: manifest_dir.to_owned(),
            workspace_dir: metadata.workspace_root().to_owned(),
        };
        Ok(metadata.mods().into_iter().map(source).collect())
    }

    /// The folders of the crates whose sources may go into the mod: its own, and those of local crates that are no mods. Asks
    /// cargo, which may have to fetch dependencies.
    pub fn crate_folders(&self) -> Result<Vec<PathBuf>, BuildError> {
        let environment = Environment::new(&self.manifest_dir, &[]);
        let platform = format!("--filter-platform={}", recipe::TARGET);
        let metadata = Metadata::read(&environment, &self.manifest_dir, &[platform])?;
        let known = metadata.mod_crate(&self.manifest_dir)?;
        let mods = metadata.mods();
        let is_other_mod =
            |folder: &PathBuf| *folder != self.manifest_dir && mods.iter().any(|(_, other)| other == folder);
        Ok(known.local_crates.into_keys().filter(|folder| !is_other_mod(folder)).collect())
    }

    /// The build of this mod, to be given options and run.
    pub fn to_build(&self) -> ModBuild {
        ModBuild::new(&self.manifest_dir)
    }
}
