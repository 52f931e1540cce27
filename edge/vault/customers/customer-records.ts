import type { EnvelopeContext, EnvelopeKey } from '../../../shared/crypto/envelope.ts';
import { openEnvelope } from '../../../shared/crypto/open-envelope.ts';
import type { Purpose } from '../../../shared/crypto/purposes.ts';
import { sealEnvelope } from '../../../shared/crypto/seal-envelope.ts';
import { newId } from '../../../shared/ids/ids.ts';
import { type Sighting, sightingSchema } from '../../../shared/messages/events.ts';
import { type ConsentRecord, consentRecordSchema } from '../consent/consent.ts';
import type { VaultScope } from '../scope.ts';
import type { ConsentRow, FaceRow, NewFaceRow } from '../store/customer-store.ts';
import { decodeFace, encodeFace, type FaceRecord } from './face-record.ts';
import { type Profile, profileSchema } from './profile.ts';

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

  sealConsent(record: ConsentRecord, id = newId('consent')): ConsentRow {
    return { id, envelope: this.#sealJson('consent', id, record) };
  }

  openConsent(row: ConsentRow): ConsentRecord {
    return consentRecordSchema.parse(this.#openJson('consent', row.id, row.envelope));
  }

  newestConsent(rows: readonly ConsentRow[]): ConsentRecord | undefined {
    return rows.map((row) => this.openConsent(row)).sort((a, b) => b.sequence - a.sequence)[0];
  }

  /** @param picture JPEG of the aligned face */
  sealFace(face: FaceRecord, model: string, picture?: Buffer, id = newId('face')): NewFaceRow {
    const plaintext = encodeFace(face);
    try {
      return {
        id,
        model,
        envelope: this.#seal('face', { record: id, model }, plaintext),
        picture: picture ? this.#seal('face-picture', { record: id }, picture) : null,
      };
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

  openPicture(faceId: string, envelope: Buffer): Buffer {
    return this.#open('face-picture', { record: faceId }, envelope);
  }

  sealSighting(sighting: Sighting): Buffer {
    return this.#sealJson('sighting', sighting.id, sighting);
  }

  openSighting(id: string, envelope: Buffer): Sighting {
    return sightingSchema.parse(this.#openJson('sighting', id, envelope));
  }

  /** @param json of a record of the venue that is about this customer */
  sealRecord(kind: string, id: string, json: Buffer): Buffer {
    return this.#seal('record', { record: `${kind}/${id}` }, json);
  }

  openRecord(kind: string, id: string, envelope: Buffer): Buffer {
    return this.#open('record', { record: `${kind}/${id}` }, envelope);
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
