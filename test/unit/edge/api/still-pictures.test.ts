import { EventEmitter } from 'node:events';
import type { FastifyReply, FastifyRequest } from 'fastify';
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
  await expect.poll(() => looked).toEqual(['first']);
  socket.destroyed = true;
  goOn({} as DescribedPicture);
  await first;
  await expect(second).rejects.toMatchObject({ code: 'stopped' });
  expect(looked).toEqual(['first']);
});

test('a request that is broken off keeps its place for as long as its picture is in memory, and the picture is overwritten', async () => {
  const { promise, resolve: goOn } = Promise.withResolvers<DescribedPicture>();
  const stills = new StillPictures({ describe: () => promise } as Partial<FacesPort> as FacesPort);
  const send = (): { breakOff: () => void; picture: Buffer; described: Promise<unknown> } => {
    const socket = { destroyed: false };
    const request = { raw: { socket }, principal: { id: 'key_a' } } as FastifyRequest;
    const response = new EventEmitter();
    stills.admit(request, { raw: response } as Partial<FastifyReply> as FastifyReply);
    const picture = Buffer.from('picture');
    const breakOff = (): void => {
      socket.destroyed = true;
      response.emit('close');
    };
    return { breakOff, picture, described: stills.describe(request, picture, 'search').catch((error: unknown) => error) };
  };
  const sent = Array.from({ length: 8 }, send);
  for (const { breakOff } of sent) breakOff();
  const overloaded = expect.objectContaining({ code: 'overloaded' });
  expect(send).toThrowError(overloaded);
  goOn({} as DescribedPicture);
  await Promise.all(sent.map(({ described }) => described));
  expect(sent.map(({ picture }) => picture.every((value) => value === 0))).not.toContain(false);
  const again = Array.from({ length: 8 }, send);
  await Promise.all(again.map(({ described }) => described));
  expect(send, 'answered, but not taken yet').toThrowError(overloaded);
  for (const { breakOff } of again) breakOff();
  await send().described;
});
