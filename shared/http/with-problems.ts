import type { OpenAPIV3_1 } from 'openapi-types';
import { PROBLEM_TYPE } from './problems.ts';

/** Every operation can be refused, and always in the same form. */
export function withProblems(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  const refusal = { description: 'Refused', content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } } };
  for (const path of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(path ?? {})) {
      if (typeof operation === 'object' && 'responses' in operation) operation.responses = { ...operation.responses, default: refusal };
    }
  }
  return document;
}
