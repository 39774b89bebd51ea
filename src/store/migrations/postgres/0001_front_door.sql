-- Accounts, passwords, groups, remembered browsers, one-time tokens, letters, keys, audit.
-- Times are milliseconds since the epoch (UTC). Every column is classified in domain/personal_data.rs. The same tables
-- and columns as in ../sqlite, in PostgreSQL's types.

CREATE TABLE account (
    id                  UUID    NOT NULL PRIMARY KEY,
    username            TEXT    NOT NULL,
    username_key        TEXT    NOT NULL UNIQUE,
    username_skeleton   TEXT    NOT NULL UNIQUE,
    email               TEXT    NOT NULL,
    email_key           TEXT    NOT NULL UNIQUE,
    name                TEXT    NOT NULL,
    language            TEXT,
    time_zone           TEXT,
    status              TEXT    NOT NULL,
    administrator       BOOLEAN NOT NULL,
    sessions_valid_from BIGINT  NOT NULL,
    created_at          BIGINT  NOT NULL,
    last_sign_in_at     BIGINT
);

CREATE TABLE password (
    account_id  UUID    NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    hash        TEXT    NOT NULL,
    set_at      BIGINT  NOT NULL,
    must_change BOOLEAN NOT NULL
);

CREATE TABLE former_password (
    account_id  UUID    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    hash        TEXT    NOT NULL,
    replaced_at BIGINT  NOT NULL,
    PRIMARY KEY (account_id, replaced_at)
);

CREATE TABLE user_group (
    id         UUID    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL UNIQUE,
    created_at BIGINT  NOT NULL
);

CREATE TABLE membership (
    group_id   UUID    NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    account_id UUID    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    source     TEXT    NOT NULL,
    created_at BIGINT  NOT NULL,
    PRIMARY KEY (account_id, group_id, source)
);
CREATE INDEX membership_of_group ON membership (group_id);

CREATE TABLE remembered_browser (
    id               UUID    NOT NULL PRIMARY KEY,
    account_id       UUID    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    current_hash     BYTEA   NOT NULL,
    previous_hash    BYTEA,
    rotated_at       BIGINT  NOT NULL,
    authenticated_at BIGINT  NOT NULL,
    expires_at       BIGINT  NOT NULL,
    created_at       BIGINT  NOT NULL,
    device           TEXT    NOT NULL,
    network          TEXT    NOT NULL
);
CREATE INDEX remembered_browser_of_account ON remembered_browser (account_id);
CREATE INDEX remembered_browser_expiry ON remembered_browser (expires_at);

CREATE TABLE one_time_token (
    hash       BYTEA   NOT NULL PRIMARY KEY,
    purpose    TEXT    NOT NULL,
    account_id UUID    REFERENCES account (id) ON DELETE CASCADE,
    sealed     BYTEA,
    created_at BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL
);
CREATE INDEX one_time_token_of_account ON one_time_token (account_id, purpose);
CREATE INDEX one_time_token_expiry ON one_time_token (expires_at);

CREATE TABLE letter (
    id              UUID    NOT NULL PRIMARY KEY,
    account_id      UUID    REFERENCES account (id) ON DELETE CASCADE,
    sealed          BYTEA   NOT NULL,
    attempts        BIGINT  NOT NULL,
    next_attempt_at BIGINT  NOT NULL,
    created_at      BIGINT  NOT NULL
);
CREATE INDEX letter_due ON letter (next_attempt_at);

CREATE TABLE ring_key (
    id         UUID    NOT NULL PRIMARY KEY,
    purpose    TEXT    NOT NULL,
    wrapped    BYTEA   NOT NULL,
    created_at BIGINT  NOT NULL,
    retires_at BIGINT,
    revoked_at BIGINT
);

CREATE TABLE audit_event (
    id         UUID    NOT NULL PRIMARY KEY,
    at         BIGINT  NOT NULL,
    act        TEXT    NOT NULL,
    actor_kind TEXT    NOT NULL,
    actor_id   UUID,
    subject_id UUID,
    request_id UUID,
    address    TEXT,
    detail     TEXT    NOT NULL
);
CREATE INDEX audit_event_at ON audit_event (at);
CREATE INDEX audit_event_subject ON audit_event (subject_id, at);

-- What other processes on this database must notice: an id to forget from a cache, or everything of a kind.
--
-- Transactions end in another order than they begin, so a plain counter would let a reader step over a notice whose
-- transaction is still open. Here the upper bits of the number are the writing transaction's own, and a reader never
-- moves its mark past one that has not ended (store/notice.rs).
CREATE SEQUENCE change_notice_step;
CREATE TABLE change_notice (
    seq        BIGINT  NOT NULL PRIMARY KEY
               DEFAULT ((pg_current_xact_id()::text::bigint << 20) + (nextval('change_notice_step') & 1048575)),
    kind       TEXT    NOT NULL,
    subject_id UUID,
    at         BIGINT  NOT NULL
);
