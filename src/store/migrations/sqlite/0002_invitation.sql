-- Invited accounts, and accounts that end by themselves (guests).

-- From this time on the account cannot sign in; without it there is no end.
ALTER TABLE account ADD COLUMN ends_at INTEGER;

-- One row for each account whose owner has not chosen a password yet; it goes with the acceptance.
CREATE TABLE invitation (
    account_id     BLOB    NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    username_fixed INTEGER NOT NULL,
    name_fixed     INTEGER NOT NULL,
    created_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX account_end ON account (ends_at) WHERE ends_at IS NOT NULL;
