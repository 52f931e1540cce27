import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import { UnderWay } from '../../shared/runtime/under-way.ts';
import type { OpenStages } from '../open-stages.ts';

/** A set that is loaded, with what is being done by it. */
interface Loaded {
  readonly models: OpenStages;
  readonly work: UnderWay;
}

/** The model set by which the box detects and recognises. Another takes its place between two frames of a camera: none is lost by that. */
export class RunningModels {
  #loaded: Loaded | undefined;

  /** @throws {SecureGateError} `stopped` */
  get now(): OpenStages {
    return this.#current.models;
  }

  /** Does some work by one and the same set from its begin to its end. @throws {SecureGateError} `stopped`, and what the work throws */
  async use<Result>(work: (models: OpenStages) => Promise<Result>): Promise<Result> {
    const { models, work: underWay } = this.#current;
    return await underWay.run(() => work(models));
  }

  /** What begins from now on is done by these. Resolves when those before have ended: they do what they are at to its end. */
  async replace(models: OpenStages): Promise<void> {
    const before = this.#loaded;
    this.#loaded = { models, work: new UnderWay() };
    await before?.work.end();
    await before?.models.stages.stop();
  }

  async stop(): Promise<void> {
    await this.#loaded?.models.stages.stop();
  }

  get #current(): Loaded {
    if (this.#loaded === undefined) throw new SecureGateError('stopped', 'The models are not loaded yet');
    return this.#loaded;
  }
}
