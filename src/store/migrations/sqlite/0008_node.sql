-- Several nodes on one database: who does a job that only one may do, and which versions can work on this schema.

CREATE TABLE lease (
    name   TEXT    NOT NULL PRIMARY KEY,
    holder BLOB    NOT NULL,
    until  INTEGER NOT NULL
) STRICT;

-- One row. A version that knows at least the migration of this number works on this schema, whatever else was run.
-- A migration that takes something away from older versions moves it (CONTRIBUTING.md, "A migration").
CREATE TABLE schema_floor (
    migration INTEGER NOT NULL
) STRICT;
INSERT INTO schema_floor (migration) VALUES (8);
