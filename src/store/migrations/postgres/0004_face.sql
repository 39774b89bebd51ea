-- The face of an account: its picture, and how strong it wants the contrast of pages.

-- NULL follows the device.
ALTER TABLE account ADD COLUMN contrast TEXT;
-- The name under which the picture is asked for; a new one with each picture, NULL without one.
ALTER TABLE account ADD COLUMN picture_key TEXT;
CREATE UNIQUE INDEX account_picture ON account (picture_key) WHERE picture_key IS NOT NULL;

CREATE TABLE avatar (
    account_id UUID   NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    jpeg       BYTEA  NOT NULL,
    set_at     BIGINT NOT NULL
);
