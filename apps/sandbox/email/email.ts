import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { type Fault, type Moment, play } from '../faults.js';
import type { Provider, RunningProvider, Stage } from '../provider.js';
import { makeCertificate } from './certificate.js';
import { localPart, readHeaders } from './headers.js';

const MAX_MESSAGE = 10 * 1024 * 1024;

/**
 * A mail server with STARTTLS and AUTH. Deliveries are told apart by the local part of `Message-ID` and by
 * `X-Carillon-Notification`. Faults strike when a client connects, logs in, names a recipient (errors, usually), or when
 * a message is complete (all others, usually).
 */
export const email: Provider = {
  faultRules: {
    stages: ['connect', 'auth', 'recipient', 'data'],
    usualStage: (fault) => (fault.kind === 'status' ? 'recipient' : 'data'),
    problem: (fault) => {
      if (fault.errorCode !== undefined) return 'errorCode is for push and sms';
      return fault.status === undefined || fault.status >= 400 ? null : 'status is an SMTP code from 400 to 599';
    },
  },

  start: async (stage) => {
    const server = new MailServer(stage);
    return server.listen();
  },

  describe: async ({ raw, headers }) => {
    const { subject, text, html, from, to } = await simpleParser(raw);
    const addresses = (Array.isArray(to) ? to : [to]).flatMap((field) => field?.text ?? []);
    const content = { from: from?.text ?? null, to: addresses, subject: subject ?? null, headers, text, html };
    return { title: subject ?? null, text: text ?? '', content };
  },
};

class MailServer {
  /** Each open connection's raw socket, with the TLS socket on top of it once there is one. */
  private readonly sockets = new Map<Socket, Socket>();
  private accepted = 0;

  constructor(private readonly stage: Stage) {}

  async listen(): Promise<RunningProvider> {
    const { settings } = this.stage;
    const certificate = await makeCertificate();
    const server = new SMTPServer({
      ...certificate,
      name: 'sandbox.localhost',
      size: MAX_MESSAGE,
      authOptional: !settings.SANDBOX_SMTP_REQUIRE_AUTH,
      allowInsecureAuth: true,
      disableReverseLookup: true,
      socketTimeout: 10 * 60_000,
      closeTimeout: 1,
      onConnect: (session, callback) => this.strike('connect', session.remoteAddress, session, callback),
      onSecure: (socket, session, callback) => {
        const raw = this.rawSocket(session);
        if (raw !== undefined) this.sockets.set(raw, socket);
        callback();
      },
      onAuth: ({ username, password }, session, callback) => {
        const right = username === settings.SANDBOX_SMTP_USER && password === settings.SANDBOX_SMTP_PASSWORD;
        this.strike('auth', username ?? '', session, (error) => callback(error, right ? { user: username } : {}));
      },
      onRcptTo: ({ address }, session, callback) => this.strike('recipient', address, session, callback),
      onData: (stream, session, callback) => this.receive(stream, session, callback),
    });
    server.server.on('connection', (socket: Socket) => {
      this.sockets.set(socket, socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    // Without a listener, a client that goes away in the middle of something would end the process.
    server.on('error', () => undefined);
    server.listen(settings.SANDBOX_SMTP_PORT, settings.SANDBOX_HOST);
    await once(server.server, 'listening');
    return {
      routes: [],
      port: (server.server.address() as AddressInfo).port,
      certificate: certificate.cert,
      close: () => this.close(server),
    };
  }

  /** A stage at which nothing is recorded. */
  private strike(name: string, target: string, session: SMTPServerSession, callback: (error?: Error) => void): void {
    const fault = this.stage.faults.strike(name, target);
    if (fault === null) callback();
    else
      play(
        fault,
        this.moment(session, () => undefined, callback),
        this.stage.closing,
      );
  }

  private receive(stream: SMTPServerDataStream, session: SMTPServerSession, callback: DataCallback): void {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => {
      if (!stream.sizeExceeded) chunks.push(chunk);
    });
    stream.on('end', () => {
      if (stream.sizeExceeded) callback(smtpError(552));
      else this.accept(Buffer.concat(chunks), session, callback);
    });
  }

  private accept(raw: Buffer, session: SMTPServerSession, callback: DataCallback): void {
    const { ledger, faults, closing } = this.stage;
    const target = session.envelope.rcptTo.map(({ address }) => address).join(', ');
    const headers = readHeaders(raw);
    const id = `${session.id}.${++this.accepted}`;
    const record = (): void =>
      ledger.record({
        id,
        deliveryId: localPart(headers['message-id']),
        notificationId: headers['x-carillon-notification'] ?? null,
        target,
        signature: null,
        headers,
        raw,
      });
    const answer = (error?: Error): void => callback(error ?? null, `OK: queued as ${id}`);
    play(faults.strike('data', target), this.moment(session, record, answer), closing);
  }

  private moment(session: SMTPServerSession, record: () => void, callback: (error?: Error) => void): Moment {
    const close = (): void => {
      const raw = this.rawSocket(session);
      if (raw !== undefined) this.sockets.get(raw)?.destroy();
    };
    return {
      record,
      accept: () => callback(),
      refuse: (fault) => callback(smtpError(statusOf(fault))),
      reset: () => void this.rawSocket(session)?.resetAndDestroy(),
      close,
    };
  }

  private rawSocket({ remotePort }: SMTPServerSession): Socket | undefined {
    for (const socket of this.sockets.keys()) if (socket.remotePort === remotePort) return socket;
    return undefined;
  }

  /** Nothing can be cut in half: a message is recorded and answered in one go. */
  private async close(server: SMTPServer): Promise<void> {
    await new Promise<void>((resolve) => server.close(resolve));
    for (const socket of this.sockets.values()) socket.destroy();
  }
}

type DataCallback = (error: Error | null, message?: string) => void;

const TEXTS: Readonly<Record<number, string>> = {
  421: 'Service not available, closing transmission channel',
  450: 'Requested mail action not taken: mailbox unavailable',
  451: 'Requested action aborted: local error in processing',
  452: 'Requested action not taken: insufficient system storage',
  454: 'Temporary authentication failure',
  535: 'Authentication credentials invalid',
  550: 'Requested action not taken: mailbox unavailable',
  552: 'Requested mail action aborted: exceeded storage allocation',
  554: 'Transaction failed',
};

const statusOf = (fault: Fault): number => fault.status ?? 451;

const smtpError = (responseCode: number): Error =>
  Object.assign(new Error(TEXTS[responseCode] ?? 'a fault was asked for'), { responseCode });
