-- The last good copy of a SAML provider's metadata: a node that starts while the provider is away goes on with it.

CREATE TABLE provider_metadata (
    slug     TEXT NOT NULL PRIMARY KEY,
    -- SHA-256 of where it came from: what was read elsewhere is nobody's copy.
    origin   BLOB NOT NULL,
    document TEXT NOT NULL,
    read_at  INTEGER NOT NULL
) STRICT;

INSERT INTO migration_reach (migration, works_from) VALUES (15, 8);
