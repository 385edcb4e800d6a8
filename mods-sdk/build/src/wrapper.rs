//! The compiler wrapper's executable, made once per toolchain by the toolchain itself.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::BuildError;
use crate::toolchain::started;

/// The wrapper's source; it is part of the recipe's key.
pub(crate) const SOURCE: &str = include_str!("../wrapper/main.rs");

/// Compiles the wrapper into `folder` unless it is there. Moved into place by rename: another build never sees half of it.
pub(crate) fn ready(environment: &Environment, folder: &Path) -> Result<PathBuf, BuildError> {
    let program = folder.join(format!("wrapper{}", std::env::consts::EXE_SUFFIX));
    if program.is_file() {
        return Ok(program);
    }
    let source = folder.join("wrapper.rs");
    std::fs::write(&source, SOURCE).map_err(BuildError::io("write", &source))?;
    let unfinished = folder.join(format!("unfinished-{}{}", std::process::id(), std::env::consts::EXE_SUFFIX));
    let mut rustc = environment.command("rustc");
    rustc.args(["--edition=2024", "--crate-name=tickswap_wrapper", "--crate-type=bin", "-Copt-level=1", "-o"]);
    let output = started(rustc.arg(&unfinished).arg(&source))?;
    if !output.status.success() {
        return Err(BuildError::Wrapper { stderr: String::from_utf8_lossy(&output.stderr).into_owned() });
    }
    std::fs::rename(&unfinished, &program).map_err(BuildError::io("create", &program))?;
    Ok(program)
}
