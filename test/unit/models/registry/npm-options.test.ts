import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { npmOptions } from '../../../../models/registry/npm-options.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';

/** An environment with a home of its own, as a technician's shell would be. */
async function setUp(files: Readonly<Record<string, string>>): Promise<{ home: string; env: NodeJS.ProcessEnv }> {
  const home = await tempFolder();
  for (const [name, content] of Object.entries(files)) await writeFile(join(home, name), content);
  return { home, env: { PATH: process.env.PATH, HOME: home, npm_config_globalconfig: join(home, 'global') } };
}

test('registry, proxies, certificates and cache are those of the npmrc files', async () => {
  const { home, env } = await setUp({ 'ca.pem': `${CERTIFICATE}\n${CERTIFICATE}\n` });
  const lines = [
    'registry=https://npm.example/api/',
    '@venue:registry=https://venue.example/',
    'https-proxy=http://proxy.example:3128/',
    'noproxy=intern.example',
    `cafile=${join(home, 'ca.pem')}`,
    `cache=${join(home, 'cache')}`,
    'strict-ssl=false',
    'fetch-retries=7',
  ];
  await writeFile(join(home, '.npmrc'), lines.join('\n'));
  expect(await npmOptions(await tempFolder(), env)).toMatchObject({
    registry: 'https://npm.example/api/',
    '@venue:registry': 'https://venue.example/',
    httpsProxy: 'http://proxy.example:3128/',
    noProxy: ['intern.example'],
    ca: [CERTIFICATE, CERTIFICATE],
    cache: join(home, 'cache', '_cacache'),
    strictSSL: false,
    retry: { retries: 7 },
  });
});

test('credentials come from the npmrc files and the environment, the stronger source last', async () => {
  const { env } = await setUp({
    global: '//one.example/:_authToken=global\n//two.example/:_authToken=global\n',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how an npmrc names a variable of the environment
    '.npmrc': '//two.example/:_authToken="user"\n//three.example/:_authToken=${VENUE_TOKEN}\n',
  });
  const project = await tempFolder();
  await writeFile(join(project, 'package.json'), '{}');
  await writeFile(join(project, '.npmrc'), '//four.example/:_authToken=project\n');
  const options = await npmOptions(project, { ...env, VENUE_TOKEN: 'secret', 'npm_config_//four.example/:_authToken': 'environment' });
  expect(options).toMatchObject({
    '//one.example/:_authToken': 'global',
    '//two.example/:_authToken': 'user',
    '//three.example/:_authToken': 'secret',
    '//four.example/:_authToken': 'environment',
  });
});

test('the environment beats the files', async () => {
  const { env } = await setUp({ '.npmrc': 'registry=https://file.example/\n' });
  expect(await npmOptions(await tempFolder(), { ...env, npm_config_registry: 'https://env.example/' })).toMatchObject({
    registry: 'https://env.example/',
  });
});

test('without npm on the machine the defaults hold', async () => {
  expect(await npmOptions(await tempFolder(), { PATH: await tempFolder() })).toEqual({});
});
