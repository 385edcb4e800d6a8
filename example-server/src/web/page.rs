//! The files of the page, built into the program. What they do is written in them.

/// A file and how it is served.
#[derive(Debug)]
pub(super) struct File {
    path: &'static str,
    pub(super) content_type: &'static str,
    pub(super) content: &'static [u8],
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// The file at a path.
pub(super) fn file(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

macro_rules! file {
    ($path:literal, $name:literal, $content_type:expr) => {
        File {
            path: $path,
            content_type: $content_type,
            content: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/web/", $name)),
        }
    };
}

const FILES: &[File] = &[
    file!("/", "index.html", "text/html; charset=utf-8"),
    file!("/arena.css", "arena.css", "text/css; charset=utf-8"),
    file!("/icon.svg", "icon.svg", "image/svg+xml"),
    file!("/main.js", "main.js", JAVASCRIPT),
    file!("/connection.js", "connection.js", JAVASCRIPT),
    file!("/frames.js", "frames.js", JAVASCRIPT),
    file!("/arena.js", "arena.js", JAVASCRIPT),
    file!("/sparks.js", "sparks.js", JAVASCRIPT),
    file!("/controls.js", "controls.js", JAVASCRIPT),
    file!("/panels.js", "panels.js", JAVASCRIPT),
    file!("/code.js", "code.js", JAVASCRIPT),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The strict policy of the page would stop it from working, and only in a browser.
    #[test]
    fn the_page_loads_what_it_names_and_nothing_inline() {
        let texts: Vec<&str> = FILES.iter().filter_map(|file| std::str::from_utf8(file.content).ok()).collect();
        assert_eq!(texts.len(), FILES.len());
        for (file, text) in FILES.iter().zip(&texts) {
            for named in named(text) {
                assert!(self::file(&named).is_some(), "{} names {named}, which is not served", file.path);
            }
            for forbidden in ["innerHTML", "style=\"", "onclick", "eval(", "insertAdjacentHTML", "//cdn", "https://"] {
                assert!(!text.contains(forbidden), "{} contains {forbidden}", file.path);
            }
        }
        assert!(!texts[0].contains("<script>") && !texts[0].contains("<style"));
        let named_somewhere: Vec<String> = texts.iter().flat_map(|text| named(text)).collect();
        for file in FILES.iter().filter(|file| file.path != "/") {
            assert!(named_somewhere.iter().any(|named| named == file.path), "nothing names {}", file.path);
        }
    }

    /// Paths in `src`, `href` and imports.
    fn named(text: &str) -> Vec<String> {
        let mut paths = Vec::new();
        for marker in ["src=\"", "href=\"", "from \"."] {
            let behind = text.split(marker).skip(1);
            paths.extend(behind.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
        paths
    }
}
