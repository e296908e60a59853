import { describe, expect, it } from '@jest/globals';
import { Metrics } from './metrics.js';

describe('metrics', () => {
  it('show the event loop, and the pool as it is when somebody looks', async () => {
    const metrics = new Metrics('scheduler');
    const figures = { open: 1, inUse: 1, waiting: 0 };
    metrics.watchPool(() => figures);
    figures.open = 20;
    figures.waiting = 3;
    const text = await metrics.registry.metrics();
    expect(text).toContain('carillon_mongodb_pool_connections{app="scheduler"} 20\n');
    expect(text).toContain('carillon_mongodb_pool_in_use{app="scheduler"} 1\n');
    expect(text).toContain('carillon_mongodb_pool_waiting{app="scheduler"} 3\n');
    expect(text).toMatch(/nodejs_eventloop_lag_p99_seconds\{app="scheduler"\} \d/);
  });
});
