//! Houses whose settings change, and what a proxy hears of it.

use super::{Browser, House};
use http::StatusCode;
use serde_json::Value;
use vestibule::config::{SettingKey, of_toml};
use vestibule::jobs::Duties;
use vestibule::service::caller::Operator;
use vestibule::service::setting::{Changed, SettingError};
use vestibule::store::setting::{self, StoredSetting};

/// For a house that a proxy at 10.0.0.1 stands in front of.
pub(crate) const BEHIND_A_PROXY: &str = "[server]\ntrusted_proxies = [\"10.0.0.0/8\"]\n";

impl House {
    /// As `vestibule settings set`.
    pub(crate) async fn sets(&self, name: &str, value: Value) -> Result<Changed, SettingError> {
        let key = SettingKey::parse(name).unwrap_or_else(|fault| panic!("{fault}"));
        self.generations.settings().set(&self.operator(), Operator::vouched(), &key, value).await
    }

    /// As `vestibule settings unset`.
    pub(crate) async fn unsets(&self, name: &str) -> Result<Changed, SettingError> {
        self.generations.settings().unset(&self.operator(), Operator::vouched(), name).await
    }

    /// As `vestibule settings import`.
    pub(crate) async fn imports(&self, text: &str, replace: bool) -> Result<Changed, SettingError> {
        let wanted = of_toml("import.toml", text).unwrap_or_else(|error| panic!("{error}"));
        self.generations.settings().import(&self.operator(), Operator::vouched(), wanted, replace).await
    }

    /// As `vestibule settings export`.
    pub(crate) async fn exports(&self, secrets: bool) -> String {
        let settings = self.generations.settings();
        settings.export(&self.operator(), Operator::vouched(), secrets).await.expect("an export").expose().clone()
    }

    /// What each node does five times a second.
    pub(crate) async fn follows(&self) {
        self.generations.follow().await.expect("settings that can be followed");
    }

    /// What is stored, as it is stored.
    pub(crate) async fn stored_settings(&self) -> Vec<StoredSetting> {
        let mut link = self.app.core.database.read().await.expect("a database");
        setting::all(&mut link).await.expect("settings")
    }

    /// A browser that the proxy brings.
    pub(crate) fn behind_a_proxy(&self) -> Browser {
        self.browser_at("10.0.0.1:5000")
    }
}

/// What the proxy hears about a request of this browser to a host.
pub(crate) async fn may_enter(browser: &Browser, host: &str) -> StatusCode {
    let mut asking = browser.clone();
    for (name, value) in [
        ("x-forwarded-method", "GET"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", host),
        ("x-forwarded-uri", "/"),
        ("x-forwarded-for", "198.51.100.7"),
    ] {
        asking = asking.sending(name, value);
    }
    asking.get("/verify").await.status
}
