/**
 * Records of the KMS (`kms.db`). A copy of them opens nothing: tenant keys are wrapped under cells that only the HSM has.
 * `epochs.state`: `making` and `destroying` are intentions, written before the HSM is touched: after a crash the next start
 * finishes a destruction, and clears away what was in the making. `moves.epoch` is the one that boxes move away from.
 * `tek_checks`: by what a tenant key is known again when its cell is lost.
 * `waited.ms`: for how long the KMS was there since a move began; a clock tells it nothing. `later_keys`: boxes that were given the key of a
 * later epoch before they said that they have left this one, so that nobody knows in which their files are. Of a move that an earlier version
 * began neither was written down: it is waited for from now on, and its boxes may have been given anything.
 * `records_version` is that of the HSM, or one ahead.
 */
export const KMS_SCHEMA = `
CREATE TABLE IF NOT EXISTS records_version (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS admin_sets (
  org TEXT NOT NULL,
  version INTEGER NOT NULL,
  content TEXT NOT NULL,
  pinned_at INTEGER NOT NULL,
  PRIMARY KEY (org, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS admin_set_signatures (
  org TEXT NOT NULL,
  version INTEGER NOT NULL,
  signed TEXT NOT NULL,
  PRIMARY KEY (org, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS epochs (
  org TEXT NOT NULL,
  tenant TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('making', 'ready', 'destroying', 'destroyed')),
  wrapped BLOB,
  destroyed_at INTEGER,
  PRIMARY KEY (org, tenant, epoch)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS epochs_unfinished ON epochs (state) WHERE state IN ('making', 'destroying');
CREATE TABLE IF NOT EXISTS tek_checks (
  org TEXT NOT NULL,
  tenant TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (org, tenant, epoch)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS moves (
  org TEXT NOT NULL,
  tenant TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  begun_at INTEGER NOT NULL,
  PRIMARY KEY (org, tenant, epoch)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS moving_boxes (
  org TEXT NOT NULL,
  tenant TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  device TEXT NOT NULL,
  moved_at INTEGER,
  PRIMARY KEY (org, tenant, epoch, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS waited (
  org TEXT NOT NULL,
  tenant TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  ms INTEGER NOT NULL,
  PRIMARY KEY (org, tenant, epoch)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS later_keys (
  org TEXT NOT NULL,
  tenant TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  device TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (org, tenant, epoch, device)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO later_keys (org, tenant, epoch, device, at)
  SELECT org, tenant, epoch, device, begun_at FROM moving_boxes JOIN moves USING (org, tenant, epoch)
  WHERE moved_at IS NULL AND NOT EXISTS (SELECT 1 FROM waited w WHERE w.org = moves.org AND w.tenant = moves.tenant AND w.epoch = moves.epoch);
INSERT OR IGNORE INTO waited (org, tenant, epoch, ms) SELECT org, tenant, epoch, 0 FROM moves;
CREATE TABLE IF NOT EXISTS assignments (
  id TEXT PRIMARY KEY,
  org TEXT NOT NULL,
  tenant TEXT NOT NULL,
  device TEXT NOT NULL,
  token TEXT NOT NULL,
  ended_at INTEGER
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS assignments_current ON assignments (org, tenant, device) WHERE ended_at IS NULL;
CREATE TABLE IF NOT EXISTS used_approvals (
  org TEXT NOT NULL,
  id TEXT NOT NULL,
  used_at INTEGER NOT NULL,
  PRIMARY KEY (org, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS denied_devices (device TEXT PRIMARY KEY, denied_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS destroyed_tenants (
  org TEXT NOT NULL,
  tenant TEXT NOT NULL,
  destroyed_at INTEGER NOT NULL,
  PRIMARY KEY (org, tenant)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS freezes (
  org TEXT NOT NULL,
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  begun_at INTEGER NOT NULL,
  ended_at INTEGER,
  PRIMARY KEY (org, tenant, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS key_changes (
  use TEXT NOT NULL,
  generation INTEGER NOT NULL,
  token TEXT NOT NULL,
  PRIMARY KEY (use, generation)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rate_windows (
  subject TEXT PRIMARY KEY,
  started_at INTEGER NOT NULL,
  used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;
