import { Readable } from 'node:stream';
import NodemailerPool, { type SMTPPoolOptions } from 'nodemailer/lib/smtp-pool';
import type { SmtpError } from './outcome.js';

/** One message, ready to go. */
export interface Envelope {
  from: string;
  to: string;
  messageId: string;
  raw: Buffer;
}

export type SmtpResult =
  | { kind: 'sent'; response: string; serverMessageId: string | null }
  | {
      kind: 'failed';
      error: SmtpError;
      /** The server was given at least the beginning of the message. */ begun: boolean;
    };

type PooledMail = Parameters<NodemailerPool['send']>[0];

/** A buffer as the one chunk of a stream that knows whether anybody asked for it. */
class OnePiece extends Readable {
  constructor(
    private readonly piece: Buffer,
    private readonly onRead: () => void,
  ) {
    super();
  }

  override _read(): void {
    this.onRead();
    this.push(this.piece);
    this.push(null);
  }
}

/**
 * nodemailer's pool of SMTP connections, without its composer in front. The pool sends a message again by itself only
 * where a kept connection turned out to be closed before any of the message was read.
 */
export class SmtpPool {
  private readonly pool: NodemailerPool;

  constructor(options: SMTPPoolOptions) {
    this.pool = new NodemailerPool({ ...options, maxRequeues: 1 });
  }

  /** Never rejects. Aborting ends the connection that is at it. */
  send(envelope: Envelope, signal: AbortSignal): Promise<SmtpResult> {
    return new Promise((resolve) => {
      let begun = false;
      const onRead = (): void => void (begun = true);
      // What the pool uses of nodemailer's own message.
      const mail = {
        data: { signal },
        message: {
          getEnvelope: () => ({ from: envelope.from, to: [envelope.to], size: envelope.raw.length }),
          messageId: () => envelope.messageId,
          getHeader: () => envelope.messageId,
          createReadStream: () => new OnePiece(envelope.raw, onRead),
        },
      } as unknown as PooledMail;
      this.pool.send(mail, (error, info) => {
        if (error == null && info != null) {
          resolve({ kind: 'sent', response: info.response, serverMessageId: info.serverMessageId ?? null });
        } else {
          resolve({ kind: 'failed', error: error ?? {}, begun });
        }
      });
    });
  }

  /** Cuts what is still on its way. */
  close(): void {
    this.pool.close({ force: true });
  }
}
