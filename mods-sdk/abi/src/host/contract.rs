//! A game's contract, and checking what a mod says about itself against it.
//!
//! The section's text is foreign: a line that cannot be read is one more disagreement, never a panic.

use super::{
    caller::HookRef,
    descriptors::{HooksInterface, HostInterface},
    mismatch::{ContractMismatch, Disagreement, InterfaceKind, Place, shortened},
};
use crate::limits::SECTION_BYTES_MAX;

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
        Self { name, hooks: Vec::new(), host: Vec::new() }
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
        let mut declared = DeclaredHooks::default();
        if section.len() > SECTION_BYTES_MAX {
            found.push(Disagreement::SectionTooLarge { bytes: section.len() });
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
            Err(ContractMismatch { contract: self.name, disagreements: found })
        }
    }

    fn check_line(&self, line: usize, text: &[u8], declared: &mut DeclaredHooks) -> Result<(), Disagreement> {
        let unreadable = || Disagreement::Unreadable { line, text: shortened(&String::from_utf8_lossy(text)) };
        let text = std::str::from_utf8(text).map_err(|_| unreadable())?;
        let Line { kind, interface, function, fingerprint, signature } = Line::parse(text).ok_or_else(unreadable)?;
        let place = Place { kind, interface: shortened(interface), function: shortened(function) };
        let known = match kind {
            InterfaceKind::Hooks => self.find_hook(interface, function),
            InterfaceKind::Host => self.find_host(interface, function),
        };
        let known = match known {
            Ok(known) => known,
            Err(Unknown::Interface) => return Err(Disagreement::UnknownInterface(place)),
            Err(Unknown::Function) => {
                return Err(Disagreement::UnknownFunction { place, signature: shortened(signature) });
            }
        };
        let added = match known.function {
            Function::Hook(hook) => add(&mut declared.hooks, hook),
            Function::Host(interface, function) => add(&mut declared.host, (interface, function)),
        };
        if !added {
            return Err(Disagreement::Twice(place));
        }
        if known.fingerprint != fingerprint {
            return Err(Disagreement::Different { place, contract: known.signature, found: shortened(signature) });
        }
        Ok(())
    }

    fn find_hook(&self, interface: &str, function: &str) -> Result<Known, Unknown> {
        let interface = self.hooks.iter().find(|candidate| candidate.name == interface).ok_or(Unknown::Interface)?;
        let (index, hook) =
            (0..).zip(interface.hooks).find(|(_, hook)| hook.name == function).ok_or(Unknown::Function)?;
        Ok(Known {
            fingerprint: hook.fingerprint,
            signature: hook.signature,
            function: Function::Hook(HookRef { interface, index }),
        })
    }

    fn find_host(&self, interface: &str, function: &str) -> Result<Known, Unknown> {
        let interface = self.host.iter().find(|candidate| candidate.name == interface).ok_or(Unknown::Interface)?;
        let function =
            interface.functions.iter().find(|candidate| candidate.name == function).ok_or(Unknown::Function)?;
        Ok(Known {
            fingerprint: function.fingerprint,
            signature: function.signature,
            function: Function::Host(interface.name, function.name),
        })
    }

    /// Required hooks that the mod lacks, of the traits it implements.
    fn missing_hooks(&self, declared: &DeclaredHooks, found: &[Disagreement]) -> Vec<Disagreement> {
        let implemented = |interface: &HooksInterface| {
            declared.hooks.iter().any(|hook| hook.interface.id == interface.id)
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

/// The hooks that a mod offers and the host functions it knows, all of them as the contract has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredHooks {
    hooks: Vec<HookRef>,
    /// Trait and function.
    host: Vec<(&'static str, &'static str)>,
}

impl DeclaredHooks {
    /// Whether the mod offers the hook.
    pub fn contains(&self, hook: HookRef) -> bool {
        self.hooks.contains(&hook)
    }

    /// Whether the mod was built against this version of a host function. A mod that calls any function of a host
    /// trait declares all of them; one that calls none may declare none. So an import that is not declared
    /// here does not come from the contract's macros.
    pub fn declares_host_function(&self, interface: &str, function: &str) -> bool {
        self.host.contains(&(interface, function))
    }

    /// The hooks, in the order of the section.
    pub fn iter(&self) -> impl Iterator<Item = HookRef> + '_ {
        self.hooks.iter().copied()
    }
}

struct Known {
    fingerprint: u64,
    signature: &'static str,
    function: Function,
}

enum Function {
    Hook(HookRef),
    Host(&'static str, &'static str),
}

/// False if it is there already.
fn add<T: PartialEq>(list: &mut Vec<T>, item: T) -> bool {
    let fresh = !list.contains(&item);
    if fresh {
        list.push(item);
    }
    fresh
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
        Some(Self { kind, interface, function, fingerprint: u64::from_str_radix(digits, 16).ok()?, signature })
    }
}
