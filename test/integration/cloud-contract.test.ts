import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { LOCAL_OPERATOR } from '../../cloud/iam/local-operator.ts';
import { contentOf, createCloudClient } from '../../shared/cloud-client/create-cloud-client.ts';
import { validatorOf } from '../helpers/api-operations.ts';
import { type Components, type JsonSchema, resolve } from '../helpers/arbitrary-of-schema.ts';
import { TestCloud } from '../helpers/cloud.ts';
import { formatCloudTypes } from '../helpers/format-cloud-types.ts';
import { freePort } from '../helpers/free-port.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

type Content = Readonly<Record<string, { readonly schema: JsonSchema; readonly example?: unknown }>>;
interface Operation {
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

let cloud: TestCloud;
beforeEach(async () => {
  // None of this asks the KMS.
  cloud = await TestCloud.start({ socket: join(await tempFolder(), 'kms.sock') });
});

test('the types of the client are those of the document that the server gives', async () => {
  const committed = readFileSync(join(import.meta.dirname, '../../shared/cloud-client/paths.ts'), 'utf8');
  expect(committed, 'node test/helpers/format-cloud-types.ts > shared/cloud-client/paths.ts').toBe(await formatCloudTypes());
});

test('every body and every answer comes with an example that is valid', async () => {
  const { body: document } = await cloud.ask(undefined, 'GET', '/openapi.json');
  const components = document.components.schemas as Components;
  const paths = Object.entries(document.paths as Record<string, Record<string, Operation>>);
  let seen = 0;
  for (const [path, methods] of paths) {
    for (const [method, { requestBody, responses }] of Object.entries(methods)) {
      const answers = Object.entries(responses).filter(([status]) => status !== 'default');
      for (const [what, content] of [
        ['body', requestBody?.content] as const,
        ...answers.map(([status, told]) => [status, told.content] as const),
      ]) {
        const json = content?.['application/json'];
        if (json === undefined) continue;
        const { schema, example = resolve(schema, components).examples?.[0] } = json;
        const checked = validatorOf(schema, components).safeParse(example);
        expect(checked.success, `${method} ${path} ${what}: ${JSON.stringify(example)} ${checked.error}`).toBe(true);
        seen += 1;
      }
    }
  }
  expect(seen).toBeGreaterThan(30);
});

describe('the client', () => {
  test('gives what is answered, and throws what is refused', async () => {
    const client = createCloudClient(cloud.url, await cloud.issuer.token(LOCAL_OPERATOR, ''));
    const made = await contentOf(client.POST('/v1/orgs', { body: { id: 'acme', name: 'Acme', jurisdiction: 'CH' } }));
    expect(made).toMatchObject({ id: 'acme', plan: 'trial' });
    expect(await contentOf(client.GET('/v1/orgs/{org}', { params: { path: { org: 'acme' } } }))).toEqual(made);
    await expect(client.GET('/v1/orgs/{org}', { params: { path: { org: 'nowhere' } } })).rejects.toMatchObject({ code: 'org_not_found' });
    await expect(createCloudClient(cloud.url, 'none').GET('/v1/orgs')).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test('says so where nobody answers', async () => {
    const client = createCloudClient(`http://127.0.0.1:${await freePort()}`, 'none');
    await expect(client.GET('/v1/orgs')).rejects.toMatchObject({ code: 'cloud_unavailable' });
  });
});
