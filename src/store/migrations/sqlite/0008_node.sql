-- Several nodes on one database: who does a job that only one may do, and which versions can work on this schema.

CREATE TABLE lease (
    name   TEXT    NOT NULL PRIMARY KEY,
    holder BLOB    NOT NULL,
    until  INTEGER NOT NULL
) STRICT;

-- A migration that older versions can live with says so here, with its own number and the number of the newest migration that
-- such a version has to know (CONTRIBUTING.md, "Adding a column"). Nothing said: older versions do not start.
CREATE TABLE migration_reach (
    migration  INTEGER NOT NULL PRIMARY KEY,
    works_from INTEGER NOT NULL
) STRICT;
