//! Goal: userfaultfd tells first writes exactly where it is permitted, and whatever takes it away is noticed, never silent.
//! Method: regions without WebAssembly, written to through their addresses, as code of a mod would.
#![allow(clippy::unwrap_used)]

use std::os::{fd::AsRawFd, unix::process::ExitStatusExt};

use tickswap_linker::limits::IMAGE_AREA_BYTES;

use super::*;

const HEAP: usize = IMAGE_AREA_BYTES as usize;
const PAGE: usize = 4096;

fn region(userfault: Option<&'static Userfault>) -> Region {
    let region = Region::new(HEAP + (1 << 30), 1 << 20, HEAP + (8 << 20), HEAP + (1 << 30), userfault).unwrap();
    region.arm(true);
    region
}

/// Every way that this system permits.
fn regions() -> Vec<Region> {
    [None, Userfault::of_process()]
        .into_iter()
        .enumerate()
        .filter(|(n, u)| *n == 0 || u.is_some())
        .map(|(_, u)| region(u))
        .collect()
}

/// Writes as code of a mod does. Without userfaultfd nobody answers `SIGSEGV` here, so the write announces itself.
fn write(region: &Region, is_announced: bool, offset: usize, value: u8) {
    assert!(offset < HEAP + (8 << 20));
    assert!(!is_announced || region.touch(offset..offset + 1));
    let _running = region.running();
    // SAFETY: within the region's accessible bytes, which nobody else uses.
    unsafe { region.base().add(offset).write_volatile(value) };
}

fn read(region: &Region, offset: usize) -> u8 {
    // SAFETY: as in `write`.
    unsafe { region.base().add(offset).read_volatile() }
}

#[test]
fn scattered_writes_to_a_heap_are_undone_page_for_page() {
    for (number, region) in regions().iter().enumerate() {
        for round in 1..30_usize {
            let offsets: Vec<usize> =
                (0..60).map(|index| HEAP + (index * 131 + round * 17) % 2048 * PAGE + round).collect();
            assert!(region.begin());
            offsets.iter().for_each(|offset| write(region, number == 0, *offset, 7));
            assert!(region.roll_back());
            assert!(offsets.iter().all(|offset| read(region, *offset) == 0), "round {round}, mechanism {number}");
            assert!(region.begin());
            offsets.iter().for_each(|offset| write(region, number == 0, *offset, 9));
            region.commit();
            assert!(offsets.iter().all(|offset| read(region, *offset) == 9), "round {round}, mechanism {number}");
        }
    }
}

#[test]
fn a_page_stays_writable_once_ticks_come_back_to_it_and_not_before() {
    for (number, region) in regions().iter().enumerate() {
        let tick = |offset: Option<usize>| {
            assert!(region.begin());
            offset.into_iter().for_each(|offset| write(region, number == 0, offset, 1));
            region.commit();
            region.pages_kept()
        };
        assert_eq!(tick(Some(HEAP + 5 * PAGE)), 0, "touched for the first time");
        assert_eq!(tick(Some(HEAP + 6 * PAGE)), 0);
        assert_eq!(tick(Some(HEAP + 5 * PAGE)), 1, "and again, not long after");
        assert_eq!((0..7).map(|_| tick(None)).last(), Some(1));
        assert_eq!(tick(None), 0, "left alone for a while");
    }
}

#[test]
fn whoever_closes_the_descriptor_is_noticed_before_an_undone_tick_counts_as_undone() {
    let Ok(own) = Userfault::open() else { return };
    let own: &'static Userfault = Box::leak(Box::new(own));
    let region = region(Some(own));
    assert!(region.begin());
    write(&region, false, HEAP + 3, 1);
    assert!(region.roll_back());
    assert_eq!(read(&region, HEAP + 3), 0);
    // SAFETY: the descriptor was leaked above, and nobody else knows its number.
    unsafe { libc::close(own.descriptor().as_raw_fd()) };
    assert!(region.begin());
    write(&region, false, HEAP + 9 * PAGE, 1);
    assert!(!region.roll_back(), "the write was not seen");
    assert!(!region.begin(), "nothing can be undone from here on");
}

#[test]
fn what_a_thread_runs_nests() {
    let Some(userfault) = Userfault::of_process() else { return };
    let (outer, inner) = (region(Some(userfault)), region(Some(userfault)));
    assert!(outer.begin() && inner.begin());
    let _running = outer.running();
    write(&inner, false, HEAP, 1);
    // SAFETY: within the region.
    unsafe { outer.base().add(HEAP).write_volatile(2) };
    assert_eq!((read(&inner, HEAP), read(&outer, HEAP)), (1, 2));
    assert!(outer.roll_back() && inner.roll_back());
    assert_eq!((read(&inner, HEAP), read(&outer, HEAP)), (0, 0));
}

#[test]
fn threads_with_memories_of_their_own_do_not_disturb_each_other() {
    let Some(userfault) = Userfault::of_process() else { return };
    let work = |thread: usize| {
        let region = region(Some(userfault));
        for round in 1..200_usize {
            let offsets: Vec<usize> =
                (0..20).map(|index| HEAP + (index * 97 + round * 31 + thread) % 2048 * PAGE).collect();
            let before: Vec<u8> = offsets.iter().map(|offset| read(&region, *offset)).collect();
            assert!(region.begin());
            offsets.iter().for_each(|offset| write(&region, false, *offset, round as u8));
            if round % 3 == 0 {
                region.commit();
                assert!(
                    offsets.iter().all(|offset| read(&region, *offset) == round as u8),
                    "thread {thread}, round {round}"
                );
            } else {
                assert!(region.roll_back());
                let after: Vec<u8> = offsets.iter().map(|offset| read(&region, *offset)).collect();
                assert_eq!(after, before, "thread {thread}, round {round}");
            }
        }
    };
    std::thread::scope(|scope| (0..6).for_each(|thread| drop(scope.spawn(move || work(thread)))));
}

/// A mapped file that becomes shorter is the usual source of `SIGBUS`. The process must end by it, as without a handler.
#[test]
fn other_bus_errors_end_the_process_as_before() {
    const CHILD: &str = "TICKSWAP_TEST_BUS_ERROR";
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    if std::env::var_os(CHILD).is_none() {
        if Userfault::of_process().is_none() {
            return;
        }
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let output = child.args(["--exact", &name, "--test-threads", "1"]).env(CHILD, "1").output().unwrap();
        assert_eq!(output.status.signal(), Some(libc::SIGBUS), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let region = region(Userfault::of_process());
    assert!(region.begin());
    let _running = region.running();
    let file = tempfile::tempfile().unwrap();
    // SAFETY: a new mapping of an empty file, of which every access is a bus error; the process is about to end.
    unsafe {
        let mapped = libc::mmap(std::ptr::null_mut(), PAGE, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), 0);
        assert_ne!(mapped, libc::MAP_FAILED);
        mapped.cast::<u8>().read_volatile();
    }
}
