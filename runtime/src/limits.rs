//! Every limit of the runtime, with its unit and the reason for its value. Nothing else lives here.
//!
//! Limits that depend on the machine or the game are fields of [`Limits`]; the constants are their defaults or fixed.
//! An error that says a limit was hit names it as it is written here.

use tickswap_linker::limits as linker;

/// Bytes at the start of each linear memory that hold code's data and the stack; a mod's heap begins behind it.
pub use tickswap_linker::limits::IMAGE_AREA_BYTES;

/// Submissions that wait for the preparing thread. More means that something submits in a loop.
pub const SUBMISSIONS_QUEUED_MAX: usize = 64;

/// Submissions whose state can still be asked for; the oldest finished ones are forgotten first.
pub const SUBMISSIONS_REMEMBERED_MAX: usize = 1024;

/// Mods that one submission replaces together.
pub const MODS_PER_SUBMISSION_MAX: usize = 64;

/// Records of the log of swaps; the oldest are forgotten first.
pub const LOG_RECORDS_MAX: usize = 4096;

/// Changes on their way to one world. A world that is ticked takes them within a tick or two.
pub const WORLD_COMMANDS_MAX: usize = 256;

/// Milliseconds that a prepared submission waits for a world whose channel is full, before it fails.
pub const WORLD_ROOM_WAIT_MS_MAX: u64 = 30_000;

/// Bytes of a world's name.
pub const WORLD_NAME_BYTES_MAX: usize = 256;

/// Worlds of one process.
pub const WORLDS_MAX: usize = 100_000;

/// Generations of one mod that stay resident in a world. Each keeps its machine code, an instance and a table.
pub const RESIDENT_GENERATIONS_MAX: usize = 4096;

/// Bytes of one candidate file, debug information included.
pub const CANDIDATE_BYTES_MAX: usize = linker::CANDIDATE_BYTES_MAX;

/// Bytes of linear memory of one mod in one world: the image area and its heap.
pub const MEMORY_BYTES_PER_MOD_MAX: u64 = 2 << 30;

/// Bytes of encoded arguments or of an answer of one call, hook or host function.
pub const CALL_BYTES_MAX: usize = tickswap_abi::limits::CALL_BYTES_MAX;

/// Bytes of effects that one tick of a world queues, all mods together.
pub const EFFECT_BYTES_PER_TICK_MAX: usize = 64 << 20;

/// Bytes of queries and their answers that one tick of a world records, all mods together.
pub const QUERY_BYTES_PER_TICK_MAX: usize = 64 << 20;

/// Bytes of one log line of a mod; the rest is cut.
pub const LOG_LINE_BYTES_MAX: usize = 16 << 10;

/// Bytes of a panic message of a mod; the rest is cut.
pub const PANIC_MESSAGE_BYTES_MAX: usize = 16 << 10;

/// WebAssembly frames of a fault's backtrace, innermost first.
pub const BACKTRACE_FRAMES_MAX: usize = 32;

/// Faults that a world remembers for its status, newest last.
pub const FAULTS_REMEMBERED_MAX: usize = 16;

/// Bytes of compiled functions kept for the next compilation: an unchanged function is not compiled again.
pub const COMPILE_CACHE_BYTES_MAX: usize = 256 << 20;

/// Files of a folder of compiled code. Each is looked at when the folder is tidied.
pub const CODE_CACHE_FILES_MAX: usize = 4096;

/// Seconds after which a half-written file in a folder of compiled code is no longer taken for another server's work.
pub const CODE_CACHE_STALE_SECONDS: u64 = 3600;

/// Bytes of a folder of compiled code, if nothing else is said. Large mods take some ten mebibytes a version.
pub const CODE_CACHE_BYTES_MAX: u64 = 1 << 30;

/// Threads that compile. More would take processor time away from ticks.
pub const PREPARE_THREADS_MAX: usize = 64;

/// Niceness of preparing threads on Linux, 0 to 19: ticks go first on a busy machine.
pub const PREPARE_NICENESS: i32 = 19;

/// Bytes of stack that WebAssembly code may use on the host's own stack, beside the mod's stack in linear memory.
pub const HOST_STACK_BYTES_MAX: usize = 512 << 10;

/// Entries of a function table, over all generations of a mod.
pub const TABLE_SLOTS_MAX: u32 = linker::TABLE_SLOTS_MAX;

/// The limits that a server may set, with their defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// See [`SUBMISSIONS_QUEUED_MAX`].
    pub submissions_queued: usize,
    /// See [`LOG_RECORDS_MAX`].
    pub log_records: usize,
    /// See [`WORLD_COMMANDS_MAX`].
    pub world_commands: usize,
    /// See [`WORLD_ROOM_WAIT_MS_MAX`].
    pub world_room_wait_ms: u64,
    /// See [`RESIDENT_GENERATIONS_MAX`].
    pub resident_generations: usize,
    /// See [`CANDIDATE_BYTES_MAX`].
    pub candidate_bytes: usize,
    /// See [`MEMORY_BYTES_PER_MOD_MAX`].
    pub memory_bytes_per_mod: u64,
    /// See [`EFFECT_BYTES_PER_TICK_MAX`].
    pub effect_bytes_per_tick: usize,
    /// See [`QUERY_BYTES_PER_TICK_MAX`].
    pub query_bytes_per_tick: usize,
    /// See [`COMPILE_CACHE_BYTES_MAX`].
    pub compile_cache_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            submissions_queued: SUBMISSIONS_QUEUED_MAX,
            log_records: LOG_RECORDS_MAX,
            world_commands: WORLD_COMMANDS_MAX,
            world_room_wait_ms: WORLD_ROOM_WAIT_MS_MAX,
            resident_generations: RESIDENT_GENERATIONS_MAX,
            candidate_bytes: CANDIDATE_BYTES_MAX,
            memory_bytes_per_mod: MEMORY_BYTES_PER_MOD_MAX,
            effect_bytes_per_tick: EFFECT_BYTES_PER_TICK_MAX,
            query_bytes_per_tick: QUERY_BYTES_PER_TICK_MAX,
            compile_cache_bytes: COMPILE_CACHE_BYTES_MAX,
        }
    }
}

const _: () = assert!(MEMORY_BYTES_PER_MOD_MAX >= linker::IMAGE_AREA_BYTES as u64);
const _: () = assert!(MEMORY_BYTES_PER_MOD_MAX <= 4 << 30);
const _: () = assert!(LOG_LINE_BYTES_MAX <= CALL_BYTES_MAX);
const _: () = assert!(CANDIDATE_BYTES_MAX <= linker::CANDIDATE_BYTES_MAX);
