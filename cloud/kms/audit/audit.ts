/** One line of what the KMS was asked and answered. It holds no keys, wrapped or not, and no tokens. */
export interface AuditEvent {
  /** ISO 8601. */
  readonly at: string;
  /** The same in `asked` and `answered` of one call. */
  readonly call: string;
  readonly phase: 'asked' | 'answered';
  readonly operation: string;
  /** Where the keys are, in words: a reader must see when it was software. */
  readonly hsm: string;
  /** `done`, or the code of the error. */
  readonly outcome?: string;
  readonly org?: string;
  readonly tenant?: string;
  readonly device?: string;
  readonly epoch?: number;
  /** The approval by which a key went out without a challenge, or the recovery by which one came back. */
  readonly approvalId?: string;
  /** What a signature was for. */
  readonly use?: string;
}

/** Whole lines as they stand in the audit, and where they end, in bytes. */
export interface AuditLines {
  readonly lines: string[];
  readonly next: number;
}

/** Where the KMS writes what it did. What cannot be written down is not done. */
export interface Audit {
  /** Returns when the event is safe. @throws {SecureGateError} `storage_failed` */
  record(event: AuditEvent): void;
  /** What was recorded after a place, as much as is told at a time. @throws {SecureGateError} `kms_audit_truncated`, `storage_failed` */
  since(offset: number): AuditLines;
  close(): void;
}
