/** The library needs its polyfill to be there first; imported from here alone, it always is. */
import 'reflect-metadata';

export * from '@peculiar/x509';
