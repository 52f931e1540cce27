import type { FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify';
import { ResponseSerializationError, validatorCompiler } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { isDeepFrozen } from '../runtime/is-deep-frozen.ts';

/** Checks what a request holds. Schemas are made into code once: read anew for each request, they take longer than many a handler. */
export const compileValidator: FastifySchemaCompiler<z.ZodType> = (route) =>
  validatorCompiler({ ...route, schema: z.compile(route.schema) });

/** Checks what is answered: what its schema does not name does not leave. What can never change is checked once. */
export const compileSerializer: FastifySerializerCompiler<z.ZodType> = ({ schema, method, url }) => {
  const compiled = z.compile(schema);
  const lasting = new WeakMap<object, string>();
  return (answer) => {
    const known = lasting.get(answer);
    if (known !== undefined) return known;
    const { data, error } = compiled.safeParse(answer);
    if (error !== undefined) throw new ResponseSerializationError(method, url, { cause: error });
    const text = JSON.stringify(data);
    if (typeof answer === 'object' && answer !== null && isDeepFrozen(answer)) lasting.set(answer, text);
    return text;
  };
};
