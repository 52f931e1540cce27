import { z } from 'zod';
import { configSchema } from './schema.ts';

type Schema = z.core.JSONSchema.JSONSchema;

/** The reference page of the configuration, Markdown. `node edge/config/format-reference.ts > edge/config/REFERENCE.md` writes it anew. */
export function formatReference(): string {
  const rows = fieldsOf(z.toJSONSchema(configSchema, { io: 'input' }), '').map(
    ({ path, type, byDefault, description }) => `| \`${path}\` | ${type} | ${byDefault} | ${description} |`,
  );
  return [
    '# Configuration of the box',
    '',
    'Made from `schema.ts` by `format-reference.ts`. The file is JSON; `securegate edge --config FILE` reads it once, so a change',
    'counts from the next start on. Relative paths count from the folder of the file. Fields that are not in this table are refused.',
    'Editors can check the file against `schema.json`.',
    '',
    '| Field | Type | Default | Meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

interface Field {
  readonly path: string;
  readonly type: string;
  readonly byDefault: string;
  readonly description: string;
}

function fieldsOf(schema: Schema, path: string): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    if (typeof property === 'boolean') return [];
    const here = path === '' ? name : `${path}.${name}`;
    const item =
      property.type === 'array' && typeof property.items === 'object' && !Array.isArray(property.items) ? property.items : undefined;
    const required = schema.required?.includes(name) === true;
    const field = { path: here, type: typeOf(property), byDefault: defaultOf(property, required), description: property.description ?? '' };
    const inner = item === undefined ? fieldsOf(property, here) : fieldsOf(item, `${here}[]`);
    // An object of which nothing is said is told by its fields.
    return property.type === 'object' && field.description === '' ? inner : [field, ...inner];
  });
}

function typeOf({ type, enum: values, minimum, maximum }: Schema): string {
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ');
  if (minimum === undefined || maximum === undefined) return String(type);
  return `${type}, ${minimum} to ${maximum}`;
}

function defaultOf({ type, default: value }: Schema, required: boolean): string {
  if (required) return 'required';
  return value === undefined || type === 'object' ? '' : `\`${JSON.stringify(value)}\``;
}

if (import.meta.main) process.stdout.write(formatReference());
