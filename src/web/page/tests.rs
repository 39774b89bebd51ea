//! Every page in every language, with everyday values and with hostile ones: complete, escaped, free of scripts.
//! With `VESTIBULE_PAGES` set to a folder, the pages and their assets are written there to be looked at.

use std::path::{Path, PathBuf};

use super::account::{
    DeviceRow, EmailConfirmPage, EmailLinkInvalidPage, EmailPage, EmailSentPage, OverviewPage, PasswordPage,
    ProfilePage, SessionRow, SessionsPage,
};
use super::factor::{
    AppForm, BackupCodesPage, ConfirmPage, Drawing, EnrolPage, FactorPage, FactorRow, KeyForm, PasskeyPage,
    SecurityPage, SparedRow, TotpPage,
};
use super::going::GoingPage;
use super::invitation::{InvitationLinkInvalidPage, InvitationPage};
use super::outcome::{ErrorPage, Failure, ForbiddenPage, Shut};
use super::phone::{PhoneAsk, PhoneForm, PhonePage, PhoneStepPage};
use super::provider::{
    IdentitiesPage, IdentityAddPage, IdentityRow, ProviderButton, ProviderProblem, ProviderProblemPage,
};
use super::recovery::{LostPasswordPage, LostPasswordSentPage, ResetLinkInvalidPage, ResetPasswordPage};
use super::register::{RegisterLinkInvalidPage, RegisterPage, RegisterSentPage};
use super::setup::{SetupLinkInvalidPage, SetupPage};
use super::sign_in::{ChangePasswordPage, ChangeReason, LoginPage, LogoutPage, OnwardPage, SignedOutPage, There};
use super::words::{FactorProblem, FieldProblem, PasswordProblem, PasswordRule, SignInProblem, SignInWay};
use super::*;
use crate::domain::authenticator::{FactorWay, Kind};
use crate::domain::language::Language;
use crate::domain::password::Class;
use crate::domain::phone::Channel;
use crate::domain::resolve::Refusal;
use crate::service::factor::passkey::Challenge;
use crate::service::saml::GoingForm;
use crate::web::assets::{self, File};

/// Where a page leads on to that is no page of ours.
const ELSEWHERE: &str = "https://idp.example.org/logout";
/// Breaks out of text, attributes and URLs wherever escaping is missing.
const HOSTILE: &str = r#""'><script>alert(1)</script><img src=x onerror=alert(1)>&"#;

const RULES: [PasswordRule; 5] = [
    PasswordRule::Shortest(10),
    PasswordRule::Contains(Class::Digit),
    PasswordRule::HardToGuess,
    PasswordRule::NotPersonal,
    PasswordRule::NotReused(5),
];

/// The values that fill the pages.
struct Sample {
    t: &'static Texts,
    hostile: bool,
    notice: Option<Notice>,
}

impl Sample {
    fn value(&self, everyday: &str) -> String {
        if self.hostile { HOSTILE.to_owned() } else { everyday.to_owned() }
    }

    fn shell(&self) -> Shell {
        Shell {
            t: self.t,
            product: self.value("Example Hall"),
            csrf: self.value("csrf-token"),
            notice: self.notice,
            brand: Arc::default(),
            contrast: Contrast::default(),
            face: Some(Face { initials: self.value("AB"), has_picture: self.notice.is_some() }),
        }
    }

    fn going(&self) -> GoingForm {
        GoingForm {
            action: self.value("https://idp.example.org/sso"),
            field: "SAMLRequest",
            value: self.value("PHNhbWw+"),
            relay_state: Some(self.value("state")),
            provider: self.value("Example Corp"),
        }
    }

    fn person(&self) -> String {
        self.value("Anna Berger")
    }

    fn moment(&self, text: &str) -> Moment {
        Moment { text: self.value(text), machine: self.value("2026-03-01T09:30:00Z") }
    }

    fn rules(&self) -> Vec<String> {
        RULES.iter().map(|rule| rule.text(self.t)).collect()
    }

    fn problems(&self) -> Vec<String> {
        [PasswordProblem::TooShort(10), PasswordProblem::Common].map(|problem| problem.text(self.t)).to_vec()
    }

    fn field(&self, everyday: &str) -> Field {
        Field::new(self.value(everyday))
    }

    fn wrong(&self, everyday: &str, problem: FieldProblem) -> Field {
        let error = if self.hostile { HOSTILE.to_owned() } else { problem.text(self.t) };
        self.field(everyday).with_error(error)
    }

    fn pages(&self) -> Vec<(String, Box<dyn Page>)> {
        let mut pages = self.entry_pages();
        pages.extend(self.password_pages());
        pages.extend(self.invitation_pages());
        pages.extend(self.provider_pages());
        pages.extend(self.account_pages());
        pages.extend(self.session_pages());
        pages.extend(self.factor_pages());
        pages.extend(self.key_pages());
        for failure in Failure::ALL {
            let error_id = (failure.status() >= 500).then(|| self.value("0198c0de-4b1d"));
            let page = ErrorPage { shell: self.shell(), failure, error_id, home: self.value("/account") };
            pages.push((format!("error-{}-{failure:?}", failure.status()), Box::new(page)));
        }
        pages
    }

    fn button(&self, name: &str) -> ProviderButton {
        ProviderButton {
            name: self.value(name),
            href: self.value("/login/corp"),
            logo: Some(self.value("/assets/corp.svg")),
        }
    }

    fn provider_pages(&self) -> Vec<(String, Box<dyn Page>)> {
        let problem = |problem| ProviderProblemPage {
            shell: self.shell(),
            provider: self.value("Corp SSO"),
            problem,
            again: self.value("/login/corp"),
            inside: false,
            trace: self.value("0192-trace"),
        };
        let row = |source: &str, removable| IdentityRow {
            id: self.value("i1"),
            source: self.value(source),
            subject: self.value("anna-at-corp"),
            since: self.moment("12 February 2026"),
            last_used: Some(self.moment("today, 10:30")),
            removable,
        };
        let identities = IdentitiesPage {
            shell: self.shell(),
            person: self.person(),
            identities: vec![row("Corp SSO", true), row("Partner", false)],
            addable: vec![self.button("Another")],
            problem: Some(self.value(&self.t.msg("identities-last-way"))),
        };
        let none = IdentitiesPage { identities: Vec::new(), addable: Vec::new(), problem: None, ..identities.clone() };
        let add = IdentityAddPage {
            shell: self.shell(),
            person: self.person(),
            provider: self.value("Corp SSO"),
            directory: false,
            who: self.value("Anna Berger"),
            question: self.value("question"),
        };
        let directory = IdentityAddPage { directory: true, ..add.clone() };
        let inside = ProviderProblemPage { inside: true, ..problem(ProviderProblem::Refused(Refusal::Administrator)) };
        let problems = ProviderProblem::all().into_iter().map(|one| {
            let page: Box<dyn Page> = Box::new(problem(one));
            (format!("provider-problem-{one:?}"), page)
        });
        let mut pages: Vec<(String, Box<dyn Page>)> = problems.collect();
        pages.push(("account-identities".to_owned(), Box::new(identities)));
        pages.push(("account-identities-none".to_owned(), Box::new(none)));
        pages.push(("account-identity-add".to_owned(), Box::new(add)));
        pages.push(("account-identity-add-directory".to_owned(), Box::new(directory)));
        pages.push(("provider-problem-inside".to_owned(), Box::new(inside)));
        pages
    }

    fn entry_pages(&self) -> Vec<(String, Box<dyn Page>)> {
        let login = LoginPage {
            shell: self.shell(),
            action: paths::LOGIN,
            passwords: true,
            problem: None,
            asked: None,
            username: Field::default(),
            password_error: None,
            stay_days: Some(30),
            stay: false,
            recovery: true,
            register: true,
            passkey: None,
            return_to: self.value("/account/profile"),
            providers: vec![self.button("Corp SSO"), self.button("Partner")],
            staying: vec![self.button("Corp SSO"), self.button("Partner")],
        };
        let failed = LoginPage {
            problem: Some(self.value(&SignInProblem::WrongCredentials.text(self.t))),
            username: self.field("anna"),
            stay: true,
            ..login.clone()
        };
        let bare = LoginPage {
            username: self.wrong("", FieldProblem::Missing),
            password_error: Some(FieldProblem::Missing.text(self.t)),
            stay_days: None,
            recovery: false,
            register: false,
            return_to: String::new(),
            providers: Vec::new(),
            ..login.clone()
        };
        let asked = LoginPage { asked: Some(self.value(&self.t.msg("login-asked"))), ..login.clone() };
        let internal = LoginPage { action: paths::LOGIN_INTERNAL, ..login.clone() };
        let closed = LoginPage { passwords: false, providers: Vec::new(), ..login.clone() };
        let setup = SetupPage {
            shell: self.shell(),
            token: self.value("setup-token"),
            username: self.field(""),
            name: self.field(""),
            email: self.field(""),
            rules: self.rules(),
            problems: Vec::new(),
            repeat_error: None,
        };
        let setup_wrong = SetupPage {
            username: self.wrong("Anna!", FieldProblem::InvalidUsername),
            name: self.field("Anna Berger"),
            email: self.wrong("anna@", FieldProblem::InvalidEmail),
            repeat_error: Some(self.value(&PasswordProblem::Mismatch.text(self.t))),
            ..setup.clone()
        };
        vec![
            ("login".to_owned(), Box::new(login)),
            ("login-failed".to_owned(), Box::new(failed)),
            ("login-bare".to_owned(), Box::new(bare)),
            ("login-internal".to_owned(), Box::new(internal)),
            ("login-closed".to_owned(), Box::new(closed)),
            ("login-asked".to_owned(), Box::new(asked)),
            ("logout".to_owned(), Box::new(LogoutPage { shell: self.shell(), person: self.person() })),
            ("forbidden".to_owned(), Box::new(self.forbidden(Shut::Group))),
            ("forbidden-network".to_owned(), Box::new(self.forbidden(Shut::Network))),
            ("signed-out".to_owned(), Box::new(self.signed_out(None))),
            ("signed-out-there".to_owned(), Box::new(self.signed_out(Some(There::SignedOut)))),
            ("signed-out-stays".to_owned(), Box::new(self.signed_out(Some(There::SignedIn)))),
            ("signed-out-unsure".to_owned(), Box::new(self.signed_out(Some(There::Unsure)))),
            ("signed-out-onward".to_owned(), Box::new(self.onward())),
            ("signed-out-partly".to_owned(), Box::new(self.signed_out(Some(There::Partly)))),
            ("going".to_owned(), Box::new(GoingPage { shell: self.shell(), form: self.going(), signed_out: false })),
            ("going-out".to_owned(), Box::new(GoingPage { shell: self.shell(), form: self.going(), signed_out: true })),
            ("setup".to_owned(), Box::new(setup)),
            ("setup-wrong".to_owned(), Box::new(setup_wrong)),
            ("setup-link-invalid".to_owned(), Box::new(SetupLinkInvalidPage { shell: self.shell() })),
        ]
    }

    fn signed_out(&self, there: Option<There>) -> SignedOutPage {
        SignedOutPage { shell: self.shell(), there: there.map(|there| (there, self.person())) }
    }

    fn onward(&self) -> OnwardPage {
        let address = ELSEWHERE.to_owned();
        OnwardPage { shell: self.shell(), provider: self.person(), address }
    }

    fn password_pages(&self) -> Vec<(String, Box<dyn Page>)> {
        let change = |reason| ChangePasswordPage {
            shell: self.shell(),
            username: self.value("anna"),
            reason,
            rules: self.rules(),
            problems: self.problems(),
            repeat_error: None,
        };
        let lost = LostPasswordPage { shell: self.shell(), problem: None, username: self.field("") };
        let lost_refused = LostPasswordPage {
            problem: Some(self.value(&SignInProblem::TooManyAttempts { minutes: 5 }.text(self.t))),
            username: self.field("anna@example.org"),
            ..lost.clone()
        };
        let reset = ResetPasswordPage {
            shell: self.shell(),
            username: self.value("anna"),
            token: self.value("reset-token"),
            rules: self.rules(),
            problems: Vec::new(),
            repeat_error: Some(self.value(&PasswordProblem::Mismatch.text(self.t))),
        };
        let password = PasswordPage {
            shell: self.shell(),
            person: self.person(),
            username: self.value("anna"),
            keeper: None,
            problem: None,
            password_error: None,
            rules: self.rules(),
            problems: Vec::new(),
            repeat_error: None,
        };
        let password_elsewhere = PasswordPage {
            keeper: Some((self.value("Directory"), Some(self.value("//password.example.org")))),
            ..password.clone()
        };
        let password_wrong = PasswordPage {
            password_error: Some(self.value(&FieldProblem::WrongPassword.text(self.t))),
            problems: self.problems(),
            ..password.clone()
        };
        vec![
            ("change-password-expired".to_owned(), Box::new(change(ChangeReason::Expired))),
            ("change-password-demanded".to_owned(), Box::new(change(ChangeReason::Demanded))),
            ("lost-password".to_owned(), Box::new(lost)),
            ("lost-password-refused".to_owned(), Box::new(lost_refused)),
            ("lost-password-sent".to_owned(), Box::new(LostPasswordSentPage { shell: self.shell(), minutes: 30 })),
            ("reset-password".to_owned(), Box::new(reset)),
            ("reset-link-invalid".to_owned(), Box::new(ResetLinkInvalidPage { shell: self.shell() })),
            ("account-password".to_owned(), Box::new(password)),
            ("account-password-wrong".to_owned(), Box::new(password_wrong)),
            ("account-password-elsewhere".to_owned(), Box::new(password_elsewhere)),
        ]
    }

    fn forbidden(&self, shut: Shut) -> ForbiddenPage {
        ForbiddenPage {
            shell: self.shell(),
            person: (shut == Shut::Group).then(|| self.person()),
            shut,
            application: Some(self.value("tasks.example.org")),
            back: Some(self.value("/admin")),
        }
    }

    fn invitation_pages(&self) -> Vec<(String, Box<dyn Page>)> {
        let open = InvitationPage {
            shell: self.shell(),
            action: paths::INVITATION,
            token: self.value("invitation-token"),
            fixed_username: String::new(),
            username: Some(self.field("anna")),
            name: Some(self.field("")),
            email: None,
            person: Some(self.person()),
            ends: Some(self.value("31 Dec 2026, 23:59 UTC")),
            rules: self.rules(),
            problems: Vec::new(),
            repeat_error: None,
            providers: vec![self.button("Corp SSO")],
        };
        let wrong = InvitationPage {
            username: Some(self.wrong("anna", FieldProblem::UsernameTaken)),
            name: Some(self.wrong("", FieldProblem::Missing)),
            problems: self.problems(),
            ..open.clone()
        };
        let fixed = InvitationPage { fixed_username: self.value("anna"), username: None, name: None, ..open.clone() };
        let registering = InvitationPage { action: paths::REGISTER_CONFIRM, providers: Vec::new(), ..open.clone() };
        let at_once = InvitationPage {
            action: paths::REGISTER,
            token: String::new(),
            email: Some(self.wrong("anna@", FieldProblem::InvalidEmail)),
            ..wrong.clone()
        };
        let register = RegisterPage { shell: self.shell(), email: self.field("") };
        let foreign = RegisterPage { email: self.wrong("anna@else", FieldProblem::ForeignDomain), ..register.clone() };
        vec![
            ("register-account".to_owned(), Box::new(registering)),
            ("register".to_owned(), Box::new(register)),
            ("register-at-once".to_owned(), Box::new(at_once)),
            ("register-foreign".to_owned(), Box::new(foreign)),
            ("register-sent".to_owned(), Box::new(RegisterSentPage { shell: self.shell(), hours: 24 })),
            ("register-link-invalid".to_owned(), Box::new(RegisterLinkInvalidPage { shell: self.shell() })),
            ("invitation".to_owned(), Box::new(open)),
            ("invitation-wrong".to_owned(), Box::new(wrong)),
            ("invitation-fixed".to_owned(), Box::new(fixed)),
            ("invitation-link-invalid".to_owned(), Box::new(InvitationLinkInvalidPage { shell: self.shell() })),
        ]
    }

    fn account_pages(&self) -> Vec<(String, Box<dyn Page>)> {
        let email = self.value("anna.berger@example.org");
        let overview = OverviewPage {
            shell: self.shell(),
            person: self.person(),
            username: self.value("anna"),
            email: Some(email.clone()),
            ends: Some(self.moment("31 December 2026, 23:59")),
            password_changed: Some(self.moment("12 February 2026")),
            signed_in: self.moment("today, 10:30"),
            way: self.value(&SignInWay::Password.text(self.t)),
            sessions: 3,
        };
        let profile = ProfilePage {
            shell: self.shell(),
            person: self.person(),
            name: self.field("Anna Berger"),
            username: self.value("anna"),
            email: Some(email.clone()),
            email_change: true,
            languages: Language::ALL
                .map(|language| Choice {
                    value: self.value(language.tag()),
                    label: self.value(language.own_name()),
                    selected: language == Language::German,
                })
                .to_vec(),
            time_zone: self.wrong("Mars/Olympus", FieldProblem::UnknownTimeZone),
            time_zones: vec![self.value("Europe/Berlin"), self.value("Europe/Paris")],
            contrasts: vec![Choice { value: self.value("more"), label: self.value("Strong"), selected: true }],
            picture_error: Some(FieldProblem::PictureKind.text(self.t)),
            directories: vec![(self.value("Directory"), vec![(self.value("Department"), self.value("Sales"))])],
        };
        let change = EmailPage {
            shell: self.shell(),
            person: self.person(),
            username: self.value("anna"),
            current: Some(email.clone()),
            email: self.field(""),
            password_error: None,
            problem: None,
        };
        let refused = EmailPage {
            email: self.wrong("anna@", FieldProblem::InvalidEmail),
            password_error: Some(self.value(&FieldProblem::WrongPassword.text(self.t))),
            problem: Some(self.value(&SignInProblem::TooManyAttempts { minutes: 1 }.text(self.t))),
            current: None,
            ..change.clone()
        };
        let sent = EmailSentPage { shell: self.shell(), person: self.person(), email: email.clone(), hours: 24 };
        let confirm = EmailConfirmPage { shell: self.shell(), email: email.clone(), token: self.value("mail-token") };
        let fixed =
            ProfilePage { email_change: false, time_zone: self.field("UTC"), picture_error: None, ..profile.clone() };
        vec![
            ("account-profile-fixed".to_owned(), Box::new(fixed)),
            ("account".to_owned(), Box::new(overview)),
            ("account-profile".to_owned(), Box::new(profile)),
            ("account-email".to_owned(), Box::new(change)),
            ("account-email-refused".to_owned(), Box::new(refused)),
            ("account-email-sent".to_owned(), Box::new(sent)),
            ("email-confirm".to_owned(), Box::new(confirm)),
            ("email-link-invalid".to_owned(), Box::new(EmailLinkInvalidPage { shell: self.shell() })),
        ]
    }

    fn session_pages(&self) -> Vec<(String, Box<dyn Page>)> {
        let session = |id: &str, device: &str, way: SignInWay, current| SessionRow {
            id: self.value(id),
            device: self.value(device),
            started: self.moment("today, 08:02"),
            last_seen: self.moment("today, 10:30"),
            way: self.value(&way.text(self.t)),
            network: self.value("192.0.2.0/24"),
            current,
        };
        let device = |id: &str, name: &str, current| DeviceRow {
            id: self.value(id),
            device: self.value(name),
            remembered: self.moment("12 February 2026"),
            last_used: self.moment("yesterday, 17:45"),
            until: self.moment("14 March 2026"),
            current,
        };
        let all = SessionsPage {
            shell: self.shell(),
            person: self.person(),
            sessions: vec![
                session("s1", "Firefox, Linux", SignInWay::Password, true),
                session("s2", "Safari, iPhone", SignInWay::RememberedDevice, false),
            ],
            devices: vec![device("d1", "Safari, iPhone", false), device("d2", "Firefox, Linux", true)],
        };
        let alone = SessionsPage {
            sessions: vec![session("s1", "Firefox, Linux", SignInWay::Password, true)],
            devices: Vec::new(),
            ..all.clone()
        };
        vec![("account-sessions".to_owned(), Box::new(all)), ("account-sessions-alone".to_owned(), Box::new(alone))]
    }
}

impl Sample {
    fn challenge(&self) -> Challenge {
        Challenge { options: self.value("{\"publicKey\":{}}"), ceremony: self.value("ceremony") }
    }

    fn app(&self, wrong: bool) -> AppForm {
        AppForm {
            action: paths::ACCOUNT_SECURITY_TOTP,
            drawing: Drawing::of("otpauth://totp/Example:anna?secret=AAAA"),
            uri: self.value("otpauth://totp/Example:anna?secret=AAAA"),
            key: self.value("AAAA BBBB CCCC DDDD"),
            account: self.value("anna"),
            name: if wrong { self.wrong("", FieldProblem::Missing) } else { self.field("My phone") },
            code_error: wrong.then(|| self.value(&FactorProblem::Totp.text(self.t))),
            server_time: wrong.then(|| self.value("1 Mar 2026, 09:30 UTC")),
        }
    }

    fn key(&self, action: &'static str) -> KeyForm {
        KeyForm { action, challenge: self.challenge(), name: self.field("Passkey"), problem: Some(self.value("No.")) }
    }

    fn phone_form(&self, sent: Option<Channel>) -> PhoneForm {
        PhoneForm {
            action: paths::ACCOUNT_SECURITY_PHONE,
            code_action: paths::ACCOUNT_SECURITY_PHONE_CODE,
            channels: Channel::ALL.to_vec(),
            number: Field::new(self.value("+49 170")).with_error(FactorProblem::Number.text(self.t)),
            name: self.wrong("", FieldProblem::Missing),
            sent: sent.map(|channel| (self.value("+49 ••• 42"), channel)),
            code_error: Some(FactorProblem::Phone.text(self.t)),
            problem: Some(FactorProblem::NotSent.text(self.t)),
        }
    }

    fn phone_page(&self, sent: Option<Channel>) -> PhonePage {
        PhonePage { shell: self.shell(), person: self.person(), form: self.phone_form(sent) }
    }

    fn asks_phone(&self, page: FactorPage, sent: Option<Channel>) -> FactorPage {
        let phone = PhoneAsk {
            numbers: vec![("f1".to_owned(), self.value("+49 ••• 42")), ("f2".to_owned(), self.value("+1 ••• 23"))],
            channels: Channel::ALL.to_vec(),
            sent: sent.map(|channel| (self.value("+49 ••• 42"), channel)),
        };
        FactorPage { phone, ..page }
    }

    fn factor_pages(&self) -> Vec<(String, Box<dyn Page>)> {
        let ask = |way, key| FactorPage {
            shell: self.shell(),
            way,
            key,
            phone: PhoneAsk::default(),
            others: FactorWay::ALL.into_iter().filter(|other| *other != way).collect(),
            problem: Some(self.value(&SignInProblem::TooManyAttempts { minutes: 3 }.text(self.t))),
            code_error: Some(FactorProblem::of(way).text(self.t)),
            keep_days: Some(30),
        };
        let codes = BackupCodesPage {
            shell: self.shell(),
            username: self.value("anna"),
            codes: vec![self.value("0123-4567-89AB-CDEF"), self.value("GHJK-MNPQ-RSTV-WXYZ")],
            next: self.value("/account"),
        };
        let confirm = ConfirmPage {
            shell: self.shell(),
            username: self.value("anna"),
            password: true,
            password_error: Some(FieldProblem::WrongPassword.text(self.t)),
            provider: None,
            return_to: self.value("/account/security"),
            factor: true,
        };
        let again = ConfirmPage { password: false, password_error: None, ..confirm.clone() };
        let button = ProviderButton { name: self.person(), href: "/login/corp?confirm=1".to_owned(), logo: None };
        let there = ConfirmPage { provider: Some(button), ..again.clone() };
        vec![
            ("factor-totp".to_owned(), Box::new(ask(FactorWay::Totp, None))),
            ("factor-phone".to_owned(), Box::new(self.asks_phone(ask(FactorWay::Phone, None), None))),
            (
                "factor-phone-sent".to_owned(),
                Box::new(self.asks_phone(ask(FactorWay::Phone, None), Some(Channel::Sms))),
            ),
            ("factor-backup".to_owned(), Box::new(ask(FactorWay::Backup, None))),
            ("factor-passkey".to_owned(), Box::new(ask(FactorWay::Passkey, Some(self.challenge())))),
            ("backup-codes".to_owned(), Box::new(codes)),
            ("confirm".to_owned(), Box::new(confirm)),
            ("confirm-again".to_owned(), Box::new(again)),
            ("confirm-provider".to_owned(), Box::new(there)),
        ]
    }

    fn key_pages(&self) -> Vec<(String, Box<dyn Page>)> {
        let row = |id: &str, preferred: bool| FactorRow {
            id: id.to_owned(),
            name: self.value("My phone"),
            kind: self.value("Authenticator app"),
            number: preferred.then(|| self.value("+49 ••• 42")),
            preferred,
            added: self.moment("1 Mar 2026"),
            last_used: (!preferred).then(|| self.moment("2 Mar 2026")),
        };
        let security = SecurityPage {
            shell: self.shell(),
            person: self.person(),
            factors: vec![row("f1", true), row("f2", false)],
            kinds: Kind::ALL.to_vec(),
            backup_codes: 7,
            devices: vec![SparedRow {
                id: self.value("d1"),
                device: self.value("Firefox, Linux"),
                last_used: self.moment("2 Mar 2026"),
                until: self.moment("1 Apr 2026"),
            }],
            required: true,
            problem: Some(self.value(&FactorProblem::Last.text(self.t))),
        };
        let empty = SecurityPage { factors: Vec::new(), devices: Vec::new(), problem: None, ..security.clone() };
        let enrol = EnrolPage {
            shell: self.shell(),
            app: Some(self.app(true)),
            key: Some(self.key(paths::LOGIN_STEP_ENROL_PASSKEY)),
            phone: true,
        };
        let totp = TotpPage { shell: self.shell(), person: self.person(), app: self.app(false) };
        let passkey =
            PasskeyPage { shell: self.shell(), person: self.person(), key: self.key(paths::ACCOUNT_SECURITY_PASSKEY) };
        vec![
            ("account-phone".to_owned(), Box::new(self.phone_page(None))),
            ("account-phone-sent".to_owned(), Box::new(self.phone_page(Some(Channel::Voice)))),
            (
                "enrol-phone".to_owned(),
                Box::new(PhoneStepPage { shell: self.shell(), form: self.phone_form(Some(Channel::Sms)) }),
            ),
            ("account-security".to_owned(), Box::new(security)),
            ("account-security-empty".to_owned(), Box::new(empty)),
            ("enrol".to_owned(), Box::new(enrol)),
            ("account-totp".to_owned(), Box::new(totp)),
            ("account-passkey".to_owned(), Box::new(passkey)),
        ]
    }
}

/// The page without the script of ours that it loads.
fn without_our_script(html: &str) -> String {
    let without =
        |html: String, file| html.replace(&format!("<script src=\"{}\" defer></script>", assets::path_of(file)), "");
    without(without(html.to_owned(), File::Script), File::Onward)
}

/// Every page of the samples, rendered.
fn rendered(language: Language, hostile: bool, notice: Option<Notice>) -> Vec<(String, String)> {
    let sample = Sample { t: Texts::for_language(language), hostile, notice };
    sample.pages().into_iter().map(|(name, page)| (name, page.html().expect("rendered"))).collect()
}

#[test]
fn every_page_renders() {
    for language in Language::ALL {
        for (name, html) in rendered(language, false, None) {
            assert!(html.starts_with("<!doctype html>"), "{name}");
            assert!(html.contains(&format!("<html lang=\"{}\" dir=\"ltr\">", language.tag())), "{name}");
            assert!(html.contains(" · Example Hall</title>"), "{name}");
            assert_eq!(html.matches("<h1>").count(), 1, "{name}");
            assert_eq!(html.matches("<main").count(), 1, "{name}");
            assert!(html.contains(assets::path_of(File::Stylesheet)), "{name}");
            write_for_looking(language, &name, &html);
        }
    }
}

#[test]
fn hostile_values_stay_text() {
    for language in Language::ALL {
        for (name, html) in rendered(language, true, Some(Notice::ProfileSaved)) {
            let html = without_our_script(&html);
            assert!(!html.contains("<script"), "{name}: a script tag came through");
            assert!(!html.contains("<img src=x"), "{name}: an element came through");
            assert!(!html.contains("\"'>"), "{name}: a quote ended an attribute");
            assert!(html.contains("&#60;script&#62;"), "{name}: the value is not shown at all");
        }
    }
}

#[test]
fn no_page_has_script_or_inline_style_or_loads_from_elsewhere() {
    for (name, html) in rendered(Language::English, false, Some(Notice::PasswordChanged)) {
        // A link that is followed loads nothing into the page.
        let html = without_our_script(&html).replace(&format!("<a class=\"button\" href=\"{ELSEWHERE}\">"), "<a>");
        for forbidden in ["<script", "<style", " style=", "javascript:", "http:", "https:", "src=\"//", " on"] {
            // The one form that leads elsewhere; where to, the content security policy says as well.
            let html = html.replace("action=\"https://idp.example.org/sso\"", "");
            let found = html.find(forbidden).map(|at| html.get(at..at + 40).unwrap_or_default());
            let is_word = forbidden == " on" && !html.split(" on").skip(1).any(starts_like_a_handler);
            assert!(found.is_none() || is_word, "{name}: {found:?}");
        }
    }
}

/// Whether what follows ` on` makes it an attribute such as ` onclick=`.
fn starts_like_a_handler(rest: &str) -> bool {
    rest.trim_start_matches(|next: char| next.is_ascii_alphabetic()).starts_with('=')
}

#[test]
fn every_form_posts_and_carries_the_token() {
    let ours = |(name, _): &(String, String)| !name.starts_with("going");
    for (name, html) in rendered(Language::English, false, None).into_iter().filter(ours) {
        for form in html.split("<form").skip(1) {
            let form = form.split("</form>").next().expect("a closed form");
            assert!(form.contains("method=\"post\" action=\"/"), "{name}");
            assert!(form.contains("<input type=\"hidden\" name=\"csrf\" value=\"csrf-token\">"), "{name}");
            assert!(form.contains("type=\"submit\""), "{name}");
        }
    }
}

#[test]
fn the_form_that_leads_to_a_provider_does_not_carry_the_token() {
    let pages = rendered(Language::English, false, None);
    for wanted in ["going", "going-out"] {
        let (_, html) = pages.iter().find(|(name, _)| name == wanted).expect("the page");
        assert!(html.contains("<form method=\"post\" action=\"https://idp.example.org/sso\" data-onward>"));
        assert!(!html.contains("csrf"), "a token of ours is nobody else's business");
    }
}

#[test]
fn every_input_has_a_label_and_every_description_exists() {
    for (name, html) in rendered(Language::English, false, None) {
        let attributes = |attribute: &'static str| {
            html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()).collect::<Vec<_>>()
        };
        let ids = attributes(" id=\"");
        for id in attributes("<input id=\"").into_iter().chain(attributes("<select id=\"")) {
            assert!(html.contains(&format!("<label for=\"{id}\">")), "{name}: {id} has no label");
            assert_eq!(ids.iter().filter(|other| **other == id).count(), 1, "{name}: {id} is there twice");
        }
        for described in attributes("aria-describedby=\"") {
            assert!(!described.trim().is_empty(), "{name}: an empty description");
            for id in described.split_whitespace() {
                assert!(ids.contains(&id), "{name}: {id} is missing");
            }
        }
    }
}

#[test]
fn no_password_field_is_ever_filled_in() {
    for (name, html) in rendered(Language::English, true, None) {
        for input in html.split("<input").skip(1).filter_map(|rest| rest.split('>').next()) {
            assert!(!(input.contains("type=\"password\"") && input.contains("value=")), "{name}: {input}");
        }
    }
}

#[test]
fn what_is_not_offered_is_not_on_the_page() {
    let pages = rendered(Language::English, false, None);
    let page = |wanted: &str| &pages.iter().find(|(name, _)| *name == wanted).expect("rendered").1;
    assert!(page("login").contains("name=\"stay\"") && page("login").contains("/login/lost-password"));
    assert!(page("login").contains("name=\"return_to\""));
    assert!(!page("login").contains(" checked") && page("login-failed").contains(" checked"));
    for absent in ["name=\"stay\"", "/login/lost-password", "return_to"] {
        assert!(!page("login-bare").contains(absent), "{absent}");
    }
    assert!(
        page("login").contains("action=\"/login\"") && page("login-internal").contains("action=\"/login/internal\"")
    );
    assert!(!page("login-closed").contains("<form") && !page("login-closed").contains("/login/lost-password"));
    assert!(page("account-profile").contains(paths::ACCOUNT_EMAIL));
    assert!(!page("account-profile-fixed").contains(paths::ACCOUNT_EMAIL));
}

#[test]
fn the_own_session_cannot_be_ended_from_the_list_and_one_alone_has_no_others() {
    let pages = rendered(Language::English, false, None);
    let page = |wanted: &str| &pages.iter().find(|(name, _)| *name == wanted).expect("rendered").1;
    assert!(page("account-sessions").contains("name=\"session\" value=\"s2\""));
    assert!(!page("account-sessions").contains("name=\"session\" value=\"s1\""));
    assert!(page("account-sessions").contains(paths::ACCOUNT_SESSIONS_END_OTHERS));
    assert!(!page("account-sessions-alone").contains(paths::ACCOUNT_SESSIONS_END_OTHERS));
}

#[test]
fn a_notice_is_shown_once_where_there_is_one() {
    for notice in Notice::ALL {
        assert_eq!(Notice::parse(notice.code()), Some(notice));
        let text = notice.text(Texts::for_language(Language::German));
        for (name, html) in rendered(Language::German, false, Some(notice)) {
            assert_eq!(html.matches(&text).count(), 1, "{name}");
        }
    }
    assert_eq!(Notice::parse("notice-unknown"), None);
    let others = rendered(Language::German, false, None);
    // Its notice is its own: what is asked after signing in.
    let mut others = others.iter().filter(|(name, _)| *name != "login-asked");
    assert!(!others.any(|(_, html)| html.contains("class=\"notice\"")));
}

#[test]
fn every_problem_has_a_sentence() {
    for language in Language::ALL {
        let t = Texts::for_language(language);
        let sign_in = [
            SignInProblem::Locked,
            SignInProblem::AttemptExpired,
            SignInProblem::Busy,
            SignInProblem::DirectoryAway,
            SignInProblem::DirectoryPassword,
            SignInProblem::DirectoryShut,
            SignInProblem::NoAccount,
            SignInProblem::Conflict,
            SignInProblem::LinkFirst,
        ];
        let password = [
            PasswordProblem::TooLong(128),
            PasswordProblem::Lacks(Class::Special),
            PasswordProblem::Weak,
            PasswordProblem::Personal,
            PasswordProblem::Reused,
            PasswordProblem::Unusable,
        ];
        let field = [
            FieldProblem::TooLong(64),
            FieldProblem::UsernameTaken,
            FieldProblem::AddressAsUsername,
            FieldProblem::EmailTaken,
            FieldProblem::InvalidName,
            FieldProblem::SameEmail,
        ];
        let sentences = sign_in
            .map(|problem| problem.text(t))
            .into_iter()
            .chain(password.map(|problem| problem.text(t)))
            .chain(field.map(|problem| problem.text(t)));
        for sentence in sentences {
            assert!(sentence.ends_with('.') && sentence.contains(' '), "{sentence}");
        }
    }
}

/// Writes a page and the assets to the folder that the environment names, if it names one.
#[expect(clippy::disallowed_methods, reason = "a test that is asked for its pages, not a setting of the service")]
fn write_for_looking(language: Language, name: &str, html: &str) {
    let Some(folder) = std::env::var_os("VESTIBULE_PAGES").map(PathBuf::from) else { return };
    let write = |path: &Path, bytes: &[u8]| {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    };
    write(&folder.join(language.tag()).join(format!("{name}.html")), html.as_bytes());
    for file in [File::Stylesheet, File::Logo, File::Icon] {
        let path = assets::path_of(file);
        let asset = assets::find(path).expect("served");
        write(&folder.join(path.trim_start_matches('/')), &asset.bytes);
    }
}
