/** Something that was done, or refused. */
export interface AuditEntry {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /** Id of the request, as in the log. */
  readonly request: string;
  /** Id of who did it; empty where nobody showed who he is. */
  readonly actor: string;
  readonly operation: string;
  /** Empty where it is about none. */
  readonly org: string;
  readonly tenant: string;
  /** Id of what it was done to. */
  readonly target: string;
  /** `done`, or the code of the refusal. */
  readonly outcome: string;
}

/** Where it is written down. What was recorded is on the disk when the promise resolves, and is never changed. */
export interface Audit {
  record(entry: AuditEntry): Promise<void>;
}
