import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReadinessCheck {
  name: string;
  /** Rejects when what it looks at is not there. */
  check: () => Promise<unknown>;
}

export interface HealthServerParts {
  host: string;
  /** 0 for any that is free. */
  port: number;
  version: string;
  checks: readonly ReadinessCheck[];
  /** A Prometheus registry. */
  metrics: { contentType: string; metrics: () => Promise<string> };
  now: () => Date;
  /** What a check has before it counts as failed, in milliseconds. */
  checkTimeoutMs?: number;
}

const CHECK_TIMEOUT_MS = 3_000;

type CheckResult = { status: 'up' } | { status: 'down' };

const answer = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
};

/**
 * For processes that have no other HTTP: `GET /health` is true while the process can serve, `/health/ready` answers 503
 * with what is down, `/metrics` is for Prometheus.
 */
export class HealthServer {
  private readonly server: Server;

  constructor(private readonly parts: HealthServerParts) {
    this.server = createServer((request, response) => {
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      const path = request.url?.split('?', 1)[0];
      void this.serve(isRead ? path : undefined, response).catch(() => {
        if (response.headersSent) response.destroy();
        else answer(response, 500, { status: 'error' });
      });
    });
  }

  /** The port that it listens on. */
  async listen(): Promise<number> {
    const { host, port } = this.parts;
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async serve(path: string | undefined, response: ServerResponse): Promise<void> {
    const { metrics, now, version } = this.parts;
    switch (path) {
      case '/health':
        return answer(response, 200, { status: 'ok', timestamp: now().toISOString(), version });
      case '/health/ready': {
        const details = await this.check();
        const ready = Object.values(details).every(({ status }) => status === 'up');
        return answer(response, ready ? 200 : 503, {
          status: ready ? 'ok' : 'error',
          timestamp: now().toISOString(),
          version,
          details,
        });
      }
      case '/metrics': {
        const text = await metrics.metrics();
        response.writeHead(200, { 'content-type': metrics.contentType });
        response.end(text);
        return;
      }
      default:
        return answer(response, 404, { status: 'error' });
    }
  }

  private async check(): Promise<Record<string, CheckResult>> {
    const { checks, checkTimeoutMs = CHECK_TIMEOUT_MS } = this.parts;
    const results = await Promise.all(
      checks.map(async ({ name, check }) => [name, await resultWithin(checkTimeoutMs, check)] as const),
    );
    return Object.fromEntries(results);
  }
}

const resultWithin = async (ms: number, check: () => Promise<unknown>): Promise<CheckResult> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(() => resolve({ status: 'down' }), ms);
  });
  try {
    return await Promise.race([check().then((): CheckResult => ({ status: 'up' })), late]);
  } catch {
    return { status: 'down' };
  } finally {
    clearTimeout(timer);
  }
};
