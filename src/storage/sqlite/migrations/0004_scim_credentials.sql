-- A directory may have Passwords, client secrets and federated credentials, each with a name, a
-- label and an end. What was there were Passwords: 32 bytes of digest each, in a row.

ALTER TABLE connector ADD COLUMN scim_credentials TEXT NOT NULL DEFAULT '[]'; -- JSON

WITH RECURSIVE place (number) AS (
    VALUES (0) UNION ALL SELECT number + 1 FROM place WHERE number < 9
),
password AS (
    SELECT
        connector.id AS connector_id,
        place.number,
        printf('%012x', connector.created_at / 1000) AS milliseconds,
        lower(hex(randomblob(10))) AS random,
        lower(hex(substr(connector.scim_passwords, place.number * 32 + 1, 32))) AS digest,
        strftime('%Y-%m-%dT%H:%M:%SZ', connector.created_at / 1000000, 'unixepoch') AS created_at
    FROM connector JOIN place ON place.number < length(connector.scim_passwords) / 32
),
credential AS (
    SELECT connector_id, number, json_object(
        'id', -- a UUIDv7 of the moment when the connector was made
            substr(milliseconds, 1, 8) || '-' || substr(milliseconds, 9, 4)
            || '-7' || substr(random, 1, 3) || '-8' || substr(random, 4, 3)
            || '-' || substr(random, 7, 12),
        'kind', json_object('password', digest),
        'label', 'Password',
        'created_at', created_at,
        'expires_at', NULL
    ) AS value
    FROM password
)
UPDATE connector SET scim_credentials = (
    SELECT json_group_array(json(value) ORDER BY number)
    FROM credential WHERE connector_id = connector.id
);

ALTER TABLE connector DROP COLUMN scim_passwords;

-- When each was last used; written behind, and forgotten with the credential.
CREATE TABLE scim_credential_use (
    organization_id BLOB NOT NULL,
    connector_id    BLOB NOT NULL,
    credential_id   BLOB NOT NULL CHECK (length(credential_id) = 16),
    last_used_at    INTEGER NOT NULL,
    PRIMARY KEY (organization_id, connector_id, credential_id),
    FOREIGN KEY (organization_id, connector_id)
        REFERENCES connector (organization_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
