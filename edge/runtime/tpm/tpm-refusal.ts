/** A command that the TPM refused. `code` is its response code without what names the parameter (TPM 2.0 Library, Part 2, 6.6). */
export class TpmRefusal extends Error {
  override readonly name = 'TpmRefusal';
  readonly tool: string;
  readonly code: number;

  constructor(tool: string, code: number, answer: string) {
    super(answer);
    this.tool = tool;
    this.code = code;
  }
}

/** Response codes that have a meaning here. */
export const TPM_RC = {
  failure: 0x101,
  policy: 0x126,
  nvAccess: 0x149,
  nvUnwritten: 0x14a,
  nvSpace: 0x14b,
  nvDefined: 0x14c,
  policyFail: 0x9d,
  badAuth: 0xa2,
  lockout: 0x921,
  retry: 0x922,
  objectMemory: 0x902,
  sessionMemory: 0x903,
  testing: 0x90a,
  yielded: 0x908,
} as const;
