import { createHmac } from 'node:crypto';

/**
 * Value of the signature header: `t=<seconds since the epoch>,v1=<hex>`, where v1 is HMAC-SHA256 (RFC 2104) under the
 * webhook's secret over `<t>.<body>`. A receiver compares in constant time and refuses a `t` that is minutes old.
 */
export function sign(secret: Buffer, seconds: number, body: Buffer): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex')}`;
}
