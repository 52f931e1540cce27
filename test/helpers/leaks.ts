/** What an answer never says: stacks, files of this machine, and what the database or a library thinks of a request. */
export const LEAK =
  /\bat .{1,200}:\d+:\d+|node_modules|\.ts:\d|file:\/\/|\/tmp\/|SQLITE_|\bselect\b.{1,200}\bfrom\b|\binsert into\b|syntax error at|relation "|violates|constraint "|kysely|postgres:\/\/|ECONN|ENOENT/is;
