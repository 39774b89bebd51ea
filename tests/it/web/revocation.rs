//! The revocation matrix (C6) as a table: what each event ends, seen from browsers.

use crate::support::factors::{Phone, binds, binds_an_app};
use crate::support::{Browser, House, OTHER_PASSWORD, PASSWORD};
use std::time::Duration;
use vestibule::domain::session::{CredentialEvent, Ends};
use vestibule::service::caller::Operator;
use vestibule::service::factor::Factors;

const FACTOR: &str = "/login/step/factor";
/// Events that take an account with a second factor, and some that do as well.
const HAS_ONE: [CredentialEvent; 11] = [
    CredentialEvent::PasswordChanged,
    CredentialEvent::PasswordRecovered,
    CredentialEvent::PasswordSet,
    CredentialEvent::EmailChanged,
    CredentialEvent::Locked,
    CredentialEvent::FactorAdded,
    CredentialEvent::FactorRemoved,
    CredentialEvent::BackupCodesMade,
    CredentialEvent::FactorsReset,
    CredentialEvent::RightsChanged,
    CredentialEvent::SignedOutEverywhere,
];

/// Events after which another password is the right one.
const NEW_PASSWORD: [CredentialEvent; 3] =
    [CredentialEvent::PasswordChanged, CredentialEvent::PasswordRecovered, CredentialEvent::PasswordSet];

/// Two browsers of anna's, both staying logged in, one of berta's.
struct Scene {
    house: House,
    own: Browser,
    other: Browser,
    stranger: Browser,
    link: String,
}

impl Scene {
    /// For an event about second factors anna has one already.
    async fn set(event: CredentialEvent) -> Self {
        let house = House::with("[autologin]\ndays = 30\n[second_factor]\nremember_days = 30\n").await;
        house.account("anna").await;
        house.account("berta").await;
        house.account_with("root", Some(PASSWORD), true).await;
        let (mut own, mut other, mut stranger) = (house.browser(), house.browser_at("203.0.113.5:1"), house.browser());
        let mut phone: Option<Phone> = None;
        if HAS_ONE.contains(&event) {
            phone = Some(binds_an_app(&house, &mut house.browser()).await.0);
        }
        for browser in [&mut own, &mut other] {
            browser.signs_in_and_stays("anna", PASSWORD).await;
            if let Some(phone) = &phone {
                let code = phone.code(&house);
                browser.submit(FACTOR, FACTOR, &[("way", "totp"), ("code", &code), ("keep", "1")]).await;
                house.after(Duration::from_secs(30));
            }
            assert!(browser.is_signed_in().await);
        }
        stranger.signs_in_and_stays("berta", PASSWORD).await;
        house.browser().submit("/login/lost-password", "/login/lost-password", &[("username", "anna")]).await;
        let letters = house.letters().await;
        let told = letters.iter().filter(|letter| !letter.subject.contains("second step")).count();
        assert!(told >= 2, "one of them about the other browser");
        let link = letters.iter().find(|letter| letter.subject.contains("new password")).expect("a link").link();
        Self { house, own, other, stranger, link }
    }

    /// Makes it happen.
    async fn happen(&mut self, event: CredentialEvent) {
        let anna = self.house.named("anna").await;
        let (ctx, by) = (self.house.operator(), Operator::vouched());
        let new = [("new_password", OTHER_PASSWORD), ("repeat", OTHER_PASSWORD)];
        match event {
            CredentialEvent::PasswordChanged => {
                let fields = [("password", PASSWORD), new[0], new[1]];
                self.own.submit("/account/password", "/account/password", &fields).await;
            }
            CredentialEvent::PasswordRecovered => {
                let link = self.link.clone();
                self.house.browser().submit(&link, "/login/reset-password", &new).await;
            }
            CredentialEvent::PasswordSet => self.house.set_password(&anna, OTHER_PASSWORD, true).await,
            CredentialEvent::EmailChanged => {
                let fields = [("email", "new@example.org"), ("password", PASSWORD)];
                self.own.submit("/account/email", "/account/email", &fields).await;
                let letters = self.house.letters().await;
                let letter = letters.iter().find(|letter| letter.to.contains("new@")).expect("a letter");
                self.own.submit(&letter.link(), "/account/email/confirm", &[]).await;
            }
            CredentialEvent::Locked => self.house.accounts().lock(&ctx, by, anna.id).await.expect("locked"),
            CredentialEvent::RightsChanged => {
                self.house.accounts().make_administrator(&ctx, by, anna.id).await.expect("done");
            }
            CredentialEvent::SignedOutEverywhere => {
                self.own.submit("/account/sessions", "/account/sessions/end-others", &[]).await;
            }
            CredentialEvent::AutologinTheft => {
                let mut thief = self.house.browser_at("192.0.2.66:1");
                thief.cookies.insert("autologin".into(), self.own.cookies["autologin"].clone());
                // The owner's browser moves on, with a new session of the same family; then the copy is shown.
                let mut moved = self.own.restarted();
                moved.get("/login").await;
                thief.get("/login").await;
                self.own = moved;
            }
            CredentialEvent::FirstFactorAdded | CredentialEvent::FactorAdded => {
                binds(&self.house, &mut self.own).await;
            }
            CredentialEvent::FactorRemoved => {
                let room = "/account/security";
                let id = self.own.get(room).await.hidden("factor").expect("a row");
                self.own.submit(room, "/account/security/remove", &[("factor", &id)]).await;
            }
            CredentialEvent::BackupCodesMade => {
                self.own.submit("/account/security", "/account/security/backup-codes", &[]).await;
            }
            CredentialEvent::FactorsReset => {
                let factors = Factors::new(std::sync::Arc::clone(&self.house.app.core));
                factors.reset(&ctx, by, &anna).await.expect("done");
            }
            CredentialEvent::SignedOut => {
                let kept = self.own.cookies.clone();
                self.own.submit("/logout", "/logout", &[]).await;
                self.own.cookies = kept;
            }
        }
    }
}

fn lives(ends: Ends, own: bool) -> bool {
    match ends {
        Ends::Nothing => true,
        Ends::All => false,
        Ends::This | Ends::Family => !own,
        Ends::Others => own,
    }
}

#[tokio::test]
async fn each_event_ends_what_the_matrix_says_and_nothing_else() {
    for event in CredentialEvent::ALL {
        let mut scene = Scene::set(event).await;
        let row = event.revokes();
        // What the other browser remembers, before it is used.
        let mut other_closed = scene.other.restarted();
        scene.happen(event).await;
        assert_eq!(scene.own.is_signed_in().await, lives(row.sessions, true), "{event:?}: this session");
        assert_eq!(scene.other.is_signed_in().await, lives(row.sessions, false), "{event:?}: the other session");
        assert!(scene.stranger.is_signed_in().await, "{event:?}: somebody else's session");
        let link_lives = scene.house.browser().get(&scene.link).await.status.is_success();
        if event != CredentialEvent::SignedOut && event != CredentialEvent::AutologinTheft {
            assert_eq!(link_lives, !row.links, "{event:?}: open links");
        }
        let comes_back = other_closed.get("/login").await.location() != "";
        let account_is_open = event != CredentialEvent::Locked;
        assert_eq!(
            comes_back,
            lives(row.remembered, false) && account_is_open,
            "{event:?}: the other browser stays logged in"
        );
        if HAS_ONE.contains(&event) && event != CredentialEvent::FactorRemoved && event != CredentialEvent::FactorsReset
        {
            let mut spared = scene.other.restarted();
            spared.cookies.remove("autologin");
            if event == CredentialEvent::Locked {
                let anna = scene.house.named("anna").await;
                let (accounts, ctx) = (scene.house.accounts(), scene.house.operator());
                accounts.unlock(&ctx, Operator::vouched(), anna.id).await.expect("unlocked");
            }
            let password = if NEW_PASSWORD.contains(&event) { OTHER_PASSWORD } else { PASSWORD };
            let answer = spared.signs_in("anna", password).await;
            assert_eq!(answer.status, http::StatusCode::SEE_OTHER, "{event:?}: the password is right");
            let asked = answer.location() == FACTOR;
            assert_eq!(asked, row.devices, "{event:?}: the other device is spared the second factor");
        }
        let mut closed = scene.own.restarted();
        let comes_back = closed.get("/login").await.location() != "";
        assert_eq!(
            comes_back,
            lives(row.remembered, true) && account_is_open,
            "{event:?}: this browser stays logged in"
        );
    }
}

#[tokio::test]
async fn sessions_stay_dead_when_the_volatile_part_of_a_revocation_never_ran() {
    // A process that is killed between the commit and what follows it: only the durable mark was written.
    let house = House::open().await;
    let anna = house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    let mut tx = house.app.core.database.begin().await.expect("a transaction");
    vestibule::store::account::end_sessions_before(&mut tx, anna.id, house.operator().now()).await.expect("a mark");
    tx.announce(vestibule::domain::notice::Notice::Account(anna.id), house.operator().now()).await.expect("a notice");
    tx.commit().await.expect("committed");
    assert!(!browser.is_signed_in().await);
    assert_eq!(browser.get("/verify").await.status, http::StatusCode::UNAUTHORIZED);
    assert_eq!(browser.signs_in("anna", PASSWORD).await.location(), "/account", "and a new one opens");
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn what_another_process_does_is_noticed() {
    let house = House::open().await;
    let anna = house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    assert_eq!(browser.get("/verify").await.status, http::StatusCode::OK);
    // A second set of stores on the same folder, as the command line opens them beside a running service.
    let beside = house.reopened("").await;
    beside.accounts().lock(&beside.operator(), Operator::vouched(), anna.id).await.expect("locked");
    house.housekeeping.notice(&house.operator()).await.expect("noticed");
    assert_eq!(browser.get("/verify").await.status, http::StatusCode::UNAUTHORIZED);
    beside.accounts().unlock(&beside.operator(), Operator::vouched(), anna.id).await.expect("unlocked");
    beside.groups().create(&beside.operator(), Operator::vouched(), "staff").await.expect("a group");
    house.housekeeping.notice(&house.operator()).await.expect("noticed");
    browser.signs_in("anna", PASSWORD).await;
    beside.groups().add(&beside.operator(), Operator::vouched(), "staff", &anna).await.expect("a member");
    house.housekeeping.notice(&house.operator()).await.expect("noticed");
    assert_eq!(browser.get("/verify").await.header("remote-groups"), "staff");
}
