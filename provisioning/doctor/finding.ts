/** What one check of `securegate doctor` saw. `next` says what to do about anything but `ok`. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly next?: string;
}
