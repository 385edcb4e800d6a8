//! Chromium as a program: where it is, and how it is started without a screen. For the soak and for the browser test; players bring
//! their own browser.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Names of the program, if `CHROMIUM` does not say where it is.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// No window, no services of its own, nothing shared with the user's browser.
const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--mute-audio",
];

/// The program: what `CHROMIUM` names, or the first one found in `PATH`.
pub fn find() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("CHROMIUM") {
        return Some(PathBuf::from(given));
    }
    let path = std::env::var_os("PATH")?;
    let mut folders = std::env::split_paths(&path);
    folders.find_map(|folder| NAMES.iter().map(|name| folder.join(name)).find(|program| program.is_file()))
}

/// How it is started, with a profile of its own in that folder. What it says is dropped, unless the caller takes it.
pub fn command(program: &Path, profile: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(FLAGS).arg(format!("--user-data-dir={}", profile.display()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Browsers that have one page open each. They end when dropped.
#[derive(Debug, Default)]
pub(crate) struct Browsers(Vec<(Child, PathBuf)>);

impl Browsers {
    /// Opens that page in so many browsers.
    pub(crate) fn open(program: &Path, page: &str, count: usize) -> io::Result<Self> {
        let mut browsers = Self::default();
        for number in 0..count {
            let profile = std::env::temp_dir().join(format!("tickswap-soak-{}-{number}", std::process::id()));
            let child = command(program, &profile).arg(page).spawn()?;
            browsers.0.push((child, profile));
        }
        Ok(browsers)
    }
}

impl Drop for Browsers {
    fn drop(&mut self) {
        for (child, profile) in &mut self.0 {
            // Both may have happened already; what is left of a profile is a temporary folder.
            let _ = child.kill();
            let _ = child.wait();
            let _ = std::fs::remove_dir_all(profile);
        }
    }
}
