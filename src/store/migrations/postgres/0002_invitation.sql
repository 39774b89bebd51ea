-- Invited accounts, and accounts that end by themselves (guests).

-- From this time on the account cannot sign in; without it there is no end.
ALTER TABLE account ADD COLUMN ends_at BIGINT;

-- One row for each account whose owner has not chosen a password yet; it goes with the acceptance.
CREATE TABLE invitation (
    account_id     UUID    NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    username_fixed BOOLEAN NOT NULL,
    name_fixed     BOOLEAN NOT NULL,
    created_at     BIGINT  NOT NULL
);
CREATE INDEX account_end ON account (ends_at) WHERE ends_at IS NOT NULL;
