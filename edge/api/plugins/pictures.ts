import type { FastifyRequest } from 'fastify';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import type { Api } from '../api.ts';
import type { StillPictures } from '../still-pictures.ts';

export const PICTURE_TYPES = ['image/jpeg', 'image/png', 'image/webp'] as const;
const MOST_BYTES = 20 * 1024 * 1024;

/** For routes whose body is a picture and nothing else. What it really is, its decoder finds out. */
export function takePictures(api: Api, stills: StillPictures): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser([...PICTURE_TYPES], { parseAs: 'buffer', bodyLimit: MOST_BYTES }, (_request, body, done) => done(null, body));
  api.addHook('preParsing', async (request, reply, payload) => {
    stills.admit(request, reply);
    return payload;
  });
}

/** The picture that came with a request. @throws {SecureGateError} `unsupported_media_type` (nothing came) */
export function pictureOf({ body }: FastifyRequest): Buffer {
  if (!Buffer.isBuffer(body)) throw new SecureGateError('unsupported_media_type', 'No picture came with this request');
  return body;
}
