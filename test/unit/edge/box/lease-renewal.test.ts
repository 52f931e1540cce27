import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LeaseRenewal, type LeaseRenewalOptions } from '../../../../edge/box/lease-renewal.ts';
import type { LeaseCarrier } from '../../../../edge/link/lease-carrier.ts';
import type { LeaseView, VaultState } from '../../../../edge/vault/client.ts';
import { SecureGateError } from '../../../../shared/errors/securegate-error.ts';
import type { LeaseAnswer } from '../../../../shared/lease/lease-answer.ts';
import { createLogger } from '../../../../shared/log/create-logger.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ANSWER: LeaseAnswer = { encapsulated: Buffer.alloc(0), sealed: Buffer.alloc(0), oaepHash: 'sha256', lease: '' };

type Vault = LeaseRenewalOptions['vault'];
type StateListener = Parameters<Vault['onStateChange']>[0];

/** A vault whose leases last a day, in the time of the test's timers. */
class DayVault implements Vault {
  state: VaultState = 'closed';
  readonly asked: { at: number; epoch: number | undefined }[] = [];
  revoked: string | undefined;
  epoch = 1;
  /** Epochs that the KMS has, and of which the vault holds leases. */
  newest = 1;
  held = new Set<number>();
  moves = 0;
  readonly #listeners = new Set<StateListener>();
  #endsAt = 0;

  onStateChange(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async lease(): Promise<LeaseView> {
    const endsAt = this.#endsAt;
    return { epoch: this.epoch, newest: this.newest, enforcement: 'memory', issuedAt: endsAt - DAY, endsAt, leftMs: endsAt - Date.now() };
  }

  async requestLease(_nonce: string, epoch?: number): Promise<string> {
    this.asked.push({ at: Date.now(), epoch });
    this.held.add(epoch ?? this.epoch);
    return '';
  }

  async acceptLease(): Promise<LeaseView> {
    this.#endsAt = Date.now() + DAY;
    this.become('ready');
    return this.lease();
  }

  async moveEpoch(): Promise<{ epoch: number; moved: boolean }> {
    const newest = Math.max(...this.held);
    if (newest <= this.epoch) throw new SecureGateError('lease_missing', 'no lease of a later epoch');
    this.epoch = newest;
    this.moves += 1;
    return { epoch: this.epoch, moved: true };
  }

  async sayMoved(): Promise<string> {
    return `moved to ${this.epoch}`;
  }

  async start(): Promise<void> {
    this.become('closed');
    throw new SecureGateError('lease_missing', 'it waits for its lease');
  }

  async revoke(reason: SecureGateError): Promise<void> {
    this.revoked = reason.code;
    this.become('failed');
  }

  become(state: VaultState): void {
    this.state = state;
    for (const listener of this.#listeners) listener(state, undefined);
  }
}

let vault: DayVault;
let refusal: SecureGateError | undefined;
let calls: number;
/** What the KMS was told of moves; `deaf`, it is not reached. */
let told: string[];
let deaf: boolean;
let renewal: LeaseRenewal;

const carrier: LeaseCarrier = {
  challenge: async () => '',
  export: async () => {
    calls += 1;
    if (refusal) throw refusal;
    return ANSWER;
  },
  acknowledgeMove: async (token) => {
    if (deaf) throw new SecureGateError('kms_unavailable', 'away');
    told.push(token);
  },
};

async function start(random = 0.5): Promise<void> {
  renewal = new LeaseRenewal({ tenant: 'hall', vault, carrier, random: () => random, logger: createLogger('test', { level: 'silent' }) });
  renewal.start();
  await vi.advanceTimersByTimeAsync(0);
}

const hours = (): number[] => vault.asked.map(({ at }) => Math.round((at - (vault.asked[0]?.at ?? 0)) / HOUR));

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  vault = new DayVault();
  refusal = undefined;
  calls = 0;
  told = [];
  deaf = false;
});
afterEach(async () => {
  await renewal.stop();
  vi.useRealTimers();
});

describe('a lease', () => {
  test.each([
    [0, [0, 13, 26, 40]],
    [0.5, [0, 12, 24, 36]],
    [1, [0, 11, 22, 32]],
  ])('is renewed when half of it is over, a tenth sooner or later (%d)', async (random, renewed) => {
    await start(random);
    await vi.advanceTimersByTimeAsync(41 * HOUR);
    expect(hours().slice(0, 4)).toEqual(renewed);
  });

  test('of a vault that was closed is asked for at once', async () => {
    await start();
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(vault.asked).toHaveLength(1);
    vault.become('closed');
    await vi.advanceTimersByTimeAsync(0);
    expect([vault.asked.length, vault.state]).toEqual([2, 'ready']);
  });

  test('is tried for once a minute or more often, until after its end, and is there when the KMS is', async () => {
    await start();
    refusal = new SecureGateError('kms_unavailable', 'away');
    await vi.advanceTimersByTimeAsync(23 * HOUR);
    expect(renewal.failure?.code).toBe('kms_unavailable');
    const before = calls;
    vault.become('closed');
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(calls - before).toBeGreaterThanOrEqual(60);
    expect(calls - before).toBeLessThanOrEqual(122);
    refusal = undefined;
    await vi.advanceTimersByTimeAsync(60_000);
    expect([vault.state, renewal.failure]).toEqual(['ready', undefined]);
  });

  test('is asked for no sooner than a KMS wants it that is asked by too many, nor much later', async () => {
    refusal = new SecureGateError('overloaded', 'too many', { details: { retryAfter: 120 } });
    await start();
    await vi.advanceTimersByTimeAsync(119_000);
    expect(calls).toBe(1);
    refusal = undefined;
    await vi.advanceTimersByTimeAsync(121_000);
    expect(vault.state).toBe('ready');
  });

  test('is asked for within minutes, however long somebody wants it to wait', async () => {
    refusal = new SecureGateError('rate_limited', 'too often', { details: { retryAfter: 3600 } });
    await start();
    refusal = undefined;
    await vi.advanceTimersByTimeAsync(600_000);
    expect(vault.state).toBe('ready');
  });

  test.each(['device_denied', 'tenant_destroyed'] as const)('that is refused for ever (%s) is given up at once', async (code) => {
    await start();
    refusal = new SecureGateError(code, 'for ever');
    await vi.advanceTimersByTimeAsync(13 * HOUR);
    expect([vault.revoked, calls]).toEqual([code, 2]);
    await vi.advanceTimersByTimeAsync(10 * DAY);
    expect(calls).toBe(2);
  });

  test('is that of the epoch which the KMS names when it has the other no more', async () => {
    refusal = new SecureGateError('cell_gone', 'gone', { details: { epoch: 1, newest: 7 } });
    await start();
    refusal = undefined;
    await vi.advanceTimersByTimeAsync(2000);
    expect(vault.asked.map(({ epoch }) => epoch)).toEqual([undefined, 7]);
    await vi.advanceTimersByTimeAsync(13 * HOUR);
    expect(vault.asked.at(-1)?.epoch, 'then it is that of the files').toBeUndefined();
  });

  test('is of no use where it is not that of the files, and the KMS gives no other: the tenant is closed for good', async () => {
    refusal = new SecureGateError('epoch_replaced', 'gone', { details: { epoch: 1, newest: 2 } });
    vault.acceptLease = async () => {
      throw new SecureGateError('lease_missing', 'of the epoch of its files', { details: { epoch: 1 } });
    };
    await start();
    expect(vault.revoked).toBeUndefined();
    refusal = undefined;
    await vi.advanceTimersByTimeAsync(10 * DAY);
    expect([vault.revoked, calls]).toEqual(['epoch_lost', 2]);
    expect(renewal.failure).toMatchObject({ code: 'epoch_lost', details: { epoch: 1, newest: 2 } });
  });

  test('that comes for another epoch while the files are open in the one before has them moved', async () => {
    await start();
    refusal = new SecureGateError('epoch_replaced', 'gone', { details: { epoch: 1, newest: 2 } });
    await vi.advanceTimersByTimeAsync(13 * HOUR);
    vault.newest = 2;
    vault.lease = async () => ({ ...(await DayVault.prototype.lease.call(vault)), epoch: 2 });
    refusal = undefined;
    await vi.advanceTimersByTimeAsync(HOUR);
    expect([vault.moves, vault.epoch, told]).toEqual([1, 2, ['moved to 2']]);
  });

  test('is renewed when somebody says so, and then again in its own time', async () => {
    await start();
    await vi.advanceTimersByTimeAsync(3 * HOUR);
    await renewal.renew();
    await vi.advanceTimersByTimeAsync(13 * HOUR);
    expect(hours()).toEqual([0, 3, 15]);
    refusal = new SecureGateError('kms_unavailable', 'away');
    await expect(renewal.renew()).rejects.toMatchObject({ code: 'kms_unavailable' });
    refusal = undefined;
    await vi.advanceTimersByTimeAsync(13 * HOUR);
    expect(hours()).toEqual([0, 3, 15, 16, 27]);
  });

  test('that is revoked is asked for no more, until it is to be renewed', async () => {
    await start();
    await renewal.revoke();
    await vi.advanceTimersByTimeAsync(10 * DAY);
    expect([vault.revoked, vault.state, calls]).toEqual(['lease_revoked', 'failed', 1]);
    await renewal.renew();
    expect([vault.state, calls]).toEqual(['ready', 2]);
    await vi.advanceTimersByTimeAsync(13 * HOUR);
    expect(calls).toBe(3);
  });

  test('that is revoked while it is renewed stays revoked', async () => {
    await start();
    const renewing = renewal.renew();
    const revoking = renewal.revoke();
    await Promise.all([renewing, revoking]);
    await vi.advanceTimersByTimeAsync(10 * DAY);
    expect([vault.state, calls]).toEqual(['failed', 2]);
  });

  test('is asked for no more after a stop', async () => {
    await start();
    await renewal.stop();
    await vi.advanceTimersByTimeAsync(2 * DAY);
    expect(calls).toBe(1);
  });
});

describe('another epoch', () => {
  test('is moved to with its own lease when the next lease names it, and the KMS is told once', async () => {
    await start();
    expect(told).toEqual([]);
    vault.newest = 2;
    await vi.advanceTimersByTimeAsync(12.5 * HOUR);
    expect([vault.epoch, vault.moves, told]).toEqual([2, 1, ['moved to 2']]);
    expect(vault.asked.map(({ epoch }) => epoch)).toEqual([undefined, undefined, 2]);
    await vi.advanceTimersByTimeAsync(30 * HOUR);
    expect([vault.moves, told]).toEqual([1, ['moved to 2']]);
  });

  test('is the newest where several were missed: nobody asks for those between', async () => {
    await start();
    vault.newest = 4;
    await vi.advanceTimersByTimeAsync(12.5 * HOUR);
    expect([vault.epoch, vault.moves, told]).toEqual([4, 1, ['moved to 4']]);
    expect(vault.asked.map(({ epoch }) => epoch)).toEqual([undefined, undefined, 4]);
  });

  test('is told of with a later lease when the KMS could not be told', async () => {
    await start();
    vault.newest = 2;
    deaf = true;
    await vi.advanceTimersByTimeAsync(12.5 * HOUR);
    expect([vault.epoch, told]).toEqual([2, []]);
    deaf = false;
    await vi.advanceTimersByTimeAsync(12.5 * HOUR);
    expect([vault.moves, told]).toEqual([1, ['moved to 2']]);
  });

  test('that cannot be moved to leaves the tenant open in the one that it has', async () => {
    await start();
    vault.newest = 2;
    vault.held.clear();
    vault.moveEpoch = async () => {
      throw new SecureGateError('storage_failed', 'disk full');
    };
    await vi.advanceTimersByTimeAsync(12.5 * HOUR);
    expect([vault.epoch, vault.state, renewal.failure, told]).toEqual([1, 'ready', undefined, []]);
  });
});
