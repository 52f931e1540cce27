import type { PersonId } from '../footage/faces.ts';
import { GUESTS, TENANTS, type TenantId } from '../footage/script.ts';

/** Somebody who agreed to be recognised at one venue. The name is invented, and unusual so that a search for it finds nothing else. */
export interface Guest {
  readonly tenant: TenantId;
  readonly person: PersonId;
  readonly name: string;
}

const NAMES: Partial<Record<PersonId, string>> = {
  doll: 'Isaveth Quillmarrow',
  medic: 'Brannoc Tavistreel',
  curls: 'Odalie Fenwhistle',
  waves: 'Zephrine Okonvale',
  olive: 'Anneka Sunderquist',
  choker: 'Josipa Larkenfeld',
  blonde: 'Wilhemina Aspergrove',
  necklace: 'Kiyomi Thornbrask',
  navy: 'Ludovica Pemberwick',
  coral: 'Xanthe Morrowmere',
  wine: 'Caoilfhionn Duskvane',
  green: 'Petronela Wraxhall',
};

/** Every guest of both tenants. */
export function guests(): Guest[] {
  return TENANTS.flatMap((tenant) =>
    GUESTS[tenant].map((person) => {
      const name = NAMES[person];
      if (name === undefined) throw new Error(`${person} has no name`);
      return { tenant, person, name };
    }),
  );
}
