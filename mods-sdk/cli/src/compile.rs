//! `cargo tickswap build`.

use std::io::IsTerminal;
use std::time::Instant;

use tickswap_build::ModSource;

use crate::{Build, CommandError, place};

/// Builds the mods asked for; all are tried, so that one run shows all errors.
pub(crate) fn run(options: &Build) -> Result<(), CommandError> {
    let folder = place::folder(options.manifest_dir.as_ref())?;
    let mods = chosen(ModSource::discover(&folder)?, options, &folder)?;
    let ansi = std::io::stderr().is_terminal();
    let mut failed = 0;
    for source in &mods {
        let started = Instant::now();
        let out_dir = options.out_dir.clone().unwrap_or_else(|| source.workspace_dir.join("built"));
        let build = source.to_build().out_dir(out_dir).offline(options.offline).ansi(ansi);
        match build.on_progress(|line| eprintln!("{line}")).build() {
            Ok(built) => {
                built.messages.iter().for_each(|message| eprintln!("{}", message.trim_end()));
                let (path, kilobytes) = (built.path.display(), built.bytes.len().div_ceil(1024));
                eprintln!("built {} in {:.1} s: {path} ({kilobytes} KiB)", built.name, started.elapsed().as_secs_f32());
            }
            Err(error) => {
                eprintln!("error: {error}");
                failed += 1;
            }
        }
    }
    if failed > 0 {
        return Err(CommandError::SomeFailed { failed, all: mods.len() });
    }
    Ok(())
}

/// A mod's own folder means that mod, a workspace's folder all of them, unless names are given.
fn chosen(mods: Vec<ModSource>, options: &Build, folder: &std::path::Path) -> Result<Vec<ModSource>, CommandError> {
    if let Some(name) = options.names.iter().find(|name| !mods.iter().any(|source| source.name == **name)) {
        let known: Vec<&str> = mods.iter().map(|source| source.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(CommandError::UnknownMod { name: name.clone(), folder: folder.to_owned(), known });
    }
    let here = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let own = mods.iter().any(|source| source.manifest_dir == here);
    let is_chosen = |source: &ModSource| match options.names.is_empty() {
        true => !own || source.manifest_dir == here,
        false => options.names.contains(&source.name),
    };
    let chosen: Vec<ModSource> = mods.into_iter().filter(is_chosen).collect();
    if chosen.is_empty() {
        return Err(CommandError::NoMods { folder: folder.to_owned() });
    }
    Ok(chosen)
}
