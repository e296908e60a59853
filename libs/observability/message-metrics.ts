import type { Metrics } from './metrics.js';
import type { Logger } from './logging.js';

const LOG_EVERY = 100;

interface QueueFigures {
  processed: number;
  failed: number;
  totalMs: number;
}

/** How long messages take and how many fail, by queue: in memory, as Prometheus metrics, and as a log line each 100 messages. */
export class NotificationMetricsService {
  private readonly queues = new Map<string, QueueFigures>();

  constructor(
    private readonly metrics: Metrics,
    private readonly log: Logger,
  ) {}

  record(queue: string, durationMs: number, ok: boolean): void {
    let figures = this.queues.get(queue);
    if (figures === undefined) this.queues.set(queue, (figures = { processed: 0, failed: 0, totalMs: 0 }));
    if (ok) figures.processed += 1;
    else figures.failed += 1;
    figures.totalMs += durationMs;
    this.metrics.messages.inc({ queue, result: ok ? 'processed' : 'failed' });
    this.metrics.handling.observe({ queue }, durationMs / 1000);
    if ((figures.processed + figures.failed) % LOG_EVERY === 0)
      this.log.info({ queue, ...this.figuresOf(queue) }, 'messages handled');
  }

  figuresOf(queue: string): { processed: number; failed: number; meanMs: number | null } {
    const figures = this.queues.get(queue) ?? { processed: 0, failed: 0, totalMs: 0 };
    const count = figures.processed + figures.failed;
    return {
      processed: figures.processed,
      failed: figures.failed,
      meanMs: count === 0 ? null : figures.totalMs / count,
    };
  }
}
