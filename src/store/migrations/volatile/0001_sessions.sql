-- Sessions, short-lived entries and failure counters of the embedded volatile store. Times are milliseconds (UTC).

CREATE TABLE session (
    handle           BLOB    NOT NULL PRIMARY KEY,
    id               BLOB    NOT NULL UNIQUE,
    account_id       BLOB    NOT NULL,
    created_at       INTEGER NOT NULL,
    authenticated_at INTEGER NOT NULL,
    ends_at          INTEGER NOT NULL,
    last_seen_at     INTEGER NOT NULL,
    methods          INTEGER NOT NULL,
    device           TEXT    NOT NULL,
    network          TEXT    NOT NULL,
    remembered_id    BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX session_of_account ON session (account_id);
CREATE INDEX session_of_family ON session (remembered_id) WHERE remembered_id IS NOT NULL;
CREATE INDEX session_end ON session (ends_at);

CREATE TABLE entry (
    shelf      TEXT    NOT NULL,
    entry_key  BLOB    NOT NULL,
    value      BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (shelf, entry_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_end ON entry (expires_at);

CREATE TABLE failure_counter (
    scope        TEXT    NOT NULL,
    subject_hash BLOB    NOT NULL,
    failures     INTEGER NOT NULL,
    counted_from INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    PRIMARY KEY (scope, subject_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX failure_counter_end ON failure_counter (expires_at);
