//! What people hold in their hands: an authenticator app that was shown a key, and the codes on paper.

use super::{Answer, Browser, House, PASSWORD};
use std::time::Duration;
use totp_rs::{Builder, Secret, Totp};

/// An authenticator app.
pub(crate) struct Phone(Totp);

impl Phone {
    /// Types the key that a page shows.
    pub(crate) fn of(page: &Answer) -> Self {
        let key = between(&page.body, "<p class=\"key\"><code>", "</code>");
        let secret = Secret::try_from_base32(key.replace(' ', "")).expect("base 32");
        Self(Builder::new().with_secret(secret).build().expect("a key"))
    }

    /// The code of the house's present.
    pub(crate) fn code(&self, house: &House) -> String {
        let seconds = vestibule::service::context::Clock::now(house.clock.as_ref()).seconds();
        self.0.generate(u64::try_from(seconds).expect("after 1970")).to_string()
    }
}

/// The backup codes of a page.
pub(crate) fn backup_codes(page: &Answer) -> Vec<String> {
    page.body.split("<li><code>").skip(1).map(|rest| rest.split("</code>").next().expect("an end").to_owned()).collect()
}

/// What stands between two marks.
pub(crate) fn between(text: &str, start: &str, end: &str) -> String {
    let rest = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}")).1;
    rest.split_once(end).expect("an end").0.to_owned()
}

/// Anna signs in and binds an app; the clock moves on to the next code.
pub(crate) async fn binds_an_app(house: &House, browser: &mut Browser) -> (Phone, Vec<String>) {
    browser.signs_in("anna", PASSWORD).await;
    binds(house, browser).await
}

/// Somebody signed in binds an app.
pub(crate) async fn binds(house: &House, browser: &mut Browser) -> (Phone, Vec<String>) {
    let page = browser.get("/account/security/totp").await;
    let phone = Phone::of(&page);
    let csrf = page.hidden("csrf").expect("a form");
    let code = phone.code(house);
    let fields = [("csrf", csrf.as_str()), ("name", "My phone"), ("code", code.as_str())];
    let answer = browser.post("/account/security/totp", &fields).await;
    let codes = backup_codes(&answer);
    house.after(Duration::from_secs(30));
    (phone, codes)
}
