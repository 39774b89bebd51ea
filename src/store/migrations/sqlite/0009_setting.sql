-- Settings for all nodes: below file and environment, above the defaults. A key of a section, or an item of a list as a whole.

CREATE TABLE setting (
    key        TEXT    NOT NULL PRIMARY KEY,
    -- JSON. One of the two: what holds a secret is sealed.
    value      TEXT,
    sealed     BLOB,
    changed_at INTEGER NOT NULL,
    -- Nobody: the command line.
    changed_by BLOB
) STRICT;

-- Grows in the transaction of each change: this is what nodes look at.
CREATE TABLE setting_revision (
    name     TEXT    NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL
) STRICT;

-- The version before reads files only, and goes on with them.
INSERT INTO migration_reach (migration, works_from) VALUES (9, 8);
