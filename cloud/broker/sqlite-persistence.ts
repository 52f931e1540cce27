import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { deserialize, serialize } from 'node:v8';
import type { AedesPublishPacket, Client, Subscription } from 'aedes';
import Sqlite from 'better-sqlite3';
import { matchesFilter } from './matches-filter.ts';

type ClientId = Pick<Client, 'id'>;
type Packet = Omit<AedesPublishPacket, 'brokerId' | 'brokerCounter' | 'messageId'> & {
  brokerId?: string | undefined;
  brokerCounter?: number | undefined;
  messageId?: number | undefined;
};
/** Of an acknowledgement, this is all that counts. */
type Numbered = Partial<Pick<Packet, 'messageId' | 'brokerId' | 'brokerCounter'>>;
type Will = Packet & { clientId?: string };
type StoredSubscription = Pick<Subscription, 'topic' | 'qos'>;
interface Row {
  readonly packet: Buffer;
  readonly message: number | null;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS retained (topic TEXT PRIMARY KEY, packet BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS subscriptions (
    position INTEGER PRIMARY KEY, client TEXT NOT NULL, topic TEXT NOT NULL, qos INTEGER NOT NULL, options BLOB NOT NULL,
    UNIQUE (client, topic)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS outgoing (
    position INTEGER PRIMARY KEY, client TEXT NOT NULL, broker TEXT NOT NULL, counter INTEGER NOT NULL, message INTEGER, packet BLOB NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS outgoing_by_counter ON outgoing (client, broker, counter);
  CREATE INDEX IF NOT EXISTS outgoing_by_message ON outgoing (client, message);
  CREATE TABLE IF NOT EXISTS incoming (client TEXT, message INTEGER, packet BLOB NOT NULL, PRIMARY KEY (client, message)) STRICT;
  CREATE TABLE IF NOT EXISTS wills (client TEXT PRIMARY KEY, packet BLOB NOT NULL) STRICT;
`;

/**
 * What the broker remembers of its clients' sessions, so that it survives its process. A power cut may take the last moments
 * (`synchronous = NORMAL`): the ledger is the truth, and what is lost here is sent again from there.
 */
export class SqlitePersistence {
  readonly #file: string;
  readonly #mostWaiting: number;
  #statements: ReturnType<typeof prepare> | undefined;
  #database: Sqlite.Database | undefined;
  broker: { readonly id: string } | undefined;
  /** For sessions that are kept: every message is held against them. Undefined where they have to be read anew. */
  #queued: readonly (StoredSubscription & { readonly clientId: string })[] | undefined;

  readonly #onLost: () => void;

  /** @param onLost called for each message that came beyond `mostWaiting` for one client */
  constructor(file: string, mostWaiting: number, onLost: () => void) {
    this.#file = file;
    this.#mostWaiting = mostWaiting;
    this.#onLost = onLost;
  }

  /** Called by the broker that it is given to. */
  async setup(broker: { readonly id: string }): Promise<void> {
    this.broker = broker;
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    closeSync(openSync(this.#file, 'a', 0o600));
    const database = new Sqlite(this.#file, { timeout: 0 });
    try {
      database.pragma('locking_mode = EXCLUSIVE');
      database.pragma('journal_mode = WAL');
      database.pragma('synchronous = NORMAL');
      database.exec(SCHEMA);
      this.#statements = prepare(database);
    } catch (error) {
      database.close();
      throw error;
    }
    this.#database = database;
  }

  async destroy(): Promise<void> {
    if (this.#statements === undefined) throw new Error('the broker has no storage');
    this.#statements = undefined;
    this.#database?.close();
  }

  async storeRetained(packet: Packet): Promise<void> {
    if (packet.payload.length === 0) this.#sql.dropRetained.run(packet.topic);
    else this.#sql.putRetained.run(packet.topic, serialize({ ...packet }));
  }

  createRetainedStream(filter: string): Readable {
    return this.createRetainedStreamCombi([filter]);
  }

  createRetainedStreamCombi(filters: string[]): Readable {
    const rows = this.#sql.allRetained.all() as { topic: string; packet: Buffer }[];
    return Readable.from(
      rows.filter(({ topic }) => filters.some((filter) => matchesFilter(filter, topic))).map(({ packet }) => deserialize(packet)),
    );
  }

  async addSubscriptions({ id }: ClientId, subscriptions: readonly StoredSubscription[]): Promise<void> {
    this.#queued = undefined;
    for (const subscription of subscriptions) {
      this.#sql.putSubscription.run(id, subscription.topic, subscription.qos, serialize({ ...subscription }));
    }
  }

  async removeSubscriptions({ id }: ClientId, topics: readonly string[]): Promise<void> {
    this.#queued = undefined;
    for (const topic of topics) this.#sql.dropSubscription.run(id, topic);
  }

  async subscriptionsByClient({ id }: ClientId): Promise<StoredSubscription[]> {
    return (this.#sql.subscriptionsOf.all(id) as { options: Buffer }[]).map(({ options }) => deserialize(options));
  }

  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    return this.#sql.countSubscriptions.get() as { subsCount: number; clientsCount: number };
  }

  async subscriptionsByTopic(topic: string): Promise<(StoredSubscription & { clientId: string })[]> {
    this.#queued ??= (this.#sql.queuedSubscriptions.all() as { client: string; options: Buffer }[]).map(({ client, options }) => {
      return { clientId: client, ...(deserialize(options) as StoredSubscription) };
    });
    return this.#queued.filter((subscription) => matchesFilter(subscription.topic, topic)).map((subscription) => ({ ...subscription }));
  }

  async cleanSubscriptions({ id }: ClientId): Promise<void> {
    this.#queued = undefined;
    this.#sql.dropSubscriptions.run(id);
  }

  getClientList(topic: string): Readable {
    return Readable.from((this.#sql.clientsOf.all(topic) as { client: string }[]).map(({ client }) => client));
  }

  async outgoingEnqueue(subscription: { clientId: string }, packet: Packet): Promise<void> {
    await this.outgoingEnqueueCombi([subscription], packet);
  }

  async outgoingEnqueueCombi(subscriptions: readonly { clientId: string }[], packet: Packet): Promise<void> {
    const { cmd, brokerId = '', brokerCounter = 0, topic, payload, qos, retain, dup = false } = packet;
    const stored = serialize({ cmd, brokerId, brokerCounter, topic, payload, qos, retain, dup });
    for (const { clientId } of subscriptions) {
      const { waiting } = this.#sql.countOutgoing.get(clientId) as { waiting: number };
      if (waiting < this.#mostWaiting) this.#sql.putOutgoing.run(clientId, brokerId, brokerCounter, stored);
      else this.#onLost();
    }
  }

  /** A message is given its number, or the release of a message (QoS 2) takes its place. */
  async outgoingUpdate({ id }: ClientId, packet: Packet): Promise<void> {
    const { messageId = null, brokerId = null, brokerCounter = null } = packet;
    if (this.#sql.numberOutgoing.run(messageId, id, brokerId, brokerCounter).changes > 0) return;
    if (this.#sql.replaceOutgoing.run(serialize({ ...packet }), id, messageId).changes === 0) throw new Error('no such packet');
  }

  async outgoingClearMessageId({ id }: ClientId, { messageId, brokerId, brokerCounter }: Numbered): Promise<Packet | undefined> {
    const row =
      messageId === undefined
        ? this.#sql.dropOutgoingByCounter.get(id, brokerId ?? null, brokerCounter ?? null)
        : this.#sql.dropOutgoingByMessage.get(id, messageId, id);
    return row === undefined ? undefined : packetOf(row as Row);
  }

  outgoingStream({ id }: ClientId): Readable {
    return Readable.from((this.#sql.outgoingOf.all(id) as Row[]).map(packetOf));
  }

  async incomingStorePacket({ id }: ClientId, packet: Packet): Promise<void> {
    const { cmd, brokerId, brokerCounter, topic, payload, qos, retain, dup, messageId } = packet;
    this.#sql.putIncoming.run(id, messageId, serialize({ cmd, brokerId, brokerCounter, topic, payload, qos, retain, dup, messageId }));
  }

  async incomingGetPacket({ id }: ClientId, { messageId }: Numbered): Promise<Packet> {
    const row = this.#sql.incomingOf.get(id, messageId) as { packet: Buffer } | undefined;
    if (row === undefined) throw new Error('no such packet');
    return deserialize(row.packet) as Packet;
  }

  async incomingDelPacket({ id }: ClientId, { messageId }: Numbered): Promise<void> {
    if (this.#sql.dropIncoming.run(id, messageId).changes === 0) throw new Error('no such packet');
  }

  async cleanIncoming({ id }: ClientId): Promise<void> {
    this.#sql.dropAllIncoming.run(id);
  }

  async putWill({ id }: ClientId, will: Will): Promise<void> {
    if (this.broker !== undefined) will.brokerId = this.broker.id;
    will.clientId = id;
    this.#sql.putWill.run(id, serialize({ ...will }));
  }

  async getWill({ id }: ClientId): Promise<Will | undefined> {
    return willOf(this.#sql.willOf.get(id));
  }

  async delWill({ id }: ClientId): Promise<Will | undefined> {
    return willOf(this.#sql.dropWill.get(id));
  }

  /** @param brokers those that live: the wills of their clients are their own business */
  streamWill(brokers: Readonly<Record<string, unknown>> = {}): Readable {
    return Readable.from(
      this.#sql.allWills
        .all()
        .flatMap((row) => willOf(row) ?? [])
        .filter(({ brokerId }) => brokers[brokerId ?? ''] === undefined),
    );
  }

  get #sql(): ReturnType<typeof prepare> {
    if (this.#statements === undefined) throw new Error('the broker has no storage');
    return this.#statements;
  }
}

function packetOf({ packet, message }: Row): Packet {
  return { ...(deserialize(packet) as Packet), messageId: message ?? undefined };
}

function willOf(row: unknown): Will | undefined {
  return row === undefined ? undefined : (deserialize((row as Row).packet) as Will);
}

function prepare(database: Sqlite.Database) {
  return {
    putRetained: database.prepare('INSERT INTO retained VALUES (?, ?) ON CONFLICT DO UPDATE SET packet = excluded.packet'),
    dropRetained: database.prepare('DELETE FROM retained WHERE topic = ?'),
    allRetained: database.prepare('SELECT topic, packet FROM retained ORDER BY topic'),
    putSubscription: database.prepare(
      'INSERT INTO subscriptions (client, topic, qos, options) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET qos = excluded.qos, options = excluded.options',
    ),
    dropSubscription: database.prepare('DELETE FROM subscriptions WHERE client = ? AND topic = ?'),
    dropSubscriptions: database.prepare('DELETE FROM subscriptions WHERE client = ?'),
    subscriptionsOf: database.prepare('SELECT options FROM subscriptions WHERE client = ? ORDER BY position'),
    queuedSubscriptions: database.prepare('SELECT client, options FROM subscriptions WHERE qos > 0 ORDER BY topic DESC, client'),
    clientsOf: database.prepare('SELECT client FROM subscriptions WHERE topic = ? ORDER BY position'),
    countSubscriptions: database.prepare(
      'SELECT count(*) FILTER (WHERE qos > 0) AS subsCount, count(DISTINCT client) AS clientsCount FROM subscriptions',
    ),
    putOutgoing: database.prepare('INSERT INTO outgoing (client, broker, counter, packet) VALUES (?, ?, ?, ?)'),
    countOutgoing: database.prepare('SELECT count(*) AS waiting FROM outgoing WHERE client = ?'),
    numberOutgoing: database.prepare('UPDATE outgoing SET message = ? WHERE client = ? AND broker = ? AND counter = ?'),
    replaceOutgoing: database.prepare('UPDATE outgoing SET packet = ? WHERE client = ? AND message = ?'),
    dropOutgoingByMessage: database.prepare(
      'DELETE FROM outgoing WHERE client = ? AND position = (SELECT min(position) FROM outgoing WHERE message = ? AND client = ?) RETURNING packet, message',
    ),
    dropOutgoingByCounter: database.prepare(
      'DELETE FROM outgoing WHERE client = ? AND broker = ? AND counter = ? RETURNING packet, message',
    ),
    outgoingOf: database.prepare('SELECT packet, message FROM outgoing WHERE client = ? ORDER BY position'),
    putIncoming: database.prepare('INSERT INTO incoming VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET packet = excluded.packet'),
    incomingOf: database.prepare('SELECT packet FROM incoming WHERE client = ? AND message = ?'),
    dropIncoming: database.prepare('DELETE FROM incoming WHERE client = ? AND message = ?'),
    dropAllIncoming: database.prepare('DELETE FROM incoming WHERE client = ?'),
    putWill: database.prepare('INSERT INTO wills VALUES (?, ?) ON CONFLICT DO UPDATE SET packet = excluded.packet'),
    willOf: database.prepare('SELECT packet FROM wills WHERE client = ?'),
    dropWill: database.prepare('DELETE FROM wills WHERE client = ? RETURNING packet'),
    allWills: database.prepare('SELECT packet FROM wills ORDER BY client'),
  };
}
