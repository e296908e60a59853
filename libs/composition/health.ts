import { HealthServer } from '#observability/health-server';
import type { Base } from './base.js';

/** /health and /metrics of a process that has no other HTTP; ready while both servers answer. */
export const healthOf = (
  { databases, broker, metrics, version, now }: Base,
  { host, port }: { host: string; port: number },
): HealthServer =>
  new HealthServer({
    host,
    port,
    version,
    checks: [
      { name: 'mongodb', check: () => databases.ping() },
      {
        name: 'rabbitmq',
        check: () => (broker.connected ? Promise.resolve() : Promise.reject(new Error('not connected'))),
      },
    ],
    metrics: metrics.registry,
    now,
  });
