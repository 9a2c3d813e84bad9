-- What a connector's directory may do, and what it must send: JSON, of which only what differs from
-- the defaults need be there.

ALTER TABLE connector ADD COLUMN provisioning TEXT NOT NULL DEFAULT '{}';
