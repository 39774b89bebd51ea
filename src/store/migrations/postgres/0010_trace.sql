-- What came of sign-ins with identity providers and directories, for administrators; days only, and a limited number.

CREATE TABLE trace (
    id         UUID    NOT NULL PRIMARY KEY,
    at         BIGINT  NOT NULL,
    source     TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    believed   BOOLEAN NOT NULL,
    account_id UUID    REFERENCES account (id) ON DELETE CASCADE,
    notes      TEXT    NOT NULL
);
CREATE INDEX trace_order ON trace (believed, at);
CREATE INDEX trace_time ON trace (at);
CREATE INDEX trace_account ON trace (account_id);

INSERT INTO migration_reach (migration, works_from) VALUES (10, 8);
