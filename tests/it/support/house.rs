//! A whole service in this process: real stores in a folder of their own, a clock that only the test moves.

use super::browser::Browser;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use vestibule::app::{self, App, Generations, Lasting, Unfit, mapping};
use vestibule::config::{Config, Layers};
use vestibule::domain::account::{Account, DisplayName, EmailAddress, Username};
use vestibule::domain::password::PlainPassword;
use vestibule::domain::time::Timestamp;
use vestibule::service::account::{Accounts, Newcomer};
use vestibule::service::caller::Operator;
use vestibule::service::context::{Clock, Context, Machine, Surroundings};
use vestibule::service::group::Groups;
use vestibule::service::housekeeping::Housekeeping;
use vestibule::service::outbox::Outbox;
use vestibule::service::password::Passwords;
use vestibule::store::audit;
use vestibule::web::router::Entrance;

/// A clock that stands still until the test moves it.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    /// A clock of another machine, which is ahead of where tests begin.
    pub(crate) fn ahead(span: Duration) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(START + i64::try_from(span.as_millis()).expect("a short time"))))
    }
}

/// Where clocks of tests begin, in milliseconds since 1970.
const START: i64 = 1_795_284_300_000;

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// The service under test.
pub(crate) struct House {
    pub(crate) app: App,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) entrance: Entrance,
    pub(crate) housekeeping: Housekeeping,
    pub(crate) folder: Arc<TempDir>,
    pub(crate) generations: Arc<Generations>,
    config: Config,
    outbox: Outbox,
}

impl House {
    /// With the defaults.
    pub(crate) async fn open() -> Self {
        Self::with("").await
    }

    /// With this configuration on top of the cheapest password hashes that are allowed.
    pub(crate) async fn with(configuration: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let clock = Arc::new(TestClock(AtomicI64::new(START)));
        Box::pin(Self::in_folder(folder, clock, configuration)).await
    }

    /// The same folder opened again, as after a restart; the old one must have been dropped or abandoned.
    pub(crate) async fn reopened(&self, configuration: &str) -> Self {
        Box::pin(Self::in_folder(Arc::clone(&self.folder), Arc::clone(&self.clock), configuration)).await
    }

    /// One node of several: its own folder and its own clock, and stores that others use too.
    pub(crate) async fn node(clock: Arc<TestClock>, configuration: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        Box::pin(Self::in_folder(folder, clock, configuration)).await
    }

    async fn in_folder(folder: Arc<TempDir>, clock: Arc<TestClock>, configuration: &str) -> Self {
        let cheapest = "\n[password.hashing]\nmemory_kib = 7168\niterations = 5\nworkers = 2\n";
        let hashing = if configuration.contains("[password.hashing]") { "" } else { cheapest };
        let text = format!("data_dir = {:?}\n{configuration}\n{hashing}", folder.path().to_str().expect("UTF-8"));
        let layers = Arc::new(Layers::of_text(&text, super::engine::environment(folder.path())));
        let base = layers.base().unwrap_or_else(|error| panic!("{error}"));
        let surroundings = Surroundings::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(Machine));
        let app = App::open(&base.config, surroundings).await.unwrap_or_else(|error| panic!("{error}"));
        let housekeeping = Housekeeping::begin(Arc::clone(&app.core), app.keys.clone()).await.expect("stores");
        let unfit = Unfit::default();
        let readiness = app::readiness(housekeeping.clone(), Arc::default(), unfit.clone());
        let lasting = Lasting { housekeeping: housekeeping.clone(), readiness, unfit, tend_logs: None };
        let generations =
            Generations::begin(app, layers, base, lasting).await.unwrap_or_else(|error| panic!("{error}"));
        let first = generations.current();
        let (app, config, outbox) = (first.app.clone(), first.config.clone(), first.jobs.outbox.clone());
        Self { entrance: generations.entrance(), app, clock, housekeeping, folder, generations, config, outbox }
    }

    /// Sets the clock by the machine's, for peers that have a clock of their own.
    pub(crate) fn keeps_real_time(&self) {
        let seconds = i64::try_from(jsonwebtoken::get_current_timestamp()).expect("this century");
        self.clock.0.store(seconds * 1000, Ordering::SeqCst);
    }

    /// Moves the clock on.
    pub(crate) fn after(&self, span: Duration) {
        self.clock.0.fetch_add(i64::try_from(span.as_millis()).expect("a short time"), Ordering::SeqCst);
    }

    /// A browser on a street of its own.
    pub(crate) fn browser(&self) -> Browser {
        Browser::at(self.entrance.clone(), "198.51.100.7:40000")
    }

    /// A browser somewhere else.
    pub(crate) fn browser_at(&self, peer: &str) -> Browser {
        Browser::at(self.entrance.clone(), peer)
    }

    /// The circumstances of the command line.
    pub(crate) fn operator(&self) -> Context {
        Context::operator(self.app.surroundings.clone())
    }

    /// Makes an account with [`super::PASSWORD`].
    pub(crate) async fn account(&self, username: &str) -> Account {
        self.account_with(username, Some(super::PASSWORD), false).await
    }

    pub(crate) async fn account_with(&self, username: &str, password: Option<&str>, administrator: bool) -> Account {
        let accounts = self.accounts();
        let newcomer = Newcomer {
            username: Username::parse(username).expect("a username"),
            email: EmailAddress::parse(&format!("{username}@example.org")).expect("an address"),
            name: DisplayName::parse(&format!("{username} Example")).expect("a name"),
            administrator,
        };
        let password = password.map(|text| PlainPassword::typed(text).expect("a password"));
        accounts.create(&self.operator(), Operator::vouched(), newcomer, password.as_ref()).await.expect("an account");
        self.named(username).await
    }

    /// The account as it is now.
    pub(crate) async fn named(&self, username: &str) -> Account {
        self.accounts().named(Operator::vouched(), username).await.expect("an account")
    }

    pub(crate) fn accounts(&self) -> Accounts {
        Accounts::new(Arc::clone(&self.app.core))
    }

    pub(crate) fn groups(&self) -> Groups {
        Groups::new(Arc::clone(&self.app.core))
    }

    /// Sets a password from the command line.
    pub(crate) async fn set_password(&self, account: &Account, password: &str, must_change: bool) {
        let passwords = Passwords::new(Arc::clone(&self.app.core));
        let password = PlainPassword::typed(password).expect("a password");
        let done = passwords.set(&self.operator(), Operator::vouched(), account, &password, must_change).await;
        done.expect("a password that keeps the rules");
    }

    /// Letters written since the house was opened, after sending what is due.
    pub(crate) async fn letters(&self) -> Vec<super::letters::Received> {
        let ctx = Context::system(self.app.surroundings.clone());
        self.outbox.send_due(&ctx).await.expect("letters are sent");
        super::letters::in_folder(&self.config.outbox())
    }

    /// Removes what has expired, as the clock does now and then.
    pub(crate) async fn sweep(&self) {
        self.housekeeping.sweep(&self.operator()).await.expect("swept");
    }

    /// The names of all audited acts, oldest first.
    pub(crate) async fn acts(&self) -> Vec<String> {
        let mut link = self.app.core.database.read().await.expect("a database");
        let mut events = audit::newest(&mut link, None, 1000).await.expect("events");
        events.reverse();
        events.into_iter().map(|event| event.act).collect()
    }

    /// How many audited acts have this name.
    pub(crate) async fn count_acts(&self, act: &str) -> usize {
        self.acts().await.iter().filter(|name| *name == act).count()
    }

    /// Where this house keeps its durable data.
    pub(crate) fn place(&self) -> vestibule::store::Place {
        mapping::database(&self.config)
    }
}
