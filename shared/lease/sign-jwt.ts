import type { PublicKey } from './public-key.ts';

/**
 * Makes a JWT (RFC 7519) in the compact form of RFC 7515 with ES256 and its public key in the header.
 * @param sign gives the signature of the bytes, R and S in 64 bytes (RFC 7518, 3.4); the key may lie where no library can hold it
 */
export async function signJwt(type: string, claims: object, key: PublicKey, sign: (input: Buffer) => Promise<Buffer>): Promise<string> {
  const input = `${encode({ alg: 'ES256', typ: type, jwk: key })}.${encode(claims)}`;
  const signature = await sign(Buffer.from(input));
  return `${input}.${signature.toString('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
