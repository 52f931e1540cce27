import { z } from 'zod';
import { slugSchema } from '../../shared/ids/ids.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, { error: 'not a SHA-256 in lower-case hex' });

/** Where the file of a model comes from. `operator`: nobody may hand it out, the operator brings the file. */
const source = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('npm'),
    package: z.string(),
    version: z.string(),
    /** Subresource integrity of the whole tarball. */
    integrity: z.string().startsWith('sha512-'),
    /** Size of the tarball; only for showing progress. */
    bytes: z.number().int().positive(),
    /** Path inside the tarball, without the leading `package/`. */
    path: z.string(),
  }),
  z.strictObject({ type: z.literal('url'), url: z.url({ protocol: /^https$/ }) }),
  /** `file`: the name under which it is handed around. `hint`: where the operator finds it. */
  z.strictObject({ type: z.literal('operator'), file: z.string(), hint: z.string() }),
]);

const licence = z.strictObject({
  /** SPDX expression, or the licence's own name. */
  name: z.string(),
  commercialUse: z.boolean(),
  url: z.url().optional(),
  /** The operator must say yes before the file is fetched or imported. */
  mustAccept: z.boolean(),
});

/** How a picture becomes the model's input: value = (pixel - mean) / std, per channel in the order given. */
const input = z.strictObject({
  layout: z.enum(['nchw', 'nhwc']),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  channels: z.enum(['rgb', 'bgr', 'grey']),
  mean: z.number(),
  std: z.number().positive(),
  /** `stretch`: aspect ratio is given up. `letterbox-top-left`: kept, rest padded. `aligned`: the face is warped to the template. `box`: the face box, cut out and stretched. */
  fit: z.enum(['stretch', 'letterbox-top-left', 'aligned', 'box']),
  /** Pixel value of the padding of a letterbox. */
  pad: z.number().min(0).max(255).default(0),
  /** Width and height may differ from the nominal ones (multiples of 32). */
  dynamicSize: z.boolean().default(false),
});

const output = z.discriminatedUnion('decoder', [
  z.strictObject({ decoder: z.literal('ultraface'), nms: z.number().min(0).max(1) }),
  /** `fallbackSize`: side of the padded small input on which frame-filling faces are looked for. */
  z.strictObject({ decoder: z.literal('scrfd'), nms: z.number().min(0).max(1), fallbackSize: z.number().int().positive() }),
  z.strictObject({ decoder: z.literal('landmarks-68') }),
  z.strictObject({ decoder: z.literal('embedding'), dimensions: z.number().int().positive() }),
]);

export const modelEntrySchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  task: z.enum(['face-detection', 'face-landmarks', 'face-embedding']),
  title: z.string(),
  source,
  /** Of the file as its source has it; null only where the operator brings a file that the manifest cannot pin. */
  sha256: sha256.nullable(),
  bytes: z.number().int().positive().nullable(),
  licence,
  input,
  output,
  /** Detector: lowest score of a face. Embedder: lowest cosine similarity that names a person. Landmarks: null. */
  defaultThreshold: z.number().min(0).max(1).nullable(),
  /** Steps after the raw output, in order. */
  postprocess: z.array(z.enum(['nms', 'l2-normalise'])),
  /** Graph rewrite that makes the batch dimension dynamic, and others; null where the file is used as it is. */
  rewrite: z.enum(['batch', 'scrfd-batch', 'ultraface-batch']).nullable(),
});
export type ModelEntry = z.infer<typeof modelEntrySchema>;

const set = z.strictObject({
  title: z.string(),
  detector: z.string(),
  /** Model of the five points; null where the detector finds them itself. */
  landmarks: z.string().nullable(),
  embedder: z.string(),
});

export const manifestSchema = z
  .strictObject({ models: z.array(modelEntrySchema), sets: z.record(slugSchema, set), defaultSet: z.string() })
  .superRefine(({ models, sets, defaultSet }, context) => {
    const complain = (message: string): void => context.addIssue({ code: 'custom', message });
    const byId = new Map(models.map((model) => [model.id, model]));
    if (byId.size !== models.length) complain('two models have the same id');
    for (const { id, source, sha256: pinned } of models) {
      if (source.type !== 'operator' && pinned === null) complain(`${id} can be fetched, so its SHA-256 must be pinned`);
    }
    for (const [name, members] of Object.entries(sets)) {
      if (byId.get(members.detector)?.task !== 'face-detection') complain(`set ${name}: ${members.detector} detects no faces`);
      if (byId.get(members.embedder)?.task !== 'face-embedding') complain(`set ${name}: ${members.embedder} makes no embedding`);
      if (members.landmarks !== null && byId.get(members.landmarks)?.task !== 'face-landmarks') {
        complain(`set ${name}: ${members.landmarks} finds no landmarks`);
      }
    }
    if (!(defaultSet in sets)) complain(`there is no set ${defaultSet}`);
  });
export type Manifest = z.infer<typeof manifestSchema>;
