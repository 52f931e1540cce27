import { z } from 'zod';
import type { EnvelopeContext, EnvelopeKey } from '../../shared/crypto/envelope.ts';
import { openEnvelope } from '../../shared/crypto/open-envelope.ts';
import type { Purpose } from '../../shared/crypto/purposes.ts';
import { sealEnvelope } from '../../shared/crypto/seal-envelope.ts';
import { newId } from '../../shared/ids/ids.ts';
import { type Sighting, sightingSchema } from '../../shared/messages/events.ts';
import { type Consent, consentSchema } from './consent/consent.ts';
import { decodeFace, encodeFace, type FaceRecord } from './face-record.ts';
import type { VaultScope } from './scope.ts';
import type { ConsentRow, FaceRow, SightingRow } from './store/vault-store.ts';

/** Who a customer is. */
export const profileSchema = z.strictObject({ name: z.string().min(1).max(200), contact: z.string().min(1).max(320).optional() });
export type Profile = z.infer<typeof profileSchema>;

/** The order of a customer's consents is inside the envelope, where nobody can change it: the highest number counts. */
const storedConsentSchema = z.strictObject({ sequence: z.number().int().min(1), consent: consentSchema });

/** Seals and opens the records of exactly one customer. Opening throws `envelope_rejected` for what is not his. */
export class CustomerRecords implements Disposable {
  readonly #scope: VaultScope;
  readonly #customerId: string;
  readonly #key: EnvelopeKey;

  /** @param key the customer's key; this object wipes it */
  constructor(scope: VaultScope, customerId: string, key: EnvelopeKey) {
    this.#scope = scope;
    this.#customerId = customerId;
    this.#key = key;
  }

  sealProfile(profile: Profile): Buffer {
    return this.#sealJson('profile', this.#customerId, profile);
  }

  openProfile(envelope: Buffer): Profile {
    return profileSchema.parse(this.#openJson('profile', this.#customerId, envelope));
  }

  /** @param earlier the consent that this one follows, as {@link newestConsent} gave it */
  sealConsent(consent: Consent, earlier: { sequence: number } | undefined): ConsentRow {
    const id = newId('consent');
    return { id, envelope: this.#sealJson('consent', id, { sequence: (earlier?.sequence ?? 0) + 1, consent }) };
  }

  newestConsent(rows: readonly ConsentRow[]): { sequence: number; consent: Consent } | undefined {
    const consents = rows.map((row) => storedConsentSchema.parse(this.#openJson('consent', row.id, row.envelope)));
    return consents.sort((a, b) => b.sequence - a.sequence)[0];
  }

  sealFace(face: FaceRecord, model: string): FaceRow {
    const id = newId('face');
    const plaintext = encodeFace(face);
    try {
      return { id, model, envelope: this.#seal('face', { record: id, model }, plaintext) };
    } finally {
      plaintext.fill(0);
    }
  }

  openFace(row: FaceRow): FaceRecord {
    const plaintext = this.#open('face', { record: row.id, model: row.model }, row.envelope);
    try {
      return decodeFace(plaintext);
    } finally {
      plaintext.fill(0);
    }
  }

  sealSighting(sighting: Sighting): SightingRow {
    return { id: sighting.id, envelope: this.#sealJson('sighting', sighting.id, sighting) };
  }

  openSighting(row: SightingRow): Sighting {
    return sightingSchema.parse(this.#openJson('sighting', row.id, row.envelope));
  }

  [Symbol.dispose](): void {
    this.#key.bytes.fill(0);
  }

  #sealJson(purpose: Purpose, record: string, value: unknown): Buffer {
    const plaintext = Buffer.from(JSON.stringify(value), 'utf8');
    try {
      return this.#seal(purpose, { record }, plaintext);
    } finally {
      plaintext.fill(0);
    }
  }

  #openJson(purpose: Purpose, record: string, envelope: Buffer): unknown {
    const plaintext = this.#open(purpose, { record }, envelope);
    try {
      return JSON.parse(plaintext.toString('utf8'));
    } finally {
      plaintext.fill(0);
    }
  }

  #seal(purpose: Purpose, subject: { record: string; model?: string }, plaintext: Buffer): Buffer {
    return sealEnvelope(this.#key, purpose, this.#context(subject), plaintext);
  }

  #open(purpose: Purpose, subject: { record: string; model?: string }, envelope: Buffer): Buffer {
    return openEnvelope(this.#key, purpose, this.#context(subject), envelope);
  }

  #context(subject: { record: string; model?: string }): EnvelopeContext {
    return { org: this.#scope.org, tenant: this.#scope.tenant, customer: this.#customerId, ...subject };
  }
}
