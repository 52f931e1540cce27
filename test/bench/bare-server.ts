import Fastify from 'fastify';

/** One route of Fastify alone, in a process of its own as the daemon is: gives the JSON that the parent sends, and tells it the address. */
process.once('message', (body: string) => {
  const bare = Fastify({ logger: false });
  bare.get('/', (_request, reply) => reply.type('application/json; charset=utf-8').send(body));
  void bare.listen({ host: '127.0.0.1', port: 0 }).then((url) => process.send?.(url));
});
process.once('disconnect', () => process.exit());
