import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { samplePhotos } from './sample-photos.ts';

/** Two people of the sample photographs, who look nothing alike. */
const PEOPLE = [
  { photo: 2, left: 1000, top: 180, width: 420, height: 480 },
  { photo: 5, left: 1330, top: 180, width: 460, height: 520 },
] as const;

export interface Person {
  /** JPEG to enrol from. */
  readonly toEnrol: Buffer;
  /** JPEG to show to a camera: other size and light. */
  readonly toShow: Buffer;
}

export async function twoPeople(): Promise<[Person, Person]> {
  const photos = await samplePhotos();
  const person = async ({ photo, ...region }: (typeof PEOPLE)[number]): Promise<Person> => {
    const crop = sharp(await readFile(photos[photo] ?? '')).extract(region);
    return {
      toEnrol: await crop.clone().resize({ height: 380 }).modulate({ brightness: 0.9 }).jpeg({ quality: 85 }).toBuffer(),
      toShow: await crop.clone().resize({ height: 360 }).jpeg({ quality: 95 }).toBuffer(),
    };
  };
  return [await person(PEOPLE[0]), await person(PEOPLE[1])];
}
