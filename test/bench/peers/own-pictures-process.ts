import { openStages } from '../../helpers/open-stages.ts';
import { samplePictures } from '../stages/sample-pictures.ts';
import { timePictures } from './time-pictures.ts';

/** SecureGate's stages on the pictures that face-api gets: faces, alignment and an embedding of 512 numbers each. */
const { detector, analyser, embedder } = await openStages();
const figures = await timePictures(await samplePictures(), async (picture) => {
  const shots = [];
  for (const detection of await detector.detect(picture)) shots.push(await analyser.analyse(picture, detection));
  return (await embedder.embed(shots.map(({ aligned }) => aligned))).length;
});
process.send?.(figures);
