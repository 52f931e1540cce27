export { freePort } from '../../provisioning/cloud/free-port.ts';
