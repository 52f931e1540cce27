import { z } from 'zod';

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';

/** A host name in lower case (RFC 1123), with at least two labels. */
export const hostnameSchema = z
  .string()
  .max(253)
  .regex(new RegExp(`^(?:${LABEL}\\.)+${LABEL}$`), { error: 'not a host name in lower case' });

/** A host name, or `*.` and one: every name with one label more. */
export const hostPatternSchema = z
  .string()
  .max(253)
  .regex(new RegExp(`^(?:\\*\\.)?(?:${LABEL}\\.)+${LABEL}$`), { error: 'not a host name in lower case, nor *. and one' });
