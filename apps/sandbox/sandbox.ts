import { once, setMaxListeners } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CHANNELS, type Channel } from '#contracts/vocabulary';
import { apiRoutes, perChannel } from './api.js';
import { FaultPlan } from './faults.js';
import { route } from './http.js';
import { Ledger } from './ledger.js';
import type { RunningProvider } from './provider.js';
import { PROVIDERS } from './providers.js';
import { Ring } from './ring.js';
import type { SandboxSettings } from './settings.js';
import { Waiters } from './waiters.js';

export interface RunningSandbox {
  /** Of FCM, Orange, Twilio, Slack, webhook, JSON API and page; without a slash at the end. */
  httpUrl: string;
  smtpPort: number;
  /** PEM; trusting it makes STARTTLS verify on localhost and loopback addresses. */
  smtpCertificate: string;
  /** Ends what waits or hangs, then every connection. */
  close(): Promise<void>;
}

/** @throws Error EADDRINUSE and the like, with nothing left open */
export const startSandbox = async (settings: SandboxSettings): Promise<RunningSandbox> => {
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const waiters = new Waiters();
  let sequence = 0;
  const ledgers = perChannel(
    (name) => new Ledger(name, new Ring(settings.SANDBOX_KEEP), () => ++sequence, waiters.check),
  );
  const faults = perChannel((name) => new FaultPlan(PROVIDERS[name].faultRules));

  const running: Partial<Record<Channel, RunningProvider>> = {};
  const server = createServer({ keepAliveTimeout: 10 * 60_000 });
  const close = async (): Promise<void> => {
    closing.abort();
    await Promise.all(Object.values(running).map((provider) => provider.close()));
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    // By now each request has been answered, or cut off, so that no connection has anything left to say.
    server.closeAllConnections();
    await closed;
  };

  try {
    for (const name of CHANNELS) {
      const stage = { settings, ledger: ledgers[name], faults: faults[name], closing: closing.signal };
      running[name] = await PROVIDERS[name].start(stage);
    }
    const smtpPort = running.email?.port ?? 0;
    const smtpCertificate = running.email?.certificate ?? '';
    const about = (): Record<string, unknown> => ({ smtpPort, smtpCertificate });
    const providerRoutes = Object.values(running).flatMap((provider) => provider.routes);
    server.on(
      'request',
      route([...providerRoutes, ...apiRoutes({ ledgers, faults, waiters, closing: closing.signal, about })]),
    );
    server.listen(settings.SANDBOX_PORT, settings.SANDBOX_HOST);
    await once(server, 'listening');
    return { httpUrl: urlOf(server.address() as AddressInfo), smtpPort, smtpCertificate, close };
  } catch (error) {
    await close();
    throw error;
  }
};

const urlOf = ({ address, family, port }: AddressInfo): string =>
  `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
