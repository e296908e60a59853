import type { SMTPPoolOptions } from 'nodemailer/lib/smtp-pool';
import type { Outcome } from '#domain/outcome';
import type { SendRequest } from '#domain/sender';
import type { Deadline } from '../deadline.js';
import { isOutage } from '../providers/outage.js';
import type { Provider } from '../providers/provider.js';
import { composeMessage, messageId, type Sender } from './message.js';
import { emailFailure } from './outcome.js';
import { SmtpPool } from './smtp-pool.js';

export interface SmtpOptions {
  name: 'smtp' | 'smtp-backup';
  sender: Sender;
  smtp: SMTPPoolOptions;
  /** Connections, and so e-mails at once. */
  connections: number;
}

/** Mailboxes that are busy or full: RFC 5321, 4.2.3. */
const MAILBOX_REPLIES: ReadonlySet<string | null> = new Set(['450', '452']);

/** E-mail by one SMTP server, through nodemailer's pool. */
export class Smtp implements Provider {
  readonly name: string;
  private readonly sender: Sender;
  private readonly pool: SmtpPool;

  constructor({ name, sender, smtp, connections }: SmtpOptions) {
    this.name = name;
    this.sender = sender;
    this.pool = new SmtpPool({ ...smtp, maxConnections: connections });
  }

  isOutage(outcome: Outcome): boolean {
    return isOutage(outcome) && !MAILBOX_REPLIES.has(outcome.providerStatus);
  }

  async send(request: SendRequest, deadline: Deadline): Promise<Outcome> {
    const id = messageId(request.deliveryId, this.sender);
    const envelope = {
      from: this.sender.address,
      to: request.target,
      messageId: id,
      raw: composeMessage(request, this.sender, new Date()),
    };
    const result = await this.pool.send(envelope, deadline.signal);
    if (result.kind === 'failed') return emailFailure(this.name, result.error, result.begun, deadline.reached);
    return {
      kind: 'sent',
      provider: this.name,
      providerMessageId: result.serverMessageId ?? id.slice(1, -1),
      providerStatus: /^\d{3}/.exec(result.response)?.[0] ?? null,
    };
  }

  close(): void {
    this.pool.close();
  }
}
