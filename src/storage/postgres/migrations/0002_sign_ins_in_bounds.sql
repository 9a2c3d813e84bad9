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

CREATE INDEX login_organization ON login (organization_id, number);

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

CREATE INDEX decision_at ON decision (at);
