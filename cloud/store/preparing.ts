import type { Database, Statement } from 'better-sqlite3';

/** Kysely prepares anew what it runs, which takes longer than to run it. Its texts are few: values are parameters. */
export function preparing(connection: Pick<Database, 'prepare'>): (text: string) => Statement {
  const statements = new Map<string, Statement>();
  return (text) => {
    const statement = statements.get(text) ?? connection.prepare(text);
    statements.set(text, statement);
    return statement;
  };
}
