/**
 * Whom the certificate of a box names: the box, and its key, of which there is another one when the box enrols anew. A broker that asks
 * nobody lets in whom a certificate names, so that the rights which it was given end with the key.
 * @param key see key-hash.ts
 */
export function subjectOfDevice(device: string, key: string): string {
  return `CN=${device}, 2.5.4.5=${serialNumberOf(key)}`;
}

/** The same name as OpenSSL writes it (RFC 2253, the last part first), and brokers with it. */
export function brokerUserOf(device: string, key: string): string {
  return `serialNumber=${serialNumberOf(key)},CN=${device}`;
}

/** X.520, 6.2.9: of the letters of a PrintableString, 64 at most. */
function serialNumberOf(key: string): string {
  return Buffer.from(key, 'base64url').toString('hex');
}

/** @returns undefined for who is no box */
export function deviceOfBrokerUser(user: string): string | undefined {
  return /^serialNumber=[0-9a-f]{64},CN=(box_[a-z2-7]{26})$/.exec(user)?.[1];
}
