-- Directories: who runs a synchronisation, which groups follow which entries, which locks are the synchronisation's own.

CREATE TABLE directory_run (
    directory   TEXT    NOT NULL PRIMARY KEY,
    -- The process that runs one, and until when it may be believed to.
    holder      UUID,
    held_until  BIGINT,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT,
    -- done, refused, failed
    outcome     TEXT
);

CREATE TABLE directory_group (
    directory TEXT NOT NULL,
    -- The entry, by what stays the same when it is renamed.
    subject   TEXT NOT NULL,
    group_id  UUID NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    PRIMARY KEY (directory, subject),
    UNIQUE (directory, group_id)
);

-- One row for each account that a synchronisation has locked; it goes when somebody else decides about the lock.
CREATE TABLE directory_hold (
    account_id UUID    NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    directory  TEXT    NOT NULL,
    -- gone, disabled
    reason     TEXT    NOT NULL,
    since      BIGINT NOT NULL,
    -- Whether the time until the account may be erased counts from there.
    retains    BOOLEAN NOT NULL
);
