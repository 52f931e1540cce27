import { z } from 'zod';

type Schema = z.core.JSONSchema.JSONSchema;

/**
 * The reference page of a configuration, Markdown.
 * @param about its title, and what there is to say of the file as a whole
 */
export function formatReference(schema: z.ZodType, about: readonly string[]): string {
  const rows = fieldsOf(z.toJSONSchema(schema, { io: 'input' }), '').map(
    ({ path, type, byDefault, description }) => `| \`${path}\` | ${type} | ${byDefault} | ${description} |`,
  );
  return [...about, '', '| Field | Type | Default | Meaning |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
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
    const inner = item === undefined ? [...fieldsOf(property, here), ...ofForms(property, here)] : fieldsOf(item, `${here}[]`);
    // An object of which nothing is said is told by its fields.
    return property.type === 'object' && field.description === '' ? inner : [field, ...inner];
  });
}

/** Fields of what can have one of several forms, as far as they say what they mean. */
function ofForms({ anyOf, oneOf = [] }: Schema, path: string): Field[] {
  return (anyOf ?? oneOf).flatMap((form) => fieldsOf(form as Schema, path)).filter(({ description }) => description !== '');
}

function typeOf({ type, anyOf, oneOf, const: only, enum: values, minimum, maximum }: Schema): string {
  const forms = anyOf ?? oneOf;
  if (forms !== undefined) return [...new Set(forms.map((one) => typeOf(one as Schema)))].join(' or ');
  if (only !== undefined) return `\`${String(only)}\``;
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ');
  if (minimum === undefined || maximum === undefined) return String(type);
  return `${type}, ${minimum} to ${maximum}`;
}

function defaultOf({ type, default: value }: Schema, required: boolean): string {
  if (required) return 'required';
  return value === undefined || type === 'object' ? '' : `\`${JSON.stringify(value)}\``;
}
