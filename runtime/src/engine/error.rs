//! What goes wrong on the engine's floor outside of a call. Traps inside a call are values of their own (`trap.rs`).

use tickswap_linker::GenerationId;

/// Why code could not be compiled, or not be put into a world.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The engine itself could not be made.
    #[error("the WebAssembly engine cannot be set up: {0}")]
    Unusable(String),
    /// The folder for compiled code cannot be used.
    #[error(
        "compiled code cannot be kept in {}: {reason}; give `code_cache` a folder that the server may write to",
        folder.display()
    )]
    CodeCache {
        /// The folder.
        folder: std::path::PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The contract given to the builder cannot be served.
    #[error("the contract {contract} cannot be served: {reason}")]
    Contract {
        /// The contract's name.
        contract: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A limit given to the builder is out of range.
    #[error("limit {limit}: expected {expected}, found {found}")]
    Limit {
        /// Its field in `Limits`.
        limit: &'static str,
        /// The allowed range.
        expected: String,
        /// The value given.
        found: String,
    },
    /// The compiler refused the module.
    #[error("the module cannot be compiled: {0}")]
    Compile(String),
    /// The mod imports what the server does not offer.
    #[error(
        "the mod imports {module}.{name}, which this server does not offer (it offers {offered}); \
         build the mod against the server's contract crate and without other libraries that import functions"
    )]
    UnknownImport {
        /// Import module.
        module: String,
        /// Import field.
        name: String,
        /// What the server offers, for the message.
        offered: String,
    },
    /// A function has other wasm types than the contract.
    #[error(
        "{what}: expected {expected}, found {found}; \
         build the mod with the server's versions of the contract crate and the SDK"
    )]
    FunctionType {
        /// Which hook, import or export.
        what: String,
        /// Types by contract.
        expected: String,
        /// Types in the mod.
        found: String,
    },
    /// An export that every mod has is not there.
    #[error("the mod does not export {export}; put #[tickswap_sdk::module] on its `impl` of a hooks trait")]
    MissingExport {
        /// Name of the export.
        export: String,
    },
    /// The code does not fit the world's memory or table.
    #[error("generation {generation} cannot be placed into this world: {reason}")]
    Place {
        /// The generation.
        generation: GenerationId,
        /// What was expected and found.
        reason: String,
    },
    /// A world holds as many generations of the mod as it may.
    #[error(
        "{found} generations of the mod are resident in this world, at most {limit} may be \
         (limit resident_generations); restart the world, or raise the limit"
    )]
    TooManyGenerations {
        /// Resident now.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// wasmtime could not make an instance, memory or table.
    #[error("{what} cannot be made: {reason}")]
    Instantiate {
        /// What was to be made.
        what: &'static str,
        /// What wasmtime says.
        reason: String,
    },
    /// `tickswap_start` trapped.
    #[error("the mod's start failed: {0}; a world cannot run a mod whose `Default` panics")]
    Start(String),
}
