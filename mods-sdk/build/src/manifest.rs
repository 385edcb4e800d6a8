//! What cargo knows about a mod's crate and its dependencies, as far as the build needs it.
//!
//! What does not live here: compiling. This floor reads `cargo metadata` and judges whether the crate can be a mod.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::environment::Environment;
use crate::error::BuildError;
use crate::recipe;
use crate::toolchain::started;

/// A mod's crate, known to be buildable as a mod.
#[derive(Debug, Clone)]
pub(crate) struct ModCrate {
    /// The package's name, valid as a mod's.
    pub(crate) name: String,
    /// cargo's id of the package.
    pub(crate) package_id: String,
    pub(crate) workspace_root: PathBuf,
    /// Crates that are not from a registry, by folder: the name that stands for them in metadata and paths.
    pub(crate) local_crates: BTreeMap<PathBuf, String>,
}

/// What `cargo metadata` prints.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    workspace_root: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    id: String,
    source: Option<String>,
    manifest_path: PathBuf,
    targets: Vec<CargoTarget>,
}

#[derive(Debug, Deserialize)]
struct CargoTarget {
    crate_types: Vec<String>,
    kind: Vec<String>,
}

impl Package {
    fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    fn is_local(&self) -> bool {
        !self.source.as_deref().is_some_and(|source| source.starts_with("registry+") || source.starts_with("sparse+"))
    }

    /// The crate types of its library. Examples can be `cdylib`s too; they are no mods.
    fn library_types(&self) -> Vec<String> {
        let not_library = ["bin", "example", "test", "bench", "custom-build"];
        let library =
            self.targets.iter().find(|target| !target.kind.iter().any(|kind| not_library.contains(&kind.as_str())));
        library.map(|target| target.crate_types.clone()).unwrap_or_default()
    }

    fn is_mod(&self) -> bool {
        self.library_types().iter().any(|kind| kind == "cdylib")
    }
}

impl Metadata {
    /// Runs `cargo metadata` for the manifest in `folder`.
    pub(crate) fn read(environment: &Environment, folder: &Path, options: &[String]) -> Result<Self, BuildError> {
        let manifest = folder.join("Cargo.toml");
        if !manifest.is_file() {
            return Err(BuildError::NoManifest { folder: folder.to_owned() });
        }
        let mut cargo = environment.command("cargo");
        cargo.args(["metadata", "--format-version=1", "--manifest-path"]).arg(manifest).args(options);
        let output = started(&mut cargo)?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(BuildError::Manifest { folder: folder.to_owned(), stderr });
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| BuildError::Unexpected { expected: "metadata in JSON", found: error.to_string() })
    }

    /// The mods among the workspace's members: name and folder, sorted by name.
    pub(crate) fn mods(&self) -> Vec<(&str, &Path)> {
        let members = self.packages.iter().filter(|package| self.workspace_members.contains(&package.id));
        let mut mods: Vec<_> = members
            .filter(|package| package.is_mod())
            .map(|package| (package.name.as_str(), package.folder()))
            .collect();
        mods.sort_unstable();
        mods
    }

    pub(crate) fn workspace_root(&self) -> &Path {
        &self.workspace_root
    }

    /// The crate in `folder` as a mod.
    pub(crate) fn mod_crate(&self, folder: &Path) -> Result<ModCrate, BuildError> {
        let Some(package) = self.packages.iter().find(|package| package.folder() == folder) else {
            let mods = self.mods().iter().map(|(name, _)| (*name).to_owned()).collect();
            return Err(BuildError::Workspace { folder: folder.to_owned(), mods });
        };
        if !package.is_mod() {
            return Err(BuildError::NotCdylib {
                package: package.name.clone(),
                found: package.library_types(),
                manifest: package.manifest_path.clone(),
            });
        }
        Ok(ModCrate {
            name: valid_name(&package.name)?,
            package_id: package.id.clone(),
            workspace_root: self.workspace_root.clone(),
            local_crates: self.local_crates(),
        })
    }

    /// A local crate goes by its package's name, whatever its version and folder, so that its types keep their `TypeId`s.
    /// Only where two local packages share a name does the version stay: rustc could not tell them apart.
    fn local_crates(&self) -> BTreeMap<PathBuf, String> {
        let local = || self.packages.iter().filter(|package| package.is_local());
        let twins = |name: &str| local().filter(|package| package.name == name).count() > 1;
        let identity = |package: &Package| match twins(&package.name) {
            true => format!("{}@{}", package.name, package.version),
            false => package.name.clone(),
        };
        local().map(|package| (package.folder().to_owned(), identity(package))).collect()
    }
}

fn valid_name(name: &str) -> Result<String, BuildError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    if name.is_empty() || name.len() > recipe::MOD_NAME_BYTES_MAX || !name.bytes().all(allowed) {
        return Err(BuildError::NameInvalid { name: name.to_owned() });
    }
    Ok(name.to_owned())
}
