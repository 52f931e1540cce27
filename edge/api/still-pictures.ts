import type { FastifyReply, FastifyRequest } from 'fastify';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { SerialWork } from '../../shared/runtime/serial-work.ts';
import type { DescribedPicture, FacesPort } from './ports.ts';

/** On their way in, waiting or being looked at; 20 MiB each. */
const MOST = 24;
/** Of one key, or of the admin. */
const MOST_EACH = 8;

/**
 * The pictures that are sent in. A small file can unfold into 50 million pixels: many at once would take the memory of the
 * box, and the time of all cores from its cameras. So they are looked at one after the other.
 */
export class StillPictures {
  readonly #faces: FacesPort;
  readonly #work = new SerialWork();
  readonly #open = new Map<FastifyRequest, string | undefined>();
  /** Whose pictures wait or are looked at. */
  readonly #held = new Set<FastifyRequest>();

  constructor(faces: FacesPort) {
    this.#faces = faces;
  }

  /**
   * Lets a picture come in. Its place is free again when the request is answered, or broken off and its picture out of memory.
   * @throws {SecureGateError} `overloaded`
   */
  admit(request: FastifyRequest, { raw }: FastifyReply): void {
    const sender = request.principal?.id;
    const own = this.#open.values().filter((id) => id === sender);
    if (this.#open.size >= MOST || own.toArray().length >= MOST_EACH) {
      throw new SecureGateError('overloaded', 'Too many pictures are sent at once', { details: { retryAfterS: 1 } });
    }
    // Else nothing would tell that it is over.
    if (raw.closed) throw new SecureGateError('stopped', 'The request was broken off');
    this.#open.set(request, sender);
    raw.once('close', () => {
      if (!this.#held.has(request)) this.#open.delete(request);
    });
  }

  /**
   * Overwrites the picture once it was looked at.
   * @throws {SecureGateError} those of {@link FacesPort.describe}, `stopped` (nobody waits for the answer any more)
   */
  async describe(request: FastifyRequest, picture: Buffer, purpose: 'search' | 'enrol'): Promise<DescribedPicture> {
    const { socket } = request.raw;
    this.#held.add(request);
    try {
      return await this.#work.run(() => {
        if (socket.destroyed) throw new SecureGateError('stopped', 'The request was broken off');
        return this.#faces.describe(picture, purpose);
      });
    } finally {
      picture.fill(0);
      this.#held.delete(request);
      if (socket.destroyed) this.#open.delete(request);
    }
  }
}
