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
    scim_passwords        bytea NOT NULL CHECK (length(scim_passwords) % 32 = 0), -- digests in a row
    created_at            timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id)
);

-- The connector may not be there yet: its identifier is reserved.
CREATE TABLE setup_link (
    organization_id uuid PRIMARY KEY REFERENCES organization (id) ON DELETE CASCADE,
    digest          bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
    connector_id    uuid NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL
);

CREATE TABLE account (
    organization_id  uuid NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    id               uuid NOT NULL,
    user_name        text NOT NULL,
    user_name_folded text COLLATE "C" NOT NULL,
    external_id      text COLLATE "C",
    email            text NOT NULL,
    email_folded     text COLLATE "C" NOT NULL,
    display_name     text NOT NULL,
    active           boolean NOT NULL,
    scim_roles       json NOT NULL,
    access_epoch     bigint NOT NULL,
    version          bigint NOT NULL,
    created_at       timestamptz NOT NULL,
    last_modified_at timestamptz NOT NULL,
    attributes       json NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE UNIQUE INDEX account_user_name ON account (organization_id, user_name_folded);
CREATE UNIQUE INDEX account_email ON account (organization_id, email_folded);
CREATE UNIQUE INDEX account_external_id ON account (organization_id, external_id)
    WHERE external_id IS NOT NULL;

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
CREATE INDEX login_expires_at ON login (expires_at);

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

-- Refers to nothing: each write of every node would lock the one row of its organization.
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

CREATE TABLE signing_key (
    kid        text COLLATE "C" PRIMARY KEY,
    pkcs8      bytea NOT NULL, -- sealed
    created_at timestamptz NOT NULL
);
