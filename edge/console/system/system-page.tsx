import { box } from '../api/box.ts';
import type { System } from '../api/types.ts';
import { useLoad } from '../hooks/use-load.ts';
import { Loading } from '../parts/loading.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { ProblemNotice } from '../parts/problem-notice.tsx';
import { formatAgo, formatDuration } from '../words/time.ts';
import { HealthCard } from './health-card.tsx';
import { ModelsCard } from './models-card.tsx';
import { RejectionsCard } from './rejections-card.tsx';
import { SpeedCard } from './speed-card.tsx';
import { ThroughputCard } from './throughput-card.tsx';
import { VaultsCard } from './vaults-card.tsx';

const EVERY_MS = 2000;

function backupWords({ at, lastBackupAt }: System['stats']): string {
  return lastBackupAt === null ? 'no backup yet' : `backed up ${formatAgo(lastBackupAt, Date.parse(at))}`;
}

/** How the box is doing. */
export function SystemPage() {
  const system = useLoad('system', box.system, EVERY_MS);
  const readiness = useLoad('readiness', box.readiness, EVERY_MS);
  const { data } = system;
  return (
    <>
      <PageHead title="System">
        {data && (
          <span className="page-state quiet">
            SecureGate {data.version} · up {formatDuration(data.stats.uptimeMs)} · {backupWords(data.stats)} · <code>{data.box}</code>
          </span>
        )}
      </PageHead>
      {system.problem && <ProblemNotice problem={system.problem} onRetry={system.reload} />}
      {system.loading && <Loading rows={6} what="the state of the box" />}
      {data && (
        <div className="cards">
          <HealthCard readiness={readiness.data} problem={readiness.problem} />
          <SpeedCard stats={data.stats} />
          <ThroughputCard cameras={data.stats.cameras} />
          <VaultsCard vaults={data.stats.vaults} />
          <RejectionsCard rejections={data.stats.rejections} />
          <ModelsCard models={data.models} />
        </div>
      )}
    </>
  );
}
