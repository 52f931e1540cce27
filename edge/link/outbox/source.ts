/** What one tenant has to tell the control plane on one channel, until it is written down there. */
export interface Source<Content extends object = object> {
  readonly org: string;
  readonly tenant: string;
  readonly channel: 'sightings' | 'usage';
  /** Whether something is known to wait that is to be told now. Asking costs nothing. */
  readonly waiting: boolean;
  /** What is to be told next; undefined where there is nothing. It waits until it is told. */
  untold(): Promise<Content | undefined>;
  told(content: Content): Promise<void>;
}
