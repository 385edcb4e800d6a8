//! What the module macro's code calls in a mod. Compiled for wasm32 only; may change in any version.

mod cell;
mod panic;

pub use cell::{ProofCell, StateCell};

/// The mod's state type, tied to its one static by the module macro.
pub trait ModState: Default + 'static {
    /// The static.
    fn cell() -> &'static StateCell<Self>;
}

/// The cold start of a world: panics are reported from here on, and the state gets its `Default`.
///
/// # Safety
///
/// No reference from [`state`] lives: the server calls this before any hook.
pub unsafe fn start<T: ModState>() {
    panic::report_to_server();
    let state = T::default();
    // SAFETY: the caller's promise.
    unsafe { T::cell().fill(state) };
}

/// The mod's state, for one hook.
///
/// # Safety
///
/// No other reference from this function lives: the server runs one hook of a memory at a time, and exports
/// are called by the server only.
pub unsafe fn state<T: ModState>() -> &'static mut T {
    // SAFETY: the caller's promise.
    match unsafe { T::cell().get() } {
        Some(state) => state,
        None => panic!("a hook was called before tickswap_start"),
    }
}
