//! Panics are reported to the server with message, file and line. The trap that follows is the compiler's.

use std::panic::{self, PanicHookInfo};

/// Installs the hook. It is a named function, not a closure, so that every generation finds it under its name.
pub(super) fn report_to_server() {
    panic::set_hook(Box::new(report));
}

fn report(info: &PanicHookInfo<'_>) {
    tickswap_abi::guest::with_text(format_args!("{info}"), tickswap_abi::guest::panic);
}
