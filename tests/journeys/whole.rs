//! The whole way of a house: from the printed link to an invited person whom the application greets through nginx, and
//! who is refused after signing out.

use crate::PASSWORD;
use crate::main_app::{Tasks, tasks_behind_nginx};
use crate::program::Place;
use crate::servers::free_address;
use crate::stage::Stage;
use crate::webdriver::{Browser, Habits};

const NAME: &str = "Berta Beispiel";

fn sets_up_an_administrator(stage: &mut Stage) {
    let (link, browser) = (stage.set_up_link(), Browser::new());
    browser.goes(&link);
    for (field, value) in [("username", "root"), ("name", "Anna Example"), ("email", "root@example.org")] {
        browser.fills(&format!("#{field}"), value);
    }
    browser.fills("#new_password", PASSWORD);
    browser.fills("#repeat", PASSWORD);
    browser.clicks("main button");
    browser.arrives(&stage.url("/login"));
    stage.fills_login(&browser, "root", PASSWORD);
    stage.greets(&browser, "Anna Example");
}

fn accepts_the_invitation(stage: &Stage, browser: &Browser) {
    let invited = stage.place.runs(&["account", "invite", "--email", "berta@example.org", "--group", "staff"], "");
    assert!(invited.status.success(), "{}", String::from_utf8_lossy(&invited.stderr));
    let letter = stage.letter(1);
    assert!(letter.to.contains("berta@example.org"), "{letter:?}");
    let link = stage.link(&letter);
    browser.goes(&link);
    browser.fills("#username", "berta");
    browser.fills("#name", NAME);
    browser.fills("#new_password", PASSWORD);
    browser.fills("#repeat", PASSWORD);
    browser.clicks("main button");
    browser.arrives(&stage.url("/login"));
    assert!(browser.text().contains("Your account is ready."), "{}", browser.text());
    assert!(browser.cookie("_vestibule_session").is_none(), "a link signs nobody in");
}

#[test]
fn from_the_printed_link_to_the_application_and_out_again() {
    let proxy = free_address();
    let place = Place::with(
        "trusted_proxies = [\"127.0.0.1\"]",
        &format!(
            "[autologin]\ndays = 14\n[[application]]\nslug = \"tasks\"\nhosts = [\"localhost:{}\"]\ngroups = [\"staff\"]\njwt = true\n",
            proxy.port()
        ),
    );
    let mut stage = Stage::serves(place);
    sets_up_an_administrator(&mut stage);
    assert!(stage.place.runs(&["group", "create", "staff"], "").status.success());
    let tasks = Tasks::starts(&stage, proxy);
    let _nginx = tasks_behind_nginx(&stage, proxy, tasks.address);
    let browser = Browser::new();
    accepts_the_invitation(&stage, &browser);

    // To the application, and past the door on the way.
    let home = format!("http://localhost:{}/", proxy.port());
    browser.goes(&home);
    browser.arrives(&stage.url("/login"));
    browser.clicks("#stay");
    stage.fills_login(&browser, "berta", PASSWORD);
    browser.arrives(&home);
    browser.awaits("the greeting", || browser.text().contains(&format!("Hello, {NAME}")));
    assert!(browser.cookie("autologin").is_some());

    // The browser closes and opens: the session has ended, staying signed in has not.
    let browser = browser.starts_again(&Habits::default());
    browser.goes(&home);
    browser.arrives(&home);
    browser.awaits("the greeting", || browser.text().contains(&format!("Hello, {NAME}")));

    // Out, by the link of the application.
    browser.clicks("a[href$='/logout']");
    browser.arrives(&stage.url("/logout"));
    browser.clicks("main button");
    browser.arrives(&stage.url("/logout/done"));
    for _ in 0..2 {
        browser.goes(&home);
        browser.arrives(&stage.url("/login"));
        assert!(!browser.text().contains(NAME), "{}", browser.text());
    }
    let browser = browser.starts_again(&Habits::default());
    browser.goes(&home);
    browser.arrives(&stage.url("/login"));
    // The administrator is not of the group: signed in, and refused all the same.
    stage.fills_login(&browser, "root", PASSWORD);
    browser.arrives(&home);
    browser.awaits("the refusal", || browser.text().contains("403"));
    assert!(!browser.text().contains("Hello"), "{}", browser.text());
}
