// The rooms of the code and what each of them may import. test/unit/boundaries.test.ts shows that every rule bites
// and that every folder with sources belongs to a room.

const SHARED = '^shared/';
const MODELS = '^models/';
const RUNTIME = '^edge/runtime/';
const INFERENCE = '^edge/inference/';
const FRAME = '^edge/pipeline/frame\\.ts$';
const API_PORTS = '^edge/api/ports\\.ts$';
const CONSOLE = '^edge/console/';
const VAULT_CLIENT = '^edge/vault/client\\.ts$';
/** What the command line may ask of the box's keys, in a process of its own. */
const BOX_KEYS = '^edge/vault/keys/device/(describe-device-keys|sign-device-statement)\\.ts$';
const KMS_CLIENT = '^cloud/kms/client\\.ts$';
const CLOUD_ROOTS = '^cloud/(main|sign-token|certify-broker)\\.ts$';
const KMS_ROOTS = '^cloud/kms/(trust-)?main\\.ts$';
/** What the attack of the shred's drill has of the KMS: the way to its HSM. */
const ATTACKED = '^cloud/kms/(config/schema|hsm/(hsm|open-hsm))\\.ts$';
const PIPELINE_STAGES = ['decode', 'motion', 'detect', 'track', 'face', 'embed', 'match', 'sighting'];

/** Room: the sources that belong to it (regular expression) and those that they may import besides their own room's. */
const ROOMS = [
  // The composition roots know every part, but of the vault only its client.
  { name: 'edge', path: '^edge/[^/]+$', may: ['^edge/(?!vault/)', VAULT_CLIENT, SHARED, MODELS] },
  // The parts of the daemon that the API reaches through its ports; composed by the daemon, which is their only user.
  { name: 'edge/box', path: '^edge/box/', may: ['^edge/(?!vault/)', VAULT_CLIENT, SHARED, MODELS] },
  { name: 'edge/media', path: '^edge/media/', may: [INFERENCE, RUNTIME, SHARED] },
  { name: 'edge/webhooks', path: '^edge/webhooks/', may: [API_PORTS, VAULT_CLIENT, RUNTIME, SHARED] },
  { name: 'edge/config', path: '^edge/config/', may: [SHARED] },
  { name: 'edge/runtime', path: RUNTIME, may: [SHARED] },
  { name: 'edge/inference', path: INFERENCE, may: [RUNTIME, SHARED, MODELS] },
  // Only the files beside the stages know their order.
  { name: 'edge/pipeline', path: '^edge/pipeline/[^/]+$', may: ['^edge/pipeline/', INFERENCE, RUNTIME, SHARED] },
  ...PIPELINE_STAGES.map((stage) => ({
    name: `edge/pipeline/${stage}`,
    path: `^edge/pipeline/${stage}/`,
    may: [FRAME, INFERENCE, RUNTIME, SHARED],
  })),
  { name: 'edge/vault', path: '^edge/vault/', may: [RUNTIME, SHARED] },
  { name: 'edge/link', path: '^edge/link/', may: [RUNTIME, SHARED] },
  { name: 'edge/appliance', path: '^edge/appliance/', may: [RUNTIME, SHARED] },
  { name: 'edge/backup', path: '^edge/backup/', may: [VAULT_CLIENT, '^edge/appliance/', RUNTIME, SHARED] },
  // What it needs of the running box comes to it through its ports.
  { name: 'edge/api', path: '^edge/api/', may: [VAULT_CLIENT, '^edge/appliance/', RUNTIME, SHARED] },
  // The page runs in a browser: of the box it knows the forms of messages, and what is pure.
  { name: 'edge/console', path: CONSOLE, may: ['^edge/api/schemas/', FRAME, SHARED] },
  { name: 'cloud', path: '^cloud/[^/]+$', may: ['^cloud/(?!kms/)', KMS_CLIENT, SHARED] },
  { name: 'cloud/config', path: '^cloud/config/', may: ['^cloud/store/', SHARED] },
  { name: 'cloud/store', path: '^cloud/store/', may: [SHARED] },
  { name: 'cloud/audit', path: '^cloud/audit/', may: ['^cloud/store/', KMS_CLIENT, SHARED] },
  { name: 'cloud/tenants', path: '^cloud/tenants/', may: ['^cloud/store/', KMS_CLIENT, SHARED] },
  { name: 'cloud/iam', path: '^cloud/iam/', may: ['^cloud/(store|tenants)/', SHARED] },
  { name: 'cloud/broker', path: '^cloud/broker/', may: [SHARED] },
  { name: 'cloud/fleet', path: '^cloud/fleet/', may: ['^cloud/(audit|store)/', KMS_CLIENT, SHARED] },
  { name: 'cloud/shred', path: '^cloud/shred/', may: ['^cloud/(audit|fleet|store|tenants)/', KMS_CLIENT, SHARED] },
  { name: 'cloud/http', path: '^cloud/http/', may: ['^cloud/(audit|fleet|iam|shred|store|tenants)/', KMS_CLIENT, SHARED] },
  { name: 'cloud/kms', path: '^cloud/kms/', may: [SHARED] },
  { name: 'models', path: MODELS, may: [SHARED] },
  // Command line: what it starts of the daemon, it loads by dynamic import (rule `provisioning-loads-roots-late`).
  { name: 'provisioning', path: '^provisioning/', may: [SHARED, MODELS, '^edge/', CLOUD_ROOTS, KMS_CLIENT, KMS_ROOTS, ATTACKED] },
  { name: 'shared', path: SHARED, may: [] },
];

/** Native or far-reaching packages and the only places that may import them. */
const DOORS = [
  { package: 'onnxruntime-node', from: [INFERENCE, '^provisioning/drills/sabotage/'] },
  { package: 'node-av', from: ['^edge/pipeline/decode/', '^provisioning/demo/'] },
  { package: 'sharp', from: ['^edge/pipeline/(decode|face)/', '^edge/media/', '^provisioning/demo/'] },
  // The attack reads what it copied by itself: it must not depend on the code that it attacks.
  {
    package: 'better-sqlite3',
    from: ['^edge/(vault|appliance)/', '^cloud/(broker|store|kms/store|kms/hsm/software)/', '^provisioning/drills/shred/attack/'],
  },
  { package: 'sqlite-vec', from: ['^edge/vault/'] },
  { package: 'pdfkit', from: ['^provisioning/receipts/'] },
  { package: 'pkcs11js', from: ['^cloud/kms/hsm/pkcs11/'] },
  {
    package: 'jose',
    from: [
      '^cloud/(audit|kms|iam|fleet/(enrolment|ledger|requests)|shred)/',
      '^cloud/fleet/(sign-for-boxes|verify-box-token)\\.ts$',
      '^edge/(link|vault/keys)/',
      '^provisioning/org-keys/',
      '^shared/(audit|lease|receipts|tokens)/',
    ],
  },
  { package: 'kysely', from: ['^cloud/'] },
  { package: 'aedes', from: ['^cloud/broker/'] },
  { package: 'mqtt', from: ['^shared/mqtt/'] },
  { package: 'pg', from: ['^cloud/store/'] },
  { package: '@aws-sdk', from: ['^shared/s3/'] },
  { package: '@peculiar', from: ['^shared/fleet/x509\\.ts$'] },
  { package: 'reflect-metadata', from: ['^shared/fleet/x509\\.ts$'] },
  { package: 'hpke', from: ['^shared/lease/'] },
  { package: '@node-rs/argon2', from: ['^edge/appliance/'] },
  { package: 'fastify', from: ['^(edge/api|cloud/http|shared/http)/'] },
  { package: '@fastify', from: ['^(edge/api|cloud/http|shared/http)/'] },
  { package: 'fastify-type-provider-zod', from: ['^(edge/api|cloud/http|shared/http)/'] },
  { package: 'prom-client', from: ['^(edge/api|cloud/http)/'] },
  { package: 'pacote', from: ['^models/registry/'] },
  { package: 'tar', from: ['^models/registry/'] },
  { package: 'onnx-proto', from: ['^models/convert/'] },
  { package: 'openapi-fetch', from: ['^shared/cloud-client/'] },
  { package: 'commander', from: ['^provisioning/'] },
];

/** `doctor` loads each native package in a process of its own to see whether it works. */
const PROBE = '^provisioning/doctor/probe-native\\.ts$';

const TOOLING = '^(vitest\\.config\\.ts$|\\.ci/)';

const OUR_SOURCES = '^(edge|cloud|shared|models|provisioning|systemd|test)/';

module.exports = {
  forbidden: [
    ...ROOMS.map(({ name, path, may }) => ({
      name: `room ${name}`,
      severity: 'error',
      from: { path },
      to: { path: OUR_SOURCES, pathNot: [path, ...may] },
    })),
    ...DOORS.map((door) => ({
      name: `door ${door.package}`,
      severity: 'error',
      from: { pathNot: [...door.from, PROBE, '^test/'] },
      to: { path: `^node_modules/${door.package}/` },
    })),
    {
      name: 'provisioning-loads-roots-late',
      comment: 'The command line must start, and doctor must answer, where a part of the daemon cannot be loaded.',
      severity: 'error',
      from: { path: '^provisioning/' },
      to: { path: '^(edge|cloud)/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'vault-only-by-client',
      comment: 'The vault is a process of its own; whoever imports its insides has its keys in the wrong memory.',
      severity: 'error',
      from: { pathNot: ['^edge/vault/', '^test/'] },
      to: { path: '^edge/vault/', pathNot: [VAULT_CLIENT, BOX_KEYS] },
    },
    {
      name: 'kms-only-by-client',
      comment: 'The KMS is a process of its own; whoever imports its insides could wrap and destroy keys unasked.',
      severity: 'error',
      from: { pathNot: ['^cloud/kms/', '^provisioning/', '^test/'] },
      to: { path: '^cloud/kms/', pathNot: [KMS_CLIENT] },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { pathNot: ['^test/', TOOLING] },
      to: { path: ['^test/', '^node_modules/(vitest|fast-check)/'] },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'only-declared-packages',
      comment: 'A package that another one happens to bring along is gone with its next version. The page is built: it brings its own.',
      severity: 'error',
      from: { pathNot: ['^test/', TOOLING, CONSOLE] },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-optional', 'npm-peer'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.json'],
      conditionNames: ['import', 'node', 'types', 'default'],
      exportsFields: ['exports'],
    },
  },
};
