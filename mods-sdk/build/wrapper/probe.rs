//! What `tickswap-build` compiles once per toolchain to see whether LLVM obeys the switches that live linking needs.
//!
//! `mergefunc` would make one of the twins an alias of the other, `globalopt` would make `SMALL` a one-bit static. LLVM takes
//! any pass name in `-opt-disable` without a word, so accepting the switch proves nothing; the code it emits does.
#![no_std]

static mut SMALL: u32 = 0;

/// Stores 0 or 7, which is what `globalopt` looks for.
#[unsafe(no_mangle)]
pub extern "C" fn tickswap_probe_small(set: u32) -> u32 {
    // SAFETY: this code is compiled and read, never run.
    unsafe {
        if set == 1 {
            SMALL = 7;
        } else if set == 2 {
            SMALL = 0;
        }
        SMALL
    }
}

/// Equal to its twin below.
#[unsafe(no_mangle)]
pub extern "C" fn tickswap_probe_twin_a(x: u32) -> u32 {
    x.rotate_left(7).wrapping_mul(2_654_435_761) ^ (x >> 3)
}

/// Equal to its twin above.
#[unsafe(no_mangle)]
pub extern "C" fn tickswap_probe_twin_b(x: u32) -> u32 {
    x.rotate_left(7).wrapping_mul(2_654_435_761) ^ (x >> 3)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
