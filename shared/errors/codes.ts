/**
 * Every error code that a person or a program can meet, with what it means and what to do next.
 * A code is stable: it is never renamed and never given a second meaning.
 * `status` is the HTTP status where the error reaches a client.
 */
export const ERROR_CODES = {
  // Input pictures
  not_an_image: { status: 415, title: 'Not a picture', next: 'Send a JPEG, PNG or WebP file.' },
  image_truncated: { status: 422, title: 'Picture is cut off', next: 'Send the whole file again.' },
  image_empty: { status: 422, title: 'Picture has no pixels', next: 'Send a picture with content.' },
  image_too_large: { status: 413, title: 'Picture is too large', next: 'Send a picture within the stated limits.' },
  no_face: { status: 422, title: 'No face found', next: 'Use a picture that shows one face clearly, from the front.' },
  several_faces: { status: 422, title: 'More than one face found', next: 'Crop the picture to one person.' },
  poor_face: { status: 422, title: 'Face is not good enough', next: 'Take a new picture; the reasons say what to change.' },
  too_few_pictures: {
    status: 422,
    title: 'Too few pictures to measure with',
    next: 'Give one folder a person, at least two people, and two different pictures of at least one of them.',
  },
  // Consent
  consent_missing: { status: 409, title: 'No consent on record', next: 'Record the consent of this customer first.' },
  consent_expired: { status: 409, title: 'Consent has expired', next: 'Ask the customer again and record the new consent.' },
  // Who asks, and what may be asked
  unauthenticated: { status: 401, title: 'Not logged in', next: 'Log in with the admin token; a program sends its API key.' },
  forbidden: {
    status: 403,
    title: 'Not allowed',
    next: 'Use a key of this tenant with the scope that the route needs, or an account with the role; on the command line: --account.',
  },
  csrf: {
    status: 403,
    title: 'Request came from another site',
    next: "Send it from the box's own page, or with a key instead of a session.",
  },
  feature_disabled: { status: 403, title: 'Feature is off for this org', next: 'Ask the operator of the platform to turn it on.' },
  wrong_host: {
    status: 421,
    title: 'Box is not called by this name',
    next: 'Call it by localhost or 127.0.0.1 on its own machine, or by a name in `api.hostnames`; from elsewhere it is called with a certificate.',
  },
  issuer_unavailable: {
    status: 503,
    title: 'Keys of the token issuer are not known',
    next: 'Try again; see to it that the issuer is in reach at `keysUrl`. Keys that were fetched count on for `keysDays`.',
  },
  unknown_host: {
    status: 404,
    title: 'Nobody is called by this host name',
    next: 'Call it by a name of its certificate, or name this one in the configuration: in `api.hostnames`, or in `hostnames` of its tenant.',
  },
  misdirected_request: {
    status: 421,
    title: 'Host differs from the name of the TLS connection',
    next: 'Open a connection for this host name of its own (SNI).',
  },
  outside_tenant: {
    status: 403,
    title: 'Request goes beyond the tenant of its host name or headers',
    next: 'Use the host name of that tenant, or one of the platform itself.',
  },
  rate_limited: { status: 429, title: 'Too many requests', next: 'Wait as long as the Retry-After header says.' },
  // Identifiers and requests
  invalid_id: { status: 400, title: 'Identifier is not valid', next: 'Use 2 to 63 lower-case letters, digits and dashes.' },
  usage: { status: 400, title: 'Command is used wrongly', next: 'Add --help to see what it takes.' },
  file_unreadable: { status: 400, title: 'File cannot be read', next: 'Check the path of the file, who may read it, and what is in it.' },
  invalid_request: { status: 400, title: 'Request is not valid', next: 'See the details for the field at fault.' },
  customer_not_found: { status: 404, title: 'No such customer', next: 'Check the id of the customer, and the tenant.' },
  tenant_not_found: { status: 404, title: 'No such tenant', next: 'Check the id of the tenant, and the org.' },
  org_not_found: { status: 404, title: 'No such org', next: 'Check the id of the org.' },
  principal_not_found: { status: 404, title: 'No such user or service account', next: 'Check the id, and the org.' },
  not_found: { status: 404, title: 'No such route', next: 'See /openapi.json for the routes.' },
  record_not_found: { status: 404, title: 'No such record', next: 'Check the id and the tenant.' },
  sighting_gone: {
    status: 404,
    title: 'Picture of this sighting is gone',
    next: 'Use it sooner: it lives in memory for a few seconds only.',
  },
  conflict: {
    status: 409,
    title: 'Conflicts with what is there',
    next: 'See the details; choose another id or look at the present state.',
  },
  fixed_by_configuration: { status: 409, title: 'Fixed by the configuration', next: 'Change it in the configuration file and restart.' },
  version_conflict: { status: 412, title: 'Changed in the meantime', next: 'Read it again and repeat the change on the new version.' },
  payload_too_large: { status: 413, title: 'Request is too large', next: 'Stay within the limits stated for the route.' },
  unsupported_media_type: { status: 415, title: 'Content type is not taken here', next: 'Send the content type stated for the route.' },
  idempotency_mismatch: { status: 422, title: 'Idempotency key was used for another request', next: 'Use a new key for a new request.' },
  webhook_target_refused: {
    status: 422,
    title: 'Webhook target is not allowed',
    next: 'Use a public HTTPS address, or allow this target in the configuration.',
  },
  // Keys and vault
  key_file_missing: { status: 503, title: 'Tenant key is missing', next: 'Put the key file of this tenant into the key folder.' },
  key_file_unsafe: {
    status: 503,
    title: 'Tenant key file is not protected',
    next: 'chmod 600 the key file and keep it outside the data folder.',
  },
  key_rejected: { status: 503, title: 'Key does not open this vault', next: 'Use the key that belongs to this tenant and epoch.' },
  envelope_rejected: {
    status: 500,
    title: 'Sealed record does not open',
    next: 'The record was changed, swapped or belongs elsewhere: restore it from a backup.',
  },
  vault_corrupt: { status: 503, title: 'Vault files are damaged', next: 'Restore the vault from a backup.' },
  vault_newer: { status: 503, title: 'Vault was written by a newer version', next: 'Install that version again.' },
  vault_unavailable: { status: 503, title: 'Vault is not running', next: 'Try again; the daemon is restarting it.' },
  // Keys under a lease
  lease_missing: {
    status: 503,
    title: 'Tenant has no lease',
    next: 'Nothing where the KMS is in reach: the box asks for one. Else bring one on a stick: securegate lease request',
  },
  lease_ended: {
    status: 503,
    title: 'Lease of the tenant has ended',
    next: 'Let the box reach its KMS again, or bring a lease on a stick: securegate lease request',
  },
  lease_revoked: {
    status: 503,
    title: 'Lease of the tenant was revoked',
    next: 'Whoever revoked it lets the box renew it: the command renew-lease of the control plane.',
  },
  epoch_lost: {
    status: 410,
    title: "Key of the tenant's files was destroyed",
    next: 'This box was away for longer than its org waits: nobody opens what it has of the tenant, nor a backup of it. To begin anew, with nothing, follow the runbook restore-a-vault, "Begin anew".',
  },
  tenant_shredded: {
    status: 410,
    title: 'Tenant was shredded on this box',
    next: 'It does not come back here, and its id is never used again: take it out of the configuration, or choose another id.',
  },
  lease_not_used: {
    status: 409,
    title: 'Tenant has no use for a lease',
    next: 'Its key is a file; set `keys` to `lease` in the configuration.',
  },
  device_keys_unusable: {
    status: 503,
    title: 'Keys of this box cannot be used',
    next: 'The details name what is wrong; lost or damaged keys are replaced by new ones, to which the box is assigned anew: securegate device-keys show',
  },
  lease_rejected: {
    status: 403,
    title: 'Lease does not hold',
    next: 'Ask for a new one; the details say what does not fit.',
  },
  lease_cache_failed: {
    status: 503,
    title: 'Lease cannot be kept or read',
    next: 'Let the box fetch a new lease; see the cause if it happens again.',
  },
  lease_rolled_back: {
    status: 503,
    title: 'Lease is of an older state of this box',
    next: 'Disk or TPM were set back, or the disk comes from another box: let the box fetch a new lease.',
  },
  lease_ending: {
    status: 503,
    title: 'Lease of the tenant is about to end',
    next: 'See why it is not renewed, or bring the next one on a stick: securegate lease show, securegate lease request',
  },
  tpm_unavailable: {
    status: 503,
    title: 'TPM cannot be used',
    next: 'The details say what the TPM answered and what to do about it.',
  },
  // Backups
  copy_outdated: { status: 503, title: 'Files changed while they were copied', next: 'Try again.' },
  backup_damaged: { status: 422, title: 'Backup is damaged or not whole', next: 'Use another backup; the details name what is wrong.' },
  keyring_missing: {
    status: 503,
    title: 'Keyring of a tenant is not there',
    next: 'Name the folder in which the replica of the keyring lies: --keyring DIR',
  },
  keyring_outdated: {
    status: 409,
    title: 'Keyring is older than the newest one known',
    next: 'Bring the newest replica: an older keyring would bring back who was erased since.',
  },
  replica_behind: {
    status: 503,
    title: 'Keyring replica is behind',
    next: 'Check that the folder named by keyringReplicaDir is there and can be written; the box keeps trying.',
  },
  backup_outdated: {
    status: 503,
    title: 'No backup in the last week',
    next: 'Make one, and a copy of the key folder: securegate backup create',
  },
  key_copy_outdated: {
    status: 503,
    title: 'Tenant has another key since the last backup',
    next: 'Copy the key folder anew and make a backup; destroy the copies of the old key.',
  },
  // Keys in the cloud
  cloud_unavailable: {
    status: 503,
    title: 'Control plane cannot be reached',
    next: 'Check that securegate cloud runs, and its address.',
  },
  kms_unavailable: {
    status: 503,
    title: 'KMS cannot be reached',
    next: 'Check that securegate kms runs and whom it lets in: by the folder of its socket, or by certificate. Its log says whom it refused.',
  },
  hsm_unavailable: {
    status: 503,
    title: 'HSM cannot be used',
    next: 'Check the token, its library and the PIN; the details say what it answered.',
  },
  hsm_unsuitable: { status: 503, title: 'HSM lacks what is needed', next: 'Use an HSM with the mechanisms that the details name.' },
  hsm_refused: { status: 500, title: 'HSM refused', next: "See the HSM's own log; the KMS changed nothing." },
  secret_file_unsafe: {
    status: 503,
    title: 'Secret file is missing or not protected',
    next: 'Put the secret into a file of mode 0600 that belongs to the user of the process.',
  },
  cell_gone: { status: 410, title: 'Key was destroyed', next: 'What was sealed under it cannot be opened any more; make a new epoch.' },
  tenant_destroyed: { status: 410, title: 'Tenant was destroyed', next: 'Its id is never used again; choose another one.' },
  tenant_frozen: {
    status: 423,
    title: 'Tenant is about to be shredded',
    next: 'Its keys are given to nobody. Cancel the shred, as long as its destruction has not begun.',
  },
  epoch_not_found: { status: 404, title: 'Tenant has no such epoch', next: 'List the epochs of the tenant.' },
  epoch_replaced: {
    status: 410,
    title: 'Epoch was replaced',
    next: 'Ask for the newest epoch of the tenant; a box that has moved there, or came later, gets no older one.',
  },
  boxes_waiting: {
    status: 409,
    title: 'Boxes still need this epoch',
    next: 'Wait until they have moved, or for the deadline; deny a box that is gone for good.',
  },
  move_rejected: {
    status: 403,
    title: 'Acknowledgement of a move does not hold',
    next: 'Have it signed again by the key of the device that is assigned.',
  },
  tek_rejected: {
    status: 409,
    title: 'Wrapped tenant key does not open',
    next: 'The record was changed or is of another tenant or epoch: restore the newest records of the KMS.',
  },
  records_rolled_back: {
    status: 503,
    title: 'Records of the KMS and its HSM are not of the same time',
    next: 'Put back the newest copy of the records. Where there is none, the runbook of the KMS says how its security officer accepts these.',
  },
  admins_missing: {
    status: 409,
    title: 'Org has no pinned admin keys',
    next: 'Have an admin of the org pin its first keys: securegate org-keys pin',
  },
  admins_rejected: {
    status: 403,
    title: 'Change of admin keys is not approved',
    next: 'Have it signed by enough of the present admin keys, or by the recovery quorum.',
  },
  assignment_rejected: { status: 403, title: 'Assignment does not hold', next: 'Have a new one signed by a pinned admin key of the org.' },
  assignment_used: { status: 409, title: 'Assignment was used before', next: 'Have a new one signed; each counts once.' },
  approval_rejected: {
    status: 403,
    title: 'Offline approval does not hold',
    next: 'Have a new one signed by a pinned admin key of the org, for this very request and at most seven days.',
  },
  approval_used: {
    status: 409,
    title: 'Offline approval was used before',
    next: 'Have the box make a new request and a new approval signed for it; each counts once.',
  },
  recovery_rejected: {
    status: 403,
    title: 'Recovery of keys does not hold',
    next: 'Have a new one drafted, and signed by enough of the recovery keys that are pinned for the org, each once.',
  },
  hand_over_rejected: {
    status: 403,
    title: 'What a box hands over does not hold',
    next: 'Have the box make it again, by the key of its assignment and for this recovery.',
  },
  export_rejected: {
    status: 403,
    title: 'Export request does not hold',
    next: 'Ask for a new challenge and sign the request with the key of the device.',
  },
  device_untrusted: {
    status: 403,
    title: 'Device key is not trusted',
    next: 'Have the security officer register it: securegate kms-trust add',
  },
  device_denied: { status: 403, title: 'Device is denied', next: 'Enrol the device anew; a denied id never comes back.' },
  broker_unavailable: {
    status: 503,
    title: 'Broker cannot be reached',
    next: 'Nothing at once: the connection is tried again. If it stays so, check address, certificate and clock; the log of the broker says whom it refused.',
  },
  // Boxes and the control plane
  tenant_not_assigned: {
    status: 403,
    title: 'Box is not assigned to this tenant',
    next: 'Have an admin of the org assign it: securegate org-keys assign',
  },
  device_not_found: { status: 404, title: 'No such box', next: 'Check the id of the box, and the org.' },
  fingerprint_differs: {
    status: 403,
    title: 'Keys of the box are not those of the fingerprint',
    next: 'Read the fingerprint once more on the box itself: securegate status. Where it stays another one, somebody has put keys in the place of its own: securegate cloud devices deny',
  },
  enrolment_token_rejected: {
    status: 403,
    title: 'Enrolment token does not count',
    next: 'Have a new one made: securegate cloud enrolment-tokens create. Each is for one box and ends with its time.',
  },
  enrolment_rejected: {
    status: 422,
    title: 'Enrolment is not valid',
    next: 'The details say what does not fit; enrol with: securegate enrol',
  },
  certificate_rejected: {
    status: 403,
    title: 'Certificate of the box does not count',
    next: 'A box that was away for too long, was replaced or has left enrols anew: securegate enrol',
  },
  cloud_untrusted: {
    status: 502,
    title: 'This is not the control plane that the token is of',
    next: 'Check the address and the token; somebody between may be listening.',
  },
  not_enrolled: { status: 409, title: 'Box is not enrolled', next: 'Have a token made and run: securegate enrol' },
  already_enrolled: {
    status: 409,
    title: 'Box is enrolled',
    next: 'See securegate status; to enrol elsewhere first run: securegate leave',
  },
  // Commands to boxes
  command_not_found: { status: 404, title: 'No such command', next: 'Check the id of the command, and the org.' },
  shred_not_found: { status: 404, title: 'No such shred', next: 'Check the id of the shred, and the org.' },
  shred_settled: {
    status: 409,
    title: 'It is too late for this shred',
    next: 'It was approved, cancelled, or its destruction has begun: read it. What was begun has no way back.',
  },
  two_person_rule_stays: {
    status: 409,
    title: 'The two-person rule stays on',
    next: 'It is chosen when a tenant is made, and can be turned on later, never off: nobody alone shreds a tenant that was under it. Leave it on in the change.',
  },
  approver_not_person: { status: 403, title: 'Only people approve a shred', next: 'Approve it with the account of a person.' },
  receipt_rejected: {
    status: 422,
    title: 'Receipt does not hold',
    next: 'Get it anew from the control plane, and its public keys by a way that you trust. Where it still does not hold, somebody says what is not so.',
  },
  erasure_not_found: { status: 404, title: 'No such erasure', next: 'Check the id of the erasure, and the org.' },
  receipt_not_found: { status: 404, title: 'No such receipt', next: 'Check the id of the receipt, and the org.' },
  command_settled: {
    status: 409,
    title: 'Command cannot be cancelled any more',
    next: 'The box has begun it or said what came of it, or its time is over: read the command. What belongs to a shred or an erasure is not cancelled by itself.',
  },
  command_rejected: {
    status: 403,
    title: 'Command does not hold',
    next: 'It was not signed by this control plane for this box; the box has done nothing.',
  },
  command_expired: { status: 410, title: 'Command came too late', next: 'Give it again, with more time for a box that is away.' },
  command_unknown: { status: 501, title: 'Box does not know this command', next: 'Update the box.' },
  command_interrupted: {
    status: 500,
    title: 'Box ended while it worked on the command',
    next: 'It was perhaps done, and is not begun again: look at the box and give it anew where it is needed.',
  },
  command_timeout: { status: 504, title: 'Command took too long on the box', next: 'Look at the box: it may still be at it.' },
  ack_rejected: {
    status: 403,
    title: "Box's word on a command does not hold",
    next: 'It was not signed by the key of the box that brought it; enrol the box anew where its key has changed.',
  },
  // What a box should have
  desired_rejected: {
    status: 403,
    title: 'Desired state does not hold',
    next: 'It was not signed by this control plane for this box; the box has changed nothing.',
  },
  desired_too_large: {
    status: 409,
    title: 'More than a box can be told to have',
    next: 'Take cameras away from this box, or give some of its tenants to another one.',
  },
  camera_credential_missing: {
    status: 409,
    title: 'Credential of the camera is not on the box',
    next: 'Put it there: securegate camera-credential set NAME --host HOST',
  },
  camera_credential_elsewhere: {
    status: 409,
    title: 'Credential of the camera is for other hosts',
    next: 'If the address of the camera is right, put the credential there for it: securegate camera-credential set NAME --host HOST',
  },
  // The log of what was done
  log_head_rejected: {
    status: 403,
    title: 'Head of the audit log does not hold',
    next: 'It was not signed by a key that is pinned: compare the key with that of the control plane (securegate audit key).',
  },
  log_forked: {
    status: 409,
    title: 'The audit log was rewritten',
    next: 'What was in it is not there any more, or is something else: keep both heads and ask those who run the control plane.',
  },
  log_truncated: {
    status: 409,
    title: 'The audit log is shorter than it was',
    next: 'Keep both heads. After a restore from a backup, those who run the control plane declare it: securegate audit declare-fork.',
  },
  log_backdated: {
    status: 409,
    title: 'The audit log says a time that cannot be',
    next: 'Something was put in later than it says: keep both heads and ask those who run the control plane.',
  },
  log_entry_rejected: {
    status: 409,
    title: 'An entry is not what the audit log holds',
    next: 'It was changed, or was never in the log: the details name it. Ask those who run the control plane.',
  },
  log_entry_missing: {
    status: 409,
    title: 'Entries of the audit log are withheld',
    next: 'Fewer of this org were told than before: ask those who run the control plane which were erased, and why.',
  },
  log_fork_declared: {
    status: 409,
    title: 'The audit log was begun anew after a restore',
    next: 'The control plane says that it lost the end of its log: ask those who run it when and why, then take the evidence away.',
  },
  key_change_rejected: {
    status: 403,
    title: 'Change of a key was not signed by the key that counts',
    next: 'What was pinned counts on. Ask those who run the control plane whether they changed the key (securegate kms-key change); a lost key is not changed but recovered.',
  },
  log_memory_rolled_back: {
    status: 409,
    title: 'An older state of the disk of this box was put back',
    next: 'The box goes on from the later head of the audit log that its TPM holds. Ask who put the disk back, and why, then take the evidence away.',
  },
  log_anchor_lost: {
    status: 409,
    title: 'The TPM does not hold the head of the audit log any more',
    next: 'It was cleared or exchanged, or somebody removed what this box kept in it: ask who, then take the evidence away.',
  },
  kms_audit_truncated: {
    status: 409,
    title: "The KMS's own audit is shorter than it was",
    next: 'It was restored from a backup, or somebody has cut it off: compare it with the entries `kms.…` of the audit log.',
  },
  log_busy: {
    status: 409,
    title: 'The audit log has moved on meanwhile',
    next: 'Try again.',
  },
  log_copy_differs: {
    status: 409,
    title: 'The copy of the audit log in the bucket is another one',
    next: 'The details name the object. After a restore from a backup, declare it: securegate audit declare-fork. Otherwise somebody has rewritten the log, or written into the bucket: keep both, and ask who.',
  },
  log_bucket_unlocked: {
    status: 409,
    title: 'The bucket does not keep what is put there',
    next: 'Make a bucket with versioning and Object Lock, and name it in `audit.s3`; nothing is put into this one.',
  },
  // Object stores
  bucket_unavailable: {
    status: 503,
    title: 'The object store cannot be reached',
    next: 'See to it that it can; it is tried again, less and less often, and nothing is left out.',
  },
  bucket_refused: {
    status: 502,
    title: 'The object store refuses',
    next: 'The details say why: check access key and its rights, the names of bucket and region, and the clock of this machine.',
  },
  // Cameras
  camera_unreachable: {
    status: 502,
    title: 'Camera cannot be reached',
    next: 'Check address, network and credentials of the camera, and for rtsps:// its certificate (`cameraCaFile`).',
  },
  camera_silent: { status: 502, title: 'Camera sends no pictures', next: 'Check the camera; the box keeps trying.' },
  camera_ended: { status: 502, title: 'Camera ended the stream', next: 'Check the camera; the box keeps trying.' },
  camera_unsupported: {
    status: 422,
    title: 'Stream cannot be decoded',
    next: 'Set the camera to H.264 or H.265; a film needs a container such as MP4.',
  },
  // Models
  model_missing: { status: 503, title: 'Model file is missing', next: 'Run: securegate models pull' },
  model_integrity: { status: 503, title: 'Model file is not the expected one', next: 'Remove it and run: securegate models pull' },
  model_contract: { status: 503, title: 'Model does not fit its contract', next: 'Import the model that the manifest describes.' },
  model_unknown: { status: 404, title: 'No such model or set', next: 'Run: securegate models list' },
  model_licence: { status: 403, title: 'Licence not accepted', next: 'Read the licence, then repeat with --accept-licence.' },
  embedder_differs: {
    status: 409,
    title: 'The set embeds faces by another model',
    next: 'Choose a set with the embedding model of the box: to another, whoever is enrolled is a stranger. To change it, name the set in the configuration of the box and enrol everybody anew.',
  },
  models_given_up: {
    status: 503,
    title: 'The box never lasted with these models',
    next: 'Choose another set: the daemon ended three times within minutes of work by this one, its memory is probably too small. To try it once more, choose another one and then this one again.',
  },
  model_source: { status: 502, title: 'Model cannot be fetched', next: 'Check the network or use: securegate models pull --from FOLDER' },
  inference_failed: { status: 500, title: 'Inference failed', next: 'See the cause; the box goes on with the next frame.' },
  // Box
  box_unreachable: {
    status: 503,
    title: 'Box cannot be reached',
    next: 'Start the box; where it is served elsewhere than its configuration says, add --api.',
  },
  config_invalid: { status: 500, title: 'Configuration is not valid', next: 'Correct what the details name.' },
  config_missing: {
    status: 500,
    title: 'Configuration file cannot be read',
    next: 'Check the path of the configuration and who may read it.',
  },
  data_folder_in_use: { status: 409, title: 'Data folder is in use', next: 'Stop the other daemon or choose another folder.' },
  data_folder_newer: { status: 503, title: 'Data folder was written by a newer version', next: 'Install that version again.' },
  store_newer: { status: 503, title: 'Database was written by a newer version', next: 'Install that version again.' },
  store_in_use: {
    status: 409,
    title: 'Database is in use',
    next: 'Stop the other control plane. Several at once need a Postgres (DATABASE_URL) and a broker that stands apart (`fleet.broker.url`).',
  },
  storage_failed: { status: 507, title: 'Storage failed', next: 'Check the free space and the permissions of the folder.' },
  overloaded: { status: 503, title: 'Too much work at once', next: 'Try again later or lower the sampling rate.' },
  stopped: { status: 503, title: 'Stopped before it was done', next: 'Start it again.' },
  demo_failed: { status: 500, title: 'Demo failed', next: 'Run it again with --keep and look into the log in its folder.' },
  internal: { status: 500, title: 'Unexpected error', next: 'Report it with the log lines around it.' },
} as const satisfies Record<string, { status: number; title: string; next: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;
