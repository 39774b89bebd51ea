-- Authenticators beside the password, backup codes, and browsers that need no second factor for a while.

CREATE TABLE authenticator (
    id              UUID    NOT NULL PRIMARY KEY,
    account_id      UUID    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    kind            TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    -- The secret of an app, the public key of a passkey.
    sealed          BYTEA    NOT NULL,
    -- SHA-256 of a passkey's credential id: found when a browser names it, and bound once.
    credential_hash BYTEA    UNIQUE,
    -- The last time step of which an app's code was taken (RFC 6238 section 5.2: once).
    last_step       BIGINT,
    preferred       BOOLEAN NOT NULL,
    created_at      BIGINT NOT NULL,
    last_used_at    BIGINT
);
CREATE INDEX authenticator_of_account ON authenticator (account_id);

CREATE TABLE backup_code (
    account_id UUID    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    hash       BYTEA    NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, hash)
);

CREATE TABLE remembered_device (
    id               UUID    NOT NULL PRIMARY KEY,
    account_id       UUID    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    current_hash     BYTEA    NOT NULL,
    previous_hash    BYTEA,
    rotated_at       BIGINT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    device           TEXT    NOT NULL,
    network          TEXT    NOT NULL
);
CREATE INDEX remembered_device_of_account ON remembered_device (account_id);
CREATE INDEX remembered_device_expiry ON remembered_device (expires_at);
