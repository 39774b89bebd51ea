-- What a synchronisation of a large directory writes, it writes into every index. Who asks for the members of one group reads
-- all memberships, some milliseconds for tens of thousands. Identifiers of audit events sort by time: they need no index by
-- time beside.
DROP INDEX membership_of_group;
DROP INDEX audit_event_at;
