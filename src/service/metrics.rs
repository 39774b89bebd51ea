//! What the process counts, for Prometheus. Names and labels are documented in docs/operate/metrics.md; a test compares.
//! Counters of the hot path are resolved once: counting is one atomic addition, without label hashing.

use std::{fmt, time::Duration};

use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};

/// By what means somebody signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInWay {
    /// Username or e-mail address and password.
    Password,
    /// The autologin cookie.
    Autologin,
    /// A passkey alone.
    Passkey,
    /// An open session, proved anew.
    StepUp,
    /// The second factor, after any of these.
    SecondFactor,
    /// An identity provider.
    Provider,
    /// A password checked by a directory.
    Directory,
}

/// What came of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInOutcome {
    /// A session was opened.
    Succeeded,
    /// The secret was wrong, or the account unknown.
    WrongSecret,
    /// The secret was right, but the account may not sign in (locked, denied).
    Denied,
    /// Too many failures before; the secret was not looked at.
    Throttled,
    /// We could not decide: a store or an outside system did not answer.
    Failed,
}

/// What the forward-auth endpoint answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyOutcome {
    /// 200 with identity.
    Allowed,
    /// 200 without identity: an anonymous path.
    Anonymous,
    /// 401: there is no valid session.
    SignInNeeded,
    /// 403: signed in, but the rules of the application say no.
    Forbidden,
    /// 400: the proxy's headers are missing, malformed or contradict each other.
    Malformed,
    /// 503: the session store did not answer.
    Unavailable,
}

/// What a provider said when it was asked about a session again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevalidationOutcome {
    /// It stands by it.
    Stands,
    /// It does not; the session ended.
    Ended,
    /// It did not answer, or there was nothing to ask with; the session goes on.
    Unknown,
}

/// Whose failures were too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThrottleScope {
    /// One account.
    Account,
    /// One client address.
    Address,
    /// One client network.
    Network,
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailOutcome {
    /// The mail server took it, or it was written to the outbox.
    Sent,
    /// It could not be handed over.
    Failed,
}

/// The value of a metric's label: a closed list, so that nobody outside can invent time series.
trait Label: Copy + 'static {
    const ALL: &'static [Self];
    fn position(self) -> usize;
    fn label(self) -> &'static str;
}

macro_rules! label {
    ($name:ident { $($variant:ident => $text:literal),+ $(,)? }) => {
        impl Label for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            fn position(self) -> usize {
                self as usize
            }
            fn label(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

label!(SignInWay {
    Password => "password", Autologin => "autologin", Passkey => "passkey", StepUp => "step_up",
    SecondFactor => "second_factor", Provider => "provider", Directory => "directory",
});
label!(SignInOutcome {
    Succeeded => "succeeded", WrongSecret => "wrong_secret", Denied => "denied", Throttled => "throttled", Failed => "failed",
});
label!(VerifyOutcome {
    Allowed => "allowed", Anonymous => "anonymous", SignInNeeded => "sign_in_needed", Forbidden => "forbidden",
    Malformed => "malformed", Unavailable => "unavailable",
});
label!(RevalidationOutcome { Stands => "stands", Ended => "ended", Unknown => "unknown" });
label!(ThrottleScope { Account => "account", Address => "address", Network => "network" });
label!(MailOutcome { Sent => "sent", Failed => "failed" });

/// The route of a request that no route matched.
pub const NO_ROUTE: &str = "none";

type RouteLabels = [(&'static str, String); 2];

/// All counters of the process. One per process, shared in an `Arc`; a counter not yet moved is shown as 0.
pub struct Metrics {
    registry: Registry,
    sign_ins: Vec<Counter>,
    verify: Vec<Counter>,
    throttle_refusals: Vec<Counter>,
    mails: Vec<Counter>,
    revalidations: Vec<Counter>,
    http_requests: Family<RouteLabels, Counter>,
    sessions_opened: Counter,
    sessions_ended: Counter,
    hash_queue: Gauge,
    hash_rejections: Counter,
    hash_duration: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Everything at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("vestibule");
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version that is running", version);
        let sign_ins = sign_in_counters(&mut registry);
        let verify =
            counters::<VerifyOutcome>(&mut registry, "verify", "Answers of the forward-auth endpoint", "outcome");
        let throttle_refusals =
            counters::<ThrottleScope>(&mut registry, "throttle_refusals", "Refused for too many failures", "scope");
        let mails = counters::<MailOutcome>(&mut registry, "mails", "Mails handed over", "outcome");
        let asked = "Sessions that a provider was asked about again";
        let revalidations = counters::<RevalidationOutcome>(&mut registry, "revalidations", asked, "outcome");
        let http_requests = Family::default();
        registry.register("http_requests", "Requests for pages and endpoints", http_requests.clone());
        let sessions_opened = counter(&mut registry, "sessions_opened", "Sessions opened");
        let sessions_ended = counter(&mut registry, "sessions_ended", "Sessions ended, for whatever reason");
        let hash_queue = Gauge::default();
        registry.register("password_hash_queue", "Password hashes waiting for a permit", hash_queue.clone());
        let hash_rejections =
            counter(&mut registry, "password_hash_rejections", "Password hashes refused because the queue was full");
        // From a tenth of a fast hash to a queue that people would give up on.
        let hash_duration = Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5]);
        registry.register(
            "password_hash_duration_seconds",
            "Time of one password hash, without waiting",
            hash_duration.clone(),
        );
        Self {
            registry,
            sign_ins,
            verify,
            throttle_refusals,
            mails,
            revalidations,
            http_requests,
            sessions_opened,
            sessions_ended,
            hash_queue,
            hash_rejections,
            hash_duration,
        }
    }

    /// Somebody tried to sign in.
    pub fn sign_in(&self, way: SignInWay, outcome: SignInOutcome) {
        count(&self.sign_ins, way.position() * SignInOutcome::ALL.len() + outcome.position());
    }

    /// The forward-auth endpoint answered.
    pub fn verify(&self, outcome: VerifyOutcome) {
        count(&self.verify, outcome.position());
    }

    /// A secret was not looked at, because there were too many failures before.
    pub fn throttle_refusal(&self, scope: ThrottleScope) {
        count(&self.throttle_refusals, scope.position());
    }

    /// A provider was asked about a session again.
    pub fn revalidation(&self, outcome: RevalidationOutcome) {
        count(&self.revalidations, outcome.position());
    }

    /// A mail was handed over, or could not be.
    pub fn mail(&self, outcome: MailOutcome) {
        count(&self.mails, outcome.position());
    }

    /// A request was answered. `route` is the router's template (`/login/{slug}`), never the path that was asked for;
    /// without one it is [`NO_ROUTE`]. `status` is the HTTP status code.
    pub fn http_request(&self, route: &str, status: u16) {
        let class = match status / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        self.http_requests.get_or_create(&[("route", route.to_owned()), ("status", class.to_owned())]).inc();
    }

    /// A session was opened.
    pub fn session_opened(&self) {
        self.sessions_opened.inc();
    }

    /// `sessions` sessions ended: signed out, revoked or expired.
    pub fn sessions_ended(&self, sessions: u64) {
        self.sessions_ended.inc_by(sessions);
    }

    /// A password hash begins to wait for a permit. Counts as waiting until the value is dropped.
    #[must_use]
    pub fn password_hash_waits(&self) -> Waiting<'_> {
        self.hash_queue.inc();
        Waiting(&self.hash_queue)
    }

    /// A password hash was refused because the queue was full.
    pub fn password_hash_rejected(&self) {
        self.hash_rejections.inc();
    }

    /// A password hash was computed in `time`, waiting not included.
    pub fn password_hashed(&self, time: Duration) {
        self.hash_duration.observe(time.as_secs_f64());
    }

    /// All metrics in the `OpenMetrics` text format, media type [`Metrics::MEDIA_TYPE`].
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut text = String::with_capacity(8 * 1024);
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// The media type of [`Metrics::render`].
    pub const MEDIA_TYPE: &'static str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// One password hash that waits for a permit.
#[derive(Debug)]
pub struct Waiting<'a>(&'a Gauge);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn count(counters: &[Counter], position: usize) {
    if let Some(counter) = counters.get(position) {
        counter.inc();
    }
}

fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

/// One counter per label value, in the order of their positions.
fn counters<L: Label>(registry: &mut Registry, name: &str, help: &str, label: &'static str) -> Vec<Counter> {
    let family = Family::<[(&'static str, &'static str); 1], Counter>::default();
    let resolved = L::ALL.iter().map(|value| family.get_or_create_owned(&[(label, value.label())])).collect();
    registry.register(name, help, family);
    resolved
}

fn sign_in_counters(registry: &mut Registry) -> Vec<Counter> {
    let family = Family::<[(&'static str, &'static str); 2], Counter>::default();
    let pairs = SignInWay::ALL.iter().flat_map(|way| SignInOutcome::ALL.iter().map(move |outcome| (way, outcome)));
    let resolved = pairs
        .map(|(way, outcome)| family.get_or_create_owned(&[("way", way.label()), ("outcome", outcome.label())]))
        .collect();
    registry.register("sign_ins", "Attempts to sign in", family);
    resolved
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Everything that is shown: name (as in a sample line) to its labels.
    fn shown(metrics: &Metrics) -> BTreeMap<String, BTreeSet<String>> {
        let text = metrics.render().unwrap();
        let mut shown = BTreeMap::<String, BTreeSet<String>>::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, labels) = line.split_once(['{', ' ']).unwrap();
            let name = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            let labels = labels.split_once('}').filter(|_| line.contains('{')).map_or("", |(labels, _)| labels);
            let names = labels.split(',').filter_map(|label| label.split_once('=')).map(|(name, _)| name.to_owned());
            shown.entry(name.to_owned()).or_default().extend(names.filter(|name| name != "le"));
        }
        shown
    }

    /// Rows like "| `name` | `label`, `label` | meaning |".
    fn documented() -> BTreeMap<String, BTreeSet<String>> {
        let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        include_str!("../../docs/operate/metrics.md")
            .lines()
            .filter(|line| line.starts_with("| `vestibule_"))
            .map(|line| {
                let cells: Vec<_> = line.split('|').collect();
                (quoted(cells[1])[0].clone(), quoted(cells[3]).into_iter().collect())
            })
            .collect()
    }

    #[test]
    fn the_documentation_lists_exactly_what_is_shown() {
        let metrics = Metrics::new();
        metrics.http_request("/login", 200);
        assert_eq!(documented(), shown(&metrics));
    }

    #[test]
    fn the_documentation_explains_every_label_value() {
        let page = include_str!("../../docs/operate/metrics.md");
        let values = [
            SignInWay::ALL.iter().map(|v| v.label()).collect::<Vec<_>>(),
            SignInOutcome::ALL.iter().map(|v| v.label()).collect(),
            VerifyOutcome::ALL.iter().map(|v| v.label()).collect(),
            ThrottleScope::ALL.iter().map(|v| v.label()).collect(),
            MailOutcome::ALL.iter().map(|v| v.label()).collect(),
        ];
        for value in values.iter().flatten() {
            assert!(page.contains(&format!("`{value}`")), "{value} is not explained");
        }
    }

    #[test]
    fn every_event_moves_its_own_counter_only() {
        let metrics = Metrics::new();
        metrics.sign_in(SignInWay::Autologin, SignInOutcome::Throttled);
        metrics.verify(VerifyOutcome::Malformed);
        metrics.throttle_refusal(ThrottleScope::Network);
        metrics.mail(MailOutcome::Failed);
        metrics.sessions_ended(3);
        metrics.http_request(NO_ROUTE, 404);
        let text = metrics.render().unwrap();
        let moved: Vec<_> = text.lines().filter(|line| !line.starts_with('#') && !line.ends_with(" 0")).collect();
        let expected = [
            r#"vestibule_build_info{version="0.1.0"} 1"#,
            r#"vestibule_sign_ins_total{way="autologin",outcome="throttled"} 1"#,
            r#"vestibule_verify_total{outcome="malformed"} 1"#,
            r#"vestibule_throttle_refusals_total{scope="network"} 1"#,
            r#"vestibule_mails_total{outcome="failed"} 1"#,
            r#"vestibule_http_requests_total{route="none",status="4xx"} 1"#,
            "vestibule_sessions_ended_total 3",
        ];
        let moved: Vec<_> = moved.into_iter().filter(|line| !line.contains("duration_seconds_sum")).collect();
        assert_eq!(moved, expected);
    }

    #[test]
    fn a_hash_counts_as_waiting_until_it_gets_its_permit() {
        let metrics = Metrics::new();
        let first = metrics.password_hash_waits();
        let second = metrics.password_hash_waits();
        assert!(metrics.render().unwrap().contains("vestibule_password_hash_queue 2"));
        drop((first, second));
        assert!(metrics.render().unwrap().contains("vestibule_password_hash_queue 0"));
    }
}
