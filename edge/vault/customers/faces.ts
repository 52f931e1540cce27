import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type Consent, consentStateOf, requireHolding } from '../consent/consent.ts';
import type { Candidate, Gallery, GalleryFace } from '../gallery/gallery.ts';
import type { Taken } from '../protocol.ts';
import type { CustomerStore, NewFaceRow } from '../store/customer-store.ts';
import type { CustomerAccess } from './customer-access.ts';
import type { CustomerRecords } from './customer-records.ts';

/** `embedding` and `picture` are overwritten when the face is stored. */
export type NewFace = Taken<'addFace'>['face'];

/** A sealed face with its embedding, which whoever admits it to the gallery overwrites. */
export interface SealedFace extends GalleryFace {
  readonly row: NewFaceRow;
}

/** Faces of the tenant's customers: the stored ones, and those in the gallery, where only a consent that holds lets them. */
export class Faces {
  readonly #access: CustomerAccess;
  readonly #store: CustomerStore;
  readonly #gallery: Gallery;
  readonly #clock: Clock;

  constructor(access: CustomerAccess, store: CustomerStore, gallery: Gallery, clock: Clock) {
    this.#access = access;
    this.#store = store;
    this.#gallery = gallery;
    this.#clock = clock;
  }

  /** @throws {SecureGateError} `customer_not_found`, `consent_missing`, `consent_expired`, `envelope_rejected`, `storage_failed` */
  add({ customerId, face }: Taken<'addFace'>): { faceId: string } {
    using records = this.#access.open(customerId);
    const consent = requireHolding(records.newestConsent(this.#store.consents(customerId)), this.#clock.now());
    const sealed = this.seal(records, face);
    this.#store.addFace(customerId, sealed.row);
    this.admit(customerId, consent, [sealed]);
    return { faceId: sealed.faceId };
  }

  /** @throws {SecureGateError} `customer_not_found`, `record_not_found`, `storage_failed` */
  remove({ customerId, faceId }: Taken<'removeFace'>): void {
    if (!this.#store.customer(customerId)) throw new SecureGateError('customer_not_found', 'No such customer', { details: { customerId } });
    if (!this.#store.removeFace(customerId, faceId)) throw new SecureGateError('record_not_found', 'No such face', { details: { faceId } });
    this.#gallery.removeFace(customerId, faceId);
  }

  /** @throws {SecureGateError} `customer_not_found`, `record_not_found` (no such face, or without a picture), `envelope_rejected` */
  picture({ customerId, faceId }: Taken<'facePicture'>): Buffer {
    using records = this.#access.open(customerId);
    const envelope = this.#store.picture(customerId, faceId);
    if (!envelope) throw new SecureGateError('record_not_found', 'No picture of such a face', { details: { faceId } });
    return records.openPicture(faceId, envelope);
  }

  /** For each embedding the `limit` most similar customers whose consent holds, best first. */
  search({ embeddings, model, limit }: Taken<'search'>): Candidate[][] {
    const now = this.#clock.now();
    this.#letReturn(now);
    return embeddings.map((embedding) => this.#gallery.search(model, embedding, limit, now));
  }

  /**
   * How similar the most similar of one customer's own faces is: cosine, -1..1.
   * @throws {SecureGateError} `customer_not_found`, `consent_missing`, `consent_expired`, `record_not_found` (no face of this model),
   * `envelope_rejected`
   */
  verify({ customerId, embedding, model }: Taken<'verify'>): { score: number } {
    using records = this.#access.open(customerId);
    const now = this.#clock.now();
    requireHolding(records.newestConsent(this.#store.consents(customerId)), now);
    this.#letReturn(now);
    const score = this.#gallery.similarity(customerId, model, embedding, now);
    if (score !== undefined) return { score };
    throw new SecureGateError('record_not_found', 'This customer has no face of this model', { details: { customerId, model } });
  }

  seal(records: CustomerRecords, { faceId, embedding, model, quality, picture }: NewFace): SealedFace {
    const row = records.sealFace({ embedding, quality, enrolledAt: this.#clock.now() }, model, picture, faceId);
    picture?.fill(0);
    return { row, faceId: row.id, model, embedding };
  }

  /** The gallery has its own copy of the embeddings afterwards; these are overwritten. */
  admit(customerId: string, consent: Consent, faces: readonly GalleryFace[]): void {
    this.#gallery.admit(customerId, Date.parse(consent.expiresAt), faces);
    for (const { embedding } of faces) embedding.fill(0);
  }

  /** The customer's stored faces enter the gallery if his consent holds, and are left out until it does if it has run out. */
  admitHolding(records: CustomerRecords, customerId: string): void {
    const newest = records.newestConsent(this.#store.consents(customerId));
    if (newest === undefined) return;
    const state = consentStateOf(newest, this.#clock.now());
    if (state === 'valid') this.admitStored(records, customerId, newest.consent);
    if (state === 'expired') this.#gallery.leaveOut(customerId, Date.parse(newest.consent.expiresAt));
  }

  /** Every stored face of the customer that opens enters the gallery. */
  admitStored(records: CustomerRecords, customerId: string, consent: Consent): void {
    const faces: GalleryFace[] = [];
    for (const row of this.#store.faces(customerId)) {
      const face = this.#access.skipRejected(row.id, () => records.openFace(row));
      if (face) faces.push({ faceId: row.id, model: row.model, embedding: face.embedding });
    }
    this.admit(customerId, consent, faces);
  }

  /** None of the customer's faces is a candidate any more; the stored ones stay. */
  dismiss(customerId: string): void {
    this.#gallery.remove(customerId);
  }

  /** A clock that ran ahead emptied the gallery, which was right as far as anybody could know; put right, it lets them in again. */
  #letReturn(now: number): void {
    for (const customerId of this.#gallery.takeReturning(now)) {
      this.#access.skipRejected(customerId, () => {
        using records = this.#access.find(customerId);
        if (records) this.admitHolding(records, customerId);
      });
    }
  }
}
