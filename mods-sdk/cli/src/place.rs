//! Where mods are: the nearest folder `developer_mods`, seen from where the command was called.

use std::path::{Path, PathBuf};

use crate::CommandError;

/// Games keep their mods in a workspace with this name.
const MODS_FOLDER: &str = "developer_mods";

/// The folder that a command works in: the one given, else the nearest mods folder, else the current folder.
pub(crate) fn folder(given: Option<&PathBuf>) -> Result<PathBuf, CommandError> {
    let current = std::env::current_dir().map_err(CommandError::CurrentFolder)?;
    Ok(match given {
        Some(given) => current.join(given),
        None => nearest(&current).unwrap_or(current),
    })
}

/// A mod's own folder wins over the mods folder around it; a game's folder has the mods below it.
fn nearest(current: &Path) -> Option<PathBuf> {
    let within = |folder: &&Path| folder.join("Cargo.toml").is_file();
    let around = current.ancestors().find(|folder| folder.ends_with(MODS_FOLDER)).filter(within);
    if let Some(around) = around {
        let own = current.ancestors().take_while(|folder| *folder != around).find(within);
        return Some(own.unwrap_or(around).to_owned());
    }
    let below = [current.join(MODS_FOLDER), current.join("example-server").join(MODS_FOLDER)];
    below.into_iter().find(|folder| within(&folder.as_path()))
}

/// Whether the folder is a workspace of mods, in which a new mod becomes a member.
pub(crate) fn is_mods_workspace(folder: &Path) -> bool {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    manifest.lines().any(|line| line.trim() == "[workspace]")
        && !manifest.lines().any(|line| line.trim() == "[package]")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_nearest_mods_folder_is_found_from_inside_and_from_above() {
        let game = tempfile::tempdir().unwrap();
        let mods = game.path().join(MODS_FOLDER);
        let own = mods.join("arena");
        std::fs::create_dir_all(own.join("src")).unwrap();
        assert_eq!(nearest(game.path()), None, "an empty folder is no workspace");
        std::fs::write(mods.join("Cargo.toml"), "[workspace]\nmembers = ['*']\n").unwrap();
        std::fs::write(own.join("Cargo.toml"), "[package]\nname = 'arena'\n").unwrap();
        assert_eq!(nearest(game.path()), Some(mods.clone()));
        assert_eq!(nearest(&mods), Some(mods.clone()));
        assert_eq!(nearest(&own.join("src")), Some(own.clone()));
        assert!(is_mods_workspace(&mods) && !is_mods_workspace(&own));
    }
}
