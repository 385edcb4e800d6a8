//! Goal: what lands in a watched folder goes live once, whole and together, however it is written; what cannot go live is said.
//! Method: real files, with the system's notices and with polling. Waiting times only end a test that hangs.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, unbounded};
use tempfile::TempDir;
use tickswap::{ModsWatcher, SubmissionState, WatchOptions, WatchReport};

use crate::server::{PATIENCE, Server, generation, name, probe, second};

struct Watch {
    server: Server,
    folder: TempDir,
    reports: Receiver<WatchReport>,
    _watcher: ModsWatcher,
}

fn both_ways() -> [WatchOptions; 2] {
    [WatchOptions::default(), WatchOptions::default().polling(Duration::from_millis(20))]
}

impl Watch {
    /// Watches `built` in a folder of its own; it is not there yet.
    fn new(options: WatchOptions) -> Self {
        let (server, folder) = (Server::empty(), tempfile::tempdir().unwrap());
        let (sender, reports) = unbounded();
        let hear = move |report| sender.send(report).unwrap();
        let watcher = ModsWatcher::new(folder.path().join("built"), server.control.clone(), options, hear).unwrap();
        Self { server, folder, reports, _watcher: watcher }
    }

    fn built(&self) -> std::path::PathBuf {
        self.folder.path().join("built")
    }

    fn next(&self) -> WatchReport {
        self.reports.recv_timeout(PATIENCE).unwrap()
    }

    /// The mods of the next submission, and how it ends. Nothing else may be said meanwhile.
    fn submission(&self) -> (Vec<String>, SubmissionState) {
        let WatchReport::Submitted { id, mods } = self.next() else {
            panic!("expected a submission");
        };
        let report = self.next();
        let WatchReport::Ended { id: ended, state, .. } = report else {
            panic!("expected its end, found: {report}");
        };
        assert_eq!(ended, id);
        (mods.iter().map(ToString::to_string).collect(), state)
    }

    fn goes_live(&self, mods: &[&str]) {
        let (submitted, state) = self.submission();
        assert_eq!(submitted, mods);
        assert!(matches!(state, SubmissionState::Done { .. }), "{state}");
    }
}

/// As builders do: beside the final name, then renamed.
fn replace(folder: &Path, mod_name: &str, bytes: &[u8]) {
    let unfinished = folder.join(format!(".{mod_name}.unfinished"));
    fs::write(&unfinished, bytes).unwrap();
    fs::rename(&unfinished, folder.join(format!("{mod_name}.wasm"))).unwrap();
}

#[test]
fn files_go_live_together_however_they_are_written() {
    for options in both_ways() {
        let watch = Watch::new(options);
        let built = watch.built();
        assert!(matches!(watch.next(), WatchReport::NoFolder { .. }));
        // Both before the folder comes to its place.
        let elsewhere = watch.folder.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        replace(&elsewhere, "probe", &probe(1));
        replace(&elsewhere, "second", &second(1));
        fs::write(elsewhere.join("notes.txt"), "no mod").unwrap();
        fs::rename(&elsewhere, &built).unwrap();
        assert_eq!(watch.next(), WatchReport::Watching { folder: built.clone() });
        watch.goes_live(&["probe", "second"]);

        replace(&built, "probe", &probe(2));
        watch.goes_live(&["probe"]);
        // Truncated and written in two steps. How long a pause between them may be is tested without a clock, in `pending.rs`.
        let (bytes, file) = (probe(3), built.join("probe.wasm"));
        fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        fs::write(&file, &bytes).unwrap();
        watch.goes_live(&["probe"]);
        assert_eq!(watch.server.control.status().mods[0].current, generation(3));

        fs::write(&file, &bytes).unwrap();
        assert_eq!(watch.next(), WatchReport::Same { mod_name: name("probe") });
        replace(&built, "second", b"no module");
        let (_, state) = watch.submission();
        assert!(matches!(state, SubmissionState::Refused { .. }), "{state}");
        fs::remove_file(&file).unwrap();
        assert_eq!(watch.next(), WatchReport::Removed { mod_name: name("probe") });
        replace(&built, "Probe", &bytes);
        let said = watch.next().to_string();
        assert!(said.contains("Probe.wasm") && said.contains("cannot name a mod"), "{said}");
        assert_eq!(watch.server.control.status().mods[0].current, generation(3));
    }
}

#[test]
fn a_folder_may_go_and_come_again_and_be_a_link() {
    for options in both_ways() {
        let watch = Watch::new(options);
        let built = watch.built();
        assert!(matches!(watch.next(), WatchReport::NoFolder { .. }));
        let folders = ["one", "two"].map(|name| watch.folder.path().join(name));
        for (folder, version) in folders.iter().zip([1, 2]) {
            fs::create_dir(folder).unwrap();
            replace(folder, "probe", &probe(version));
        }
        std::os::unix::fs::symlink(&folders[0], &built).unwrap();
        assert_eq!(watch.next(), WatchReport::Watching { folder: built.clone() });
        watch.goes_live(&["probe"]);
        // The link is turned around in one step.
        std::os::unix::fs::symlink(&folders[1], watch.folder.path().join("new")).unwrap();
        fs::rename(watch.folder.path().join("new"), &built).unwrap();
        watch.goes_live(&["probe"]);
        fs::remove_file(&built).unwrap();
        assert!(matches!(watch.next(), WatchReport::NoFolder { .. }));
        fs::create_dir(&built).unwrap();
        replace(&built, "probe", &probe(3));
        assert_eq!(watch.next(), WatchReport::Watching { folder: built.clone() });
        watch.goes_live(&["probe"]);
        // A file behind a link, changed where it lies.
        let file = watch.folder.path().join("elsewhere.bin");
        fs::write(&file, probe(4)).unwrap();
        std::os::unix::fs::symlink(&file, built.join("second.wasm")).unwrap();
        let (mods, state) = watch.submission();
        assert_eq!(mods, ["second"]);
        assert!(state.is_success(), "{state}");
        fs::write(&file, probe(5)).unwrap();
        watch.goes_live(&["second"]);
    }
}

#[test]
fn what_the_server_started_with_is_no_change_and_two_watchers_may_share_a_folder() {
    let bytes = probe(1);
    let probe_name = name("probe");
    let known = [(&probe_name, bytes.as_slice())];
    let watch = Watch::new(WatchOptions::default().knows(known));
    watch.server.load(&[("probe", bytes.clone())]);
    assert!(matches!(watch.next(), WatchReport::NoFolder { .. }));
    fs::create_dir(watch.built()).unwrap();
    replace(&watch.built(), "probe", &bytes);
    assert_eq!(watch.next(), WatchReport::Watching { folder: watch.built() });
    assert_eq!(watch.next(), WatchReport::Same { mod_name: name("probe") });

    let other = Server::empty();
    let _watcher = ModsWatcher::new(watch.built(), other.control.clone(), WatchOptions::default(), |_| ()).unwrap();
    replace(&watch.built(), "probe", &probe(2));
    watch.goes_live(&["probe"]);
    let gives_up = Instant::now() + PATIENCE;
    while !other.control.status().submissions.iter().any(|submission| submission.state.is_success()) {
        assert!(Instant::now() < gives_up, "the other server's watcher saw nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
}
