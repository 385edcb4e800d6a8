//! Links in documents: what a relative link names must exist.

use std::path::Path;

use super::Finding;

/// Checks one document. `root` is the repository's folder, `path` the document's within it.
pub fn check(root: &Path, path: &Path, document: &str) -> Vec<Finding> {
    let folder = root.join(path.parent().unwrap_or(path));
    let dead = |target: &str| {
        !(if let Some(absolute) = target.strip_prefix('/') { root.join(absolute) } else { folder.join(target) })
            .exists()
    };
    let mut findings = Vec::new();
    for (line, target) in targets(document) {
        let file = target.split('#').next().unwrap_or_default();
        if !file.is_empty() && !is_elsewhere(&target) && dead(file) {
            findings.push(Finding::new(path, line, format!("the link to `{target}` leads nowhere")));
        }
    }
    findings
}

fn is_elsewhere(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

/// Targets of `[text](target)` and `[label]: target`, outside code.
fn targets(document: &str) -> Vec<(usize, String)> {
    let mut targets = Vec::new();
    let mut fenced = false;
    for (index, line) in document.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        // Every second part lies between backticks.
        let text: String =
            line.split('`').enumerate().map(|(part, text)| if part % 2 == 0 { text } else { "code" }).collect();
        let inline = text.match_indices("](").filter_map(|(at, _)| text[at + 2..].split([')', ' ']).next());
        targets.extend(inline.map(|target| (index + 1, target.to_owned())));
        let defined = text.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target.trim());
        targets.extend(defined.map(|target| (index + 1, target.to_owned())));
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_links_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let document = "[alive](../Cargo.toml) [dead](gone.md)\n[web](https://example.org/x) [here](#part)\n\
                        ```\n[code](gone.md)\n```\n`[code](gone.md)` [part](gone.md#part)\n[label]: missing.md\n[root](/src/lib.rs)";
        let found: Vec<String> = check(root, Path::new("src/x.md"), document).iter().map(ToString::to_string).collect();
        let expected = [(1, "gone.md"), (6, "gone.md#part"), (7, "missing.md")];
        assert_eq!(
            found,
            expected.map(|(line, target)| format!("src/x.md:{line}: the link to `{target}` leads nowhere"))
        );
    }
}
