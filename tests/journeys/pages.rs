//! Every page, looked at in every way (`axe.rs`), in the states that people see: fresh, with errors, with news.

use crate::axe::Critic;
use crate::program::Place;
use crate::stage::Stage;
use crate::webdriver::{Browser, Habits};
use crate::{OTHER_PASSWORD, PASSWORD};

#[test]
fn the_pages_of_a_first_start_are_for_everybody() {
    let mut stage = Stage::serves(Place::new()).unhurried();
    let (link, browser) = (stage.set_up_link(), Browser::new());
    let mut critic = Critic::new(&browser);
    browser.goes(&link);
    critic.looks_at("setup", "#new_password");
    for field in ["username", "name", "email"] {
        browser.fills(&format!("#{field}"), "x\u{7f}y@");
    }
    browser.runs("document.querySelector('form').noValidate = true");
    browser.fills("#new_password", "short");
    browser.fills("#repeat", "other");
    browser.clicks("main button");
    critic.looks_at("setup-error", "[aria-invalid]");
    browser.goes(&stage.url("/setup?token=none"));
    critic.looks_at("setup-link-invalid", "main");
    critic.approves();
}

#[test]
fn the_pages_before_the_door_are_for_everybody() {
    let (stage, browser) = (Stage::with_anna().unhurried(), Browser::new());
    let mut critic = Critic::new(&browser);
    browser.goes(&stage.url("/login"));
    critic.looks_at("login", "#stay");
    stage.fills_login(&browser, "anna", "wrong");
    critic.looks_at("login-error", "[role=alert]");
    browser.goes(&stage.url("/nothing"));
    critic.looks_at("error-not-found", ".status");
    browser.goes(&stage.url("/login"));
    browser.runs("document.querySelector('[name=csrf]').value = 'none'");
    stage.fills_login(&browser, "anna", PASSWORD);
    critic.looks_at("error-form-expired", ".status");
    assert!(
        stage.place.runs(&["account", "set-password", "anna", "--password-stdin"], OTHER_PASSWORD).status.success()
    );
    stage.submits_login(&browser, "anna", OTHER_PASSWORD);
    browser.arrives(&stage.url("/login/step/password"));
    critic.looks_at("step", "#new_password");
    browser.fills("#new_password", "short");
    browser.fills("#repeat", "other");
    browser.clicks("main button");
    critic.looks_at("step-error", "[aria-invalid]");
    loses_its_accounts(&stage);
    stage.submits_login(&browser, "anna", PASSWORD);
    critic.looks_at("error-unavailable", ".error-id");
    critic.approves();
}

/// Below the feet of the running service.
fn loses_its_accounts(stage: &Stage) {
    use sqlx::Connection;
    let address = format!("sqlite://{}", stage.place.data().join("vestibule.db").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut conn = sqlx::SqliteConnection::connect(&address).await.expect("a database");
        sqlx::query("ALTER TABLE account RENAME TO lost").execute(&mut conn).await.expect("renamed");
    });
}

#[test]
fn the_pages_of_a_lost_password_are_for_everybody() {
    let (stage, browser) = (Stage::with_anna().unhurried(), Browser::new());
    let mut critic = Critic::new(&browser);
    browser.goes(&stage.url("/login/lost-password"));
    critic.looks_at("lost-password", "#username");
    browser.fills("#username", "anna");
    browser.clicks("main button");
    browser.awaits("the promise of a mail", || !browser.shows("#username"));
    critic.looks_at("lost-password-sent", "main");
    let link = stage.link(&stage.letter(1));
    browser.goes(&link);
    critic.looks_at("reset", "#new_password");
    browser.fills("#new_password", "short");
    browser.fills("#repeat", "other");
    browser.clicks("main button");
    critic.looks_at("reset-error", "[aria-invalid]");
    stage.fills_new_password(&browser);
    critic.looks_at("login-after-reset", "[role=status]");
    browser.goes(&link);
    critic.looks_at("reset-link-invalid", "main");
    critic.approves();
}

#[test]
fn the_pages_of_the_account_are_for_everybody() {
    let stage = Stage::with_anna().unhurried();
    let (browser, other) = (Browser::new(), Browser::new());
    let mut critic = Critic::new(&browser);
    stage.signs_in(&other, "anna");
    browser.goes(&stage.url("/login"));
    browser.clicks("#stay");
    stage.fills_login(&browser, "anna", PASSWORD);
    critic.looks_at("overview", ".tiles");
    browser.goes(&stage.url("/account/sessions"));
    critic.looks_at("sessions", "form[action='/account/devices/forget']");
    let save = "form[action='/account/profile'] button";
    browser.goes(&stage.url("/account/profile"));
    critic.looks_at("profile", "#time_zone");
    browser.fills("#time_zone", "Nowhere/Else");
    browser.clicks(save);
    critic.looks_at("profile-error", "[aria-invalid]");
    browser.fills("#time_zone", "Europe/Berlin");
    browser.clicks(save);
    critic.looks_at("profile-saved", "[role=status]");
    sends_picture(&stage, &browser, b"no picture");
    critic.looks_at("profile-picture-error", "#picture-error");
    sends_picture(&stage, &browser, &portrait());
    critic.looks_at("profile-with-picture", "img.face.large");
    browser.clicks("#contrast option[value=more]");
    browser.clicks(save);
    critic.looks_at("profile-strong-contrast", "html[data-contrast=more] [role=status]");
    browser.goes(&stage.url("/account/password"));
    critic.looks_at("password", "#new_password");
    browser.fills("#password", "wrong");
    browser.fills("#new_password", "short");
    browser.fills("#repeat", "other");
    browser.clicks("main form button");
    critic.looks_at("password-error", "[aria-invalid]");
    critic.approves();
}

/// Chooses a file in the profile, and sends it.
fn sends_picture(stage: &Stage, browser: &Browser, file: &[u8]) {
    let path = stage.place.data().join("to-be-sent.png");
    std::fs::write(&path, file).expect("written");
    browser.fills("#picture", path.to_str().expect("UTF-8"));
    browser.clicks("form[action='/account/avatar'] button");
}

/// Somebody before a hill, in a few colours.
fn portrait() -> Vec<u8> {
    let pixels = image::RgbImage::from_fn(480, 360, |x, y| {
        let (dx, dy) = (f64::from(x) - 240.0, f64::from(y) - 150.0);
        let head = dx.hypot(dy * 0.85) < 70.0;
        let body = dx.hypot((f64::from(y) - 380.0) * 0.8) < 130.0;
        image::Rgb(match (head, body) {
            (true, _) => [233, 196, 160],
            (_, true) => [62, 84, 140],
            _ if f64::from(y) > 250.0 + dx * 0.2 => [110, 150, 90],
            _ => [170, 205, 230],
        })
    });
    let mut file = std::io::Cursor::new(Vec::new());
    pixels.write_to(&mut file, image::ImageFormat::Png).expect("encoded");
    file.into_inner()
}

#[test]
fn the_pages_of_an_address_and_of_leaving_are_for_everybody() {
    let (stage, browser) =
        (Stage::with_anna().unhurried(), Browser::with(&Habits { languages: "de", ..Habits::default() }));
    let mut critic = Critic::new(&browser);
    stage.submits_login(&browser, "anna", PASSWORD);
    browser.arrives(&stage.url("/account"));
    critic.looks_at("overview-german", ".tiles");
    browser.goes(&stage.url("/account/profile"));
    critic.looks_at("profile-german", "#picture");
    browser.goes(&stage.url("/account/email"));
    critic.looks_at("email", "#email");
    browser.fills("#email", "anna@example.org");
    browser.fills("#password", "wrong");
    browser.clicks("main form button");
    critic.looks_at("email-error", "[aria-invalid]");
    browser.fills("#email", "anna@example.net");
    browser.fills("#password", PASSWORD);
    browser.clicks("main form button");
    browser.awaits("the promise of a mail", || !browser.shows("#email"));
    critic.looks_at("email-sent", "main");
    browser.goes(&stage.link(&stage.letter(1)));
    critic.looks_at("email-confirm", "main form");
    browser.goes(&stage.url("/account/email/confirm?token=none"));
    critic.looks_at("email-link-invalid", "main");
    browser.goes(&stage.url("/forbidden?reason=group_required"));
    critic.looks_at("forbidden", "main form");
    browser.goes(&stage.url("/logout"));
    critic.looks_at("logout", "main form");
    browser.clicks("main button");
    browser.arrives(&stage.url("/logout/done"));
    critic.looks_at("signed-out", "main");
    critic.approves();
}

/// With a registration mode, and the administrator who hears of it.
fn registering(mode: &str) -> Stage {
    let place = Place::with("", &format!("[registration]\nmode = \"{mode}\"\n"));
    place.makes_account("root");
    Stage::serves(place).unhurried()
}

fn fills_names(browser: &Browser, username: &str) {
    browser.fills("#username", username);
    browser.fills("#name", "Anna Example");
    browser.runs("document.querySelector('main form').noValidate = true");
}

fn fills_passwords(browser: &Browser, password: &str, repeat: &str) {
    browser.fills("#new_password", password);
    browser.fills("#repeat", repeat);
    browser.clicks("main form button");
}

/// The pages of somebody who registers; the same in each language.
fn registers(language: &'static str, name: impl Fn(&str) -> String) {
    let (stage, browser) = (registering("manual"), Browser::with(&Habits { languages: language, ..Habits::default() }));
    let mut critic = Critic::new(&browser);
    browser.goes(&stage.url("/login"));
    critic.looks_at(&name("login-register"), "a[href='/register']");
    browser.clicks("a[href='/register']");
    critic.looks_at(&name("register"), "#email");
    browser.runs("document.querySelector('main form').noValidate = true");
    browser.fills("#email", "anna@");
    browser.clicks("main form button");
    critic.looks_at(&name("register-error"), "[aria-invalid]");
    browser.fills("#email", "anna@example.org");
    browser.clicks("main form button");
    browser.awaits("the promise of a mail", || !browser.shows("#email"));
    critic.looks_at(&name("register-sent"), "main");
    let link = stage.link(&stage.letter(1));
    browser.goes(&link);
    critic.looks_at(&name("register-account"), "#new_password");
    fills_names(&browser, "root");
    fills_passwords(&browser, "short", "other");
    critic.looks_at(&name("register-account-error"), "[aria-invalid]");
    fills_names(&browser, "anna");
    fills_passwords(&browser, PASSWORD, PASSWORD);
    browser.arrives(&stage.url("/login"));
    critic.looks_at(&name("login-after-registration"), "[role=status]");
    browser.goes(&link);
    critic.looks_at(&name("register-link-invalid"), "main");
    critic.approves();
}

#[test]
fn the_pages_of_a_registration_are_for_everybody() {
    registers("en", ToOwned::to_owned);
}

#[test]
fn the_pages_of_a_german_registration_are_for_everybody() {
    registers("de", |page| format!("{page}-german"));
}

#[test]
fn the_page_of_a_registration_at_once_is_for_everybody() {
    for language in ["en", "de"] {
        let stage = registering("automatic");
        let browser = Browser::with(&Habits { languages: language, ..Habits::default() });
        let mut critic = Critic::new(&browser);
        browser.goes(&stage.url("/register"));
        critic.looks_at(&format!("register-at-once-{language}"), "#email");
        fills_names(&browser, "anna@example.org");
        browser.fills("#email", "anna@");
        fills_passwords(&browser, "short", "other");
        critic.looks_at(&format!("register-at-once-error-{language}"), "[aria-invalid]");
        fills_names(&browser, "anna");
        browser.fills("#email", "anna@example.org");
        fills_passwords(&browser, PASSWORD, PASSWORD);
        browser.arrives(&stage.url("/login"));
        critic.looks_at(&format!("login-registered-at-once-{language}"), "[role=status]");
        stage.fills_login(&browser, "anna", PASSWORD);
        browser.arrives(&stage.url("/account"));
        critic.looks_at(&format!("overview-without-address-{language}"), ".tiles");
        critic.approves();
    }
}

#[test]
fn the_pages_of_an_invitation_are_for_everybody() {
    for language in ["en", "de"] {
        let stage = Stage::with_anna().unhurried();
        let browser = Browser::with(&Habits { languages: language, ..Habits::default() });
        let mut critic = Critic::new(&browser);
        let given = ["account", "invite", "--email", "dora@example.org", "--username", "dora", "--name", "Dora"];
        assert!(stage.place.runs(&given, "").status.success());
        browser.goes(&stage.link(&stage.letter(1)));
        critic.looks_at(&format!("invitation-fixed-{language}"), "#new_password");
        assert!(stage.place.runs(&["account", "invite", "--email", "berta@example.org"], "").status.success());
        let link = stage.link(&stage.letter(2));
        browser.goes(&link);
        critic.looks_at(&format!("invitation-{language}"), "#username");
        fills_names(&browser, "anna");
        browser.fills("#name", "");
        fills_passwords(&browser, "short", "other");
        critic.looks_at(&format!("invitation-error-{language}"), "[aria-invalid]");
        fills_names(&browser, "berta");
        fills_passwords(&browser, PASSWORD, PASSWORD);
        browser.arrives(&stage.url("/login"));
        critic.looks_at(&format!("login-after-invitation-{language}"), "[role=status]");
        browser.goes(&link);
        critic.looks_at(&format!("invitation-link-invalid-{language}"), "main");
        critic.approves();
    }
}

#[test]
fn the_german_pages_before_the_door_and_of_failures_are_for_everybody() {
    let mut stage = Stage::serves(Place::new()).unhurried();
    let link = stage.set_up_link();
    let browser = Browser::with(&Habits { languages: "de", ..Habits::default() });
    let mut critic = Critic::new(&browser);
    browser.goes(&link);
    critic.looks_at("setup-german", "#new_password");
    fills_names(&browser, "x\u{7f}y");
    fills_passwords(&browser, "short", "other");
    critic.looks_at("setup-error-german", "[aria-invalid]");
    for (path, name) in [
        ("/setup?token=none", "setup-link-invalid-german"),
        ("/login", "login-german"),
        ("/login/lost-password", "lost-password-german"),
        ("/login/reset-password?token=none", "reset-link-invalid-german"),
        ("/nothing", "error-not-found-german"),
    ] {
        browser.goes(&stage.url(path));
        critic.looks_at(name, "main");
    }
    browser.goes(&stage.url("/login"));
    browser.runs("document.querySelector('[name=csrf]').value = 'none'");
    stage.fills_login(&browser, "anna", PASSWORD);
    critic.looks_at("error-form-expired-german", ".status");
    critic.approves();
}

/// A provider on this machine at whose door nobody answers.
const PROVIDER: &str = "
[autologin]
days = 30

[[identity_provider]]
slug = \"corp\"
name = \"Corp SSO\"
kind = \"oidc\"
issuer = \"http://127.0.0.1:1\"
client_id = \"vestibule\"
client_secret = \"a secret of some length\"
allow_private_network = true

[privacy]
contact = \"privacy@example.org\"
notice_url = \"https://example.org/privacy\"
";

#[test]
fn the_pages_about_identity_providers_are_for_everybody() {
    for language in ["en", "de"] {
        let logo = concat!(env!("CARGO_MANIFEST_DIR"), "/src/web/assets/vestibule.svg");
        let other = format!(
            "[[identity_provider]]\nslug = \"adfs\"\nname = \"Example University of the Northern Provinces\"\nkind = \"saml\"\n\
             metadata_file = \"/nowhere/idp.xml\"\nlogo_file = {logo:?}\n"
        );
        let place = Place::with("", &format!("{PROVIDER}{other}"));
        place.makes_account("anna");
        let stage = Stage::serves(place).unhurried();
        let browser = Browser::with(&Habits { languages: language, ..Habits::default() });
        let mut critic = Critic::new(&browser);
        browser.goes(&stage.url("/login"));
        critic.looks_at(&format!("login-with-provider-{language}"), "a[href^='/login/corp']");
        browser.clicks("#stay-provider");
        critic.looks_at(&format!("login-staying-with-provider-{language}"), ".staying");
        browser.goes(&stage.url("/login/corp"));
        critic.looks_at(&format!("provider-away-{language}"), ".error-id");
        stage.submits_login(&browser, "anna", PASSWORD);
        browser.arrives(&stage.url("/account"));
        browser.goes(&stage.url("/account/identities"));
        critic.looks_at(&format!("identities-{language}"), "a[href='/login/corp?add=1']");
        critic.approves();
    }
}
