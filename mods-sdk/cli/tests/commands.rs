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
    assert!(
        said(&output).contains("built alpha in "),
        "{}",
        said(&output)
    );
    assert!(output.stdout.is_empty());

    fs::remove_dir_all(mods.join("built")).unwrap();
    let output = tickswap(
        &mods.join("beta"),
        &["build", "--offline", "--out-dir", "here"],
    );
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        mods.join("beta/here/beta.wasm").is_file() && !mods.join("beta/here/alpha.wasm").exists()
    );
}

#[test]
fn errors_are_told_and_the_other_mods_are_built_anyway() {
    let game = game();
    let mods = game.path().join("developer_mods");
    fs::write(
        mods.join("alpha/src/lib.rs"),
        "fn broken() -> u32 { \"text\" }",
    )
    .unwrap();
    let output = tickswap(&mods, &["build", "--offline"]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(
        said.contains("mismatched types") && said.contains("1 of 2 mods failed"),
        "{said}"
    );
    assert!(mods.join("built/beta.wasm").is_file());

    let output = tickswap(&mods, &["build", "gamma"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        self::said(&output).contains("there is no mod `gamma`")
            && self::said(&output).contains("alpha, beta")
    );
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
    write(
        &mods.join(".template/src/lib.rs.in"),
        "//! @NAME@\npub struct @TYPE@;\n",
    );
    let output = tickswap(game.path(), &["new", "night-mode"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(
        fs::read_to_string(mods.join("night-mode/src/lib.rs")).unwrap(),
        "//! night-mode\npub struct NightMode;\n"
    );
    assert!(
        fs::read_to_string(mods.join("Cargo.toml"))
            .unwrap()
            .contains("\"night-mode\"")
    );
    let output = tickswap(&mods, &["build", "night-mode", "--offline"]);
    assert!(
        output.status.success() && mods.join("built/night-mode.wasm").is_file(),
        "{}",
        said(&output)
    );

    let output = tickswap(game.path(), &["new", "night-mode"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("is there already"),
        "{}",
        said(&output)
    );
    let output = tickswap(game.path(), &["new", "Night"]);
    assert!(
        said(&output).contains("`Night` cannot be a mod's name"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_mod_that_stands_alone_brings_its_contract() {
    let folder = tempfile::tempdir().unwrap();
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let output = tickswap(
        folder.path(),
        &["new", "greeter", "--path-to-sdk", sdk.to_str().unwrap()],
    );
    assert!(output.status.success(), "{}", said(&output));
    let read = |path: &str| fs::read_to_string(folder.path().join("greeter").join(path)).unwrap();
    assert!(
        read("Cargo.toml").contains(sdk.to_str().unwrap())
            && read("contract/Cargo.toml").contains("abi\"")
    );
    assert!(
        read("src/lib.rs").contains("impl GreeterHooks for Greeter")
            && read("src/lib.rs").contains("use greeter_contract::*;")
    );

    let output = tickswap(folder.path(), &["new", "other", "--path-to-sdk", "."]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("there is no tickswap-sdk in"),
        "{}",
        said(&output)
    );
}

/// A game's folder with a workspace of two mods.
fn game() -> tempfile::TempDir {
    let game = tempfile::tempdir().unwrap();
    let mods = game.path().join("developer_mods");
    write(
        &mods.join("Cargo.toml"),
        "[workspace]\nresolver = '3'\nmembers = [\"alpha\", \"beta\"]\n",
    );
    for name in ["alpha", "beta"] {
        let manifest = format!(
            "[package]\nname = '{name}'\nversion = '0.1.0'\nedition = '2024'\n[lib]\ncrate-type = ['cdylib']\n"
        );
        write(&mods.join(name).join("Cargo.toml"), &manifest);
        write(
            &mods.join(name).join("src/lib.rs"),
            "#[unsafe(no_mangle)] pub extern \"C\" fn one() -> u32 { 1 }\n",
        );
    }
    game
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn tickswap(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-tickswap"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
