import { NATIVE_MODULES, type NativeModule } from './native-modules.ts';

// Runs in a process of its own (`node probe-native.ts MODULE`), since a broken addon may take its process down.
// Loads the module, does the smallest piece of real work with it and prints its version.
const PROBES: Readonly<Record<NativeModule, () => Promise<string>>> = {
  'onnxruntime-node': async () => {
    const { env, Tensor } = await import('onnxruntime-node');
    new Tensor('float32', [0], [1]);
    return env.versions.node ?? 'unknown version';
  },
  'node-av': async () => {
    const [{ AV_CODEC_ID_H264 }, { Codec, getFFmpegInfo }] = await Promise.all([import('node-av/constants'), import('node-av/lib')]);
    if (Codec.findDecoder(AV_CODEC_ID_H264) === null) throw new Error('this FFmpeg cannot decode H.264');
    return `FFmpeg ${getFFmpegInfo().version}`;
  },
  'better-sqlite3': async () => {
    const { default: Database } = await import('better-sqlite3');
    const db = new Database(':memory:');
    const cipher = db.pragma("cipher = 'aegis'", { simple: true });
    if (cipher !== 'aegis') throw new Error('SQLite without encryption: better-sqlite3-multiple-ciphers is not what is installed');
    const row = db.prepare<[], { version: string }>('select sqlite_version() as version').get();
    return `SQLite ${row?.version}, cipher ${cipher}`;
  },
  'sqlite-vec': async () => {
    const [{ default: Database }, { load }] = await Promise.all([import('better-sqlite3'), import('sqlite-vec')]);
    const db = new Database(':memory:');
    load(db);
    const row = db.prepare<[], { version: string }>('select vec_version() as version').get();
    return `sqlite-vec ${row?.version}`;
  },
  sharp: async () => {
    const { default: sharp } = await import('sharp');
    await sharp({ create: { width: 1, height: 1, channels: 3, background: 'black' } })
      .jpeg()
      .toBuffer();
    return `libvips ${sharp.versions.vips}`;
  },
};

const name = NATIVE_MODULES.find((module) => module === process.argv[2]);
if (name === undefined) throw new Error(`probe one of: ${NATIVE_MODULES.join(', ')}`);
process.stdout.write(await PROBES[name]());
