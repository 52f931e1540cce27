import { readFile } from 'node:fs/promises';
import { AV_CODEC_ID_H264 } from 'node-av/constants';
import { Codec, CodecContext, Packet, Frame as Picture } from 'node-av/lib';
import { parseAnnexB } from '../../../provisioning/demo/camera/annex-b.ts';

const START_CODE = Buffer.from([0, 0, 0, 1]);

/** Decodes the pictures of a film one after the other as a camera's connection does: one thread, over libuv. */
export class FilmDecoder {
  readonly picture = new Picture();
  readonly #packets: readonly Packet[];
  readonly #decoder: CodecContext;
  #next = 0;

  private constructor(packets: readonly Packet[], decoder: CodecContext) {
    this.#packets = packets;
    this.#decoder = decoder;
    this.picture.alloc();
  }

  static async open(file: string): Promise<FilmDecoder> {
    const { pictures, parameterSets } = parseAnnexB(await readFile(file));
    const packets = pictures.map(({ nals, keyframe }) => {
      const packet = new Packet();
      packet.alloc();
      packet.data = Buffer.concat((keyframe ? [...parameterSets, ...nals] : nals).flatMap((nal) => [START_CODE, nal]));
      return packet;
    });
    const codec = Codec.findDecoder(AV_CODEC_ID_H264);
    if (codec === null) throw new Error('FFmpeg has no H.264 decoder');
    const decoder = new CodecContext();
    decoder.allocContext3(codec);
    decoder.threadCount = 1;
    await decoder.open2(codec);
    return new FilmDecoder(packets, decoder);
  }

  /** The next picture; after the last one the film begins again. */
  async next(): Promise<void> {
    do {
      await this.#decoder.sendPacket(this.#packets[this.#next++ % this.#packets.length] as Packet);
      this.picture.unref();
    } while (this.#decoder.receiveFrameSync(this.picture) < 0);
  }
}
