import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { type SandboxClient, startSandboxClient } from '../../../apps/sandbox/client.js';
import type { Channel } from '#contracts/vocabulary';
import type { ChannelSender } from '#domain/sender';
import type { ProviderFault } from '../conformance.js';

/** A sandbox as one channel sees it. */
export interface SpecSandbox {
  client: () => SandboxClient;
  /** Instead of those before. */
  faults: (...list: ProviderFault[]) => Promise<unknown>;
  received: () => Promise<number>;
  /** Requests that the first fault has struck. */
  struck: () => Promise<number>;
  /** Closes the sender after the test. */
  closing: <S extends ChannelSender>(sender: S) => S;
}

/** For all tests of a file; each begins without faults, and with nothing received. */
export const specSandbox = (channel: Channel): SpecSandbox => {
  let client: SandboxClient;
  const senders: ChannelSender[] = [];
  const ofChannel = async <T>(path: string): Promise<T> => ((await client.call(path)) as Record<Channel, T>)[channel];
  const own: SpecSandbox = {
    client: () => client,
    faults: (...list) => client.call(`/faults/${channel}`, { method: 'PUT', body: list }),
    received: async () => (await ofChannel<{ received: number }>('/counts')).received,
    struck: async () => (await ofChannel<{ struck: number }[]>('/faults'))[0]?.struck ?? 0,
    closing: (sender) => {
      senders.push(sender);
      return sender;
    },
  };
  beforeAll(async () => {
    client = await startSandboxClient();
  });
  afterAll(() => client.close());
  beforeEach(async () => {
    await own.faults();
    await client.call('/received', { method: 'DELETE' });
  });
  afterEach(async () => {
    await Promise.all(senders.splice(0).map((sender) => sender.close()));
  });
  return own;
};
