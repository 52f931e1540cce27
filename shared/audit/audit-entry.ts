/** Something that was done, or refused: ids and codes alone. */
export interface AuditEntry {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /** Id of the request, as in the log of the process; of what the KMS or a box says, the id that they gave it. */
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
  /** SHA-256 (base64url) of what it rests on and is kept elsewhere: a line of the KMS's audit, a signed word of a box. Empty where it rests on nothing. */
  readonly evidence: string;
}
