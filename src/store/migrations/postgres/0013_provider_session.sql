-- Sessions that providers vouched for are looked at again now and then, and go on when a remembered browser comes back.

-- The remembered browser that the session belongs to: what the provider says about the session is said about the browser too.
ALTER TABLE provider_session ADD COLUMN remembered_id UUID REFERENCES remembered_browser (id) ON DELETE SET NULL;
-- When the provider is to be asked again; nothing: never.
ALTER TABLE provider_session ADD COLUMN check_at BIGINT;
CREATE INDEX provider_session_of_browser ON provider_session (remembered_id) WHERE remembered_id IS NOT NULL;
CREATE INDEX provider_session_check ON provider_session (check_at) WHERE check_at IS NOT NULL;

INSERT INTO migration_reach (migration, works_from) VALUES (13, 8);
