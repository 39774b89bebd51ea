-- Browsers and networks that an account signed in from, as hashes; so that a new one is noticed.

CREATE TABLE known_device (
    account_id   UUID    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    mark         BYTEA   NOT NULL,
    last_used_at BIGINT  NOT NULL,
    PRIMARY KEY (account_id, mark)
);
CREATE INDEX known_device_use ON known_device (last_used_at);
