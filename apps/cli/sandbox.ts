import { z } from 'zod';
import { Failed } from './exit.js';

const Health = z.object({ status: z.literal('ok'), sandbox: z.literal(true) });
const Received = z.object({ data: z.array(z.object({ notificationId: z.string().nullable() })) });
const Faults = z.object({ webhook: z.array(z.object({ count: z.int().optional(), struck: z.int() })) });
const TIMEOUT_MS = 10_000;

/** Strikes `count` requests to targets that hold `match`. */
export interface Fault {
  status: number;
  count: number;
  match: string;
}

/** The sandbox, which plays the receiver of webhooks. */
export class Sandbox {
  private constructor(private readonly url: string) {}

  /** @throws Failed unless a sandbox answers there */
  static async open(url: string): Promise<Sandbox> {
    const sandbox = new Sandbox(url);
    const health = Health.safeParse(await sandbox.ask('/health').catch(() => null));
    if (!health.success)
      throw new Failed(
        `refused: no sandbox answers at ${url}, and these checks send to nothing else (CARILLON_SANDBOX_URL says where it is)`,
      );
    const { webhook } = Faults.parse(await sandbox.ask('/faults'));
    if (webhook.some(({ count, struck }) => count === undefined || struck < count))
      throw new Failed(
        `the sandbox plays faults of webhooks already: end that first, with DELETE ${url}/faults/webhook`,
      );
    return sandbox;
  }

  /** A target that only this sandbox answers. */
  target(name: string): string {
    return `${this.url}/webhook/${name}`;
  }

  /** How many messages of a notification have arrived. */
  async arrivals(notificationId: string): Promise<number> {
    return Received.parse(await this.ask(`/received?channel=webhook&notificationId=${notificationId}`)).data.length;
  }

  /** Plays faults while `work` lasts. */
  async during<T>(faults: readonly Fault[], work: () => Promise<T>): Promise<T> {
    await this.ask('/faults/webhook', {
      method: 'PUT',
      body: JSON.stringify(faults.map((fault) => ({ kind: 'status', ...fault }))),
    });
    try {
      return await work();
    } finally {
      await this.ask('/faults/webhook', { method: 'DELETE' });
    }
  }

  private async ask(path: string, init: RequestInit = {}): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Failed(`the sandbox answered ${response.status} to ${path}`);
    return response.json();
  }
}
