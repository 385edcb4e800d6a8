//! `cargo tickswap new`: writes a mod from a template.
//!
//! A game ships a template for its contract in `.template` of its mods workspace. Elsewhere the mod comes with a small
//! contract crate of its own. In a template's files, `@NAME@` stands for the mod's name, `@TYPE@` for the name in camel
//! case, `@CONTRACT@` for the contract crate's and `@SDK@`, `@ABI@` for where the crates come from; a file's ending `.in` is dropped.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tickswap_build::{ModSource, recipe};

use crate::{CommandError, New, place};

/// Why no mod was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateError {
    #[error("`{name}` cannot be a mod's name: expected a letter a-z and then a-z, 0-9, `_` or `-`, {max} characters at most", max = recipe::MOD_NAME_BYTES_MAX)]
    Name { name: String },
    #[error("{} is there already; choose another name or remove it", .folder.display())]
    Exists { folder: PathBuf },
    #[error("there is no tickswap-sdk in {}: --path-to-sdk names the folder that holds its Cargo.toml", .folder.display())]
    NoSdk { folder: PathBuf },
    #[error("made {}, but it is no member of the workspace {}; add \"{name}\" to `members` in its Cargo.toml", .folder.display(), .workspace.display())]
    NotMember { name: String, folder: PathBuf, workspace: PathBuf },
    #[error("cannot {doing} {}: {source}", .path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

/// The template for a mod that stands alone.
const STANDALONE: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../template/Cargo.toml.in")),
    ("src/lib.rs", include_str!("../template/src/lib.rs.in")),
    ("contract/Cargo.toml", include_str!("../template/contract/Cargo.toml.in")),
    ("contract/src/lib.rs", include_str!("../template/contract/src/lib.rs.in")),
    (".gitignore", "/target/\n/built/\n"),
];

/// The folder in which a mods workspace keeps its template.
const TEMPLATE_FOLDER: &str = ".template";

/// Makes the mod and says what to do next.
pub(crate) fn run(options: &New) -> Result<(), CommandError> {
    let name = valid_name(&options.name)?;
    let place = place::folder(options.manifest_dir.as_ref())?;
    // From inside a mod, its sibling is meant.
    let around = place.parent().filter(|around| !place::is_mods_workspace(&place) && place::is_mods_workspace(around));
    let place = around.unwrap_or(&place);
    let folder = place.join(name);
    if folder.exists() {
        return Err(CreateError::Exists { folder }.into());
    }
    let template = place.join(TEMPLATE_FOLDER);
    let member = place::is_mods_workspace(place) && template.is_dir();
    if member {
        for (path, text) in read_template(&template)? {
            write(&folder.join(path), &filled(&text, name, "", ""))?;
        }
        join_workspace(place, name, &folder)?;
    } else {
        let (sdk, abi) = dependencies(options.path_to_sdk.as_deref())?;
        for (path, text) in STANDALONE {
            write(&folder.join(path), &filled(text, name, &sdk, &abi))?;
        }
    }
    let build = if member {
        format!("cargo tickswap build {name}")
    } else {
        format!("cargo tickswap build --manifest-dir {name}")
    };
    eprintln!("made the mod {name} in {}; build it with `{build}`", folder.display());
    Ok(())
}

fn valid_name(name: &str) -> Result<&str, CreateError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    // Cargo wants a letter first.
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    match begins && name.len() <= recipe::MOD_NAME_BYTES_MAX && name.bytes().all(allowed) {
        true => Ok(name),
        false => Err(CreateError::Name { name: name.to_owned() }),
    }
}

/// How a mod outside a mods workspace depends on tickswap-sdk and tickswap-abi.
fn dependencies(path_to_sdk: Option<&Path>) -> Result<(String, String), CreateError> {
    let published = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let is_sdk = |folder: &Path| {
        fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|manifest| manifest.contains("name = \"tickswap-sdk\""))
    };
    // Called from a clone, the clone's own SDK is meant.
    let Some(folder) = path_to_sdk.or(beside.filter(|folder| is_sdk(folder))) else {
        return Ok((published.clone(), published));
    };
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    if !is_sdk(&folder) {
        return Err(CreateError::NoSdk { folder });
    }
    let path = |folder: &Path| format!("path = {:?}", folder.display().to_string());
    Ok((path(&folder), path(&folder.join("abi"))))
}

fn filled(text: &str, name: &str, sdk: &str, abi: &str) -> String {
    let camel_case: String = name
        .split(['-', '_'])
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_ascii_uppercase() + rest
        })
        .collect();
    let contract = format!("{}_contract", name.replace('-', "_"));
    let pairs = [("@NAME@", name), ("@TYPE@", &camel_case), ("@CONTRACT@", &contract), ("@SDK@", sdk), ("@ABI@", abi)];
    pairs.iter().fold(text.to_owned(), |text, (mark, value)| text.replace(mark, value))
}

fn read_template(template: &Path) -> Result<Vec<(PathBuf, String)>, CreateError> {
    let failed = |doing, path: &Path| {
        let path = path.to_owned();
        move |source| CreateError::Io { doing, path, source }
    };
    let (mut files, mut folders) = (Vec::new(), vec![template.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(failed("read", &folder))? {
            let path = entry.map_err(failed("read", &folder))?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).map_err(failed("read", &path))?;
            let within = path.strip_prefix(template).unwrap_or(&path);
            let is_marked = within.extension().is_some_and(|ending| ending == "in");
            files.push((if is_marked { within.with_extension("") } else { within.to_owned() }, text));
        }
    }
    Ok(files)
}

fn write(path: &Path, text: &str) -> Result<(), CreateError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|source| CreateError::Io {
        doing: "create",
        path: folder.to_owned(),
        source,
    })?;
    fs::write(path, text).map_err(|source| CreateError::Io { doing: "write", path: path.to_owned(), source })
}

/// A workspace that lists its members by name gets one more; cargo itself is asked whether that worked.
fn join_workspace(workspace: &Path, name: &str, folder: &Path) -> Result<(), CommandError> {
    let is_member = || ModSource::discover(workspace).is_ok_and(|mods| mods.iter().any(|source| source.name == name));
    if is_member() {
        return Ok(());
    }
    let manifest = workspace.join("Cargo.toml");
    let before = fs::read_to_string(&manifest).map_err(|source| CreateError::Io {
        doing: "read",
        path: manifest.clone(),
        source,
    })?;
    write(&manifest, &before.replacen("members = [", &format!("members = [\"{name}\", "), 1))?;
    if is_member() {
        return Ok(());
    }
    write(&manifest, &before)?;
    Err(CreateError::NotMember { name: name.to_owned(), folder: folder.to_owned(), workspace: workspace.to_owned() }
        .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["arena", "a", "arena-2_x"] {
            assert!(valid_name(good).is_ok(), "{good}");
        }
        for bad in ["", "Arena", "2arena", "-arena", "../arena", "a b", &"a".repeat(65)] {
            assert!(valid_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn marks_are_filled() {
        assert_eq!(
            filled("@NAME@ @TYPE@ @CONTRACT@", "capture-the_flag", "", ""),
            "capture-the_flag CaptureTheFlag capture_the_flag_contract"
        );
    }
}
