//! Builds real mods and looks at what comes out: equal bytes from two folders, names that survive versions, clear errors.
#![allow(clippy::unwrap_used)]

mod folder;

use folder::{Folder, MOD, crate_names};
use tickswap_build::{BuildError, ModSource};

#[test]
fn a_mod_is_compiled_and_moved_to_the_output_folder() {
    let folder = Folder::new(MOD);
    let out = folder.path("out");
    let built = folder.build().out_dir(&out).build().unwrap();
    assert_eq!(built.name, "hand-made");
    assert_eq!(built.path, out.join("hand-made.wasm"));
    assert_eq!(std::fs::read(&built.path).unwrap(), built.bytes);
    assert!(built.bytes.starts_with(b"\0asm"));
    assert!(!built.fresh);
    let left: Vec<_> = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["hand-made.wasm"], "nothing unfinished stays behind");

    let again = folder.build().out_dir(&out).build().unwrap();
    assert!(again.fresh);
    assert_eq!(again.bytes, built.bytes);
}

#[test]
fn two_folders_give_equal_bytes_and_no_folder_of_this_machine() {
    let (here, there) = (Folder::new(MOD), Folder::new(MOD));
    let built = here.build().build().unwrap();
    // Once more beside the first in one target folder, as fixtures of tests are built.
    let shared = there.build().target_dir(here.path("target/tickswap")).build().unwrap();
    let own = there.build().build().unwrap();
    assert!(built.bytes == own.bytes, "another folder changed the module");
    assert!(built.bytes == shared.bytes, "a shared target folder changed the module");
    let home = std::env::home_dir().unwrap();
    for leaked in [here.path(""), home] {
        let leaked = leaked.to_str().unwrap().trim_end_matches('/').as_bytes();
        let found = built.bytes.windows(leaked.len()).position(|window| window == leaked);
        assert_eq!(found, None, "{:?} stands in the module", String::from_utf8_lossy(leaked));
    }
}

#[test]
fn a_copy_in_a_shared_target_folder_is_not_taken_for_the_original() {
    let (original, copy) = (Folder::new(MOD), Folder::new(MOD));
    // Written before the original is built: by its time alone the copy's source looks up to date.
    copy.replace("src/lib.rs", "loud {key}", "quiet {key}");
    copy.replace("helper/src/lib.rs", "too high", "too much");
    let built = original.build().build().unwrap();
    let copied = copy.build().target_dir(original.path("target/tickswap")).build().unwrap();
    let text = String::from_utf8_lossy(&copied.bytes);
    assert!(copied.bytes != built.bytes && text.contains("too much"));
}

#[test]
fn versions_of_local_crates_do_not_reach_names() {
    let folder = Folder::new(MOD);
    let first = folder.build().build().unwrap();
    let names = crate_names(&first.bytes);
    assert!(names.iter().any(|name| name.ends_with("_9hand_made")), "{names:?}");
    assert!(names.iter().any(|name| name.ends_with("_6helper")), "{names:?}");

    folder.replace("Cargo.toml", "version = \"0.1.0\"", "version = \"7.2.0\"");
    let bumped = folder.build().build().unwrap();
    assert!(!bumped.fresh);
    assert_eq!(crate_names(&bumped.bytes), names, "the mod's version");

    folder.replace("helper/Cargo.toml", "version = \"1.0.0\"", "version = \"1.4.0\"");
    let dependency = folder.build().build().unwrap();
    assert!(!dependency.fresh);
    assert_eq!(crate_names(&dependency.bytes), names, "a path dependency's version");
}

#[test]
fn going_back_to_an_older_version_gives_the_older_module() {
    let folder = Folder::new(MOD);
    let first = folder.build().build().unwrap();
    folder.replace("Cargo.toml", "version = \"0.1.0\"", "version = \"0.2.0\"");
    let second = folder.build().build().unwrap();
    assert!(first.bytes != second.bytes, "the mod reports its version");
    folder.replace("Cargo.toml", "version = \"0.2.0\"", "version = \"0.1.0\"");
    let back = folder.build().build().unwrap();
    assert!(first.bytes == back.bytes, "cargo took the newer file for the older");
}

#[test]
fn variants_of_one_mod_share_their_dependencies_and_do_not_mix() {
    let folder = Folder::new(MOD);
    let plain = folder.build().build().unwrap();
    let compiled = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = compiled.clone();
    let listener = move |line: &str| heard.lock().unwrap().push(line.trim().to_owned());
    let cfg = folder.build().cfg("v2").on_progress(listener).build().unwrap();
    let feature = folder.build().feature("loud").build().unwrap();
    assert!(plain.bytes != cfg.bytes && plain.bytes != feature.bytes && cfg.bytes != feature.bytes);
    let compiled = compiled.lock().unwrap();
    assert!(compiled.iter().any(|line| line.starts_with("Compiling hand-made")), "{compiled:?}");
    assert!(!compiled.iter().any(|line| line.starts_with("Compiling helper")), "{compiled:?}");
    assert!(cfg.messages.is_empty(), "the cfg is known to the compiler: {:?}", cfg.messages);
    assert!(folder.build().build().unwrap().bytes == plain.bytes);
}

#[test]
fn an_environment_full_of_flags_changes_nothing() {
    let folder = Folder::new(MOD);
    let plain = folder.build().build().unwrap();
    // A manifest and a configuration file that ask for something else.
    folder.append("Cargo.toml", "[profile.release]\nopt-level = 0\nlto = true\n[profile.release.package.helper]\nopt-level = 1\ndebug = 0\nstrip = true\n");
    folder.write(
        ".cargo/config.toml",
        "[build]\nrustflags = ['--cfg=v2']\nrustc-wrapper = '/nowhere'\nrustc-workspace-wrapper = '/nowhere'\nincremental = true\n\
         [target.wasm32-unknown-unknown]\nrustflags = ['-Copt-level=0']\nlinker = '/nowhere'\n[profile.tickswap]\npanic = 'unwind'\n",
    );
    let configured = folder.build().build().unwrap();
    assert!(plain.bytes == configured.bytes);
}

#[test]
fn a_flag_of_the_recipe_can_be_left_out_for_tests() {
    let folder = Folder::new(MOD);
    let relocatable = |bytes: &[u8]| bytes.windows(10).any(|window| window == b"reloc.CODE");
    assert!(relocatable(&folder.build().build().unwrap().bytes));
    assert!(!relocatable(&folder.build().without_flag("--emit-relocs").build().unwrap().bytes));
}

#[test]
fn procedural_macros_and_build_scripts_work() {
    let folder = Folder::new(&[
        MOD,
        &[
            ("build.rs", "fn main() { println!(\"cargo::rustc-env=FROM_SCRIPT=made\"); std::fs::write(std::env::var(\"OUT_DIR\").unwrap() + \"/made.rs\", \"pub fn made() -> u32 { panic!(\\\"generated\\\") }\").unwrap(); }"),
            ("shout/Cargo.toml", "[package]\nname = 'shout'\nversion = '1.0.0'\nedition = '2024'\n[lib]\nproc-macro = true\n"),
            ("shout/src/lib.rs", "#[proc_macro] pub fn seven(_: proc_macro::TokenStream) -> proc_macro::TokenStream { \"7u32\".parse().unwrap() }"),
        ],
    ].concat());
    folder.replace("Cargo.toml", "[dependencies]", "[dependencies]\nshout = { path = 'shout' }");
    folder.append("src/lib.rs", "include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));\n#[unsafe(no_mangle)] pub extern \"C\" fn seven() -> u32 { shout::seven!() + env!(\"FROM_SCRIPT\").len() as u32 + made() }\n");
    let built = folder.build().build().unwrap();
    let text = String::from_utf8_lossy(&built.bytes);
    assert!(text.contains("/generated/hand-made/made.rs"));
    assert!(!text.contains(folder.path("").to_str().unwrap().trim_end_matches('/')));
}

#[test]
fn errors_say_what_to_do() {
    let folder = Folder::new(MOD);
    folder.append("src/lib.rs", "fn broken() -> u32 { \"text\" }\n");
    match folder.build().build().unwrap_err() {
        BuildError::Compile { mod_name, errors } => {
            assert_eq!(mod_name, "hand-made");
            assert!(
                errors.iter().any(|error| error.contains("mismatched types") && error.contains("src/lib.rs:")),
                "{errors:?}"
            );
        }
        other => panic!("expected the compiler's error, found: {other}"),
    }

    let folder = Folder::new(MOD);
    folder.replace("Cargo.toml", "crate-type = [\"cdylib\"]", "crate-type = [\"rlib\"]");
    let error = folder.build().build().unwrap_err();
    assert!(matches!(&error, BuildError::NotCdylib { found, .. } if found == &["rlib"]), "{error}");
    assert!(error.to_string().contains("crate-type = [\"cdylib\"]"));

    folder.replace("Cargo.toml", "name = \"hand-made\"", "name = \"HandMade\"");
    folder.replace("Cargo.toml", "crate-type = [\"rlib\"]", "crate-type = [\"cdylib\"]");
    assert!(matches!(folder.build().build().unwrap_err(), BuildError::NameInvalid { name } if name == "HandMade"));

    folder.replace("Cargo.toml", "[package]", "[packag]");
    assert!(matches!(folder.build().build().unwrap_err(), BuildError::Manifest { .. }));

    let empty = Folder::new(&[("readme", "")]);
    let error = empty.build().build().unwrap_err().to_string();
    assert!(error.contains("no Cargo.toml"), "{error}");
    let error = empty.build().env("PATH", "/nowhere").build().unwrap_err();
    assert!(matches!(error, BuildError::NoManifest { .. }));
    let error = Folder::new(MOD).build().env("PATH", "/nowhere").build().unwrap_err();
    assert!(error.to_string().contains("install Rust with rustup"), "{error}");
}

#[test]
fn a_folder_of_mods_is_discovered() {
    let member = |name: &str, kind: &str| {
        format!("[package]\nname = '{name}'\nversion = '0.1.0'\nedition = '2024'\n[lib]\ncrate-type = ['{kind}']\n")
    };
    let (beta, alpha, library) = (member("beta", "cdylib"), member("alpha", "cdylib"), member("shared", "rlib"));
    let folder = Folder::new(&[
        ("Cargo.toml", "[workspace]\nresolver = '3'\nmembers = ['beta', 'alpha', 'shared']\n"),
        ("beta/Cargo.toml", &beta),
        ("beta/src/lib.rs", ""),
        ("alpha/Cargo.toml", &alpha),
        ("alpha/src/lib.rs", ""),
        ("shared/Cargo.toml", &library),
        ("shared/src/lib.rs", ""),
    ]);
    let mods = ModSource::discover(folder.path("")).unwrap();
    let names: Vec<_> = mods.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(names, ["alpha", "beta"]);
    assert!(mods.iter().all(|found| found.manifest_dir.join("src/lib.rs").is_file()));
    let error = folder.build().build().unwrap_err();
    assert!(error.to_string().contains("alpha, beta"), "{error}");
    assert!(matches!(ModSource::discover(folder.path("nothing")), Err(BuildError::NoManifest { .. })));
}

#[cfg(unix)]
#[test]
fn a_missing_target_is_added_and_said() {
    let folder = Folder::new(MOD);
    let sysroot = folder.path("sysroot/lib/rustlib/wasm32-unknown-unknown/lib");
    folder.program("rustc", &format!("#!/bin/sh\nif [ \"$1 $2\" = '--print sysroot' ]; then echo {}; else PATH=${{PATH#*:}} exec rustc \"$@\"; fi\n", folder.path("sysroot").display()));
    let path = format!("{}:{}", folder.path("programs").display(), std::env::var("PATH").unwrap());

    folder.program("rustup", "#!/bin/sh\necho 'no network' >&2; exit 1\n");
    let error = folder.build().env("PATH", &path).build().unwrap_err();
    assert!(matches!(&error, BuildError::TargetNotAdded { output, .. } if output.contains("no network")), "{error}");

    folder.program("rustup", &format!("#!/bin/sh\n[ \"$*\" = 'target add wasm32-unknown-unknown' ] || exit 1\nmkdir -p {0} && touch {0}/libcore-1.rlib\n", sysroot.display()));
    let built = folder.build().env("PATH", &path).build().unwrap();
    assert!(built.messages[0].starts_with("added the target wasm32-unknown-unknown"), "{:?}", built.messages);
}
