import { z } from 'zod';

const name = z.string().min(1).max(200);
const contact = z.string().min(1).max(500);

/** Who a customer is. */
export const profileSchema = z.strictObject({ name, contact: contact.optional() });
export type Profile = z.infer<typeof profileSchema>;

/** What is not named stays as it is; a contact of null is taken away. */
export const profileChangeSchema = z.strictObject({ name: name.optional(), contact: contact.nullable().optional() });
export type ProfileChange = z.infer<typeof profileChangeSchema>;

export function changedProfile(profile: Profile, change: ProfileChange): Profile {
  const contact = change.contact === undefined ? profile.contact : (change.contact ?? undefined);
  return { name: change.name ?? profile.name, ...(contact === undefined ? {} : { contact }) };
}
