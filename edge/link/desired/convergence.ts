import { decodeJwt } from 'jose';
import { SecureGateError } from '../../../shared/errors/securegate-error.ts';
import { comparePairs } from '../../../shared/fleet/command.ts';
import { type DesiredClaims, desiredClaimsSchema } from '../../../shared/fleet/desired.ts';
import type { DesiredCamera } from '../../../shared/fleet/desired-camera.ts';
import { MOST_REPORTED_TENANTS, type ReportedState } from '../../../shared/fleet/reported.ts';
import type { PublicKey } from '../../../shared/lease/public-key.ts';
import type { Logger } from '../../../shared/log/create-logger.ts';
import type { BackOff } from '../../../shared/runtime/back-off.ts';
import type { LinkPart } from '../link-part.ts';
import { Retry } from '../retry.ts';
import type { Uplink } from '../uplink.ts';
import type { ActualState, CameraSettings, WantedState } from './box-state.ts';
import type { DesiredJournal } from './desired-journal.ts';
import { reportItems } from './report-items.ts';
import { Reports } from './reports.ts';
import { executeStep, type Step, type StepExecutors, subjectOf } from './steps.ts';
import { stepsTo } from './steps-to.ts';
import { verifyDesired } from './verify-desired.ts';

/** The box, as far as the control plane can say what it should be. */
export interface ChangeableBox {
  actual(): ActualState;
  /** How a camera is set up on this box. @throws {SecureGateError} `camera_credential_missing`, `camera_credential_elsewhere`, `secret_file_unsafe` */
  settingsOf(camera: DesiredCamera): CameraSettings;
  /** Tenants of an org that were shredded here, the last one last. */
  shredded(org: string): readonly string[];
  readonly executors: StepExecutors;
}

export interface ConvergenceOptions {
  readonly device: string;
  readonly org: string;
  readonly uplink: Uplink;
  /** By which the control plane signs now; they change with the certificate. */
  readonly commandKeys: () => readonly PublicKey[];
  readonly journal: DesiredJournal;
  readonly box: ChangeableBox;
  readonly about: Pick<ReportedState, 'boxVersion'>;
  /** The box's trusted time, milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** How long to wait before something is tried again. */
  readonly waits: () => BackOff;
  readonly logger: Logger;
}

/**
 * Brings the box to what the control plane says that it should be, and tells how it is. What is to be done is found out anew from what
 * the box has, before each round: whatever broke off the one before, nothing is done twice and nothing is left out.
 */
export class Convergence implements LinkPart {
  readonly #options: ConvergenceOptions;
  readonly #retry: Retry;
  readonly #reports: Reports;
  #stopped = false;

  constructor(options: ConvergenceOptions) {
    this.#options = options;
    this.#retry = new Retry({ ...options, backOff: options.waits(), work: () => this.#converge() });
    this.#reports = new Reports({ ...options, backOff: options.waits() });
  }

  start(): void {
    this.#retry.start();
    this.#reports.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#retry.stop(), this.#reports.stop()]);
  }

  /** Something of the box has changed. */
  wake(): void {
    this.#retry.wake();
  }

  readonly onConnect = (): void => this.#reports.sayAgain();

  readonly onReply = { 'report-kept': ({ report }: { readonly report: string }): void => this.#reports.kept(report) };

  /** Resolves when it is written down, or dropped; not when the box is so. */
  readonly onDesired = async (payload: Buffer): Promise<void> => {
    const { device, org, commandKeys, journal, logger } = this.#options;
    const token = payload.toString('latin1');
    let claims: DesiredClaims;
    try {
      claims = await verifyDesired(token, device, org, commandKeys());
    } catch (error) {
      return logger.warn({ err: error }, 'something that is no desired state of this box was dropped');
    }
    if (this.#stopped) return;
    const before = this.#desired();
    if (before && comparePairs(claims.pair, before.pair) <= 0) {
      if (claims.jti !== before.jti) logger.info({ pair: claims.pair, highest: before.pair }, 'a desired state is older than the one here');
      // Whoever sent it does not know which one that is.
      return this.#reports.sayAgain();
    }
    journal.keep(token);
    logger.info({ version: claims.jti, pair: claims.pair }, 'there is a new desired state');
    this.#retry.wake();
  };

  /** What was taken in another org, or by another version that knew of more, says nothing: it comes anew. */
  #desired(): DesiredClaims | undefined {
    const { org, journal } = this.#options;
    const token = journal.find();
    const claims = token === undefined ? undefined : desiredClaimsSchema.safeParse(decodeJwt(token)).data;
    return claims?.org === org ? claims : undefined;
  }

  /** @returns whether the box is as it should be, as far as it can be at the moment */
  async #converge(): Promise<boolean> {
    const { org, box, about, logger } = this.#options;
    const desired = this.#desired();
    const wanted = desired && this.#wanted(desired);
    const failures = new Map<string, string>();
    const tried = new Set<string>();
    const nextStep = (): Step | undefined =>
      wanted && stepsTo(wanted, box.actual()).find((step) => !tried.has(keyOf(step)) && !failures.has(subjectOf(step)));
    for (let step = nextStep(); step !== undefined && !this.#stopped; step = nextStep()) {
      tried.add(keyOf(step));
      try {
        await executeStep(box.executors, step);
        logger.info({ step: step.kind, about: subjectOf(step) }, 'a step to the desired state is done');
      } catch (error) {
        const { code } = SecureGateError.from(error);
        failures.set(subjectOf(step), code);
        logger.warn({ err: error, code, step: step.kind, about: subjectOf(step) }, 'a step to the desired state failed');
      }
    }
    if (this.#stopped) return true;
    const actual = box.actual();
    const nothing: WantedState = { org, tenants: [], removedCameras: [], models: actual.models.chosen };
    const items = reportItems(wanted ?? nothing, actual, failures);
    const shredded = box.shredded(org).slice(-MOST_REPORTED_TENANTS);
    this.#reports.say({ version: desired ? { ...desired.pair, id: desired.jti } : null, ...items, shredded, ...about });
    return failures.size === 0 && items.cameras.every(({ state }) => state !== 'failed');
  }

  #wanted({ org, state: { tenants, removedCameras, models } }: DesiredClaims): WantedState {
    return {
      org,
      tenants: tenants.map(({ cameras, ...tenant }) => ({
        ...tenant,
        cameras: cameras.map((camera) => {
          try {
            return { id: camera.id, settings: this.#options.box.settingsOf(camera) };
          } catch (error) {
            return { id: camera.id, refused: SecureGateError.from(error).code };
          }
        }),
      })),
      removedCameras,
      models: models ?? null,
    };
  }
}

function keyOf(step: Step): string {
  return `${step.kind} ${subjectOf(step)}`;
}
