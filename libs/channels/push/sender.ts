import { randomUUID } from 'node:crypto';
import { deleteApp, initializeApp, type App, type Credential } from 'firebase-admin/app';
import { getMessaging, type Messaging } from 'firebase-admin/messaging';
import type { Outcome } from '#domain/outcome';
import type { ChannelSender, SendRequest } from '#domain/sender';
import { Deadline } from '../deadline.js';
import { pushMessage } from './message.js';
import { pushOutcome } from './outcome.js';
import { FcmTransport } from './transport.js';

export interface FcmOptions {
  projectId: string;
  credential: Credential;
  endpoint: URL;
  sockets: number;
  concurrency: number;
  timeoutMs: number;
}

/** `sendEach` takes no more. */
const MAX_BATCH = 500;

/** Push by Firebase Cloud Messaging, HTTP v1, through firebase-admin. */
export class PushSender implements ChannelSender {
  readonly channel = 'push';
  readonly batchSize = MAX_BATCH;
  readonly concurrency: number;
  readonly timeoutMs: number;
  private readonly transport: FcmTransport;
  private readonly app: App;
  private readonly messaging: Messaging;
  private closed: Promise<void> | null = null;

  constructor(options: FcmOptions) {
    this.concurrency = options.concurrency;
    this.timeoutMs = options.timeoutMs;
    this.transport = new FcmTransport(options.endpoint, options.sockets);
    this.app = initializeApp(
      { projectId: options.projectId, credential: options.credential, httpAgent: this.transport },
      `carillon-${randomUUID()}`,
    );
    this.messaging = getMessaging(this.app);
    // HTTP/1.1: the only transport of firebase-admin that uses our agent.
    this.messaging.enableLegacyHttpTransport();
  }

  async send(batch: readonly SendRequest[], signal: AbortSignal): Promise<Outcome[]> {
    if (batch.length === 0) return [];
    const deadline = new Deadline(this.timeoutMs, signal);
    const start = new Date();
    const messages = batch.map((request) => pushMessage(request, start));
    const { result, traces } = await this.transport.follow(batch.length, deadline.signal, () =>
      this.messaging.sendEach(messages),
    );
    deadline.clear();
    const now = new Date();
    return traces.map((trace, index) => pushOutcome(result?.responses[index] ?? null, trace, deadline.reached, now));
  }

  close(): Promise<void> {
    this.closed ??= deleteApp(this.app).finally(() => this.transport.destroy());
    return this.closed;
  }
}
