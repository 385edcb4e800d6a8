//! One run of cargo: the command, what it says, and the finished file.
//!
//! What does not live here: the values of the recipe (`recipe.rs`) and the rewriting of rustc's command line (`wrapper`).

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::environment::Environment;
use crate::error::BuildError;
use crate::manifest::ModCrate;
use crate::recipe;
use crate::toolchain::Toolchain;

/// Hears each line of cargo's progress.
pub(crate) type Listener = dyn Fn(&str) + Send + Sync;

/// Everything one run of cargo needs.
pub(crate) struct Job<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) toolchain: &'a Toolchain,
    pub(crate) mod_crate: &'a ModCrate,
    pub(crate) folder: &'a Path,
    pub(crate) target_dir: &'a Path,
    pub(crate) wrapper: &'a Path,
    /// `--features`, `--offline` and the like.
    pub(crate) cargo_options: &'a [String],
    pub(crate) every_crate: &'a [String],
    pub(crate) mod_flags: &'a [String],
    pub(crate) ansi: bool,
    pub(crate) progress: Option<&'a Listener>,
}

/// What cargo made.
pub(crate) struct Compiled {
    pub(crate) module: PathBuf,
    pub(crate) warnings: Vec<String>,
    pub(crate) fresh: bool,
}

/// Runs cargo and waits for it.
pub(crate) fn run(job: &Job<'_>) -> Result<Compiled, BuildError> {
    let mut cargo = command(job);
    let missing = |source| BuildError::ToolMissing { program: "cargo".to_owned(), source };
    let mut child =
        cargo.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(missing)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut heard = Heard::default();
    // Both pipes are read at once: cargo would block on a full one.
    let said = std::thread::scope(|scope| {
        let listener = scope.spawn(|| stderr.map(|stderr| listen(stderr, job.progress)).unwrap_or_default());
        let read = stdout.map_or(Ok(()), |stdout| heard.read(stdout, &job.mod_crate.package_id));
        let said = listener.join().unwrap_or_default();
        read.map(|()| said)
    });
    let status = child.wait().map_err(BuildError::io("wait for", "cargo"))?;
    let said = said?;
    let mod_name = job.mod_crate.name.clone();
    if !status.success() {
        return Err(match heard.errors.is_empty() {
            true => BuildError::Cargo { mod_name, stderr: said },
            false => BuildError::Compile { mod_name, errors: heard.errors },
        });
    }
    let (module, fresh) =
        heard.module.ok_or(BuildError::Unexpected { expected: "a .wasm file of the mod", found: said })?;
    Ok(Compiled { module, warnings: heard.warnings, fresh })
}

fn command(job: &Job<'_>) -> Command {
    let mut cargo = job.environment.command("cargo");
    cargo.args([
        "rustc",
        "--lib",
        // A library that is an `rlib` too, for tests on the host, would be compiled otherwise than one that is not.
        "--crate-type=cdylib",
        "--target",
        recipe::TARGET,
        "--profile",
        recipe::PROFILE_NAME,
    ]);
    cargo.arg("--manifest-path").arg(job.folder.join("Cargo.toml")).arg("--target-dir").arg(job.target_dir);
    cargo.arg(if job.ansi { "--message-format=json-diagnostic-rendered-ansi" } else { "--message-format=json" });
    for setting in recipe::PROFILE {
        cargo.arg("--config").arg(format!("profile.{}.{}={}", recipe::PROFILE_NAME, setting.key, setting.value));
    }
    cargo.args(job.cargo_options);
    // Only these reach the mod alone, so variants of a mod share their dependencies.
    cargo.arg("--").args(job.mod_flags);
    cargo.env("RUSTC_WRAPPER", job.wrapper);
    // The environment beats a cargo configuration file.
    cargo.env("CARGO_INCREMENTAL", "0");
    cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "rust-lld");
    cargo.env("CARGO_ENCODED_RUSTFLAGS", job.every_crate.join("\u{1f}"));
    // A path crate's cdylib has no hash in its file name otherwise, and cargo takes the file of one version for another's.
    cargo.env("__CARGO_DEFAULT_LIB_METADATA", "tickswap");
    let local = job.mod_crate.local_crates.iter();
    cargo.env(
        "TICKSWAP_LOCAL_CRATES",
        joined(local.map(|(folder, identity)| [folder.as_os_str(), "\t".as_ref(), identity.as_ref()])),
    );
    let hidden = hidden_paths(job);
    cargo.env(
        "TICKSWAP_HIDDEN_PATHS",
        joined(hidden.iter().map(|(from, to)| [from.as_os_str(), "=".as_ref(), to.as_ref()])),
    );
    let codegen: Vec<&str> = recipe::PROFILE.iter().filter_map(|setting| setting.codegen).collect();
    cargo.env("TICKSWAP_CODEGEN", codegen.join("\n"));
    cargo
}

/// Folders of this machine and what stands for them in modules; rustc applies the last match, so the longest come last.
fn hidden_paths(job: &Job<'_>) -> Vec<(PathBuf, String)> {
    let root = &job.mod_crate.workspace_root;
    let mut hidden = vec![
        (root.clone(), "/mods".to_owned()),
        (job.target_dir.to_owned(), "/target".to_owned()),
        (job.toolchain.sysroot.clone(), "/toolchain".to_owned()),
        // With the component rust-src rustc finds the library's sources and would name them where they lie.
        (job.toolchain.sysroot.join("lib/rustlib/src/rust"), format!("/rustc/{}", job.toolchain.commit())),
    ];
    let outside = job.mod_crate.local_crates.iter().filter(|(folder, _)| !folder.starts_with(root));
    hidden.extend(outside.map(|(folder, identity)| (folder.clone(), format!("/crates/{identity}"))));
    if let Some(home) = job.environment.cargo_home() {
        let real = std::fs::canonicalize(&home).ok().filter(|real| *real != home);
        for home in [Some(home), real].into_iter().flatten() {
            if let Ok(registries) = std::fs::read_dir(home.join("registry/src")) {
                hidden.extend(registries.flatten().map(|registry| (registry.path(), "/registry".to_owned())));
            }
            hidden.push((home, "/cargo".to_owned()));
        }
    }
    hidden.sort_by_key(|(from, _)| from.as_os_str().len());
    hidden
}

fn joined<'a>(lines: impl Iterator<Item = [&'a std::ffi::OsStr; 3]>) -> OsString {
    let mut text = OsString::new();
    for line in lines {
        if !text.is_empty() {
            text.push("\n");
        }
        for part in line {
            text.push(part);
        }
    }
    text
}

/// Passes cargo's progress on, line by line, and returns all of it.
fn listen(stderr: impl Read, progress: Option<&Listener>) -> String {
    let mut said = String::new();
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if let Some(progress) = progress {
            progress(&line);
        }
        said.push_str(&line);
        said.push('\n');
    }
    said
}

/// What came over cargo's JSON stream.
#[derive(Default)]
struct Heard {
    errors: Vec<String>,
    warnings: Vec<String>,
    module: Option<(PathBuf, bool)>,
}

#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-message")]
    Said { message: Diagnostic },
    #[serde(rename = "compiler-artifact")]
    Made { package_id: String, filenames: Vec<PathBuf>, fresh: bool },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
}

impl Heard {
    fn read(&mut self, stdout: impl Read, mod_id: &str) -> Result<(), BuildError> {
        for line in BufReader::new(stdout).lines() {
            let line = line.map_err(BuildError::io("read from", "cargo"))?;
            // Build scripts and procedural macros may print among the messages.
            let Ok(message) = serde_json::from_str::<Message>(&line) else {
                continue;
            };
            match message {
                Message::Said { message: Diagnostic { level, rendered: Some(rendered) } } => {
                    let list = if level.starts_with("error") { &mut self.errors } else { &mut self.warnings };
                    list.push(rendered);
                }
                Message::Made { package_id, filenames, fresh } if package_id == mod_id => {
                    let module = filenames.into_iter().find(|file| file.extension().is_some_and(|kind| kind == "wasm"));
                    self.module = module.map(|module| (module, fresh)).or(self.module.take());
                }
                _ => {}
            }
        }
        Ok(())
    }
}
