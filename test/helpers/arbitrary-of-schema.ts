import fc from 'fast-check';

/** The part of JSON Schema (2020-12) that our document uses. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly examples?: readonly unknown[];
}

export type Components = Readonly<Record<string, JsonSchema>>;

export function resolve(schema: JsonSchema, components: Components): JsonSchema {
  if (schema.$ref === undefined) return schema;
  const target = components[schema.$ref.replace('#/components/schemas/', '')];
  if (target === undefined) throw new Error(`no such schema: ${schema.$ref}`);
  return target;
}

/** Values that fit a schema. */
export function arbitraryOf(given: JsonSchema, components: Components): fc.Arbitrary<unknown> {
  const schema = resolve(given, components);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const options = schema.anyOf ?? schema.oneOf;
  if (options !== undefined) return fc.oneof(...options.map((option) => arbitraryOf(option, components)));
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type: string) => arbitraryOf({ ...schema, type }, components)));
  switch (schema.type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({
        min: schema.minimum ?? (schema.exclusiveMinimum === undefined ? -1000 : schema.exclusiveMinimum + 1),
        max: Math.min(schema.maximum ?? 1000, 2 ** 31 - 1),
      });
    case 'number':
      return fc.double({ min: schema.minimum ?? -1000, max: schema.maximum ?? 1000, noNaN: true });
    case 'string':
      return stringOf(schema);
    case 'array':
      return fc.array(arbitraryOf(schema.items ?? {}, components), { minLength: schema.minItems ?? 0, maxLength: 5 });
    case 'object': {
      const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => [name, arbitraryOf(field, components)] as const);
      return fc.record(Object.fromEntries(fields), { requiredKeys: [...(schema.required ?? [])] });
    }
    default:
      return fc.jsonValue();
  }
}

/** Values near to those that fit, and far from them. */
export function almost(schema: JsonSchema, components: Components): fc.Arbitrary<unknown> {
  const valid = arbitraryOf(schema, components);
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const spoilt = fc
    .tuple(valid, fc.nat(), fc.jsonValue(), fc.constantFrom('replace', 'remove', 'add'))
    .map(([value, place, other, how]) => {
      if (!isObject(value)) return other;
      const names = Object.keys(value);
      const name = names[place % Math.max(names.length, 1)] ?? 'none';
      if (how === 'add') return { ...value, surplus: other };
      if (how === 'replace') return { ...value, [name]: other };
      return Object.fromEntries(Object.entries(value).filter(([field]) => field !== name));
    });
  return fc.oneof(fc.jsonValue(), spoilt);
}

function stringOf({ format, pattern, minLength = 0, maxLength = 300 }: JsonSchema): fc.Arbitrary<string> {
  const times = { min: new Date('1970-01-01T00:00:00Z'), max: new Date('2200-01-01T00:00:00Z'), noInvalidDate: true };
  if (format === 'date-time') return fc.date(times).map((date) => date.toISOString());
  if (format === 'date') return fc.date(times).map((date) => date.toISOString().slice(0, 10));
  if (format === 'uri')
    return fc.oneof(
      fc.webUrl(),
      fc.webUrl().map((url) => url.replace(/^https?/, 'rtsp')),
    );
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  return fc
    .string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 300) })
    .filter((text) => text.length >= minLength && text.length <= maxLength);
}
