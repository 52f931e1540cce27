import pkcs11 from 'pkcs11js';
import type { AttributeName, Attributes } from './attributes.ts';

/** A session with a token, for as long as one piece of work takes. Handles of objects never leave that work. */
export class Session {
  readonly module: pkcs11.PKCS11;
  readonly handle: pkcs11.Handle;

  constructor(module: pkcs11.PKCS11, handle: pkcs11.Handle) {
    this.module = module;
    this.handle = handle;
  }

  /** All objects with these attributes. An empty list of attributes would mean every object, which nobody wants here. */
  find(attributes: Attributes): pkcs11.Handle[] {
    this.module.C_FindObjectsInit(this.handle, attributes);
    try {
      const found: pkcs11.Handle[] = [];
      for (;;) {
        const some = this.module.C_FindObjects(this.handle, BATCH);
        found.push(...some);
        if (some.length < BATCH) return found;
      }
    } finally {
      this.module.C_FindObjectsFinal(this.handle);
    }
  }

  /** The values of some attributes, in their order. */
  read(object: pkcs11.Handle, ...names: AttributeName[]): Buffer[] {
    const wanted = names.map((name) => ({ type: pkcs11[name] }));
    return this.module.C_GetAttributeValue(this.handle, object, wanted).map(({ value }) => value as Buffer);
  }

  /**
   * Gives a key that lives no longer than the work with it, however that ends.
   * @param make makes the key in this session
   */
  async withKey<T>(make: () => Promise<pkcs11.Handle>, work: (key: pkcs11.Handle) => Promise<T>): Promise<T> {
    const key = await make();
    try {
      return await work(key);
    } finally {
      this.module.C_DestroyObject(this.handle, key);
    }
  }
}

const BATCH = 64;
