-- Which identity provider or directory vouched when the session was opened; empty for a password of ours.
ALTER TABLE session ADD COLUMN source TEXT;
