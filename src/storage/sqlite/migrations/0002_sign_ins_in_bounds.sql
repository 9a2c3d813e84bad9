-- Where a browser's sign-ins ended within the last minute.
CREATE TABLE arrival (
    browser   BLOB NOT NULL CHECK (length(browser) = 32),
    return_to TEXT NOT NULL,
    begun_at  INTEGER NOT NULL,
    at        INTEGER NOT NULL
) STRICT;

CREATE INDEX arrival_browser ON arrival (browser);
CREATE INDEX arrival_at ON arrival (at);

-- Counting twenty thousand rows at each beginning would let a flood hold up the writer.
ALTER TABLE organization ADD COLUMN open_logins INTEGER NOT NULL DEFAULT 0; -- kept by the triggers
UPDATE organization SET open_logins =
    (SELECT count(*) FROM login WHERE login.organization_id = organization.id);

CREATE INDEX login_organization ON login (organization_id);

CREATE TRIGGER login_inserted AFTER INSERT ON login BEGIN
    UPDATE organization SET open_logins = open_logins + 1 WHERE id = new.organization_id;
END;
CREATE TRIGGER login_deleted AFTER DELETE ON login BEGIN
    UPDATE organization SET open_logins = open_logins - 1 WHERE id = old.organization_id;
END;

CREATE INDEX decision_at ON decision (at);
