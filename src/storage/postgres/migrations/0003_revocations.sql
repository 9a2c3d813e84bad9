-- Changes that sessions must follow, noted in the commit of the change and kept for a while.
-- Nothing is referred to: what it tells of may have been deleted.

CREATE TABLE revocation (
    organization_id uuid NOT NULL,
    kind            text COLLATE "C" NOT NULL, -- account, connector
    id              uuid NOT NULL,
    at              timestamptz NOT NULL,
    PRIMARY KEY (organization_id, kind, id)
);

CREATE INDEX revocation_at ON revocation (at);
