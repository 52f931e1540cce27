import { createHash } from 'node:crypto';
import { S3Error } from './s3-error.ts';

export interface Version {
  readonly id: string;
  /** Undefined for a removal ("delete marker"). */
  readonly body: Buffer | undefined;
  readonly type: string;
  readonly at: number;
  readonly lockedUntil: number | undefined;
}

interface NewObject {
  readonly body: Buffer;
  readonly type?: string;
  readonly lockedUntil?: number | undefined;
}

/** What is in a bucket: all versions of all objects. A locked one stays until its time, whoever asks (Object Lock, COMPLIANCE). */
export class Objects {
  /** The newest version last. */
  readonly #versions = new Map<string, Version[]>();
  readonly #isVersioned: boolean;
  readonly #now: () => number;
  #made = 0;

  constructor(isVersioned: boolean, now: () => number) {
    this.#isVersioned = isVersioned;
    this.#now = now;
  }

  /** Names of what is there, but for what was removed. */
  get names(): string[] {
    return [...this.#versions.keys()].filter((name) => this.current(name) !== undefined).toSorted();
  }

  current(name: string): Version | undefined {
    const newest = this.#versions.get(name)?.at(-1);
    return newest?.body === undefined ? undefined : newest;
  }

  version(name: string, id: string): Version | undefined {
    return this.#versions.get(name)?.find((version) => version.id === id);
  }

  /** By name, the newest version of each first. */
  all(): { readonly name: string; readonly isLatest: boolean; readonly version: Version }[] {
    return [...this.#versions]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .flatMap(([name, versions]) =>
        versions.map((version, index) => ({ name, isLatest: index === versions.length - 1, version })).toReversed(),
      );
  }

  put(name: string, { body, type = 'application/octet-stream', lockedUntil }: NewObject): Version {
    return this.#add(name, { body, type, lockedUntil });
  }

  /** Where no version is named, the object is only covered. @returns the id of the removal, where one was written down */
  remove(name: string, id?: string): string | undefined {
    const versions = this.#versions.get(name) ?? [];
    if (id === undefined && this.#isVersioned) return this.#add(name, { body: undefined, type: '', lockedUntil: undefined }).id;
    const gone = versions.filter((version) => id === undefined || version.id === id);
    if (gone.some(({ lockedUntil = 0 }) => lockedUntil > this.#now())) {
      throw new S3Error(403, 'AccessDenied', 'Access Denied because object protected by object lock.');
    }
    const left = versions.filter((version) => !gone.includes(version));
    if (left.length > 0) this.#versions.set(name, left);
    else this.#versions.delete(name);
    return undefined;
  }

  #add(name: string, version: Pick<Version, 'body' | 'type' | 'lockedUntil'>): Version {
    this.#made += 1;
    const id = createHash('sha256').update(String(this.#made)).digest('base64url').slice(0, 32);
    const added = { ...version, id: this.#isVersioned ? id : 'null', at: this.#now() };
    this.#versions.set(name, [...(this.#isVersioned ? (this.#versions.get(name) ?? []) : []), added]);
    return added;
  }
}
