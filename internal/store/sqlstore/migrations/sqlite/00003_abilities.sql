-- +goose Up

-- What is proven about a backend, by ability, as JSON; see keystile.Abilities.
ALTER TABLE probes ADD COLUMN abilities TEXT NOT NULL DEFAULT '{}';
UPDATE probes SET abilities = json_object('keeps_keys',
    json_object('verdict', CASE keeps_keys WHEN 0 THEN 'no' ELSE 'yes' END, 'at', probed_at));
-- Nothing else was tried yet: the next check of the backend's health probes it.
UPDATE probes SET probed_at = 0;
ALTER TABLE probes DROP COLUMN keeps_keys;

ALTER TABLE backends ADD COLUMN force_hashing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE backends ADD COLUMN scratch TEXT NOT NULL DEFAULT '';
