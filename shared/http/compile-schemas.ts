import type { FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify';
import { ResponseSerializationError, validatorCompiler } from 'fastify-type-provider-zod';
import { z } from 'zod';

/** Checks what a request holds. Schemas are made into code once: read anew for each request, they take longer than many a handler. */
export const compileValidator: FastifySchemaCompiler<z.ZodType> = (route) =>
  validatorCompiler({ ...route, schema: z.compile(route.schema) });

/** Checks what is answered: what its schema does not name does not leave. */
export const compileSerializer: FastifySerializerCompiler<z.ZodType> = ({ schema, method, url }) => {
  const compiled = z.compile(schema);
  return (answer) => {
    const { data, error } = compiled.safeParse(answer);
    if (error !== undefined) throw new ResponseSerializationError(method, url, { cause: error });
    return JSON.stringify(data);
  };
};
