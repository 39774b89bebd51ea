//! The query of a provider's callback, or the same as a posted form: what is taken for an answer is one, of bearable length.
#![no_main]

use vestibule::service::sign_in::answer::Answer;
use vestibule::web::provider::read_answer;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(answer) = read_answer(data) else { return };
    let Answer { state, code, iss, error } = &answer;
    if answer.is_plausible() {
        assert!(!state.is_empty() && code.is_some() != error.is_some());
        for part in [Some(state), code.as_ref(), iss.as_ref(), error.as_ref()].into_iter().flatten() {
            assert!(!part.is_empty() && part.len() <= 4096);
        }
        let twice = url::form_urlencoded::parse(data).filter(|(name, _)| name == "state").count();
        assert_eq!(twice, 1, "which state counts must not be a matter of taste");
    }
});
