//! The command as people call it: what it makes, builds and says, and with which exit code.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

#[test]
fn a_workspace_of_mods_is_built_into_one_folder() {
    let game = game();
    let mods = game.path().join("developer_mods");
    let output = tickswap(game.path(), &["tickswap", "build", "--offline"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(mods.join("built/alpha.wasm").is_file() && mods.join("built/beta.wasm").is_file());
    assert!(said(&output).contains("built alpha in "), "{}", said(&output));
    assert!(output.stdout.is_empty());

    fs::remove_dir_all(mods.join("built")).unwrap();
    let output = tickswap(&mods.join("beta"), &["build", "--offline", "--out-dir", "here"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(mods.join("beta/here/beta.wasm").is_file() && !mods.join("beta/here/alpha.wasm").exists());
}

#[test]
fn errors_are_told_and_the_other_mods_are_built_anyway() {
    let game = game();
    let mods = game.path().join("developer_mods");
    fs::write(mods.join("alpha/src/lib.rs"), "fn broken() -> u32 { \"text\" }").unwrap();
    let output = tickswap(&mods, &["build", "--offline"]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains("mismatched types") && said.contains("1 of 2 mods failed"), "{said}");
    assert!(mods.join("built/beta.wasm").is_file());

    let output = tickswap(&mods, &["build", "gamma"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(self::said(&output).contains("there is no mod `gamma`") && self::said(&output).contains("alpha, beta"));
    assert_eq!(tickswap(&mods, &["built"]).status.code(), Some(2));
    assert_eq!(tickswap(&mods, &["--help"]).status.code(), Some(0));
}

#[test]
fn a_new_mod_comes_from_the_games_template_and_joins_its_workspace() {
    let game = game();
    let mods = game.path().join("developer_mods");
    write(
        &mods.join(".template/Cargo.toml.in"),
        "[package]\nname = '@NAME@'\nversion = '0.1.0'\nedition = '2024'\n[lib]\ncrate-type = ['cdylib']\n",
    );
    write(&mods.join(".template/src/lib.rs.in"), "//! @NAME@\npub struct @TYPE@;\n");
    let output = tickswap(game.path(), &["new", "night-mode"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(
        fs::read_to_string(mods.join("night-mode/src/lib.rs")).unwrap(),
        "//! night-mode\npub struct NightMode;\n"
    );
    assert!(fs::read_to_string(mods.join("Cargo.toml")).unwrap().contains("\"night-mode\""));
    let output = tickswap(&mods, &["build", "night-mode", "--offline"]);
    assert!(output.status.success() && mods.join("built/night-mode.wasm").is_file(), "{}", said(&output));

    let output = tickswap(game.path(), &["new", "night-mode"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("is there already"), "{}", said(&output));
    let output = tickswap(game.path(), &["new", "Night"]);
    assert!(said(&output).contains("`Night` cannot be a mod's name"), "{}", said(&output));
}

#[test]
fn a_mod_that_stands_alone_brings_its_contract_and_builds() {
    // A folder that stays, so that only the first run compiles the dependencies.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standalone");
    let (made, target, kept) = (folder.join("greeter"), folder.join("greeter/target"), folder.join("kept"));
    let _ = fs::rename(&target, &kept);
    let _ = fs::remove_dir_all(&made);
    fs::create_dir_all(&folder).unwrap();
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_str().unwrap();
    let output = tickswap(&folder, &["new", "greeter", "--path-to-sdk", sdk]);
    assert!(output.status.success(), "{}", said(&output));
    let _ = fs::rename(&kept, &target);
    let output = tickswap(&folder, &["build", "--manifest-dir", "greeter"]);
    assert!(output.status.success(), "{}", said(&output));
    let module = fs::read(made.join("built/greeter.wasm")).unwrap();
    let hook = b"tickswap_hook__GreeterHooks__greet";
    assert!(module.windows(hook.len()).any(|window| window == hook), "the hook is not exported");

    let output = tickswap(&folder, &["new", "other", "--path-to-sdk", "."]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("there is no tickswap-sdk in"), "{}", said(&output));
}

#[test]
fn the_arenas_template_makes_a_mod_that_builds() {
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../example-server").canonicalize().unwrap();
    let mods = Path::new(env!("CARGO_TARGET_TMPDIR")).join("from_template");
    let (made, template) = (mods.join("night-mode"), server.join("developer_mods/.template"));
    let _ = fs::remove_dir_all(&made);
    for file in ["Cargo.toml.in", "src/lib.rs.in"] {
        write(&mods.join(".template").join(file), &fs::read_to_string(template.join(file)).unwrap());
    }
    // The game's own workspace, with paths that hold from here and without its mods.
    let manifest = fs::read_to_string(server.join("developer_mods/Cargo.toml")).unwrap();
    let manifest = manifest.replace("path = \"", &format!("path = \"{}/developer_mods/", server.display()));
    let members = manifest.find("members = [").unwrap();
    let end = members + manifest[members..].find(']').unwrap();
    write(&mods.join("Cargo.toml"), &format!("{}members = [{}", &manifest[..members], &manifest[end..]));
    let directory = mods.to_str().unwrap();
    let output = tickswap(&mods, &["new", "night-mode", "--manifest-dir", directory]);
    assert!(output.status.success(), "{}", said(&output));
    let output = tickswap(&mods, &["build", "night-mode", "--manifest-dir", directory]);
    assert!(output.status.success() && mods.join("built/night-mode.wasm").is_file(), "{}", said(&output));
}

/// A game's folder with a workspace of two mods.
fn game() -> tempfile::TempDir {
    let game = tempfile::tempdir().unwrap();
    let mods = game.path().join("developer_mods");
    write(&mods.join("Cargo.toml"), "[workspace]\nresolver = '3'\nmembers = [\"alpha\", \"beta\"]\n");
    for name in ["alpha", "beta"] {
        let manifest = format!(
            "[package]\nname = '{name}'\nversion = '0.1.0'\nedition = '2024'\n[lib]\ncrate-type = ['cdylib']\n"
        );
        write(&mods.join(name).join("Cargo.toml"), &manifest);
        write(&mods.join(name).join("src/lib.rs"), "#[unsafe(no_mangle)] pub extern \"C\" fn one() -> u32 { 1 }\n");
    }
    game
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn tickswap(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-tickswap")).current_dir(folder).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
