/** What can be said of a change: some of the fields. Only these are written, so that of two changes of different fields both are made. */
export type Changes<Fields> = { readonly [Name in keyof Fields]?: Fields[Name] | undefined };
