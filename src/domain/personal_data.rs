//! The data inventory (GDPR art. 30): every stored column with its category, purpose, legal basis and retention, and
//! what export and erasure do with it. A test reads the real schemas and fails on a column that is not listed here.

/// Categories of personal data; the codes are those of the processing document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// bu-01: who somebody is (name, username, picture).
    Profile,
    /// bu-02: how they like things (language, time zone, contrast, address).
    Settings,
    /// bu-03: what they prove themselves with, and where they are signed in.
    Authentication,
    /// bu-04: letters and notices.
    Notifications,
    /// bu-05: groups and rights.
    Roles,
    /// log: what happened, when, by whom.
    Log,
    /// No personal data: keys, times of technical rows, names of groups.
    Technical,
}

impl Category {
    /// The code in the processing document.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Profile => "bu-01",
            Self::Settings => "bu-02",
            Self::Authentication => "bu-03",
            Self::Notifications => "bu-04",
            Self::Roles => "bu-05",
            Self::Log => "log",
            Self::Technical => "technical",
        }
    }
}

/// Why it may be kept (GDPR art. 6(1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// (b): without it nobody could sign in.
    Contract,
    /// (f): keeping accounts safe, finding out about attacks.
    LegitimateInterest,
    /// Not personal.
    None,
}

/// Until when it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// As long as the account.
    Account,
    /// Until its own time of expiry, which is minutes to days.
    Expiry,
    /// As long as the audit trail is kept.
    Audit,
    /// As long as the installation.
    Installation,
}

/// What a person's own copy (art. 15, 20) has of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// As it is.
    Value,
    /// That it exists and since when, never what it is.
    Existence,
    /// Nothing: not personal, or only a derived form of something exported.
    Omit,
}

/// What erasing the person (art. 17) does to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// The row goes.
    Delete,
    /// The reference is pointed at the one "Deleted user".
    Pseudonymise,
    /// Stays: it is about nobody.
    Keep,
}

/// One stored column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Table and column, such as `account.email`.
    pub name: &'static str,
    /// Its category.
    pub category: Category,
    /// What it is kept for.
    pub purpose: &'static str,
    /// Why it may be.
    pub basis: Basis,
    /// Until when.
    pub retention: Retention,
    /// In a person's own copy.
    pub export: Export,
    /// When the person is erased.
    pub erasure: Erasure,
}

/// What all columns of one kind have in common.
#[derive(Clone, Copy)]
struct Kind {
    category: Category,
    basis: Basis,
    retention: Retention,
    export: Export,
    erasure: Erasure,
}

const fn column(name: &'static str, kind: Kind, purpose: &'static str) -> Column {
    let Kind { category, basis, retention, export, erasure } = kind;
    Column { name, category, purpose, basis, retention, export, erasure }
}

const fn own(category: Category, export: Export) -> Kind {
    Kind { category, basis: Basis::Contract, retention: Retention::Account, export, erasure: Erasure::Delete }
}

const PROFILE: Kind = own(Category::Profile, Export::Value);
const PROFILE_KEY: Kind = own(Category::Profile, Export::Omit);
const SETTINGS: Kind = own(Category::Settings, Export::Value);
const SETTINGS_KEY: Kind = own(Category::Settings, Export::Omit);
const SECRET: Kind = own(Category::Authentication, Export::Existence);
const PROOF: Kind = own(Category::Authentication, Export::Value);
const ROLE: Kind = own(Category::Roles, Export::Value);
const PASSING: Kind = Kind { retention: Retention::Expiry, ..PROOF };
const PASSING_SECRET: Kind = Kind { retention: Retention::Expiry, ..SECRET };
const LETTER: Kind = Kind { retention: Retention::Expiry, ..own(Category::Notifications, Export::Existence) };
const LOG: Kind = Kind {
    category: Category::Log,
    basis: Basis::LegitimateInterest,
    retention: Retention::Audit,
    export: Export::Value,
    erasure: Erasure::Pseudonymise,
};
const TRACE: Kind = Kind {
    category: Category::Log,
    basis: Basis::LegitimateInterest,
    retention: Retention::Expiry,
    export: Export::Existence,
    erasure: Erasure::Delete,
};
const COUNTER: Kind = Kind {
    category: Category::Authentication,
    basis: Basis::LegitimateInterest,
    retention: Retention::Expiry,
    export: Export::Omit,
    erasure: Erasure::Delete,
};
const KNOWN: Kind = Kind { export: Export::Existence, ..COUNTER };
const TECHNICAL: Kind = Kind {
    category: Category::Technical,
    basis: Basis::None,
    retention: Retention::Installation,
    export: Export::Omit,
    erasure: Erasure::Keep,
};

/// What an administrator decided stays when they go; that it was them does not.
const DECIDED: Kind = Kind { retention: Retention::Installation, ..LOG };

/// Every column of the durable store.
pub const DURABLE: &[Column] = &[
    column("account.id", PROFILE, "tells accounts apart"),
    column("account.username", PROFILE, "signing in; shown to main apps"),
    column("account.username_key", PROFILE_KEY, "finding the account whatever the spelling"),
    column("account.username_skeleton", PROFILE_KEY, "refusing names that look like another's"),
    column("account.email", SETTINGS, "letters; signing in; shown to main apps"),
    column("account.email_key", SETTINGS_KEY, "finding the account whatever the spelling"),
    column("account.name", PROFILE, "shown to others"),
    column("account.language", SETTINGS, "language of pages and letters"),
    column("account.time_zone", SETTINGS, "times on pages and in letters"),
    column("account.status", ROLE, "whether signing in is possible"),
    column("account.administrator", ROLE, "rights in this service"),
    column("account.sessions_valid_from", PROOF, "ending sessions on every node at once"),
    column("account.created_at", PROFILE, "retention"),
    column("account.last_sign_in_at", PROOF, "retention; noticing misuse"),
    column("account.ends_at", ROLE, "ending guests' access by itself"),
    column("account.email_verified", SETTINGS, "linking identities by address"),
    column("identity.id", PROOF, "naming it in the list"),
    column("identity.account_id", PROOF, "whose it is"),
    column("identity.source", PROOF, "which identity provider or directory vouches"),
    column("identity.issuer", PROOF, "what the subject is unique under"),
    column("identity.subject", PROOF, "recognising the person there"),
    column("identity.leads", PROOF, "whether names and address follow it"),
    column("identity.created_at", PROOF, "since when"),
    column("identity.last_used_at", PROOF, "recognising it in the list"),
    column("provider_session.session_id", PASSING, "which session it is about"),
    column("provider_session.identity_id", PASSING, "who was vouched for"),
    column("provider_session.upstream_id", PASSING, "ending the session when the provider says so"),
    column("provider_session.sealed", PASSING_SECRET, "signing out at the provider"),
    column("provider_session.created_at", PASSING, "since when"),
    column("provider_session.ends_at", PASSING, "end"),
    column("provider_session.remembered_id", PASSING, "ending what the browser remembers with it"),
    column("provider_session.check_at", PASSING, "asking the provider again"),
    column("account.contrast", SETTINGS, "contrast of pages"),
    column("account.picture_key", PROFILE_KEY, "address of the picture"),
    column("avatar.account_id", PROFILE, "whose it is"),
    column("avatar.jpeg", PROFILE, "picture, shown to others; pixels only"),
    column("avatar.set_at", PROFILE, "since when"),
    column("invitation.account_id", ROLE, "who has not accepted yet"),
    column("invitation.username_fixed", ROLE, "what the invited may choose"),
    column("invitation.name_fixed", ROLE, "what the invited may choose"),
    column("invitation.created_at", ROLE, "since when"),
    column("password.account_id", PROOF, "whose it is"),
    column("password.hash", SECRET, "signing in"),
    column("password.set_at", PROOF, "age limit of passwords"),
    column("password.must_change", PROOF, "forced change"),
    column("former_password.account_id", PROOF, "whose it is"),
    column("former_password.hash", SECRET, "refusing former passwords"),
    column("former_password.replaced_at", PROOF, "order of former passwords"),
    column("user_group.id", TECHNICAL, "tells groups apart"),
    column("user_group.name", TECHNICAL, "shown to main apps"),
    column("user_group.name_key", TECHNICAL, "finding the group whatever the spelling"),
    column("user_group.created_at", TECHNICAL, "order"),
    column("membership.group_id", ROLE, "which group"),
    column("membership.account_id", ROLE, "whose it is"),
    column("membership.source", ROLE, "who may take it away"),
    column("membership.created_at", ROLE, "since when"),
    column("remembered_browser.id", PASSING, "naming it in the list"),
    column("remembered_browser.account_id", PASSING, "whose it is"),
    column("remembered_browser.current_hash", PASSING_SECRET, "recognising the browser"),
    column("remembered_browser.previous_hash", PASSING_SECRET, "noticing a copied token"),
    column("remembered_browser.rotated_at", PASSING, "last use"),
    column("remembered_browser.authenticated_at", PASSING, "when the person last proved who they are"),
    column("remembered_browser.expires_at", PASSING, "end"),
    column("remembered_browser.created_at", PASSING, "since when"),
    column("remembered_browser.device", PASSING, "recognising it in the list"),
    column("remembered_browser.network", PASSING, "recognising it in the list"),
    column("authenticator.id", PROOF, "naming it in the list"),
    column("authenticator.account_id", PROOF, "whose it is"),
    column("authenticator.kind", PROOF, "what it is"),
    column("authenticator.name", PROOF, "telling one's own apart"),
    column("authenticator.sealed", SECRET, "checking its codes and signatures; sending codes to a phone number"),
    column("authenticator.credential_hash", SECRET, "finding the account of a passkey"),
    column("authenticator.last_step", PROOF, "taking a code once"),
    column("authenticator.preferred", PROOF, "which is asked for first"),
    column("authenticator.created_at", PROOF, "since when"),
    column("authenticator.last_used_at", PROOF, "noticing misuse"),
    column("backup_code.account_id", PROOF, "whose it is"),
    column("backup_code.hash", SECRET, "recognising a code from paper"),
    column("backup_code.created_at", PROOF, "since when"),
    column("remembered_device.id", PASSING, "naming it in the list"),
    column("remembered_device.account_id", PASSING, "whose it is"),
    column("remembered_device.current_hash", PASSING_SECRET, "recognising the browser"),
    column("remembered_device.previous_hash", PASSING_SECRET, "noticing a copied token"),
    column("remembered_device.rotated_at", PASSING, "last use"),
    column("remembered_device.authenticated_at", PASSING, "when the second factor was proved"),
    column("remembered_device.expires_at", PASSING, "end"),
    column("remembered_device.created_at", PASSING, "since when"),
    column("remembered_device.device", PASSING, "recognising it in the list"),
    column("remembered_device.network", PASSING, "recognising it in the list"),
    column("one_time_token.hash", PASSING_SECRET, "recognising the link"),
    column("one_time_token.purpose", PASSING, "what the link is good for"),
    column("one_time_token.account_id", PASSING, "whose it is"),
    column("one_time_token.sealed", PASSING_SECRET, "the address to be confirmed"),
    column("one_time_token.created_at", PASSING, "since when"),
    column("one_time_token.expires_at", PASSING, "end"),
    column("known_device.account_id", KNOWN, "whose it is"),
    column("known_device.mark", KNOWN, "noticing a new browser or network, as a hash; kept for 180 days"),
    column("known_device.last_used_at", KNOWN, "end"),
    column("letter.id", LETTER, "tells letters apart"),
    column("letter.account_id", LETTER, "whom it concerns"),
    column("letter.sealed", LETTER, "what to write, to whom"),
    column("letter.attempts", LETTER, "trying again"),
    column("letter.next_attempt_at", LETTER, "trying again"),
    column("letter.created_at", LETTER, "giving up"),
    column("ring_key.id", TECHNICAL, "tells keys apart"),
    column("ring_key.purpose", TECHNICAL, "what the key is for"),
    column("ring_key.wrapped", TECHNICAL, "sealing and signing"),
    column("ring_key.created_at", TECHNICAL, "order"),
    column("ring_key.retires_at", TECHNICAL, "rotation"),
    column("ring_key.revoked_at", TECHNICAL, "revocation"),
    column("audit_event.id", LOG, "order"),
    column("audit_event.at", LOG, "when"),
    column("audit_event.act", LOG, "what"),
    column("audit_event.actor_kind", LOG, "by whom"),
    column("audit_event.actor_id", LOG, "by whom"),
    column("audit_event.subject_id", LOG, "to whom"),
    column("audit_event.request_id", LOG, "finding the request in the log"),
    column("audit_event.address", LOG, "from where, truncated to a network"),
    column("audit_event.detail", LOG, "codes and identifiers"),
    column("directory_run.directory", TECHNICAL, "which directory"),
    column("directory_run.holder", TECHNICAL, "not used any more"),
    column("directory_run.held_until", TECHNICAL, "not used any more"),
    column("directory_run.started_at", TECHNICAL, "when the next run is due"),
    column("directory_run.finished_at", TECHNICAL, "telling operators"),
    column("directory_run.outcome", TECHNICAL, "telling operators"),
    column("directory_group.directory", TECHNICAL, "which directory"),
    column("directory_group.subject", TECHNICAL, "which entry a group follows"),
    column("directory_group.group_id", TECHNICAL, "which group follows it"),
    column("directory_attribute.account_id", PROFILE, "whose it is"),
    column("directory_attribute.directory", PROFILE, "which directory says so"),
    column("directory_attribute.name", PROFILE, "what it is"),
    column("directory_attribute.value", PROFILE, "what the organisation says about the person"),
    column("directory_hold.account_id", ROLE, "whose account a synchronisation locked"),
    column("directory_hold.directory", ROLE, "which directory decides about the lock"),
    column("directory_hold.reason", ROLE, "why it is locked"),
    column("directory_hold.since", ROLE, "since when; retention"),
    column("directory_hold.retains", ROLE, "whether retention counts from there"),
    column("change_notice.seq", TECHNICAL, "order"),
    column("change_notice.kind", TECHNICAL, "which cache is stale"),
    column("change_notice.subject_id", PASSING, "which account's card is stale; kept for an hour"),
    column("change_notice.at", TECHNICAL, "pruning"),
    column("trace.id", TRACE, "the reference on the page"),
    column("trace.at", TRACE, "order; end, after 7 days unless the operator says otherwise"),
    column("trace.source", TRACE, "which identity provider or directory"),
    column("trace.outcome", TRACE, "what came of a sign-in"),
    column("trace.believed", TRACE, "which are removed first"),
    column("trace.account_id", TRACE, "whose it is"),
    column("trace.notes", TRACE, "finding out why a sign-in failed; values shortened, no secrets"),
    column("provider_metadata.slug", TECHNICAL, "whose metadata it is"),
    column("provider_metadata.origin", TECHNICAL, "where it was read"),
    column("provider_metadata.document", TECHNICAL, "going on while an identity provider is away"),
    column("provider_metadata.read_at", TECHNICAL, "which copy is the newest"),
    column("lease.name", TECHNICAL, "which job"),
    column("lease.holder", TECHNICAL, "which process does it"),
    column("lease.until", TECHNICAL, "when another may"),
    column("setting.key", TECHNICAL, "which setting"),
    column("setting.value", TECHNICAL, "what the operator decided"),
    column("setting.sealed", TECHNICAL, "what the operator decided, where a secret is in it"),
    column("setting.changed_at", TECHNICAL, "telling operators"),
    column("setting.changed_by", DECIDED, "telling operators who decided"),
    column("setting_revision.name", TECHNICAL, "finding the number"),
    column("setting_revision.revision", TECHNICAL, "noticing changes on every node"),
    column("migration_reach.migration", TECHNICAL, "which versions can work here"),
    column("migration_reach.works_from", TECHNICAL, "which versions can work here"),
];

/// Every column of the embedded volatile store. In Redis the same is kept, without names and each with an end of its own.
pub const VOLATILE: &[Column] = &[
    column("session.handle", PASSING_SECRET, "recognising the session"),
    column("session.id", PASSING, "naming it in the list"),
    column("session.account_id", PASSING, "whose it is"),
    column("session.created_at", PASSING, "since when"),
    column("session.authenticated_at", PASSING, "when the person last proved who they are"),
    column("session.ends_at", PASSING, "absolute end"),
    column("session.last_seen_at", PASSING, "idle end"),
    column("session.methods", PASSING, "how they proved it"),
    column("session.device", PASSING, "recognising it in the list"),
    column("session.network", PASSING, "recognising it in the list"),
    column("session.remembered_id", PASSING, "the browser that opened it"),
    column("session.source", PASSING, "who vouched when it was opened"),
    column("entry.shelf", TECHNICAL, "what kind of entry"),
    column("entry.entry_key", PASSING_SECRET, "recognising the attempt"),
    column("entry.value", PASSING, "how far the sign-in is"),
    column("entry.expires_at", PASSING, "end"),
    column("failure_counter.scope", TECHNICAL, "what is counted by"),
    column("failure_counter.subject_hash", COUNTER, "whose failures, as a hash"),
    column("failure_counter.failures", COUNTER, "how many"),
    column("failure_counter.counted_from", COUNTER, "window"),
    column("failure_counter.expires_at", COUNTER, "end"),
];
