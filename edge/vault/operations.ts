import type { Gives, Operation, Taken } from './protocol.ts';
import type { Vault } from './vault.ts';

/** What an open vault does for each message; the others are the service's own. */
type OnOpenVault = Exclude<
  Operation,
  | 'open'
  | 'close'
  | 'countTraces'
  | 'shred'
  | 'requestLease'
  | 'requestOnStick'
  | 'acceptLease'
  | 'getLease'
  | 'sayMoved'
  | 'handOver'
  | 'forgetLease'
>;

export const HANDLERS: { readonly [O in OnOpenVault]: (vault: Vault, input: Taken<O>) => Gives<O> | Promise<Gives<O>> } = {
  enrolCustomer: (vault, input) => vault.customers.enrol(input),
  listCustomers: (vault, input) => vault.customers.list(input),
  getCustomer: (vault, input) => vault.customers.get(input),
  customerNames: (vault, input) => vault.customers.names(input),
  changeProfile: (vault, input) => vault.customers.changeProfile(input),
  recordConsent: nothingOf((vault, input) => vault.customers.recordConsent(input)),
  withdrawConsent: nothingOf((vault, input) => vault.customers.withdrawConsent(input)),
  removeCustomer: async (vault, input) => {
    await vault.customers.remove(input);
    return {};
  },

  eraseCustomers: async (vault, { customerIds }) => {
    await vault.customers.erase(customerIds);
    return vault.erasures.of(customerIds);
  },
  listErasures: (vault, input) => vault.erasures.list(input),
  moveEpoch: (vault, input) => vault.moveEpoch(input),
  recordReceipt: nothingOf((vault, input) => vault.erasures.recordReceipt(input)),

  addFace: (vault, input) => vault.faces.add(input),
  removeFace: nothingOf((vault, input) => vault.faces.remove(input)),
  facePicture: (vault, input) => vault.faces.picture(input),
  search: (vault, input) => {
    const candidates = vault.faces.search(input);
    for (const embedding of input.embeddings) embedding.fill(0);
    return candidates;
  },
  verify: (vault, input) => {
    try {
      return vault.faces.verify(input);
    } finally {
      input.embedding.fill(0);
    }
  },

  recordSighting: nothingOf((vault, input) => vault.recordSighting(input)),
  listSightings: (vault, input) => vault.sightings.list(input),
  keepSightings: nothingOf((vault, { days }) => vault.retention.keep(days)),

  addRecord: (vault, input) => vault.records.add(input),
  getRecord: (vault, input) => vault.records.get(input),
  listRecords: (vault, input) => vault.records.list(input),
  changeRecord: (vault, input) => vault.records.change(input),
  removeRecord: nothingOf((vault, input) => vault.records.remove(input)),

  count: nothingOf((vault, { counter, by }) => vault.usage.count(counter, by)),
  usage: (vault, { from, to }) => vault.usage.between(from, to),

  untoldSightings: (vault, { bytes }) => vault.outbox.untold(bytes),
  toldSightings: nothingOf((vault, { ids }) => vault.outbox.told(ids)),
  untoldUsage: (vault) => vault.usage.untold(),
  toldUsage: nothingOf((vault, { days }) => vault.usage.told(days)),

  holdFile: nothingOf((vault, { file }) => vault.file(file).hold()),
  releaseFile: (vault, { file }) => ({ unchanged: vault.file(file).release() }),
  examine: (vault) => vault.examine(),
};

function nothingOf<Input>(run: (vault: Vault, input: Input) => void): (vault: Vault, input: Input) => Record<string, never> {
  return (vault, input) => {
    run(vault, input);
    return {};
  };
}
