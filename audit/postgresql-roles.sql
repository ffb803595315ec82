-- Who may do what to the audit log on PostgreSQL, in the production profile.
-- Run it once as the owner of the tables, after the migrations, with a role that may create roles.
-- The owner is a fourth role that nobody uses in between: whoever owns a table can drop its triggers.
--
--   twokey_gate    the gate's process: queues, integrates, signs
--   twokey_agent   processes that run agents: queue, and read what is integrated
--   twokey_reader  auditors, dashboards: read
--
-- Give the roles LOGIN and a way to authenticate as your site does it.

DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY['twokey_gate', 'twokey_agent', 'twokey_reader'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
END $$;

REVOKE ALL ON log_entries, log_nodes, log_checkpoints, log_head, log_pending, log_rejected
    FROM PUBLIC, twokey_gate, twokey_agent, twokey_reader;

GRANT SELECT ON log_entries, log_nodes, log_checkpoints TO twokey_gate, twokey_agent, twokey_reader;

-- The gate adds and never changes. Of the head it may move what the trigger lets it move.
GRANT INSERT ON log_entries, log_nodes, log_checkpoints, log_rejected TO twokey_gate;
GRANT SELECT, UPDATE ON log_head TO twokey_gate;
GRANT SELECT, INSERT, DELETE ON log_pending TO twokey_gate;
GRANT SELECT ON log_rejected TO twokey_gate, twokey_reader;

-- An agent queues, and may ask whether its own entry still waits; it sees no MAC that it could copy.
GRANT INSERT, SELECT (id, entry_id) ON log_pending TO twokey_agent;
GRANT SELECT (id, entry_id) ON log_pending TO twokey_reader;
