//! The way in and out on a narrow phone: nothing lies outside the screen, and what is touched is large enough for a finger.

use crate::PASSWORD;
use crate::stage::Stage;
use crate::webdriver::Browser;
use serde_json::json;

/// CSS pixels; the narrowest that WCAG 2.2 (1.4.10) asks pages to fit.
const WIDTH: u32 = 320;

/// What a finger would miss, or would have to look for beside the screen (WCAG 2.2, 2.5.8 asks for 24 pixels).
const CLUMSY: &str = "
    return [...document.querySelectorAll('button, input:not([type=hidden]):not([hidden]), select, nav a')].filter(e => {
        const b = (e.type === 'checkbox' ? e.closest('div, p') : e).getBoundingClientRect();
        return b.width > 0 && (b.height < 24 || b.width < 24 || b.right > innerWidth || b.left < 0);
    }).map(e => e.outerHTML)";

fn fits(browser: &Browser) {
    assert_eq!(browser.runs("return document.documentElement.scrollWidth"), WIDTH, "{}", browser.url());
    assert_eq!(browser.runs(CLUMSY), json!([]), "{}", browser.url());
}

#[test]
fn on_a_phone_everything_is_reached_without_scrolling_sideways() {
    let (stage, browser) = (Stage::with_anna(), Browser::new());
    let size = json!({ "width": WIDTH, "height": 640, "deviceScaleFactor": 2, "mobile": true });
    browser.commands("Emulation.setDeviceMetricsOverride", &size);
    browser.goes(&stage.url("/login"));
    fits(&browser);
    stage.fills_login(&browser, "anna", "wrong");
    browser.awaits_element("[role=alert]");
    fits(&browser);
    browser.clicks("#stay");
    stage.fills_login(&browser, "anna", PASSWORD);
    stage.greets(&browser, "anna");
    fits(&browser);
    for path in ["/account/profile", "/account/sessions", "/account/password"] {
        browser.clicks(&format!(".nav a[href='{path}']"));
        browser.arrives(&stage.url(path));
        fits(&browser);
    }
    browser.clicks(".bar button");
    browser.arrives(&stage.url("/logout/done"));
    fits(&browser);
    stage.refuses(&browser);
}
