//! Who may reach whom among packages, as `cargo tree` sees it.

use std::path::Path;
use std::process::Command;

/// Whether a package reaches another through normal dependencies of its default features, at any depth. Both must exist:
/// a name that cargo does not know is an error, but a dependency that is nowhere is not, so pair each "never" with a "does".
pub fn reaches(root: &Path, package: &str, dependency: &str) -> Result<bool, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root)
        .args([
            "tree",
            "--edges=normal,build",
            "--invert",
            dependency,
            "--package",
            package,
            "--depth=0",
            "--prefix=none",
        ])
        .output()
        .map_err(|error| format!("cannot run cargo tree: {error}"))?;
    judge(
        output.status.success(),
        &String::from_utf8_lossy(&output.stdout),
        &String::from_utf8_lossy(&output.stderr),
        dependency,
    )
}

/// cargo prints the inverted tree's root when it is reached, and otherwise says that the name matches nothing.
fn judge(success: bool, stdout: &str, stderr: &str, dependency: &str) -> Result<bool, String> {
    let is_it = |line: &str| line.split_whitespace().next() == Some(dependency);
    if success && stdout.lines().any(is_it) {
        Ok(true)
    } else if (success && stdout.trim().is_empty())
        || stderr.contains(&format!("package ID specification `{dependency}` did not match any packages"))
    {
        Ok(false)
    } else if stderr.contains("multiple") && stderr.contains(dependency) {
        // Several versions of it are there.
        Ok(true)
    } else {
        Err(format!("cargo tree said something unexpected about {dependency}: {stdout}{stderr}"))
    }
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn cargos_answers_are_told_apart() {
        assert_eq!(judge(true, "wasmtime v48.0.0\n", "", "wasmtime"), Ok(true));
        let unknown = "error: package ID specification `tokio` did not match any packages\n";
        assert_eq!(judge(false, "", unknown, "tokio"), Ok(false));
        assert_eq!(judge(true, "", "warning: nothing to print.\n", "tokio"), Ok(false));
        assert!(
            judge(false, "", "error: package ID specification `runtme` did not match any packages\n", "tokio").is_err()
        );
        assert!(judge(true, "tokio-util v1.0.0\n", "", "tokio").is_err());
    }
}
