//! Every limit of the runtime, with its unit and the reason for its value. Nothing else lives here.
//!
//! Limits that depend on the machine or the game are fields of [`Limits`]; the constants are their defaults or fixed.
//! An error that says a limit was hit names it as it is written here.

use std::time::Duration;

use tickswap_linker::limits as linker;

/// Bytes at the start of each linear memory that hold code's data and the stack; a mod's heap begins behind it.
pub use tickswap_linker::limits::IMAGE_AREA_BYTES;

/// Submissions that wait for the preparing thread. More means that something submits in a loop.
pub const SUBMISSIONS_QUEUED_MAX: usize = 64;

/// Submissions whose state can still be asked for; the oldest finished ones are forgotten first.
pub const SUBMISSIONS_REMEMBERED_MAX: usize = 1024;

/// Mods that one submission replaces together.
pub const MODS_PER_SUBMISSION_MAX: usize = 64;

/// Submissions that wait for somebody's approval; where one more comes, the oldest is dropped.
pub const APPROVALS_WAITING_MAX: usize = 16;

/// Bytes of the files of submissions that wait for approval, all together; the oldest are dropped first.
pub const APPROVAL_BYTES_MAX: usize = 512 << 20;

/// Bytes of the name of whoever approves or rejects, and of the reason for it.
pub const APPROVAL_TEXT_BYTES_MAX: usize = 1024;

/// Findings of a report that are kept with a submission or generation, worst first. An ordinary edit has a few.
pub const REPORT_FINDINGS_MAX: usize = 256;

/// Records of the log of swaps; the oldest are forgotten first.
pub const LOG_RECORDS_MAX: usize = 4096;

/// What happened and waits for one reader of events. A reader that is further behind loses what is newest, and is told how much.
pub const EVENTS_QUEUED_MAX: usize = 4096;

/// Readers of events at one time. Each costs every report of a world a few nanoseconds.
pub const EVENT_READERS_MAX: usize = 64;

/// How long nothing may change in a watched folder before what has changed is submitted, all together.
pub const WATCH_SETTLE: Duration = Duration::from_millis(100);

/// How long a changed file waits for others that do not come to rest.
pub const WATCH_BURST_WAIT_MAX: Duration = Duration::from_secs(2);

/// How long a file whose last section is cut off is waited for after its last change. Then it is submitted, to be refused with
/// the reason.
pub const WATCH_INCOMPLETE_WAIT_MAX: Duration = Duration::from_secs(3);

/// How often a watched folder is looked at when the system gives no notice of a change.
pub const WATCH_LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// How long the watcher waits before it submits again what the runtime did not take.
pub const WATCH_RETRY_WAIT: Duration = Duration::from_secs(1);

/// Bytes of one line of a console.
pub const CONSOLE_LINE_BYTES_MAX: usize = 16 << 10;

/// Changes that `log` shows if no number is given.
pub const CONSOLE_LOG_LINES: usize = 20;

/// How long a console waits for a submission, an activation or a going back before it answers how far that is.
pub const CONSOLE_WAIT_MAX: Duration = Duration::from_secs(300);

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

/// Milliseconds of processor time of one mod in one tick, of the thread that ticks. An endless loop costs a world this much,
/// once for the generation that has it.
pub const CPU_MS_PER_TICK_MAX: u64 = 100;

/// Milliseconds of processor time of a mod's `Default`, once per world.
pub const START_CPU_MS_MAX: u64 = 5_000;

/// Milliseconds between two looks at the processor time of code that runs. A limit is met this much late at most, and what a
/// tick uses before its first look is not charged.
pub const CPU_ALARM_MS: u64 = 5;

/// Log lines of one tick of a world, all mods together; the rest is counted and dropped.
pub const LOG_LINES_PER_TICK_MAX: u32 = 1_000;

/// Ticks that call a new generation before it counts as proved: a fault until then goes back to the one before.
pub const PROBATION_TICKS: u32 = 600;

/// Generations of a mod that are on probation one upon the other in a world; the oldest counts as proved when one more comes.
pub const PROBATIONS_MAX: usize = 8;

/// Faults of a mod in ticks one after the other, nothing to go back to, after which a world pauses it.
pub const FAULTS_IN_A_ROW_MAX: u32 = 3;

/// Bytes of compiled functions kept for the next compilation: an unchanged function is not compiled again.
pub const COMPILE_CACHE_BYTES_MAX: usize = 256 << 20;

/// Files of a folder of compiled code. Each is looked at when the folder is tidied.
pub const CODE_CACHE_FILES_MAX: usize = 4096;

/// Seconds after which a half-written file in a folder of compiled code is no longer taken for another server's work.
pub const CODE_CACHE_STALE_SECONDS: u64 = 3600;

/// Bytes of a folder of compiled code, if nothing else is said. Large mods take some ten mebibytes a version.
pub const CODE_CACHE_BYTES_MAX: u64 = 1 << 30;

/// Milliseconds, on the clock, that the candidates of one submission may take to compile. A compiler that runs cannot be
/// interrupted: the submission is refused, and what it began comes to its end in the background.
pub const COMPILE_MS_MAX: u64 = 120_000;

/// Compilations of refused submissions that have not come to their end. While there are so many, nothing new is compiled.
pub const COMPILES_ABANDONED_MAX: usize = 4;

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
    /// See [`APPROVALS_WAITING_MAX`].
    pub approvals_waiting: usize,
    /// See [`APPROVAL_BYTES_MAX`].
    pub approval_bytes: usize,
    /// See [`REPORT_FINDINGS_MAX`].
    pub report_findings: usize,
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
    /// See [`CPU_MS_PER_TICK_MAX`]; 0 for no limit.
    pub cpu_ms_per_tick: u64,
    /// See [`START_CPU_MS_MAX`]; 0 for no limit.
    pub start_cpu_ms: u64,
    /// See [`LOG_LINES_PER_TICK_MAX`].
    pub log_lines_per_tick: u32,
    /// See [`PROBATION_TICKS`]; 0 for none.
    pub probation_ticks: u32,
    /// See [`FAULTS_IN_A_ROW_MAX`]; at least 1.
    pub faults_in_a_row: u32,
    /// See [`COMPILE_CACHE_BYTES_MAX`].
    pub compile_cache_bytes: usize,
    /// See [`COMPILE_MS_MAX`]; 0 for no limit.
    pub compile_ms: u64,
    /// See [`COMPILES_ABANDONED_MAX`]; at least 1.
    pub compiles_abandoned: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            submissions_queued: SUBMISSIONS_QUEUED_MAX,
            approvals_waiting: APPROVALS_WAITING_MAX,
            approval_bytes: APPROVAL_BYTES_MAX,
            report_findings: REPORT_FINDINGS_MAX,
            log_records: LOG_RECORDS_MAX,
            world_commands: WORLD_COMMANDS_MAX,
            world_room_wait_ms: WORLD_ROOM_WAIT_MS_MAX,
            resident_generations: RESIDENT_GENERATIONS_MAX,
            candidate_bytes: CANDIDATE_BYTES_MAX,
            memory_bytes_per_mod: MEMORY_BYTES_PER_MOD_MAX,
            effect_bytes_per_tick: EFFECT_BYTES_PER_TICK_MAX,
            query_bytes_per_tick: QUERY_BYTES_PER_TICK_MAX,
            cpu_ms_per_tick: CPU_MS_PER_TICK_MAX,
            start_cpu_ms: START_CPU_MS_MAX,
            log_lines_per_tick: LOG_LINES_PER_TICK_MAX,
            probation_ticks: PROBATION_TICKS,
            faults_in_a_row: FAULTS_IN_A_ROW_MAX,
            compile_cache_bytes: COMPILE_CACHE_BYTES_MAX,
            compile_ms: COMPILE_MS_MAX,
            compiles_abandoned: COMPILES_ABANDONED_MAX,
        }
    }
}

const _: () = assert!(MEMORY_BYTES_PER_MOD_MAX >= linker::IMAGE_AREA_BYTES as u64);
const _: () = assert!(MEMORY_BYTES_PER_MOD_MAX <= 4 << 30);
const _: () = assert!(LOG_LINE_BYTES_MAX <= CALL_BYTES_MAX);
const _: () = assert!(CANDIDATE_BYTES_MAX <= linker::CANDIDATE_BYTES_MAX);
const _: () = assert!(WATCH_SETTLE.as_millis() < WATCH_BURST_WAIT_MAX.as_millis());
