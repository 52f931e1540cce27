import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { samplePictures } from '../stages/sample-pictures.ts';
import { timePictures } from './time-pictures.ts';

/** @vladmandic/face-api on its WebAssembly backend: faces, landmarks and a descriptor of 128 numbers each. Tells its figures to its parent. */
const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm') as typeof import('@tensorflow/tfjs-backend-wasm');
// The package's own entry for Node is made for a native TensorFlow.
const faceApi = require('@vladmandic/face-api/dist/face-api.node-wasm.js') as typeof import('@vladmandic/face-api');

wasm.setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
await tf.setBackend('wasm');
await tf.ready();
const models = join(dirname(require.resolve('@vladmandic/face-api')), '..', 'model');
const { tinyFaceDetector, faceLandmark68Net, faceRecognitionNet } = faceApi.nets;
for (const net of [tinyFaceDetector, faceLandmark68Net, faceRecognitionNet]) await net.loadFromDisk(models);
// Of its two detectors the faster one.
const options = new faceApi.TinyFaceDetectorOptions();

const figures = await timePictures(await samplePictures(), async ({ width, height, data }) => {
  const tensor = tf.tensor3d(data, [height, width, 3], 'int32');
  const faces = await faceApi
    .detectAllFaces(tensor as never, options)
    .withFaceLandmarks()
    .withFaceDescriptors();
  tensor.dispose();
  return faces.length;
});
process.send?.(figures);
