-- What came of sign-ins with identity providers and directories, for administrators; days only, and a limited number.

CREATE TABLE trace (
    id         BLOB    NOT NULL PRIMARY KEY,
    at         INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    believed   INTEGER NOT NULL,
    account_id BLOB    REFERENCES account (id) ON DELETE CASCADE,
    notes      TEXT    NOT NULL
) STRICT;
CREATE INDEX trace_order ON trace (believed, at);
CREATE INDEX trace_time ON trace (at);
CREATE INDEX trace_account ON trace (account_id);

INSERT INTO migration_reach (migration, works_from) VALUES (10, 8);
