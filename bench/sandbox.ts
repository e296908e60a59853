import type { Channel } from '#contracts/vocabulary';

export interface Counts {
  received: number;
  distinctDeliveries: number;
  distinctNotifications: number;
  redelivered: number;
  duplicates: number;
  unidentified: number;
}

/** A fault as the sandbox takes it, and how often it struck. */
export interface Fault {
  kind: 'status' | 'latency' | 'hang' | 'reset' | 'drop';
  status?: number;
  latencyMs?: number;
  share?: number;
  recorded?: boolean;
  count?: number;
  provider?: string;
  stage?: string;
  struck?: number;
}

/** The sandbox by its JSON API. Every method throws Error with what it answered. */
export class Sandbox {
  constructor(private readonly url: string) {}

  counts(): Promise<Record<Channel, Counts>> {
    return this.call('GET', '/counts');
  }

  /** How often each delivery of each notification came: `{notificationId: {deliveryId: times}}`. */
  times(channel: Channel): Promise<Record<string, Record<string, number>>> {
    return this.call('GET', `/counts/notifications?channel=${channel}`);
  }

  /** Resolves as soon as so many different notifications have come: true; false when they have not within the time. */
  async wait(count: number, timeoutMs: number, channel?: Channel): Promise<boolean> {
    const only = channel === undefined ? '' : `&channel=${channel}`;
    const response = await fetch(`${this.url}/wait?count=${count}&timeoutMs=${timeoutMs}${only}`);
    await response.arrayBuffer();
    if (!response.ok && response.status !== 408) throw new Error(`the sandbox answered ${response.status} to /wait`);
    return response.ok;
  }

  /** The newest, at most 1,000: when each was received. */
  async receptions(channel: Channel): Promise<Map<string, Date>> {
    const { data } = await this.call<{ data: { notificationId: string | null; at: string }[] }>(
      'GET',
      `/received?channel=${channel}&limit=1000`,
    );
    return new Map(
      data.flatMap(({ notificationId, at }) => (notificationId === null ? [] : [[notificationId, new Date(at)]])),
    );
  }

  setFaults(channel: Channel, faults: readonly Fault[]): Promise<Fault[]> {
    return this.call('PUT', `/faults/${channel}`, faults);
  }

  faults(): Promise<Record<Channel, Fault[]>> {
    return this.call('GET', '/faults');
  }

  /** Forgets what was received. */
  async reset(): Promise<void> {
    await this.call('DELETE', '/received');
  }

  private async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`the sandbox answered ${response.status} to ${method} ${path}: ${text}`);
    return JSON.parse(text) as T;
  }
}
