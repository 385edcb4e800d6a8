//! The probe's work as a shared library of this machine: built from `tests/fixtures/native` by the settings of a mod's build, and
//! loaded as any plugin would be.

use std::path::Path;
use std::process::Command;

use libloading::Library;
use probe_api::Body;
use tickswap_tests::fixtures::target_folder;

/// Laid out as the library has it.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct NativeBody {
    position: [f64; 3],
    velocity: [f64; 3],
    id: u64,
    flags: u64,
}

impl From<Body> for NativeBody {
    fn from(Body { position, velocity, id, flags }: Body) -> Self {
        Self { position, velocity, id, flags }
    }
}

/// The library's functions. They live as long as the process: the library is never closed.
#[derive(Clone, Copy)]
pub(crate) struct Native {
    pub(crate) add: extern "C" fn(u64, u32) -> u64,
    pub(crate) advance: extern "C" fn(NativeBody) -> NativeBody,
    echo: unsafe extern "C" fn(*mut u8, usize),
    pub(crate) work: extern "C" fn(u32, u32) -> u64,
}

impl Native {
    /// Builds and loads it.
    pub(crate) fn load() -> Self {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/native");
        let target = target_folder().join("fixtures").join("native");
        let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--release", "--config", "profile.release.codegen-units=1", "--manifest-path"])
            .arg(fixture.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(&target)
            .status();
        assert!(built.unwrap().success(), "the native library does not build");
        let file = format!("{}native{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        // SAFETY: the library is the one just built; it has no initialisers, and is never unloaded.
        let library: &'static Library =
            Box::leak(Box::new(unsafe { Library::new(target.join("release").join(file)) }.unwrap()));
        // SAFETY: the types are those in `tests/fixtures/native/src/lib.rs`.
        unsafe {
            Self {
                add: *library.get(b"add").unwrap(),
                advance: *library.get(b"advance").unwrap(),
                echo: *library.get(b"echo").unwrap(),
                work: *library.get(b"work").unwrap(),
            }
        }
    }

    /// Reverses bytes in place.
    pub(crate) fn echo(self, bytes: &mut [u8]) {
        // SAFETY: the bytes are borrowed for change.
        unsafe { (self.echo)(bytes.as_mut_ptr(), bytes.len()) }
    }
}
