//! Findings of files that cannot be compared at all: what reading them reported, in the one form that server and command
//! show.

use super::{Code, Finding, Report};
use crate::image::{Problem, ReadError};

const CANNOT_LINK: &str = "what runs goes on; nothing of this file was loaded.";

impl From<&ReadError> for Report {
    fn from(error: &ReadError) -> Self {
        Self::new(match error {
            ReadError::NotLinkable(problems) => problems.0.iter().map(of_problem).collect(),
            other => vec![of_error(other)],
        })
    }
}

fn of_error(error: &ReadError) -> Finding {
    let finding = |item: String| Finding::new(Code::X8, item).consequence(CANNOT_LINK);
    let rebuild = "To do: build the mod again with `cargo tickswap build` and submit the file it names.";
    match error {
        ReadError::NotWasm { found } => finding("the file".into())
            .summary("not a WebAssembly file")
            .detail(format!("expected it to begin with 00 61 73 6d, found {found}"))
            .remedy(rebuild),
        ReadError::Component => finding("the file".into())
            .summary("a WebAssembly component")
            .detail("expected a core module for wasm32-unknown-unknown")
            .remedy("To do: submit what `cargo tickswap build` makes, without wrapping it."),
        ReadError::Malformed { offset, message } => finding(format!("the file at byte {offset:#x}"))
            .summary("malformed WebAssembly")
            .detail(message.clone())
            .remedy(rebuild),
        ReadError::BeyondLimit { what, found, limit_name, limit } => finding((*what).to_owned())
            .summary("beyond a limit")
            .detail(format!("found {found}, at most {limit} (limit {limit_name})"))
            .remedy("To do: split the mod, or raise the limit."),
        ReadError::Debug { section, offset, message } => finding(format!("{section} at {offset:#x}"))
            .summary("malformed debug information")
            .detail(message.clone())
            .remedy(rebuild),
        ReadError::NotLinkable(problems) => finding("the file".into()).detail(problems.to_string()).remedy(rebuild),
    }
}

fn of_problem(problem: &Problem) -> Finding {
    let recipe = "To do: build the mod with `cargo tickswap build`";
    match problem {
        Problem::MissingSection { section, why, flag } => Finding::new(Code::X5, *section)
            .summary("a section is missing")
            .consequence(format!("{why}; without it nothing is proved."))
            .remedy(format!("{recipe}, which passes {flag}.")),
        Problem::OwnResource { what, flag } => Finding::new(Code::X7, format!("the {what}"))
            .summary("defined in the module, expected an import")
            .consequence("a patch lives in the memory and table of the running mod.")
            .remedy(format!("{recipe}, which passes {flag}.")),
        Problem::RunsAtStart { what } => Finding::new(Code::X6, what.clone())
            .consequence("a patch must not run start-up code over live state.")
            .remedy("To do: remove it from the mod; initialise in the first hook instead."),
        Problem::RelocationKind { kind, section, offset } => Finding::new(Code::X5, kind.clone())
            .summary("relocation of an unknown kind")
            .detail(format!("at offset {offset:#x} of the {section} section"))
            .consequence("where code speaks of addresses cannot be told.")
            .remedy(format!("{recipe} for wasm32-unknown-unknown, without threads or position-independent code.")),
        Problem::BadRelocation { section, offset, what } => {
            Finding::new(Code::X8, format!("relocation at {offset:#x} of the {section} section"))
                .summary("the file contradicts itself")
                .detail(*what)
                .consequence(CANNOT_LINK)
                .remedy(format!("{recipe} again."))
        }
        Problem::UnnamedData { segment, offset, bytes } => Finding::new(Code::X5, format!("data segment {segment}"))
            .summary("data that no symbol describes")
            .detail(format!("{bytes} bytes at offset {offset:#x}"))
            .consequence("whether they are live state cannot be told.")
            .remedy(format!("{recipe}, which keeps every symbol.")),
        Problem::OverlappingStatics { segment, first, second } => Finding::new(Code::X9, first.clone())
            .summary("two mutable statics share bytes")
            .detail(format!("with `{second}` in data segment {segment}"))
            .consequence("live state cannot be told apart.")
            .remedy(format!("{recipe}.")),
        Problem::More { count } => Finding::new(Code::X5, format!("{count} more"))
            .summary("further problems of the same file")
            .remedy("To do: repair what is named first; the rest is told then."),
        Problem::Unsupported { what } => Finding::new(Code::X5, what.clone())
            .summary("not what the recipe makes")
            .consequence("what it means for live state cannot be proved.")
            .remedy(format!("{recipe}.")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::image::{Problems, read};
    use crate::verify::Class;

    fn codes(error: &ReadError) -> Vec<Code> {
        Report::from(error).findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn every_lack_is_a_finding_of_its_own() {
        let problems = vec![
            Problem::RunsAtStart { what: "a start function".into() },
            Problem::OwnResource { what: "memory", flag: "--import-memory" },
            Problem::MissingSection { section: "linking", why: "names", flag: "--emit-relocs" },
        ];
        assert_eq!(codes(&ReadError::NotLinkable(Problems(problems))), [Code::X5, Code::X6, Code::X7]);
    }

    #[test]
    fn damage_is_told_with_its_place() {
        let error = read(b"\0asm\x01\0\0\0\x01\x7f\x00").unwrap_err();
        let report = Report::from(&error);
        assert_eq!((report.class, report.findings[0].code), (Class::Refused, Code::X8));
        assert!(report.findings[0].item.contains("at byte 0x"), "{report}");
        let debug = ReadError::Debug { section: ".debug_info", offset: 0x20, message: "a name is not UTF-8".into() };
        assert!(Report::from(&debug).to_string().contains(".debug_info at 0x20"));
        assert_eq!(codes(&read(b"").unwrap_err()), [Code::X8]);
    }
}
