//! Generated clients against a fake caller that keeps what it is asked and answers from a list.

use tickswap_abi::{
    Arguments, CallError, CodecError, HookCaller, HookRef, ModName, PlayerId, RawAnswer, Target, codec,
};

use crate::game::{GameHooksCaller, view};

enum Answer {
    Nothing,
    Scalar(u64),
    Encoded(Vec<u8>),
}

#[derive(Default)]
struct FakeCaller {
    answers: Vec<(ModName, Answer)>,
    called: Vec<(Option<String>, &'static str)>,
    scalars: Vec<u64>,
    encoded: Vec<u8>,
}

impl FakeCaller {
    fn answering(answers: impl IntoIterator<Item = (&'static str, Answer)>) -> Self {
        let answers = answers.into_iter().map(|(name, answer)| (ModName::try_from(name).unwrap(), answer));
        Self { answers: answers.collect(), ..Self::default() }
    }
}

impl HookCaller for FakeCaller {
    fn call_hook(
        &mut self,
        target: Target<'_>,
        hook: HookRef,
        arguments: Arguments<'_>,
        answers: &mut dyn FnMut(&ModName, RawAnswer<'_>) -> Result<(), CallError>,
    ) -> Result<(), CallError> {
        let wanted = match target {
            Target::All => None,
            Target::Mod(name) => Some(name.to_owned()),
        };
        self.called.push((wanted.clone(), hook.descriptor().unwrap().export));
        match arguments {
            Arguments::Scalars(bits) => self.scalars = bits.to_vec(),
            Arguments::Encode(encode) => encode(&mut self.encoded)?,
        }
        for (name, answer) in &self.answers {
            if wanted.as_deref().is_none_or(|wanted| name == wanted) {
                let raw = match answer {
                    Answer::Nothing => RawAnswer::Nothing,
                    Answer::Scalar(bits) => RawAnswer::Scalar(*bits),
                    Answer::Encoded(bytes) => RawAnswer::Encoded(bytes),
                };
                answers(name, raw)?;
            }
        }
        Ok(())
    }
}

fn encoded_view() -> Answer {
    let mut bytes = Vec::new();
    codec::encode(&view(), &mut bytes).unwrap();
    Answer::Encoded(bytes)
}

#[test]
fn scalars_travel_as_bits_and_everything_else_encoded_together() {
    let mut tick = FakeCaller::answering([("a", Answer::Nothing)]);
    tick.game().update(0.5).unwrap();
    assert_eq!(tick.scalars, [u64::from(0.5_f32.to_bits())]);
    assert!(tick.encoded.is_empty());

    tick.game().joined(PlayerId(300), "ann").unwrap();
    let decoded: (PlayerId, String) = codec::decode(&tick.encoded).unwrap();
    assert_eq!(decoded, (PlayerId(300), "ann".to_owned()));
    assert_eq!(tick.called, [(None, "tickswap_hook__GameHooks__update"), (None, "tickswap_hook__GameHooks__joined"),]);
}

#[test]
fn answers_of_all_mods_are_labelled_and_in_order() {
    let minus_two = u64::from((-2_i32).cast_unsigned());
    let mut tick = FakeCaller::answering([("b", Answer::Scalar(7)), ("a", Answer::Scalar(minus_two))]);
    let answers = tick.game().count().unwrap();
    let labelled: Vec<_> = answers.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(labelled, [("b", 7), ("a", -2)]);
    assert_eq!(answers.of("a"), Some(&-2));
}

#[test]
fn one_mod_gives_the_bare_answer_and_an_option_where_the_hook_is_optional() {
    let mut tick = FakeCaller::answering([("a", encoded_view())]);
    assert_eq!(tick.game().of("a").view(PlayerId(5)), Ok(view()));

    let mut tick = FakeCaller::answering([("a", Answer::Scalar(1))]);
    assert_eq!(tick.game().of("a").extra(3), Ok(Some(true)));
    assert_eq!(tick.game().of("b").extra(3), Ok(None));
}

#[test]
fn a_required_hook_that_gives_no_answer_is_an_error() {
    let mut tick = FakeCaller::default();
    let error = tick.game().of("a").count().unwrap_err();
    assert!(matches!(error, CallError::HookMissing { hook: "count", .. }), "{error}");
}

#[test]
fn answers_in_another_form_or_range_are_errors_that_name_the_mod() {
    for bad in [Answer::Nothing, Answer::Scalar(2), encoded_view()] {
        let mut tick = FakeCaller::answering([("a", bad)]);
        let error = tick.game().of("a").extra(0).unwrap_err();
        assert!(matches!(&error, CallError::BadAnswer { mod_name, .. } if mod_name == "a"), "{error}");
    }
    let mut tick = FakeCaller::answering([("a", Answer::Encoded(vec![1, 2]))]);
    let error = tick.game().view(PlayerId(1)).unwrap_err();
    let CallError::BadAnswer { reason, .. } = error else {
        panic!("{error}");
    };
    assert!(matches!(reason, CodecError::Decode { .. }));
}

#[test]
fn clients_work_through_trait_objects() {
    let mut tick = FakeCaller::answering([("a", Answer::Nothing)]);
    let caller: &mut dyn HookCaller = &mut tick;
    caller.game().update(1.0).unwrap();
    assert_eq!(tick.called.len(), 1);
}
