-- Accounts, passwords, groups, remembered browsers, one-time tokens, letters, keys, audit.
-- Times are milliseconds since the epoch (UTC). Every column is classified in domain/personal_data.rs.

CREATE TABLE account (
    id                  BLOB    NOT NULL PRIMARY KEY,
    username            TEXT    NOT NULL,
    username_key        TEXT    NOT NULL UNIQUE,
    username_skeleton   TEXT    NOT NULL UNIQUE,
    email               TEXT    NOT NULL,
    email_key           TEXT    NOT NULL UNIQUE,
    name                TEXT    NOT NULL,
    language            TEXT,
    time_zone           TEXT,
    status              TEXT    NOT NULL,
    administrator       INTEGER NOT NULL,
    sessions_valid_from INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    last_sign_in_at     INTEGER
) STRICT;

CREATE TABLE password (
    account_id  BLOB    NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    hash        TEXT    NOT NULL,
    set_at      INTEGER NOT NULL,
    must_change INTEGER NOT NULL
) STRICT;

CREATE TABLE former_password (
    account_id  BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    hash        TEXT    NOT NULL,
    replaced_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, replaced_at)
) STRICT;

CREATE TABLE user_group (
    id         BLOB    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE membership (
    group_id   BLOB    NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    account_id BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    source     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, group_id, source)
) STRICT;
CREATE INDEX membership_of_group ON membership (group_id);

CREATE TABLE remembered_browser (
    id               BLOB    NOT NULL PRIMARY KEY,
    account_id       BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    current_hash     BLOB    NOT NULL,
    previous_hash    BLOB,
    rotated_at       INTEGER NOT NULL,
    authenticated_at INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    device           TEXT    NOT NULL,
    network          TEXT    NOT NULL
) STRICT;
CREATE INDEX remembered_browser_of_account ON remembered_browser (account_id);
CREATE INDEX remembered_browser_expiry ON remembered_browser (expires_at);

CREATE TABLE one_time_token (
    hash       BLOB    NOT NULL PRIMARY KEY,
    purpose    TEXT    NOT NULL,
    account_id BLOB    REFERENCES account (id) ON DELETE CASCADE,
    sealed     BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX one_time_token_of_account ON one_time_token (account_id, purpose);
CREATE INDEX one_time_token_expiry ON one_time_token (expires_at);

CREATE TABLE letter (
    id              BLOB    NOT NULL PRIMARY KEY,
    account_id      BLOB    REFERENCES account (id) ON DELETE CASCADE,
    sealed          BLOB    NOT NULL,
    attempts        INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX letter_due ON letter (next_attempt_at);

CREATE TABLE ring_key (
    id         BLOB    NOT NULL PRIMARY KEY,
    purpose    TEXT    NOT NULL,
    wrapped    BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    retires_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE TABLE audit_event (
    id         BLOB    NOT NULL PRIMARY KEY,
    at         INTEGER NOT NULL,
    act        TEXT    NOT NULL,
    actor_kind TEXT    NOT NULL,
    actor_id   BLOB,
    subject_id BLOB,
    request_id BLOB,
    address    TEXT,
    detail     TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_event_at ON audit_event (at);
CREATE INDEX audit_event_subject ON audit_event (subject_id, at);

-- What other processes on this database must notice: an id to forget from a cache, or everything of a kind.
CREATE TABLE change_notice (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL,
    subject_id BLOB,
    at         INTEGER NOT NULL
) STRICT;
