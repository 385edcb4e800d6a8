//! The compiler wrapper that cargo calls in place of rustc while it builds a mod.
//!
//! What lives here: the rewriting of one rustc command line. `tickswap-build` compiles this file on the machine that builds
//! the mod, with that machine's rustc, so it uses the standard library alone. What does not: which crates are local, what
//! they are called and which paths are hidden. Those come in through the variables named below.
//!
//! Crates for the host (procedural macros, build scripts) and cargo's own questions to rustc pass through untouched.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode};

/// The target whose crates are rewritten.
const GUEST_TARGET: &str = "wasm32-unknown-unknown";
/// One line per crate that is not from a registry: its folder, a tab, the name that stands in its metadata.
const LOCAL_CRATES: &str = "TICKSWAP_LOCAL_CRATES";
/// One `from=to` per line, the last match wins.
const HIDDEN_PATHS: &str = "TICKSWAP_HIDDEN_PATHS";
/// One codegen option per line. They replace whatever a manifest asks for.
const CODEGEN: &str = "TICKSWAP_CODEGEN";

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let Some(rustc) = arguments.next() else {
        return fail("the wrapper was called without the compiler's path; cargo passes it as the first argument");
    };
    let arguments: Vec<OsString> = arguments.collect();
    let mut command = Command::new(&rustc);
    match env::var("CARGO_PKG_NAME") {
        Ok(package) if is_for_guest(&arguments) => match rewrite(&package, &arguments) {
            Ok(rewritten) => command.args(rewritten),
            Err(message) => return fail(&message),
        },
        _ => command.args(&arguments),
    };
    run(command)
}

/// The rewritten command line of one guest crate.
fn rewrite(package: &str, arguments: &[OsString]) -> Result<Vec<OsString>, String> {
    let local = local_identity(&variable(LOCAL_CRATES)?);
    let codegen = variable(CODEGEN)?;
    let mut rewritten = Vec::with_capacity(arguments.len() + 16);
    let (mut cdylib, mut has_file_hash) = (false, false);
    let mut rest = arguments.iter().peekable();
    while let Some(argument) = rest.next() {
        let text = argument.to_str().unwrap_or_default();
        if text.starts_with('@') {
            return Err(format!("cargo passed the response file `{text}` to rustc, which the wrapper cannot rewrite; shorten the paths of the build"));
        }
        let option = match text.strip_prefix("-C") {
            Some("") => rest.peek().and_then(|next| next.to_str()),
            joined => joined,
        };
        let Some(option) = option else {
            cdylib |= text == "cdylib" || text.ends_with("=cdylib");
            rewritten.push(argument.clone());
            continue;
        };
        if text == "-C" {
            rest.next();
        }
        let key = option.split('=').next().unwrap_or_default();
        has_file_hash |= key == "extra-filename";
        let replaced = key == "debuginfo"
            || key == "strip"
            || key == "incremental"
            || (key == "metadata" && local.is_some())
            || codegen.lines().any(|line| line.split('=').next() == Some(key));
        if !replaced {
            rewritten.push(format!("-C{option}").into());
        }
    }
    if cdylib && !has_file_hash {
        return Err("cargo gave the module's file no hash (`-C extra-filename`), so two versions could be mistaken for each other; \
            this cargo no longer knows __CARGO_DEFAULT_LIB_METADATA: use the toolchain that Tickswap names"
            .to_owned());
    }
    rewritten.extend(codegen.lines().map(|line| format!("-C{line}").into()));
    match &local {
        Some(identity) => {
            rewritten.push(format!("-Cmetadata=tickswap-{identity}").into());
            rewritten.push("-Cdebuginfo=2".into());
        }
        // A registry crate's hash holds its version, so its types cannot change behind a name.
        None => rewritten.push("-Cdebuginfo=0".into()),
    }
    // Diagnostics keep the real paths: a developer clicks on them.
    rewritten.push("--remap-path-scope=object".into());
    for line in variable(HIDDEN_PATHS)?.lines() {
        rewritten.push(format!("--remap-path-prefix={line}").into());
    }
    if let Some(generated) = env::var_os("OUT_DIR") {
        let mut hidden = OsString::from("--remap-path-prefix=");
        hidden.push(generated);
        hidden.push(format!("=/generated/{package}"));
        rewritten.push(hidden);
    }
    Ok(rewritten)
}

fn is_for_guest(arguments: &[OsString]) -> bool {
    let pairs = arguments.windows(2);
    let mut two = pairs.map(|pair| (pair[0].as_os_str(), pair[1].as_os_str()));
    two.any(|(name, value)| name == OsStr::new("--target") && value == OsStr::new(GUEST_TARGET))
        || arguments.iter().any(|argument| argument.to_str().and_then(|text| text.strip_prefix("--target=")) == Some(GUEST_TARGET))
}

fn local_identity(local_crates: &str) -> Option<String> {
    let folder = env::var("CARGO_MANIFEST_DIR").ok()?;
    let mut known = local_crates.lines().filter_map(|line| line.split_once('\t'));
    known.find(|(known, _)| *known == folder).map(|(_, identity)| identity.to_owned())
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}; the wrapper works under tickswap-build only"))
}

#[cfg(unix)]
fn run(mut command: Command) -> ExitCode {
    use std::os::unix::process::CommandExt;
    // Taking rustc's place keeps cargo's signals and jobserver working without a middleman.
    let error = command.exec();
    fail(&format!("cannot run {}: {error}", command.get_program().display()))
}

#[cfg(not(unix))]
fn run(mut command: Command) -> ExitCode {
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => fail(&format!("cannot run {}: {error}", command.get_program().display())),
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("tickswap wrapper: {message}");
    ExitCode::FAILURE
}
