/**
 * What the dynamic-security plugin of a broker has to know before the control plane can tell it the rest: the control plane's own rights.
 * @param controlPlanes names of its processes
 */
export function firstRights(controlPlanes: readonly string[]): object {
  const allow = (acltype: string, topic: string) => ({ acltype, topic, allow: true });
  return {
    defaultACLAccess: { publishClientSend: false, publishClientReceive: true, subscribe: false, unsubscribe: true },
    clients: controlPlanes.map((name) => ({ username: `CN=${name}`, roles: [{ rolename: 'control-plane' }] })),
    roles: [
      {
        rolename: 'control-plane',
        acls: ['edge/v1/#', '$CONTROL/dynamic-security/#'].flatMap((topic) =>
          ['publishClientSend', 'publishClientReceive', 'subscribePattern'].map((acltype) => allow(acltype, topic)),
        ),
      },
    ],
  };
}
