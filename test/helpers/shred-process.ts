import { shredTenant } from '../../edge/vault/shred/shred-tenant.ts';
import { onEachRemoval } from './on-each-write.ts';

/**
 * A process that removes a tenant and kills itself before its nth removal of a file or folder. It says how many there were, where it lives.
 * `node test/helpers/shred-process.ts N PLACE`
 */
const [at = '', place = ''] = process.argv.slice(2);
let removals = 0;
onEachRemoval(() => {
  removals += 1;
  if (removals === Number(at)) process.kill(process.pid, 'SIGKILL');
});
await shredTenant(JSON.parse(place) as Parameters<typeof shredTenant>[0]);
process.stdout.write(String(removals));
