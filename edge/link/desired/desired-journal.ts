/** The desired state that this box has taken. What a method has written is on the disk when it returns. */
export interface DesiredJournal {
  /** As it came; undefined before the first. */
  find(): string | undefined;
  /** Takes a later one in its place. */
  keep(token: string): void;
}
