import { findSet } from '../../models/registry/find-set.ts';
import { loadManifest } from '../../models/registry/load-manifest.ts';
import { SecureGateError } from '../../shared/errors/securegate-error.ts';
import type { Logger } from '../../shared/log/create-logger.ts';
import type { BackOff } from '../../shared/runtime/back-off.ts';
import type { StoredModels } from '../appliance/stored-models.ts';
import type { Config } from '../config/schema.ts';
import type { ActualModels } from '../link/desired/box-state.ts';
import { Retry } from '../link/retry.ts';
import { type OpenStages, openStages } from '../open-stages.ts';
import type { Part } from '../runtime/lifecycle.ts';
import { warmUp } from '../warm-up.ts';
import { RunningModels } from './running-models.ts';
import { tryModels } from './try-models.ts';

/** What somebody at the box can bring: it is tried again until he has. */
const WAITED_FOR: readonly string[] = ['model_missing', 'model_source', 'model_licence', 'storage_failed'];
/** What no further try changes, only another choice or another version. */
const FINAL: readonly string[] = ['model_unknown', 'embedder_differs', 'models_given_up'];
/** A chosen set with which the daemon has begun so often, and never lasted, brings it down. */
const MOST_BEGUN = 3;
/** What has worked for so long lasts. */
const LASTS_MS = 600_000;

type Standing = ActualModels['standing'];
const APPLIED: Standing = { state: 'applied', reason: null };
const BEGUN: Standing = { state: 'waiting', reason: null };

export interface ModelChoiceOptions {
  readonly config: Pick<Config, 'models' | 'modelsDir' | 'inference'>;
  readonly stored: () => StoredModels;
  /** Called when something of it has changed that the control plane is told. */
  readonly onChange: () => void;
  /** Between tries of a set that does not work, or is not there. */
  readonly waits: BackOff;
  readonly logger: Logger;
}

/**
 * The model set by which the box works, and the way to the one that the control plane has chosen: that is fetched and tried beside the
 * cameras' work and takes over between two frames. Until then, and where it does not work, the one before goes on.
 */
export class ModelChoice implements Part {
  readonly name = 'inference';
  readonly running = new RunningModels();
  readonly #options: ModelChoiceOptions;
  readonly #retry: Retry;
  readonly #stopping = new AbortController();
  /** Ends with the next choice. */
  #choosing = new AbortController();
  #standing = APPLIED;
  #lasting: NodeJS.Timeout | undefined;

  constructor(options: ModelChoiceOptions) {
    this.#options = options;
    this.#retry = new Retry({ work: () => this.#follow(), backOff: options.waits, logger: options.logger });
  }

  get actual(): ActualModels {
    const { set, files } = this.running.now;
    const fixed = this.#fixed !== undefined;
    return { set, files, fixed, chosen: this.#options.stored().chosen, standing: fixed ? APPLIED : this.#standing };
  }

  /** @throws {SecureGateError} the codes of `openStages`, of the box's own set */
  async start(): Promise<void> {
    await this.running.replace(await this.#openLast());
    const { set, models } = this.running.now;
    this.#options.stored().keepLast({ set, embedder: models.embedder });
    this.#seeItLast();
    if (this.#fixed !== undefined) return;
    if (this.#wanted !== set) this.#standing = BEGUN;
    this.#retry.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#retry.stop();
    clearTimeout(this.#lasting);
    this.#endure();
    await this.running.stop();
  }

  /** Takes a choice down; it is followed in the background. @param set null for the box's own */
  choose(set: string | null): void {
    this.#options.stored().choose(set);
    this.#standing = this.#wanted === this.running.now.set ? APPLIED : BEGUN;
    this.#choosing.abort();
    this.#retry.wake();
  }

  /** Whoever looks after the box decides: what he has written down stays. */
  get #fixed(): string | undefined {
    return this.#options.config.models.set;
  }

  get #wanted(): string {
    return this.#fixed ?? this.#options.stored().chosen ?? loadManifest().defaultSet;
  }

  /** The set that was at work last; where it does not load any more, or brings the daemon down, the box's own, so that the box works. */
  async #openLast(): Promise<OpenStages> {
    const { logger } = this.#options;
    const stored = this.#options.stored();
    const last = this.#fixed === undefined ? stored.last : undefined;
    const own = this.#fixed ?? loadManifest().defaultSet;
    if (last === undefined || last.set === own) return await this.#open(own);
    // By another embedding model nobody who is enrolled would be known any more.
    const known = findSet(loadManifest(), own).embedder.id === last.embedder;
    if (known && stored.begun >= MOST_BEGUN) {
      stored.giveUp(last.set);
      logger.error({ set: last.set, instead: own, begun: stored.begun }, 'the chosen models are given up: the box never lasted with them');
      return await this.#open(own);
    }
    stored.begin();
    try {
      return await this.#open(last.set);
    } catch (error) {
      if (!known) throw error;
      logger.error({ err: error, set: last.set, instead: own }, 'the chosen models do not load any more');
      return await this.#open(own);
    }
  }

  /** Once it has worked for long enough by what it works by, whatever ends it has another cause. */
  #seeItLast(): void {
    clearTimeout(this.#lasting);
    this.#lasting = setTimeout(() => this.#endure(), LASTS_MS).unref();
  }

  /** A disk that is full ends nothing: at worst the models are given up one day that were not at fault. */
  #endure(): void {
    try {
      this.#options.stored().endure();
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'that the models last could not be written down');
    }
  }

  async #open(set: string): Promise<OpenStages> {
    const { config, logger } = this.#options;
    return await openStages({ ...config, models: { set } }, logger);
  }

  /** @returns whether there is nothing left to try */
  async #follow(): Promise<boolean> {
    const { logger, onChange } = this.#options;
    this.#choosing = new AbortController();
    const wanted = this.#wanted;
    const signal = AbortSignal.any([this.#choosing.signal, this.#stopping.signal]);
    try {
      if (wanted !== this.running.now.set) await this.#change(wanted, signal);
      this.#standing = APPLIED;
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const { code } = SecureGateError.from(error);
      if (this.#standing.reason !== code) logger.error({ err: error, set: wanted }, 'the chosen models are not at work');
      this.#standing = { state: WAITED_FOR.includes(code) ? 'waiting' : 'failed', reason: code };
      return FINAL.includes(code);
    } finally {
      onChange();
    }
  }

  async #change(set: string, signal: AbortSignal): Promise<void> {
    const { config, stored, logger } = this.#options;
    const { models, set: before } = this.running.now;
    if (stored().givenUp === set) {
      throw new SecureGateError(
        'models_given_up',
        `The daemon ended ${MOST_BEGUN} times soon after it had begun to work by the set ${set}`,
      );
    }
    const { embedder } = findSet(loadManifest(), set);
    // What is enrolled is embedded by one model and means nothing to another: guests would be strangers without a word.
    if (embedder.id !== models.embedder) {
      throw new SecureGateError('embedder_differs', `The set ${set} embeds faces by another model than ${before}`, {
        details: { set, embedder: embedder.id, present: models.embedder },
      });
    }
    logger.info({ set, before }, 'other models are tried');
    await tryModels({ set, modelsDir: config.modelsDir, provider: config.inference.provider }, signal);
    // Both are in memory from here on: what is killed for it has begun with the next one.
    stored().keepLast({ set, embedder: embedder.id });
    stored().begin();
    let next: OpenStages | undefined;
    try {
      next = await this.#open(set);
      await warmUp(next);
      signal.throwIfAborted();
    } catch (error) {
      await next?.stages.stop();
      stored().keepLast({ set: before, embedder: models.embedder });
      throw error;
    }
    this.#seeItLast();
    await this.running.replace(next);
    logger.info({ set, before }, 'other models are at work');
  }
}
