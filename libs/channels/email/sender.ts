import type { SMTPPoolOptions } from 'nodemailer/lib/smtp-pool';
import type { Outcome } from '#domain/outcome';
import type { ChannelSender, SendRequest } from '#domain/sender';
import { Deadline } from '../deadline.js';
import { composeMessage, messageId, type Sender } from './message.js';
import { emailFailure } from './outcome.js';
import { SmtpPool } from './smtp-pool.js';

export interface EmailOptions {
  sender: Sender;
  smtp: SMTPPoolOptions;
  /** Connections, and so e-mails at once. */
  connections: number;
  timeoutMs: number;
}

/** E-mail by SMTP, through nodemailer's pool. */
export class EmailSender implements ChannelSender {
  readonly channel = 'email';
  readonly batchSize = 1;
  readonly concurrency: number;
  readonly timeoutMs: number;
  private readonly sender: Sender;
  private readonly pool: SmtpPool;

  constructor({ sender, smtp, connections, timeoutMs }: EmailOptions) {
    this.concurrency = connections;
    this.timeoutMs = timeoutMs;
    this.sender = sender;
    this.pool = new SmtpPool({ ...smtp, maxConnections: connections });
  }

  send(batch: readonly SendRequest[], signal: AbortSignal): Promise<Outcome[]> {
    return Promise.all(batch.map((request) => this.sendOne(request, signal)));
  }

  close(): Promise<void> {
    this.pool.close();
    return Promise.resolve();
  }

  private async sendOne(request: SendRequest, signal: AbortSignal): Promise<Outcome> {
    const deadline = new Deadline(this.timeoutMs, signal);
    const id = messageId(request.deliveryId, this.sender);
    const envelope = {
      from: this.sender.address,
      to: request.target,
      messageId: id,
      raw: composeMessage(request, this.sender, new Date()),
    };
    const result = await this.pool.send(envelope, deadline.signal);
    deadline.clear();
    if (result.kind === 'failed') return emailFailure(result.error, result.begun, deadline.reached);
    return {
      kind: 'sent',
      provider: 'smtp',
      providerMessageId: result.serverMessageId ?? id.slice(1, -1),
      providerStatus: /^\d{3}/.exec(result.response)?.[0] ?? null,
    };
  }
}
