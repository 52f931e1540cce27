import { z } from 'zod';
import type { Components, JsonSchema } from './arbitrary-of-schema.ts';

interface Content {
  readonly [type: string]: { readonly schema: JsonSchema };
}

/** One route of the OpenAPI document. */
export interface Operation {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** Who may, on a box. */
  readonly access: string;
  /** Row of the control plane's table, and the roles that it names; undefined for what is open to anybody. */
  readonly operation: string | undefined;
  readonly roles: readonly string[];
  readonly parameters: readonly { readonly in: string; readonly name: string; readonly required?: boolean; readonly schema: JsonSchema }[];
  readonly body: Content | undefined;
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            'x-access'?: string;
            'x-operation'?: string;
            'x-roles'?: string[];
            parameters?: Operation['parameters'];
            requestBody?: { content: Content };
            responses: Operation['responses'];
          }
        >
      >
    >
  >;
  readonly components: { readonly schemas: Components };
}

/** The routes as a box or a control plane itself tells them. */
export async function readOperations({ url }: { readonly url: string }): Promise<{ operations: Operation[]; components: Components }> {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody, responses, ...told }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      access: told['x-access'] ?? '',
      operation: told['x-operation'],
      roles: told['x-roles'] ?? [],
      parameters,
      body: requestBody?.content,
      responses,
    })),
  );
  return { operations, components: document.components.schemas };
}

/** Of each document, by the text of their schemas: one takes milliseconds to make, and is asked for with every answer. */
const validators = new WeakMap<Components, Map<string, z.ZodType>>();

/** A validator of the document's own schema, made without the sources that the schema was made from. */
export function validatorOf(schema: JsonSchema, components: Components): z.ZodType {
  const known = validators.get(components) ?? new Map<string, z.ZodType>();
  validators.set(components, known);
  const text = JSON.stringify(schema);
  const validator = known.get(text) ?? makeValidator(schema, components);
  known.set(text, validator);
  return validator;
}

function makeValidator(schema: JsonSchema, components: Components): z.ZodType {
  const text = JSON.stringify({ ...schema, $defs: components }).replaceAll('#/components/schemas/', '#/$defs/');
  return z.fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0]);
}
