-- Authenticators beside the password, backup codes, and browsers that need no second factor for a while.

CREATE TABLE authenticator (
    id              BLOB    NOT NULL PRIMARY KEY,
    account_id      BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    kind            TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    -- The secret of an app, the public key of a passkey.
    sealed          BLOB    NOT NULL,
    -- SHA-256 of a passkey's credential id: found when a browser names it, and bound once.
    credential_hash BLOB    UNIQUE,
    -- The last time step of which an app's code was taken (RFC 6238 section 5.2: once).
    last_step       INTEGER,
    preferred       INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    last_used_at    INTEGER
) STRICT;
CREATE INDEX authenticator_of_account ON authenticator (account_id);

CREATE TABLE backup_code (
    account_id BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    hash       BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, hash)
) STRICT;

CREATE TABLE remembered_device (
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
CREATE INDEX remembered_device_of_account ON remembered_device (account_id);
CREATE INDEX remembered_device_expiry ON remembered_device (expires_at);
