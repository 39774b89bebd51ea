-- Further attributes of people, as a directory says them.

CREATE TABLE directory_attribute (
    account_id BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    directory  TEXT NOT NULL,
    name       TEXT NOT NULL,
    value      TEXT NOT NULL,
    PRIMARY KEY (account_id, directory, name)
) STRICT;

-- directory_run.holder and .held_until are not used any more: a synchronisation takes a lease like every job.

-- Older versions do not miss it.
INSERT INTO migration_reach (migration, works_from) VALUES (12, 8);
