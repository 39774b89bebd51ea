-- Directories: who runs a synchronisation, which groups follow which entries, which locks are the synchronisation's own.

CREATE TABLE directory_run (
    directory   TEXT    NOT NULL PRIMARY KEY,
    -- The process that runs one, and until when it may be believed to.
    holder      BLOB,
    held_until  INTEGER,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    -- done, refused, failed
    outcome     TEXT
) STRICT;

CREATE TABLE directory_group (
    directory TEXT NOT NULL,
    -- The entry, by what stays the same when it is renamed.
    subject   TEXT NOT NULL,
    group_id  BLOB NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    PRIMARY KEY (directory, subject),
    UNIQUE (directory, group_id)
) STRICT;

-- One row for each account that a synchronisation has locked; it goes when somebody else decides about the lock.
CREATE TABLE directory_hold (
    account_id BLOB    NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    directory  TEXT    NOT NULL,
    -- gone, disabled
    reason     TEXT    NOT NULL,
    since      INTEGER NOT NULL,
    -- Whether the time until the account may be erased counts from there.
    retains    INTEGER NOT NULL
) STRICT;
