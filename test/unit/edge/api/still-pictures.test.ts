import type { FastifyRequest } from 'fastify';
import { expect, test } from 'vitest';
import type { DescribedPicture, FacesPort } from '../../../../edge/api/ports.ts';
import { StillPictures } from '../../../../edge/api/still-pictures.ts';

test('a picture is not looked at when nobody waits for the answer any more', async () => {
  const looked: string[] = [];
  const { promise, resolve: goOn } = Promise.withResolvers<DescribedPicture>();
  const describe: FacesPort['describe'] = (image) => {
    looked.push(image.toString());
    return promise;
  };
  const stills = new StillPictures({ describe } as FacesPort);
  const socket = { destroyed: false };
  const request = { raw: { socket } } as FastifyRequest;
  const first = stills.describe(request, Buffer.from('first'), 'search');
  const second = stills.describe(request, Buffer.from('second'), 'search');
  await expect.poll(() => looked, { timeout: 10_000 }).toEqual(['first']);
  socket.destroyed = true;
  goOn({} as DescribedPicture);
  await first;
  await expect(second).rejects.toMatchObject({ code: 'stopped' });
  expect(looked).toEqual(['first']);
});
