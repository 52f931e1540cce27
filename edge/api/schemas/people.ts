import { z } from 'zod';
import { pageQuery } from '../../../shared/http/common.ts';
import { idSchema } from '../../../shared/ids/ids.ts';
import { customerParams } from './common.ts';

const CONSENT = {
  noticeVersion: '2026-1',
  purpose: 'entry without ticket',
  givenAt: '2026-11-01T18:00:00Z',
  expiresAt: '2027-06-30T00:00:00Z',
};

export const consentSchema = z
  .strictObject({
    noticeVersion: z.string().min(1).max(100),
    purpose: z.string().min(1).max(500),
    givenAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
  })
  .meta({
    id: 'Consent',
    examples: [CONSENT],
  });

export const newCustomerSchema = z
  .strictObject({ name: z.string().min(1).max(200), contact: z.string().min(1).max(500).optional(), consent: consentSchema })
  .meta({ id: 'NewCustomer', examples: [{ name: 'Ada Example', contact: 'ada@example.org', consent: CONSENT }] });

export const customerPatchSchema = z
  .strictObject({ name: z.string().min(1).max(200).optional(), contact: z.string().min(1).max(500).nullable().optional() })
  .meta({ id: 'CustomerPatch', examples: [{ name: 'Ada Example', contact: null }] });

/** `valid`: recognised. `expired`, `withdrawn`: kept, but never a candidate. */
export const CONSENT_STATES = ['valid', 'expired', 'withdrawn'] as const;

export const customersQuery = pageQuery.extend({ query: z.string().max(200).optional() });

export const customerSchema = z
  .strictObject({
    id: idSchema('customer'),
    name: z.string(),
    contact: z.string().nullable(),
    consent: consentSchema,
    consentState: z.enum(CONSENT_STATES),
    faces: z.number().int(),
    /** Changes with every change; the ETag. */
    version: z.number().int(),
  })
  .meta({ id: 'Customer' });

export const qualitySchema = z
  .strictObject({
    sizePx: z.number(),
    sharpness: z.number(),
    yaw: z.number(),
    pitch: z.number(),
    roll: z.number(),
    cutOff: z.number(),
    overall: z.number(),
  })
  .meta({ id: 'FaceQuality' });

export const faceSchema = z
  .strictObject({ id: idSchema('face'), model: z.string(), quality: z.number(), enrolledAt: z.iso.datetime(), hasPicture: z.boolean() })
  .meta({ id: 'Face' });

export const faceParams = customerParams.extend({ faceId: idSchema('face') });

export const fromSightingSchema = z
  .strictObject({ sightingId: idSchema('sighting') })
  .meta({ id: 'FaceFromSighting', examples: [{ sightingId: 'sig_aaaaaaaaaaaaaaaaaaaaaaaaaa' }] });

export const newFaceResultSchema = z
  .strictObject({
    faceId: idSchema('face'),
    /** Null in the answer to a repeated request: the box has not kept it. */
    quality: qualitySchema.nullable(),
  })
  .meta({ id: 'NewFace' });

export const searchQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(32).default(5) });

export const candidateSchema = z
  .strictObject({
    customerId: idSchema('customer'),
    name: z.string().nullable().describe('Null for whoever may not read people (`people:read`).'),
    score: z.number(),
    match: z.boolean(),
  })
  .meta({ id: 'Candidate' });

export const searchResultSchema = z
  .strictObject({ candidates: z.array(candidateSchema), threshold: z.number(), quality: qualitySchema })
  .meta({ id: 'SearchResult' });

export const verifyResultSchema = z
  .strictObject({
    match: z.boolean(),
    /** Cosine similarity with the nearest of this customer's own faces, -1..1. */
    score: z.number(),
    threshold: z.number(),
    quality: qualitySchema,
  })
  .meta({ id: 'VerifyResult' });
