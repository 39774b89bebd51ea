//! `SafeRedirect`: whatever a stranger writes into `return_to`, a browser that follows it stays on our origin or an allowed one.
#![no_main]

use url::Url;
use vestibule::domain::redirect::{AllowedOrigin, SafeRedirect};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let origin = |url: &str| AllowedOrigin::of(&Url::parse(url).unwrap()).unwrap();
    let allowed = [origin("https://app.example.org"), origin("https://tasks.example.org:8443")];
    let Some(target) = SafeRedirect::parse(text, &allowed) else { return };
    let location = target.as_str();

    assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "a header would be split: {location:?}");
    assert!(!location.contains('\\') && !location.starts_with("//"), "browsers read this as a host: {location:?}");

    // What a browser makes of it on our page, by the URL standard.
    let page = Url::parse("https://login.example.org/login?x=1").unwrap();
    let followed = page.join(location).unwrap();
    let arrives = AllowedOrigin::of(&followed).unwrap();
    assert!(
        arrives == origin("https://login.example.org") || allowed.contains(&arrives),
        "{location:?} leads to {followed}"
    );
    assert!(followed.username().is_empty() && followed.password().is_none(), "{location:?} carries a name");
    // One that only opens our path must not turn into a host when it is joined once more.
    assert_eq!(SafeRedirect::parse(location, &allowed).as_ref(), Some(&target), "not stable: {location:?}");
});
