import sharp from 'sharp';
import { type PersonId, PHOTO_FACES, type PhotoFace } from '../footage/faces.ts';

/** How a picture to enrol differs from what the cameras show. */
const VARIANTS = [
  { margin: 0.55, mirror: true, degrees: 4, size: 420, quality: 92 },
  { margin: 0.4, mirror: false, degrees: -6, size: 300, quality: 85 },
  { margin: 0.7, mirror: true, degrees: -3, size: 380, quality: 88 },
] as const;

/**
 * JPEG pictures of a person to enrol, made in memory and never written to a disk: other crops, sizes and tilts than
 * the footage shows, some of them mirrored, and from another photograph where there is one that is not shown.
 *
 * @param photo file of a photograph by its number
 */
export async function enrolmentPictures(person: PersonId, photo: (number: number) => string): Promise<Buffer[]> {
  const faces = PHOTO_FACES.filter((face) => face.person === person);
  const pictures: Buffer[] = [];
  for (const [index, variant] of VARIANTS.entries()) {
    const face = faces[index % faces.length];
    if (face === undefined) throw new Error(`${person} is in no photograph`);
    pictures.push(await crop(face, photo(face.photo), variant));
  }
  return pictures;
}

async function crop(face: PhotoFace, file: string, { margin, mirror, degrees, size, quality }: (typeof VARIANTS)[number]): Promise<Buffer> {
  const photo = await sharp(file).metadata();
  const { x, y, width, height } = face.box;
  const left = Math.max(0, Math.round(x - margin * width));
  const top = Math.max(0, Math.round(y - margin * height));
  const right = Math.min(photo.width, Math.round(x + (1 + margin) * width));
  const bottom = Math.min(photo.height, Math.round(y + (1 + margin) * height));
  const region = await sharp(file)
    .extract({ left, top, width: right - left, height: bottom - top })
    .resize({ height: size })
    .flop(mirror)
    .png()
    .toBuffer();
  return sharp(region).rotate(degrees, { background: '#808080' }).jpeg({ quality }).toBuffer();
}
