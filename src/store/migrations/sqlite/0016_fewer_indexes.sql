-- What a synchronisation of a large directory writes, it writes into every index. Memberships lie in the order of their
-- accounts, which sign-ins ask by, without a second copy of the key; who asks for the members of one group reads all of them,
-- some milliseconds for tens of thousands. Identifiers of audit events sort by time: they need no index by time beside.
CREATE TABLE membership_by_account (
    account_id BLOB    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    group_id   BLOB    NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
    source     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, group_id, source)
) STRICT, WITHOUT ROWID;
INSERT INTO membership_by_account (account_id, group_id, source, created_at)
SELECT account_id, group_id, source, created_at FROM membership ORDER BY account_id, group_id, source;
DROP TABLE membership;
ALTER TABLE membership_by_account RENAME TO membership;
DROP INDEX audit_event_at;
