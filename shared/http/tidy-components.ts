import type { OpenAPIV3_1 } from 'openapi-types';

const REFERENCE = /"#\/components\/schemas\/([^"]+)"/g;

/**
 * Of each schema there are two after the conversion: as it is sent (`CustomerInput`) and as it is answered (`Customer`).
 * Leaves those that are used, one where both are the same, and the short name to the only one that stays.
 */
export function tidyComponents(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  const schemas = document.components?.schemas ?? {};
  const used = usedSchemas([document.paths, document.webhooks], schemas);
  const renamed = new Map<string, string>();
  for (const name of used) {
    const short = name.replace(/Input$/, '');
    if (short === name || !(short in schemas)) continue;
    if (!used.has(short) || withoutSuffix(schemas[name]) === withoutSuffix(schemas[short])) renamed.set(name, short);
  }
  const kept = [...used].filter((name) => !(renamed.has(name) && used.has(renamed.get(name) ?? '')));
  const tidy = {
    ...document,
    components: { ...document.components, schemas: Object.fromEntries(kept.map((name) => [name, schemas[name]])) },
  };
  const text = JSON.stringify(tidy).replaceAll(REFERENCE, (_all, name: string) => `"#/components/schemas/${renamed.get(name) ?? name}"`);
  const result = JSON.parse(text) as OpenAPIV3_1.Document;
  const entries = Object.entries(result.components?.schemas ?? {}).map(([name, schema]) => [renamed.get(name) ?? name, schema] as const);
  return { ...result, components: { ...result.components, schemas: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) } };
}

function usedSchemas(users: unknown, schemas: Readonly<Record<string, unknown>>): Set<string> {
  const used = new Set<string>();
  const visit = (part: unknown): void => {
    for (const [, name] of JSON.stringify(part ?? {}).matchAll(REFERENCE)) {
      if (name === undefined || used.has(name)) continue;
      used.add(name);
      visit(schemas[name]);
    }
  };
  visit(users);
  return used;
}

function withoutSuffix(schema: unknown): string {
  return JSON.stringify(schema).replaceAll(/("#\/components\/schemas\/[^"]+?)Input"/g, '$1"');
}
