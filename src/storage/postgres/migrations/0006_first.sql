-- Digests are 32 bytes, durations microseconds. Texts compare by bytes: COLLATE "C" where their
-- order or an index counts. What a column's comment calls sealed opens only under the master key
-- and only in its own row.

-- One row: what tells a database of ours.
CREATE TABLE portico (
    one              boolean PRIMARY KEY DEFAULT true CHECK (one),
    version          integer NOT NULL,
    master_key_check bytea NOT NULL, -- sealed
    pinged_at        timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE organization (
    id           uuid PRIMARY KEY,
    slug         text COLLATE "C" NOT NULL CONSTRAINT organization_slug UNIQUE,
    display_name text NOT NULL,
    edition      text NOT NULL,
    created_at   timestamptz NOT NULL
);

CREATE TABLE organization_domain (
    organization_id uuid NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    position        bigint NOT NULL,
    domain          text COLLATE "C" NOT NULL CONSTRAINT organization_domain_name UNIQUE,
    PRIMARY KEY (organization_id, position)
);

CREATE TABLE connector (
    organization_id       uuid NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    id                    uuid NOT NULL UNIQUE,
    kind                  text NOT NULL,
    enabled               boolean NOT NULL,
    authority             text COLLATE "C" NOT NULL,
    client_id             text NOT NULL,
    client_authentication text NOT NULL,
    client_secret         bytea,         -- sealed; NULL for a public client
    role_source           text NOT NULL,
    role_claim            text NOT NULL,
    role_table            json NOT NULL,
    link_by_user_name     text NOT NULL,
    scim_user_name        text NOT NULL,
    scim_credentials      jsonb NOT NULL,
    provisioning          json NOT NULL,
    created_at            timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id)
);

-- When each SCIM credential was last used; written behind, and forgotten with the credential.
CREATE TABLE scim_credential_use (
    organization_id uuid NOT NULL,
    connector_id    uuid NOT NULL,
    credential_id   uuid NOT NULL,
    last_used_at    timestamptz NOT NULL,
    PRIMARY KEY (organization_id, connector_id, credential_id),
    FOREIGN KEY (organization_id, connector_id)
        REFERENCES connector (organization_id, id) ON DELETE CASCADE
);

-- The connector may not be there yet: its identifier is reserved.
CREATE TABLE setup_link (
    organization_id uuid PRIMARY KEY REFERENCES organization (id) ON DELETE CASCADE,
    digest          bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
    connector_id    uuid NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL
);

-- Where users and groups stand in lists; given once.
CREATE SEQUENCE directory_position MINVALUE 0;

-- Refers to no organization: a reference locks the row that it leads to, and each new account of an
-- organization would lock the same one. The same goes for all that is written as often.
CREATE TABLE account (
    organization_id          uuid NOT NULL,
    connector_id             uuid,   -- NULL if made by hand: such an account has no position either
    id                       uuid NOT NULL,
    position                 bigint,
    user_name                text NOT NULL,
    user_name_folded         text COLLATE "C" NOT NULL,
    external_id              text COLLATE "C",
    email                    text NOT NULL,
    email_folded             text COLLATE "C" NOT NULL,
    display_name             text NOT NULL,
    scim_display_name_folded text COLLATE "C", -- of displayName as sent; NULL if none was
    active                   boolean NOT NULL,
    scim_roles               json NOT NULL,
    access_epoch             bigint NOT NULL,
    version                  bigint NOT NULL,
    created_at               timestamptz NOT NULL,
    last_modified_at         timestamptz NOT NULL,
    attributes               json NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE UNIQUE INDEX account_user_name ON account (organization_id, user_name_folded);
CREATE UNIQUE INDEX account_email ON account (organization_id, email_folded);
CREATE UNIQUE INDEX account_external_id ON account (organization_id, connector_id, external_id)
    WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX account_position ON account (organization_id, connector_id, position)
    WHERE connector_id IS NOT NULL;
CREATE INDEX account_display_name
    ON account (organization_id, connector_id, scim_display_name_folded)
    WHERE scim_display_name_folded IS NOT NULL;

-- The addresses that the directory sent besides account.email.
CREATE TABLE account_address (
    organization_id uuid NOT NULL,
    account_id      uuid NOT NULL,
    email_folded    text COLLATE "C" NOT NULL,
    PRIMARY KEY (organization_id, account_id, email_folded),
    FOREIGN KEY (organization_id, account_id)
        REFERENCES account (organization_id, id) ON DELETE CASCADE
);

CREATE INDEX account_address_email ON account_address (organization_id, email_folded);

CREATE TABLE scim_group (
    organization_id     uuid NOT NULL,
    connector_id        uuid NOT NULL,
    id                  uuid NOT NULL,
    position            bigint NOT NULL,
    display_name        text NOT NULL,
    display_name_folded text COLLATE "C" NOT NULL,
    external_id         text COLLATE "C",
    version             bigint NOT NULL,
    created_at          timestamptz NOT NULL,
    last_modified_at    timestamptz NOT NULL,
    attributes          json NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE UNIQUE INDEX scim_group_display_name
    ON scim_group (organization_id, connector_id, display_name_folded);
CREATE UNIQUE INDEX scim_group_external_id
    ON scim_group (organization_id, connector_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX scim_group_position ON scim_group (organization_id, connector_id, position);

CREATE TABLE group_member (
    organization_id uuid NOT NULL,
    group_id        uuid NOT NULL,
    member_id       uuid NOT NULL,
    kind            text NOT NULL, -- User, Group
    PRIMARY KEY (organization_id, group_id, member_id),
    FOREIGN KEY (organization_id, group_id)
        REFERENCES scim_group (organization_id, id) ON DELETE CASCADE
);

CREATE INDEX group_member_member ON group_member (organization_id, member_id);

-- How many of 4096 positions in a row are still taken. Each server process counts in a row of its
-- own, so that none waits for another's commit; only the sum over a block says something. Accounts
-- made by hand have the connector of zeros, and all stand in block 0.
CREATE TABLE directory_block (
    organization_id uuid NOT NULL,
    connector_id    uuid NOT NULL,
    kind            text COLLATE "C" NOT NULL, -- User, Group
    block           bigint NOT NULL,
    slot            integer NOT NULL,
    live            bigint NOT NULL,
    PRIMARY KEY (organization_id, connector_id, kind, block, slot)
) WITH (fillfactor = 50);

CREATE TABLE subject_link (
    organization_id uuid NOT NULL,
    authority       text COLLATE "C" NOT NULL,
    identifier      text COLLATE "C" NOT NULL,
    account_id      uuid NOT NULL,
    connector_id    uuid NOT NULL,
    sub             text COLLATE "C" NOT NULL,
    basis           text NOT NULL,
    linked_at       timestamptz NOT NULL,
    PRIMARY KEY (organization_id, authority, identifier),
    UNIQUE (organization_id, account_id, connector_id),
    FOREIGN KEY (organization_id, account_id)
        REFERENCES account (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, connector_id)
        REFERENCES connector (organization_id, id) ON DELETE CASCADE
);

CREATE TABLE link_request (
    number          bigint NOT NULL GENERATED ALWAYS AS IDENTITY, -- in the order of arrival
    organization_id uuid NOT NULL,
    account_id      uuid NOT NULL,
    authority       text COLLATE "C" NOT NULL,
    identifier      text COLLATE "C" NOT NULL,
    connector_id    uuid NOT NULL,
    sub             text NOT NULL,
    user_name       text NOT NULL,
    reference       text NOT NULL,
    requested_at    timestamptz NOT NULL,
    PRIMARY KEY (organization_id, account_id, authority, identifier),
    FOREIGN KEY (organization_id, account_id)
        REFERENCES account (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, connector_id)
        REFERENCES connector (organization_id, id) ON DELETE CASCADE
);

CREATE TABLE login (
    number          bigint NOT NULL GENERATED ALWAYS AS IDENTITY, -- in the order of beginning
    state           bytea PRIMARY KEY CHECK (length(state) = 32),
    organization_id uuid NOT NULL,
    connector_id    uuid NOT NULL,
    browser         bytea NOT NULL CHECK (length(browser) = 32),
    nonce           bytea NOT NULL, -- sealed
    code_verifier   bytea NOT NULL, -- sealed
    redirect_uri    text NOT NULL,
    max_age         bigint,
    return_to       text COLLATE "C" NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    FOREIGN KEY (organization_id, connector_id)
        REFERENCES connector (organization_id, id) ON DELETE CASCADE
);

CREATE INDEX login_browser ON login (browser, number);
CREATE INDEX login_organization ON login (organization_id, number);
CREATE INDEX login_expires_at ON login (expires_at);

-- Counting twenty thousand rows at each beginning would let a flood hold up the database. One row
-- for each organization would hold up its sign-ins: each has sixteen, and the sum counts.
CREATE TABLE login_count (
    organization_id uuid NOT NULL,
    slot            integer NOT NULL,
    open            bigint NOT NULL,
    PRIMARY KEY (organization_id, slot)
) WITH (fillfactor = 50);

CREATE FUNCTION count_logins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- In one order, so that no two statements wait for each other.
    INSERT INTO login_count AS counted (organization_id, slot, open)
    SELECT organization_id, get_byte(state, 0) % 16, count(*) * TG_ARGV[0]::integer
    FROM changed GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (organization_id, slot) DO UPDATE SET open = counted.open + excluded.open;
    RETURN NULL;
END
$$;

CREATE TRIGGER login_inserted AFTER INSERT ON login REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_logins('1');
CREATE TRIGGER login_deleted AFTER DELETE ON login REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_logins('-1');

-- Where a browser's sign-ins ended within the last minute.
CREATE TABLE arrival (
    number    bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    browser   bytea NOT NULL CHECK (length(browser) = 32),
    return_to text COLLATE "C" NOT NULL,
    begun_at  timestamptz NOT NULL,
    at        timestamptz NOT NULL
);

CREATE INDEX arrival_browser ON arrival (browser);
CREATE INDEX arrival_at ON arrival (at);

CREATE TABLE session (
    digest          bytea PRIMARY KEY CHECK (length(digest) = 32),
    organization_id uuid NOT NULL,
    account_id      uuid NOT NULL,
    connector_id    uuid NOT NULL,
    access_epoch    bigint NOT NULL,
    token_role      text,
    role            text NOT NULL,
    sid             text,
    id_token        bytea NOT NULL, -- sealed
    logout_hint     text,
    created_at      timestamptz NOT NULL,
    last_seen_at    timestamptz NOT NULL,
    idle            bigint NOT NULL,
    expires_at      timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL, -- at expires_at, or idle after last_seen_at
    user_agent      text NOT NULL,
    address         text NOT NULL,
    FOREIGN KEY (organization_id, account_id)
        REFERENCES account (organization_id, id) ON DELETE CASCADE
);

CREATE INDEX session_account ON session (organization_id, account_id);
CREATE INDEX session_ends_at ON session (ends_at);

CREATE TABLE decision (
    organization_id uuid NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    id              uuid NOT NULL,
    reference       text COLLATE "C" NOT NULL,
    connector_id    uuid NOT NULL,
    account_id      uuid,
    at              timestamptz NOT NULL,
    outcome         text NOT NULL,
    grounds         json NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE INDEX decision_reference ON decision (organization_id, reference, id);
CREATE INDEX decision_at ON decision (at);

CREATE TABLE audit_event (
    organization_id uuid NOT NULL,
    id              uuid NOT NULL,
    at              timestamptz NOT NULL,
    actor           text NOT NULL,
    action          text NOT NULL,
    target          text NOT NULL,
    reference       text,
    details         json NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE TABLE provisioning_record (
    organization_id uuid NOT NULL,
    connector_id    uuid NOT NULL,
    id              uuid NOT NULL,
    at              timestamptz NOT NULL,
    client          text NOT NULL,
    method          text NOT NULL,
    path            text NOT NULL,
    status          integer NOT NULL,
    outcome         text COLLATE "C" NOT NULL,
    summary         text NOT NULL,
    resource        text COLLATE "C",
    changes         json NOT NULL,
    body            json,
    replay_of       uuid,
    PRIMARY KEY (organization_id, connector_id, id)
);

CREATE INDEX provisioning_record_outcome
    ON provisioning_record (organization_id, connector_id, outcome, id);
CREATE INDEX provisioning_record_resource
    ON provisioning_record (organization_id, connector_id, resource, id)
    WHERE resource IS NOT NULL;
CREATE INDEX provisioning_record_at ON provisioning_record (at);

CREATE TABLE provisioning_tally (
    organization_id uuid NOT NULL,
    connector_id    uuid NOT NULL,
    hour            timestamptz NOT NULL,
    requests        bigint NOT NULL,
    changed         bigint NOT NULL,
    failures        bigint NOT NULL,
    last_request_at timestamptz NOT NULL,
    last_success_at timestamptz,
    PRIMARY KEY (organization_id, connector_id, hour)
);

CREATE INDEX provisioning_tally_hour ON provisioning_tally (hour);

-- Attributes beyond the schemas of the RFCs, in the order in which they came.
CREATE TABLE custom_attribute (
    number          bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    organization_id uuid NOT NULL,
    connector_id    uuid NOT NULL,
    schema_folded   text COLLATE "C" NOT NULL,
    name_folded     text COLLATE "C" NOT NULL,
    schema          text NOT NULL,
    name            text NOT NULL,
    kind            text NOT NULL,
    multi_valued    boolean NOT NULL,
    declared        boolean NOT NULL,
    PRIMARY KEY (organization_id, connector_id, schema_folded, name_folded)
);

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

CREATE TABLE signing_key (
    kid        text COLLATE "C" PRIMARY KEY,
    pkcs8      bytea NOT NULL, -- sealed
    created_at timestamptz NOT NULL
);
