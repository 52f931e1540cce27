import { Counter, Gauge, Registry } from 'prom-client';
import { type Stats, VAULT_STATES } from '../../shared/messages/events.ts';
import { formatHistogram } from './format-histogram.ts';
import type { BoxPort } from './ports.ts';

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** The box's figures in Prometheus' text format. Everything is counted where it happens; here it is only told. */
export async function formatMetrics(stats: Stats, stageTimes: ReturnType<BoxPort['stageTimes']>, openStreams: number): Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Gauge({ name: `securegate_${name}`, help, labelNames, registers });
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name: `securegate_${name}_total`, help, labelNames, registers });

  gauge('uptime_seconds', 'Time since the box started', []).set(stats.uptimeMs / 1000);
  gauge('open_streams', 'Live views and event streams that are open', []).set(openStreams);

  const perCamera = ['tenant', 'camera'] as const;
  const live = gauge('camera_live', '1 while the camera sends pictures', perCamera);
  const fps = gauge('camera_fps', 'Pictures looked at a second since the camera went live', perCamera);
  const fpsWanted = gauge('camera_fps_wanted', 'Pictures a second that are asked for', perCamera);
  const frames = counter('camera_frames', 'Pictures looked at', perCamera);
  const skipped = counter('camera_skipped', 'Pictures given up because the queue was full', perCamera);
  const tracks = counter('camera_tracks', 'Tracks begun', perCamera);
  const failures = counter('camera_failures', 'Pictures or votes that failed', perCamera);
  const waiting = gauge('camera_waiting', 'Pictures that wait to be looked at', perCamera);
  for (const camera of stats.cameras) {
    const labels = { tenant: camera.tenant, camera: camera.camera };
    live.set(labels, camera.state === 'live' ? 1 : 0);
    fps.set(labels, camera.fps);
    fpsWanted.set(labels, camera.fpsWanted);
    frames.inc(labels, camera.frames);
    skipped.inc(labels, camera.skipped);
    tracks.inc(labels, camera.tracks);
    failures.inc(labels, camera.failures);
    waiting.set(labels, camera.waiting);
  }

  const quantiles = [
    ['0.5', 'p50'],
    ['0.95', 'p95'],
    ['0.99', 'p99'],
  ] as const;
  const eventLoop = gauge('event_loop_delay_seconds', 'Delay of the main thread', ['quantile']);
  for (const [quantile, field] of quantiles) {
    eventLoop.set({ quantile }, stats.eventLoopMs[field] / 1000);
  }

  const rejections = counter('rejected_faces', 'Faces that were not good enough', ['reason']);
  for (const [reason, count] of Object.entries(stats.rejections)) rejections.inc({ reason }, count);

  gauge('inference_waiting', 'Tasks that wait for an inference thread', []).set(stats.queues.inference);
  gauge('embedder_waiting', 'Faces that wait for the embedder', []).set(stats.queues.embedder);
  gauge('inference_provider_info', 'Execution provider in use, and why no better one', ['provider', 'fallback_reason']).set(
    { provider: stats.provider.name, fallback_reason: stats.provider.fallbackReason ?? '' },
    1,
  );

  const state = gauge('vault_state', '1 for the state that the vault is in, 0 for the others', ['tenant', 'state']);
  const faces = gauge('vault_faces', 'Faces that can be candidates', ['tenant']);
  const restarts = counter('vault_restarts', 'Starts after a crash', ['tenant']);
  const outboxItems = gauge('outbox_sightings', 'Sightings that wait to be told to the control plane', ['tenant']);
  const outboxBytes = gauge('outbox_bytes', 'Room that they take', ['tenant']);
  const outboxDropped = counter('outbox_dropped', 'Sightings that had no room while they waited', ['tenant']);
  const epoch = gauge('vault_epoch', 'Epoch of the tenant key in use', ['tenant']);
  const newestEpoch = gauge('lease_newest_epoch', 'Epoch in which the KMS wants the tenant to be', ['tenant']);
  const leaseLeft = gauge('lease_left_seconds', "Time until the tenant's lease ends, by the vault's own clock", ['tenant', 'enforcement']);
  for (const vault of stats.vaults) {
    const labels = { tenant: vault.tenant };
    for (const name of VAULT_STATES) state.set({ ...labels, state: name }, vault.state === name ? 1 : 0);
    faces.set(labels, vault.faces);
    restarts.inc(labels, vault.restarts);
    outboxItems.set(labels, vault.outbox.items);
    outboxBytes.set(labels, vault.outbox.bytes);
    outboxDropped.inc(labels, vault.outbox.dropped);
    if (vault.epoch !== null) epoch.set(labels, vault.epoch);
    if (vault.lease === null) continue;
    const { enforcement, leftMs, newest } = vault.lease;
    leaseLeft.set({ ...labels, enforcement }, leftMs / 1000);
    newestEpoch.set(labels, newest);
  }
  if (stats.lastBackupAt !== null) {
    const ageMs = Date.parse(stats.at) - Date.parse(stats.lastBackupAt);
    gauge('last_backup_age_seconds', 'Time since the last backup of this box was begun', []).set(ageMs / 1000);
  }
  if (stats.link !== null) {
    gauge('link_connected', '1 while the box is connected to its control plane', []).set(Number(stats.link.connected));
    gauge('link_unchanged_seconds', 'Time since it was connected or cut off', []).set(stats.link.forMs / 1000);
  }
  const warnings = gauge('warning', '1 for what works and will not for long unless somebody sees to it', ['tenant', 'reason']);
  for (const { tenant, reason } of stats.warnings) warnings.set({ tenant: tenant ?? '', reason }, 1);
  const { frame, candidates, ...stages } = stageTimes;
  const byStage = Object.fromEntries(Object.entries(stages).map(([stage, values]) => [`stage="${stage}"`, values]));
  const histograms = [
    formatHistogram('securegate_stage_seconds', 'Wait of the pipeline for a stage: its queue and its work', byStage),
    formatHistogram('securegate_frame_latency_seconds', 'From arrival of a picture to the end of its processing', { '': frame }),
    formatHistogram('securegate_candidates_latency_seconds', 'From arrival of a picture to the candidates of the vote that it completes', {
      '': candidates,
    }),
  ];
  return [await registry.metrics(), ...histograms].join('\n');
}
