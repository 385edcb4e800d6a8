//! What the server itself finds of a candidate, in the form of the verdict: what does not fit its contract, and files that
//! are not read at all.

use tickswap_abi::{ContractMismatch, Disagreement, InterfaceKind};
use tickswap_linker::verify::{Code, Finding};

use crate::engine::EngineError;

const REBUILD: &str = "To do: build against the server's versions of the contract crate and the SDK.";

/// One finding for every point on which mod and contract disagree.
pub(super) fn of_contract(mismatch: &ContractMismatch) -> Vec<Finding> {
    mismatch.disagreements.iter().map(|disagreement| of_disagreement(disagreement, mismatch.contract)).collect()
}

fn of_disagreement(disagreement: &Disagreement, contract: &str) -> Finding {
    let differs = |item: String| {
        Finding::new(Code::X3, item)
            .summary(format!("not as in the contract {contract}"))
            .consequence("server and mod would read each other's arguments wrongly.")
            .remedy(REBUILD)
    };
    match disagreement {
        Disagreement::SectionTooLarge { .. } => Finding::new(Code::X8, "section tickswap.contract")
            .summary("beyond a limit")
            .detail(disagreement.to_string())
            .remedy("To do: build the mod with `cargo tickswap build`."),
        Disagreement::Missing { interface, hook, contract: signature } => {
            Finding::new(Code::X1, format!("{interface}::{hook}"))
                .summary(format!("hook is missing that the contract {contract} requires"))
                .detail(format!("- {signature}"))
                .consequence("the server calls it.")
                .remedy("To do: implement the hook; it may do nothing.")
        }
        Disagreement::Different { place, contract: signature, found } => {
            differs(place.to_string()).detail(format!("- contract: {signature}")).detail(format!("+ mod:      {found}"))
        }
        Disagreement::UnknownFunction { place, signature } => {
            let finding = match place.kind {
                InterfaceKind::Hooks => differs(place.to_string()),
                InterfaceKind::Host => Finding::new(Code::X4, place.to_string()).remedy(REBUILD),
            };
            finding.detail(format!("+ mod:      {signature}")).consequence("the contract has no such function.")
        }
        other => differs("section tickswap.contract".to_owned()).detail(other.to_string()),
    }
}

/// The finding of a function that does not fit, or of a module that the engine refuses.
pub(super) fn of_engine(error: &EngineError) -> Finding {
    match error {
        EngineError::UnknownImport { module, name, offered } => Finding::new(Code::X4, format!("{module}.{name}"))
            .summary("import that this server does not offer")
            .detail(format!("it offers {offered}"))
            .remedy("To do: build against the server's contract crate, without other libraries that import functions."),
        EngineError::FunctionType { what, expected, found } => Finding::new(Code::X2, what.clone())
            .summary("function with other types than the contract's")
            .detail(format!("- expected {expected}"))
            .detail(format!("+ found {found}"))
            .consequence("the server would call it, or be called, with the wrong arguments.")
            .remedy(REBUILD),
        EngineError::MissingExport { export } => Finding::new(Code::X1, export.clone())
            .summary("export is missing")
            .consequence("the server calls it.")
            .remedy("To do: put #[tickswap_sdk::module] on the `impl` of a hooks trait."),
        other => Finding::new(Code::X8, "the module").detail(other.to_string()),
    }
}

/// A module without a contract section.
pub(super) fn no_contract() -> Finding {
    Finding::new(Code::X3, "section tickswap.contract")
        .summary("is missing, so this is no Tickswap mod")
        .consequence("what it offers and expects of the server cannot be told.")
        .remedy("To do: put #[tickswap_sdk::module] on its `impl` of a hooks trait and build it with `cargo tickswap build`.")
}

/// A file that is not read.
pub(super) fn too_large(found: usize, limit: usize) -> Finding {
    Finding::new(Code::X8, "the file")
        .summary("beyond a limit")
        .detail(format!("{found} bytes, at most {limit} are read (limit candidate_bytes)"))
        .remedy(
            "To do: build the mod with `cargo tickswap build`, which gives debug information to its own crates only.",
        )
}
