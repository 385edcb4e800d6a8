//! Where the lines of earlier runs are kept.

use std::{env, ffi::OsString, path::PathBuf};

/// Lines that are kept; the oldest are forgotten first.
pub(crate) const HISTORY_LINES_MAX: usize = 1000;

/// The history of an application in the user's state folder: `$XDG_STATE_HOME/APPLICATION/history`, by default below
/// `~/.local/state` (XDG Base Directory Specification 0.8); on Windows below `%LOCALAPPDATA%`.
pub fn history_file(application: &str) -> Option<PathBuf> {
    state_folder(|name| env::var_os(name), env::home_dir()).map(|folder| folder.join(application).join("history"))
}

fn state_folder(variable: impl Fn(&str) -> Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    // The specification: a path that is not absolute is to be ignored.
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let windows = || cfg!(windows).then(|| absolute("LOCALAPPDATA")).flatten();
    absolute("XDG_STATE_HOME").or_else(windows).or_else(|| home.map(|home| home.join(".local/state")))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn the_state_folder_follows_the_specification() {
        let home = Some(PathBuf::from("/home/ada"));
        let folder = |value: Option<&str>| state_folder(|_| value.map(OsString::from), home.clone());
        assert_eq!(folder(Some("/state")), Some("/state".into()));
        assert_eq!(folder(Some("relative")), Some("/home/ada/.local/state".into()));
        assert_eq!(folder(None), Some("/home/ada/.local/state".into()));
        assert_eq!(state_folder(|_| None, None), None);
    }
}
