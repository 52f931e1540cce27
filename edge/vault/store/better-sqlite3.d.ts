/**
 * The part of better-sqlite3 (built with SQLite3 Multiple Ciphers) that the vault uses.
 * The package ships types, but its export map hides them from the compiler.
 */
declare module 'better-sqlite3' {
  export interface Statement<Parameters extends unknown[], Row> {
    run(...parameters: Parameters): { readonly changes: number };
    get(...parameters: Parameters): Row | undefined;
    all(...parameters: Parameters): Row[];
  }

  export default class Database {
    constructor(path: string, options?: { fileMustExist?: boolean; timeout?: number });
    prepare<Parameters extends unknown[] = [], Row = unknown>(sql: string): Statement<Parameters, Row>;
    transaction<Parameters extends unknown[], Result>(work: (...parameters: Parameters) => Result): (...parameters: Parameters) => Result;
    exec(sql: string): this;
    key(key: Buffer): number;
    pragma(source: string, options?: { simple?: boolean }): unknown;
    loadExtension(path: string): this;
    close(): this;
    static readonly SqliteError: new (
      message: string,
      code: string,
    ) => Error & { readonly code: string };
  }
}
