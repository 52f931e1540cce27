import { z } from 'zod';

/** A change of an object (RFC 7396, one level deep): what it does not name stays, `null` takes away what need not be there. */
export type MergePatch<Fields> = {
  readonly [Name in keyof Fields]?: Fields[Name] | (undefined extends Fields[Name] ? null : never) | undefined;
};

/** The form of changes of an object. Defaults belong to its making alone. */
export function mergePatchOf<Shape extends z.core.$ZodShape>(
  schema: z.ZodObject<Shape>,
): z.ZodType<MergePatch<z.output<z.ZodObject<Shape>>>> {
  const shape = Object.entries<z.core.$ZodType>(schema.shape).map(([name, field]) => [name, changeOf(field as z.ZodType)]);
  return z.strictObject(Object.fromEntries(shape)) as unknown as z.ZodType<MergePatch<z.output<z.ZodObject<Shape>>>>;
}

/** @returns the object as it is after the change */
export function patched<Fields extends object>(before: Fields, patch: MergePatch<Fields>): Fields {
  const named = Object.entries(patch).filter(([, value]) => value !== undefined);
  const after = Object.entries({ ...before, ...Object.fromEntries(named) }).filter(([, value]) => value !== null);
  return Object.fromEntries(after) as Fields;
}

function changeOf(field: z.ZodType): z.ZodType {
  const change = within(field).optional();
  return field.description === undefined ? change : change.describe(field.description);
}

function within(field: z.ZodType): z.ZodType {
  if (field instanceof z.ZodOptional) return z.nullable(field.unwrap());
  return field instanceof z.ZodDefault ? (field.unwrap() as z.ZodType) : field;
}
