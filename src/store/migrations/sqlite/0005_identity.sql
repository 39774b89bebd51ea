-- Who somebody is at identity providers and in directories, and the sessions that were opened through them.

CREATE TABLE identity (
    id           BLOB    NOT NULL PRIMARY KEY,
    account_id   BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    -- provider:SLUG or directory:SLUG
    source       TEXT    NOT NULL,
    issuer       TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    -- Whether names and address of the account follow it.
    leads        INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    UNIQUE (source, issuer, subject),
    UNIQUE (account_id, source)
) STRICT;

-- One row for each session that a provider vouched for, so that either side can end the other.
CREATE TABLE provider_session (
    session_id  BLOB    NOT NULL PRIMARY KEY,
    identity_id BLOB    NOT NULL REFERENCES identity (id) ON DELETE CASCADE,
    -- sid of OpenID Connect, SessionIndex of SAML
    upstream_id TEXT,
    -- ID token, NameID, refresh token
    sealed      BLOB,
    created_at  INTEGER NOT NULL,
    ends_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX provider_session_of_identity ON provider_session (identity_id);
CREATE INDEX provider_session_upstream ON provider_session (upstream_id) WHERE upstream_id IS NOT NULL;
CREATE INDEX provider_session_end ON provider_session (ends_at);

-- Whether the owner has shown that the address is theirs, or the operator wrote it down. Until now one of both was so.
ALTER TABLE account ADD COLUMN email_verified INTEGER NOT NULL DEFAULT 1;
