import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Channel, ChannelModel } from 'amqplib';
import { fullJitter, pause, within } from './backoff.js';
import type { Log } from './log.js';
import { openConnection, type OpenOptions } from './open.js';

/** A connection while it lasts. */
export interface Session {
  readonly model: ChannelModel;
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal;
  redeclare(): Promise<void>;
}

/** What lives on a connection, and is brought back on each new one. */
export interface Attachment {
  /** Resolves when it works, or when the session is gone; later losses of its channel are its own affair. */
  attach(session: Session): Promise<void>;
}

export interface LinkOptions extends OpenOptions {
  log: Log;
  declare(model: ChannelModel): Promise<void>;
}

interface LinkEvents {
  up: [];
  down: [];
  blocked: [reason: string];
  unblocked: [];
}

const RECONNECT = { baseMs: 200, maxMs: 5_000 };
const CHANNEL_REOPEN = { baseMs: 100, maxMs: 10_000 };
const CLOSE_TIMEOUT_MS = 2_000;
/** A broker that has not declared everything after so long, in milliseconds, is left and tried again. */
const DECLARE_TIMEOUT_MS = 30_000;
/** What has lasted this long was not refused: the next attempt is a first one again. */
const STABLE_MS = 5_000;

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

const rethrow = (error: Error): never => {
  throw error;
};

/** Of an unknown virtual host amqplib tells no more than that the broker closed instead of opening. */
const isRefusal = (error: Error): boolean =>
  /ACCESS.REFUSED|NOT.ALLOWED|OpenOk; got <ConnectionClose/.test(error.message);

/** The socket, which amqplib keeps to itself. */
export const socketOf = (model: ChannelModel): Duplex => (model.connection as unknown as { stream: Duplex }).stream;

export interface ChannelKeeper<C extends Channel> {
  log: Log;
  create(model: ChannelModel): Promise<C>;
  /** Makes it work; called again, after the topology has been declared anew, for each channel that replaces a lost one. */
  setUp(channel: C): Promise<void>;
  /** True when a channel that closes is not to be replaced. */
  stopped(): boolean;
}

/** Resolves when it is closed, also by the end of its connection: amqplib's own promise then waits for ever. */
export const closeQuietly = (channel: Channel): Promise<void> =>
  new Promise((resolve) => {
    channel.once('close', resolve);
    channel.close().then(resolve, () => resolve());
  });

/** Keeps a channel open for as long as the session lasts. Resolves when it works for the first time, or never will. */
export const keepChannel = <C extends Channel>(session: Session, keeper: ChannelKeeper<C>): Promise<void> =>
  new Promise((works) => {
    const { log } = keeper;
    const openOne = async (): Promise<void> => {
      const channel = await keeper.create(session.model);
      const closed = new Promise<void>((resolve) => channel.once('close', resolve));
      channel.on('error', (error) => log.error({ err: error }, 'RabbitMQ closed a channel'));
      try {
        await keeper.setUp(channel);
      } catch (error) {
        await closeQuietly(channel);
        throw error;
      }
      works();
      await closed;
    };
    const keep = async (): Promise<void> => {
      for (let attempt = 0; !session.signal.aborted && !keeper.stopped(); attempt++) {
        const startedAt = performance.now();
        try {
          if (attempt > 0) await session.redeclare();
          await openOne();
        } catch (error) {
          if (!session.signal.aborted) log.error({ err: error }, 'could not set up a RabbitMQ channel, trying again');
        }
        if (performance.now() - startedAt > STABLE_MS) attempt = 0;
        await pause(fullJitter(attempt, CHANNEL_REOPEN), session.signal);
      }
      works();
    };
    void keep();
  });

/** One connection that comes back by itself, with the topology and everything attached to it. */
export class Link extends EventEmitter<LinkEvents> {
  private readonly attachments = new Set<Attachment>();
  private readonly stopping = new AbortController();
  private model: ChannelModel | null = null;
  /** Set once the topology is declared. */
  private session: Session | null = null;
  private running: Promise<void> | null = null;
  private isReady = false;
  private isBlocked = false;

  constructor(private readonly options: LinkOptions) {
    super();
  }

  /** Connected, declared, and everything attached works. */
  get ready(): boolean {
    return this.isReady;
  }

  /** The broker takes no messages, for want of memory or disk. */
  get blocked(): boolean {
    return this.isBlocked;
  }

  get started(): boolean {
    return this.running !== null;
  }

  start(): void {
    if (!this.stopping.signal.aborted) this.running ??= this.run();
  }

  add(attachment: Attachment): void {
    this.attachments.add(attachment);
    if (this.session !== null) void attachment.attach(this.session);
  }

  async close(): Promise<void> {
    this.stopping.abort();
    if (this.model !== null) await this.hangUp(this.model);
    await this.running;
  }

  private async run(): Promise<void> {
    const { log, uri, name } = this.options;
    const target = { host: uri.host, vhost: uri.pathname, user: uri.username, connection: name };
    for (let attempt = 0; !this.stopping.signal.aborted; attempt++) {
      const startedAt = performance.now();
      const reason = await this.hold();
      if (this.stopping.signal.aborted) return;
      if (performance.now() - startedAt > STABLE_MS) attempt = 0;
      const retryInMs = fullJitter(attempt, RECONNECT);
      if (isRefusal(reason)) {
        log.error(
          { ...target, retryInMs, reason: reason.message },
          'RabbitMQ refuses us: check user, password and virtual host of RABBITMQ_URI',
        );
      } else {
        log.warn({ ...target, retryInMs, reason: reason.message }, 'no connection to RabbitMQ, trying again');
      }
      await pause(retryInMs, this.stopping.signal);
    }
  }

  /** One connection, from first to last. @returns why it ended */
  private async hold(): Promise<Error> {
    let model: ChannelModel;
    try {
      model = await openConnection(this.options);
    } catch (error) {
      return asError(error);
    }
    const gone = new AbortController();
    const closed = new Promise<Error>((resolve) => {
      model.once('close', (error?: Error) => {
        gone.abort();
        resolve(error ?? new Error('closed'));
      });
    });
    // `close` follows, with the same reason.
    model.on('error', () => undefined);
    model.on('blocked', (reason) => this.setBlocked(true, reason));
    model.on('unblocked', () => this.setBlocked(false, ''));
    const session: Session = { model, signal: gone.signal, redeclare: () => this.options.declare(model) };
    this.model = model;
    try {
      if (this.stopping.signal.aborted) await this.hangUp(model);
      const declared = this.options.declare(model);
      if (!(await Promise.race([within(DECLARE_TIMEOUT_MS, declared), closed.then(rethrow)])))
        throw new Error('RabbitMQ has not declared our topology in time');
      this.session = session;
      const attached = Promise.all([...this.attachments].map((attachment) => attachment.attach(session)));
      await Promise.race([attached, closed]);
      if (!gone.signal.aborted) this.setReady(true);
      return await closed;
    } catch (error) {
      if (!gone.signal.aborted) await this.hangUp(model);
      return asError(error);
    } finally {
      this.model = null;
      this.session = null;
      this.setBlocked(false, '');
      this.setReady(false);
    }
  }

  /** Closes with the handshake; a peer that does not answer is left without. */
  private async hangUp(model: ChannelModel): Promise<void> {
    const closing = model.close().catch(() => undefined);
    if (await within(CLOSE_TIMEOUT_MS, closing)) return;
    // amqplib waits for ever: this is what it does itself when the socket breaks.
    const connection = model.connection as unknown as { onSocketError(error: Error): void };
    connection.onSocketError(new Error('RabbitMQ did not answer our goodbye'));
    socketOf(model).destroy();
  }

  private setReady(ready: boolean): void {
    if (this.isReady === ready) return;
    this.isReady = ready;
    this.emit(ready ? 'up' : 'down');
  }

  private setBlocked(blocked: boolean, reason: string): void {
    if (this.isBlocked === blocked) return;
    this.isBlocked = blocked;
    if (blocked) this.emit('blocked', reason);
    else this.emit('unblocked');
  }
}
