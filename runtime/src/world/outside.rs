//! The outside of a world's mods: what answers their queries, where their effects and log lines go. Lent to one mod's
//! store at a time, for the length of a hook call.

use std::sync::Arc;

use tickswap_abi::{AnswerBuffer, HostFunctionKind, HostFunctions, ModName, RawArguments};

use super::{
    WorldError,
    effects::{EffectList, EffectMark},
    queries::QueryList,
};
use crate::{
    engine::{HostSide, Signatures},
    limits::Limits,
};

/// See the module.
pub(crate) struct Outside {
    world: Arc<str>,
    signatures: Arc<Signatures>,
    /// By position of the host trait; `None` for a trait without queries that nothing answers.
    answering: Vec<Option<Box<dyn HostFunctions>>>,
    /// Every mod that was ever here, by number.
    pub(super) names: Vec<ModName>,
    /// Number of the mod that is being called.
    pub(super) caller: usize,
    pub(super) tick: u64,
    /// False while a mod starts: outside of a tick nobody would hand its effects out.
    pub(super) takes_effects: bool,
    pub(super) effects: EffectList,
    /// Where the effects of the call that runs begin, in a tick that cannot be undone.
    mark: Option<EffectMark>,
    pub(super) queries: QueryList,
    effect_bytes_max: usize,
    query_bytes_max: usize,
    log_lines: u32,
    log_lines_max: u32,
}

impl Outside {
    /// Sorts what answers by the contract's host traits.
    pub(crate) fn new(
        world: Arc<str>,
        signatures: Arc<Signatures>,
        host: Vec<Box<dyn HostFunctions>>,
        limits: &Limits,
    ) -> Result<Self, WorldError> {
        let interfaces = &signatures.contract().host;
        let mut answering: Vec<Option<Box<dyn HostFunctions>>> = interfaces.iter().map(|_| None).collect();
        for functions in host {
            let interface = functions.interface();
            let not_asked = |reason| WorldError::NotAsked { interface: interface.name, reason };
            let position = interfaces.iter().position(|known| known.id == interface.id);
            let position = position.ok_or_else(|| {
                not_asked("the runtime's contract does not have it; add it with `Contract::with_host`")
            })?;
            if answering[position].replace(functions).is_some() {
                return Err(not_asked("it was given twice"));
            }
        }
        for (interface, functions) in interfaces.iter().zip(&answering) {
            let mut kinds = interface.functions.iter().map(|function| function.kind);
            if functions.is_none() && kinds.any(|kind| kind == HostFunctionKind::Query) {
                return Err(WorldError::Unanswered { interface: interface.name });
            }
        }
        Ok(Self {
            world,
            signatures,
            answering,
            names: Vec::new(),
            caller: 0,
            tick: 0,
            takes_effects: false,
            effects: EffectList::default(),
            mark: None,
            queries: QueryList::default(),
            effect_bytes_max: limits.effect_bytes_per_tick,
            query_bytes_max: limits.query_bytes_per_tick,
            log_lines: 0,
            log_lines_max: limits.log_lines_per_tick,
        })
    }

    /// A tick begins.
    pub(super) fn begin_tick(&mut self, tick: u64) {
        let dropped = self.log_lines.saturating_sub(self.log_lines_max);
        if dropped > 0 {
            let (world, last) = (&*self.world, self.tick);
            tracing::warn!(
                target: "tickswap", world, tick = last, dropped,
                "log lines of mods were dropped: a tick may have {} (limit log_lines_per_tick)", self.log_lines_max
            );
        }
        self.log_lines = 0;
        self.tick = tick;
        self.takes_effects = true;
        self.effects.clear();
        self.mark = None;
        self.queries.clear();
    }

    /// A mod is about to be called. Its effects are taken back alone if the tick cannot be undone as a whole.
    #[inline]
    pub(super) fn begin_call(&mut self, caller: usize, cannot_undo: bool) {
        self.caller = caller;
        if cannot_undo {
            self.mark = Some(self.effects.mark());
        }
    }

    /// The call that runs trapped.
    pub(super) fn take_back_call(&mut self) {
        if let Some(mark) = self.mark.take() {
            self.effects.go_back(mark);
        }
    }

    fn full_name(&self, function: usize) -> String {
        match self.signatures.host_functions().get(function) {
            Some(f) => format!("{}::{}", f.interface.name, f.descriptor.name),
            None => format!("host function {function}"),
        }
    }
}

impl HostSide for Outside {
    fn query(&mut self, function: usize, arguments: RawArguments<'_>, answer: &mut AnswerBuffer) -> Result<(), String> {
        let signature = self.signatures.host_functions().get(function);
        let found = signature.and_then(|signature| {
            let functions = self.answering.get(signature.interface_position)?.as_ref()?;
            Some((functions, signature.index))
        });
        let Some((functions, index)) = found else {
            return Err(format!("nothing answers {} in this world", self.full_name(function)));
        };
        functions.answer(index, arguments, answer).map_err(|error| error.to_string())?;
        let (caller, bytes_max) = (self.caller, self.query_bytes_max);
        self.queries.push(caller, function, arguments, answer.answer(), bytes_max)
    }

    fn effect(&mut self, function: usize, arguments: RawArguments<'_>) -> Result<(), String> {
        if !self.takes_effects {
            return Err(format!(
                "{} was called while the mod starts; effects exist within a tick only, queue it in a hook",
                self.full_name(function)
            ));
        }
        self.effects.push(self.caller, function, arguments, self.effect_bytes_max)
    }

    fn log(&mut self, level: u32, text: &str) {
        self.log_lines = self.log_lines.saturating_add(1);
        if self.log_lines > self.log_lines_max {
            return;
        }
        let name = self.names.get(self.caller).map_or("", ModName::as_str);
        let (world, tick) = (&*self.world, self.tick);
        // A level is part of a call site in `tracing`, so every level is one.
        match level {
            1 => tracing::error!(target: "tickswap::mods", mod_name = name, world, tick, "{text}"),
            2 => tracing::warn!(target: "tickswap::mods", mod_name = name, world, tick, "{text}"),
            3 => tracing::info!(target: "tickswap::mods", mod_name = name, world, tick, "{text}"),
            4 => tracing::debug!(target: "tickswap::mods", mod_name = name, world, tick, "{text}"),
            _ => tracing::trace!(target: "tickswap::mods", mod_name = name, world, tick, "{text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use parking_lot::Mutex;
    use tracing::{Event, Metadata, Subscriber, field::Visit, span};

    use super::*;
    use crate::engine::tests::{TestHost, contract};

    /// Keeps every message.
    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<String>>>);

    impl Visit for Heard {
        fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
            if field.name() == "message" || field.name() == "dropped" {
                self.0.lock().push(format!("{value:?}"));
            }
        }
    }

    impl Subscriber for Heard {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }

        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

        fn event(&self, event: &Event<'_>) {
            event.record(&mut self.clone());
        }

        fn enter(&self, _: &span::Id) {}

        fn exit(&self, _: &span::Id) {}
    }

    #[test]
    fn log_lines_beyond_the_limit_are_dropped_and_counted_tick_by_tick() {
        let limits = Limits { log_lines_per_tick: 2, ..Limits::default() };
        let signatures = Arc::new(Signatures::new(contract()).unwrap());
        let mut outside = Outside::new("w".into(), signatures, vec![Box::new(TestHost(None))], &limits).unwrap();
        let heard = Heard::default();
        tracing::subscriber::with_default(heard.clone(), || {
            for tick in 1..=3 {
                outside.begin_tick(tick);
                (0..tick + 1).for_each(|line| outside.log(3, &format!("{tick}.{line}")));
            }
            outside.begin_tick(4);
        });
        let heard = heard.0.lock().join("\n");
        let lines: Vec<&str> = heard.lines().collect();
        assert_eq!(lines.len(), 2 + 2 + 2 + 2 * 2, "{heard}");
        assert_eq!(lines[..4], ["1.0", "1.1", "2.0", "2.1"]);
        assert!(lines[4..6].contains(&"1") && lines[8..].contains(&"2"), "how many: {heard}");
        assert!(heard.matches("a tick may have 2 (limit log_lines_per_tick)").count() == 2, "{heard}");
    }
}
