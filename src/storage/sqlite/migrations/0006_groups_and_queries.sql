-- Who belongs to which connector's directory, in the order in which they came.
-- `folded` is the function of columns.rs.

-- NULL if made by hand: such an account has no position either.
ALTER TABLE account ADD COLUMN connector_id BLOB;
ALTER TABLE account ADD COLUMN position INTEGER;
-- SCIM displayName as sent; NULL if none was. What pages call the person stands in display_name.
ALTER TABLE account ADD COLUMN scim_display_name_folded TEXT;

UPDATE account SET
    connector_id = (SELECT connector.id FROM connector
                    WHERE connector.organization_id = account.organization_id
                    ORDER BY connector.id LIMIT 1),
    scim_display_name_folded = iif(json_type(attributes, '$.displayName') = 'text',
                                   folded(attributes ->> '$.displayName'), NULL);
UPDATE account SET position = numbered.position FROM
    (SELECT rowid AS account, row_number() OVER (PARTITION BY organization_id ORDER BY id) - 1
         AS position
     FROM account WHERE connector_id NOT NULL) AS numbered
    WHERE account.rowid = numbered.account;

DROP INDEX account_external_id;
CREATE UNIQUE INDEX account_external_id ON account (organization_id, connector_id, external_id)
    WHERE external_id NOT NULL;
CREATE UNIQUE INDEX account_position ON account (organization_id, connector_id, position)
    WHERE connector_id NOT NULL;
CREATE INDEX account_display_name
    ON account (organization_id, connector_id, scim_display_name_folded)
    WHERE scim_display_name_folded NOT NULL;

-- The addresses that the directory sent besides account.email.
CREATE TABLE account_address (
    organization_id BLOB NOT NULL,
    account_id      BLOB NOT NULL,
    email_folded    TEXT NOT NULL,
    PRIMARY KEY (organization_id, account_id, email_folded),
    FOREIGN KEY (organization_id, account_id)
        REFERENCES account (organization_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX account_address_folded ON account_address (organization_id, email_folded);

INSERT OR IGNORE INTO account_address (organization_id, account_id, email_folded)
    SELECT account.organization_id, account.id, folded(email.value ->> '$.value')
    FROM account, json_each(account.attributes, '$.emails') AS email
    WHERE email.type = 'object' AND json_type(email.value, '$.value') = 'text'
        AND folded(email.value ->> '$.value') <> account.email_folded;

CREATE TABLE scim_group (
    organization_id     BLOB NOT NULL,
    id                  BLOB NOT NULL CHECK (length(id) = 16),
    connector_id        BLOB NOT NULL,
    position            INTEGER NOT NULL,
    display_name        TEXT NOT NULL,
    display_name_folded TEXT NOT NULL,
    external_id         TEXT,
    version             INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    last_modified_at    INTEGER NOT NULL,
    attributes          TEXT NOT NULL, -- JSON
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, connector_id)
        REFERENCES connector (organization_id, id) ON DELETE CASCADE
) STRICT;

CREATE UNIQUE INDEX scim_group_display_name
    ON scim_group (organization_id, connector_id, display_name_folded);
CREATE UNIQUE INDEX scim_group_external_id
    ON scim_group (organization_id, connector_id, external_id) WHERE external_id NOT NULL;
CREATE UNIQUE INDEX scim_group_position ON scim_group (organization_id, connector_id, position);

CREATE TABLE group_member (
    organization_id BLOB NOT NULL,
    group_id        BLOB NOT NULL,
    member_id       BLOB NOT NULL,
    kind            TEXT NOT NULL, -- User, Group
    PRIMARY KEY (organization_id, group_id, member_id),
    FOREIGN KEY (organization_id, group_id)
        REFERENCES scim_group (organization_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX group_member_member ON group_member (organization_id, member_id);

-- What is listed of a connector. A position is given once.
CREATE TABLE directory (
    organization_id BLOB NOT NULL,
    connector_id    BLOB NOT NULL,
    kind            TEXT NOT NULL, -- User, Group
    next_position   INTEGER NOT NULL,
    live            INTEGER NOT NULL,
    PRIMARY KEY (organization_id, connector_id, kind),
    FOREIGN KEY (organization_id, connector_id)
        REFERENCES connector (organization_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- How many of 1024 positions in a row are still taken; a block of which none is has no row.
CREATE TABLE directory_block (
    organization_id BLOB NOT NULL,
    connector_id    BLOB NOT NULL,
    kind            TEXT NOT NULL,
    block           INTEGER NOT NULL,
    live            INTEGER NOT NULL,
    PRIMARY KEY (organization_id, connector_id, kind, block),
    FOREIGN KEY (organization_id, connector_id, kind)
        REFERENCES directory (organization_id, connector_id, kind) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

INSERT INTO directory (organization_id, connector_id, kind, next_position, live)
    SELECT organization_id, connector_id, 'User', count(*), count(*) FROM account
    WHERE connector_id NOT NULL GROUP BY organization_id, connector_id;
INSERT INTO directory_block (organization_id, connector_id, kind, block, live)
    SELECT organization_id, connector_id, 'User', position / 1024, count(*) FROM account
    WHERE connector_id NOT NULL GROUP BY organization_id, connector_id, position / 1024;

CREATE TABLE provisioning_record (
    organization_id BLOB NOT NULL,
    connector_id    BLOB NOT NULL,
    id              BLOB NOT NULL CHECK (length(id) = 16),
    at              INTEGER NOT NULL,
    client          TEXT NOT NULL,
    method          TEXT NOT NULL,
    path            TEXT NOT NULL,
    status          INTEGER NOT NULL,
    outcome         TEXT NOT NULL,
    summary         TEXT NOT NULL,
    resource        TEXT,
    changes         TEXT NOT NULL, -- JSON
    body            TEXT,          -- JSON
    replay_of       BLOB,
    PRIMARY KEY (organization_id, connector_id, id),
    FOREIGN KEY (organization_id, connector_id)
        REFERENCES connector (organization_id, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX provisioning_record_outcome
    ON provisioning_record (organization_id, connector_id, outcome, id);
CREATE INDEX provisioning_record_resource
    ON provisioning_record (organization_id, connector_id, resource, id) WHERE resource NOT NULL;
CREATE INDEX provisioning_record_at ON provisioning_record (at);

-- How many lines of each connector there are; kept by the triggers.
CREATE TABLE provisioning_held (
    organization_id BLOB NOT NULL,
    connector_id    BLOB NOT NULL,
    records         INTEGER NOT NULL,
    PRIMARY KEY (organization_id, connector_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX provisioning_held_records ON provisioning_held (records);

CREATE TRIGGER provisioning_record_inserted AFTER INSERT ON provisioning_record BEGIN
    INSERT INTO provisioning_held (organization_id, connector_id, records)
        VALUES (new.organization_id, new.connector_id, 1)
        ON CONFLICT DO UPDATE SET records = records + 1;
END;
CREATE TRIGGER provisioning_record_deleted AFTER DELETE ON provisioning_record BEGIN
    UPDATE provisioning_held SET records = records - 1
        WHERE organization_id = old.organization_id AND connector_id = old.connector_id;
END;

CREATE TABLE provisioning_tally (
    organization_id BLOB NOT NULL,
    connector_id    BLOB NOT NULL,
    hour            INTEGER NOT NULL,
    requests        INTEGER NOT NULL,
    changed         INTEGER NOT NULL,
    failures        INTEGER NOT NULL,
    last_request_at INTEGER NOT NULL,
    last_success_at INTEGER,
    PRIMARY KEY (organization_id, connector_id, hour),
    FOREIGN KEY (organization_id, connector_id)
        REFERENCES connector (organization_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX provisioning_tally_hour ON provisioning_tally (hour);

-- Attributes beyond the schemas of the RFCs, in the order in which they came.
CREATE TABLE custom_attribute (
    id              INTEGER PRIMARY KEY,
    organization_id BLOB NOT NULL,
    connector_id    BLOB NOT NULL,
    schema_folded   TEXT NOT NULL,
    name_folded     TEXT NOT NULL,
    schema          TEXT NOT NULL,
    name            TEXT NOT NULL,
    kind            TEXT NOT NULL,
    multi_valued    INTEGER NOT NULL,
    declared        INTEGER NOT NULL,
    UNIQUE (organization_id, connector_id, schema_folded, name_folded),
    FOREIGN KEY (organization_id, connector_id)
        REFERENCES connector (organization_id, id) ON DELETE CASCADE
) STRICT;
