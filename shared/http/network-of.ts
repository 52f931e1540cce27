const IPV6_GROUPS = 8;
/** A subscriber's network is a /64 or larger: counted one by one, his addresses would have no limit. */
const NETWORK_GROUPS = 4;

/** The network that an address is counted with: an IPv4 address is alone, also one that came by an IPv6 socket. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  if (address.includes('.')) return address.slice(address.lastIndexOf(':') + 1);
  const [head = '', tail] = address.toLowerCase().split('::');
  const groupsOf = (text: string | undefined): string[] => (text ? text.split(':') : []);
  const [before, after] = [groupsOf(head), groupsOf(tail)];
  const zeros = Array.from({ length: IPV6_GROUPS - before.length - after.length }, () => '0');
  return `${[...before, ...zeros, ...after].slice(0, NETWORK_GROUPS).join(':')}::`;
}
