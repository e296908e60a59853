import type { ProviderBody } from '#contracts/http/providers';
import type { ProviderReport } from './ports.js';
import type { ProviderStanding } from './providers.js';

const WORST = ['down', 'probing', 'up'] as const;

const seenView = ({ health, since, lastError, counts }: ProviderReport) => ({
  health,
  since: since.toISOString(),
  lastError: lastError === null ? null : { code: lastError.code, at: lastError.at.toISOString() },
  counts,
});

const NOTHING = { sent: 0, failed: 0, uncertain: 0, rateLimited: 0 };

/** What all dispatchers say of a provider, in one: the worst health, the latest error, all calls together. */
export const providerView = ({ channel, name, disabled, reports }: ProviderStanding): ProviderBody => {
  const [worst] = reports.toSorted((a, b) => WORST.indexOf(a.health) - WORST.indexOf(b.health));
  const errors = reports.flatMap(({ lastError }) => (lastError === null ? [] : [lastError]));
  const [latest] = errors.toSorted((a, b) => b.at.getTime() - a.at.getTime());
  return {
    channel,
    name,
    services: [...(reports[0]?.services ?? [])],
    enabled: disabled === null,
    disabled: disabled === null ? null : { reason: disabled.reason, by: disabled.by, at: disabled.at.toISOString() },
    health: worst?.health ?? null,
    since: worst?.since.toISOString() ?? null,
    lastError: latest === undefined ? null : { code: latest.code, at: latest.at.toISOString() },
    counts: reports.reduce(
      (sum, { counts }) => ({
        sent: sum.sent + counts.sent,
        failed: sum.failed + counts.failed,
        uncertain: sum.uncertain + counts.uncertain,
        rateLimited: sum.rateLimited + counts.rateLimited,
      }),
      NOTHING,
    ),
    dispatchers: reports.map((report) => ({
      id: report.dispatcher,
      ...seenView(report),
      at: report.at.toISOString(),
    })),
  };
};
