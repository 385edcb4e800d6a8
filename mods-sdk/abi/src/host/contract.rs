//! A game's contract, and checking what a mod says about itself against it.
//!
//! The section's text is foreign: a line that cannot be read is one more disagreement, never a panic.

use std::fmt;

use super::{
    caller::HookRef,
    descriptors::{HooksInterface, HostInterface},
};
use crate::limits::{QUOTED_CHARS_MAX, SECTION_BYTES_MAX};

/// All traits of one game: the hooks that mods implement and the host functions they may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The game's name, for messages.
    pub name: &'static str,
    /// The hooks traits.
    pub hooks: Vec<&'static HooksInterface>,
    /// The host traits.
    pub host: Vec<&'static HostInterface>,
}

impl Contract {
    /// A contract without traits.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            hooks: Vec::new(),
            host: Vec::new(),
        }
    }

    /// Adds a hooks trait.
    #[must_use]
    pub fn with_hooks(mut self, interface: &'static HooksInterface) -> Self {
        self.hooks.push(interface);
        self
    }

    /// Adds a host trait.
    #[must_use]
    pub fn with_host(mut self, interface: &'static HostInterface) -> Self {
        self.host.push(interface);
        self
    }

    /// Compares the `tickswap.contract` section of a mod with this contract.
    ///
    /// A mod need not implement every hooks trait, but those it implements it implements whole, but
    /// for optional hooks. Reports every disagreement at once.
    pub fn check_section(&self, section: &[u8]) -> Result<DeclaredHooks, ContractMismatch> {
        let mut found = Vec::new();
        let mut declared = DeclaredHooks { hooks: Vec::new() };
        if section.len() > SECTION_BYTES_MAX {
            found.push(Disagreement::SectionTooLarge {
                bytes: section.len(),
            });
        } else {
            for (line, text) in (1..).zip(section.split(|&byte| byte == b'\n')) {
                if !text.is_empty()
                    && let Err(disagreement) = self.check_line(line, text, &mut declared)
                {
                    found.push(disagreement);
                }
            }
            if declared.hooks.is_empty() && found.is_empty() {
                found.push(Disagreement::NoHooks);
            }
        }
        found.extend(self.missing_hooks(&declared, &found));
        if found.is_empty() {
            Ok(declared)
        } else {
            Err(ContractMismatch {
                contract: self.name,
                disagreements: found,
            })
        }
    }

    fn check_line(
        &self,
        line: usize,
        text: &[u8],
        declared: &mut DeclaredHooks,
    ) -> Result<(), Disagreement> {
        let unreadable = || Disagreement::Unreadable {
            line,
            text: shortened(&String::from_utf8_lossy(text)),
        };
        let text = std::str::from_utf8(text).map_err(|_| unreadable())?;
        let Line {
            kind,
            interface,
            function,
            fingerprint,
            signature,
        } = Line::parse(text).ok_or_else(unreadable)?;
        let place = Place {
            kind,
            interface: shortened(interface),
            function: shortened(function),
        };
        let known = match kind {
            InterfaceKind::Hooks => self.find_hook(interface, function),
            InterfaceKind::Host => self.find_host(interface, function),
        };
        let known = match known {
            Ok(known) => known,
            Err(Unknown::Interface) => return Err(Disagreement::UnknownInterface(place)),
            Err(Unknown::Function) => {
                return Err(Disagreement::UnknownFunction {
                    place,
                    signature: shortened(signature),
                });
            }
        };
        if let Some(hook) = known.hook {
            if declared.contains(hook) {
                return Err(Disagreement::Twice(place));
            }
            declared.hooks.push(hook);
        }
        if known.fingerprint != fingerprint {
            return Err(Disagreement::Different {
                place,
                contract: known.signature,
                found: shortened(signature),
            });
        }
        Ok(())
    }

    fn find_hook(&self, interface: &str, function: &str) -> Result<Known, Unknown> {
        let interface = self
            .hooks
            .iter()
            .find(|candidate| candidate.name == interface)
            .ok_or(Unknown::Interface)?;
        let (index, hook) = (0..)
            .zip(interface.hooks)
            .find(|(_, hook)| hook.name == function)
            .ok_or(Unknown::Function)?;
        Ok(Known {
            fingerprint: hook.fingerprint,
            signature: hook.signature,
            hook: Some(HookRef { interface, index }),
        })
    }

    fn find_host(&self, interface: &str, function: &str) -> Result<Known, Unknown> {
        let interface = self
            .host
            .iter()
            .find(|candidate| candidate.name == interface)
            .ok_or(Unknown::Interface)?;
        let function = interface
            .functions
            .iter()
            .find(|candidate| candidate.name == function)
            .ok_or(Unknown::Function)?;
        Ok(Known {
            fingerprint: function.fingerprint,
            signature: function.signature,
            hook: None,
        })
    }

    /// Required hooks that the mod lacks, of the traits it implements.
    fn missing_hooks(&self, declared: &DeclaredHooks, found: &[Disagreement]) -> Vec<Disagreement> {
        let implemented = |interface: &HooksInterface| {
            declared
                .hooks
                .iter()
                .any(|hook| hook.interface.id == interface.id)
                || found.iter().any(|disagreement| {
                    matches!(disagreement, Disagreement::UnknownFunction { place, .. }
                        if place.kind == InterfaceKind::Hooks && place.interface == interface.name)
                })
        };
        let mut missing = Vec::new();
        for &interface in self.hooks.iter().filter(|interface| implemented(interface)) {
            for (index, hook) in (0..).zip(interface.hooks) {
                if !hook.optional && !declared.contains(HookRef { interface, index }) {
                    missing.push(Disagreement::Missing {
                        interface: interface.name,
                        hook: hook.name,
                        contract: hook.signature,
                    });
                }
            }
        }
        missing
    }
}

/// The hooks that a mod offers, all of them as the contract has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredHooks {
    hooks: Vec<HookRef>,
}

impl DeclaredHooks {
    /// Whether the mod offers the hook.
    pub fn contains(&self, hook: HookRef) -> bool {
        self.hooks.contains(&hook)
    }

    /// The hooks, in the order of the section.
    pub fn iter(&self) -> impl Iterator<Item = HookRef> + '_ {
        self.hooks.iter().copied()
    }
}

/// A mod was built against another contract. Displays every disagreement, with both signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractMismatch {
    /// The server's contract.
    pub contract: &'static str,
    /// What does not agree; never empty.
    pub disagreements: Vec<Disagreement>,
}

impl std::error::Error for ContractMismatch {}

impl fmt::Display for ContractMismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the mod does not fit the contract {}; build it against the server's version of the contract crate:",
            self.contract
        )?;
        for disagreement in &self.disagreements {
            write!(formatter, "\n  {disagreement}")?;
        }
        Ok(())
    }
}

/// The two kinds of trait in a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterfaceKind {
    /// Implemented by mods.
    Hooks,
    /// Implemented by the server.
    Host,
}

impl fmt::Display for InterfaceKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Hooks => "hook",
            Self::Host => "host function",
        })
    }
}

/// A function that the mod names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Hook or host function.
    pub kind: InterfaceKind,
    /// The trait.
    pub interface: String,
    /// The function.
    pub function: String,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {}::{}",
            self.kind, self.interface, self.function
        )
    }
}

/// One point on which a mod and the contract disagree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// The section exceeds its limit and was not read.
    #[error("its contract section has {bytes} bytes, at most {SECTION_BYTES_MAX} are read")]
    SectionTooLarge {
        /// The section's size.
        bytes: usize,
    },
    /// The section names no hook at all.
    #[error("it offers no hook; put #[tickswap_sdk::module] on its `impl` of a hooks trait")]
    NoHooks,
    /// A line is not of the known form.
    #[error(
        "line {line} of its contract section cannot be read: {text:?}; build it with the server's version of the SDK"
    )]
    Unreadable {
        /// Line number, from 1.
        line: usize,
        /// The line, shortened if long.
        text: String,
    },
    /// The contract has no such trait.
    #[error("{0}: the contract has no such trait")]
    UnknownInterface(Place),
    /// The contract's trait has no such function.
    #[error("{place}: the contract has no such function\n    mod:      {signature}")]
    UnknownFunction {
        /// What the mod names.
        place: Place,
        /// Its signature in the mod.
        signature: String,
    },
    /// The signatures, or the types they mention, differ.
    #[error("{place} differs\n    contract: {contract}\n    mod:      {found}")]
    Different {
        /// What the mod names.
        place: Place,
        /// The signature in the contract.
        contract: &'static str,
        /// The signature in the mod.
        found: String,
    },
    /// A hook is declared twice.
    #[error("{0} is declared twice")]
    Twice(Place),
    /// A required hook of a trait that the mod implements is missing.
    #[error("hook {interface}::{hook} is missing\n    contract: {contract}")]
    Missing {
        /// The hooks trait.
        interface: &'static str,
        /// The hook.
        hook: &'static str,
        /// The signature in the contract.
        contract: &'static str,
    },
}

struct Known {
    fingerprint: u64,
    signature: &'static str,
    hook: Option<HookRef>,
}

enum Unknown {
    Interface,
    Function,
}

/// `hooks <Trait> <method> <fingerprint, 16 hex digits> <signature>`, or `host ...`.
struct Line<'a> {
    kind: InterfaceKind,
    interface: &'a str,
    function: &'a str,
    fingerprint: u64,
    signature: &'a str,
}

impl<'a> Line<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut words = text.splitn(5, ' ');
        let kind = match words.next()? {
            "hooks" => InterfaceKind::Hooks,
            "host" => InterfaceKind::Host,
            _ => return None,
        };
        let interface = words.next()?;
        let function = words.next()?;
        let digits = words.next()?;
        let signature = words.next()?;
        if digits.len() != 16 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        Some(Self {
            kind,
            interface,
            function,
            fingerprint: u64::from_str_radix(digits, 16).ok()?,
            signature,
        })
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(QUOTED_CHARS_MAX).collect()
}
