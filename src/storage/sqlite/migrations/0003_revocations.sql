-- Changes that sessions must follow, noted in the commit of the change and kept for a while.
-- Nothing is referred to: what it tells of may have been deleted.

CREATE TABLE revocation (
    organization_id BLOB NOT NULL,
    kind            TEXT NOT NULL, -- account, connector
    id              BLOB NOT NULL,
    at              INTEGER NOT NULL,
    PRIMARY KEY (organization_id, kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX revocation_at ON revocation (at);
