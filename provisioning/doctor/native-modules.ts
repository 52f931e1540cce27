/** Modules with machine code. npm says nothing when one does not fit this machine, so `doctor` loads each of them. */
export const NATIVE_MODULES = ['onnxruntime-node', 'node-av', 'better-sqlite3', 'sqlite-vec', 'sharp'] as const;
export type NativeModule = (typeof NATIVE_MODULES)[number];
