//! Every look at a page: light, dark, high contrast and phone. axe-core finds nothing in any, and nothing on a
//! phone has to be scrolled sideways. With `VESTIBULE_SCREENSHOTS` set to a folder each look leaves a picture there.

use crate::webdriver::Browser;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Narrow phones of today, in CSS pixels.
const PHONE: u32 = 390;
const LOOKS: [(&str, &str, &str, bool); 4] = [
    ("light", "light", "no-preference", false),
    ("dark", "dark", "no-preference", false),
    ("contrast", "light", "more", false),
    ("phone", "light", "no-preference", true),
];
const REPORT: &str = "
    return axe.run(document, { resultTypes: ['violations'] }).then(found => found.violations.map(rule =>
        rule.id + ': ' + rule.help + '\\n' + rule.nodes.map(node => '  ' + node.html + '\\n  ' + node.failureSummary).join('\\n')))";

/// axe-core's script, which `tests/run` installs.
fn script() -> String {
    let file = std::env::var("VESTIBULE_AXE").expect("VESTIBULE_AXE names axe.min.js of axe-core; tests/run sets it");
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn pictures() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("VESTIBULE_SCREENSHOTS")?);
    std::fs::create_dir_all(&folder).expect("a folder");
    Some(folder)
}

/// Looks at pages and collects what is wrong with them.
pub(crate) struct Critic<'b> {
    browser: &'b Browser,
    axe: String,
    pictures: Option<PathBuf>,
    complaints: Vec<String>,
}

impl<'b> Critic<'b> {
    pub(crate) fn new(browser: &'b Browser) -> Self {
        Self { browser, axe: script(), pictures: pictures(), complaints: Vec::new() }
    }

    /// Looks at the page that is open, in every way; `sign` has to be on it.
    pub(crate) fn looks_at(&mut self, name: &str, sign: &str) {
        self.browser.awaits_element(sign);
        self.browser.runs(&self.axe);
        for (look, scheme, contrast, phone) in LOOKS {
            wears(self.browser, scheme, contrast, phone);
            let found = self.browser.runs(REPORT);
            let found = found.as_array().expect("a list").iter().filter_map(Value::as_str);
            self.complaints.extend(found.map(|text| format!("{name}, {look}: {text}")));
            let wide = self.browser.runs("return Math.max(innerWidth, document.documentElement.scrollWidth)");
            if phone && wide != PHONE {
                self.complaints.push(format!("{name}: {wide} pixels wide on a phone of {PHONE}"));
            }
            if let Some(folder) = &self.pictures {
                self.browser.paints(&folder.join(Path::new(&format!("{name}-{look}.png"))));
            }
        }
        wears(self.browser, "light", "no-preference", false);
    }

    /// Nothing was wrong.
    pub(crate) fn approves(self) {
        assert!(self.complaints.is_empty(), "{}", self.complaints.join("\n\n"));
    }
}

fn wears(browser: &Browser, scheme: &str, contrast: &str, phone: bool) {
    let features = json!([
        { "name": "prefers-color-scheme", "value": scheme },
        { "name": "prefers-contrast", "value": contrast },
        // Colours that are still on their way from one look to the next are nobody's.
        { "name": "prefers-reduced-motion", "value": "reduce" },
    ]);
    browser.commands("Emulation.setEmulatedMedia", &json!({ "features": features }));
    if phone {
        let size = json!({ "width": PHONE, "height": 844, "deviceScaleFactor": 2, "mobile": true });
        browser.commands("Emulation.setDeviceMetricsOverride", &size);
    } else {
        browser.commands("Emulation.clearDeviceMetricsOverride", &json!({}));
    }
}
