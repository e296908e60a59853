import type {
  AcceptStore,
  BulkRefusal,
  BulkStore,
  NewBulk,
  RecipientLookup,
  TemplateRenderer,
} from '#acceptance/ports';
import { recipientKey } from '#acceptance/ports';
import type { InsertResult, NewNotification } from '#domain/accepted';
import type { Announcement, Announcer, Told } from '#domain/announcement';
import { ValidationFailed } from '#domain/errors';
import type { LimitGrant, LimitRequest, UserLimits } from '#domain/limits';
import type { Notification } from '#domain/notification';

/** In-memory twins of the door's ports. */
export class MemoryAcceptStore implements AcceptStore {
  readonly documents = new Map<string, NewNotification>();
  /** Number of writes, to see that what arrives together is written together. */
  writes = 0;
  down = false;
  /** So many more writes succeed; null for all. */
  failAfter: number | null = null;

  findByIdempotency(
    refs: readonly { serviceName: string; scope: string }[],
  ): Promise<({ notification: Notification; fingerprint: string } | null)[]> {
    if (this.down) return Promise.reject(new Error('the store is down'));
    return Promise.resolve(refs.map(({ serviceName, scope }) => this.byScope(serviceName, scope)));
  }

  insertAccepted(batch: readonly NewNotification[]): Promise<InsertResult[]> {
    this.writes += 1;
    if (this.down || (this.failAfter !== null && this.failAfter-- <= 0))
      return Promise.resolve(batch.map(() => ({ kind: 'unavailable' })));
    return Promise.resolve(
      batch.map((entry): InsertResult => {
        const { notification, idempotency } = entry;
        const existing = idempotency === null ? null : this.byScope(notification.serviceName, idempotency.scope);
        if (existing !== null)
          return { kind: 'duplicate', existing: existing.notification, fingerprint: existing.fingerprint };
        this.documents.set(notification.id, entry);
        return { kind: 'inserted' };
      }),
    );
  }

  private byScope(serviceName: string, scope: string): { notification: Notification; fingerprint: string } | null {
    for (const { notification, idempotency } of this.documents.values())
      if (notification.serviceName === serviceName && idempotency?.scope === scope)
        return { notification, fingerprint: idempotency.fingerprint };
    return null;
  }
}

export class MemoryUserLimits implements UserLimits {
  readonly taken = new Map<string, number>();

  reserve(requests: readonly LimitRequest[]): Promise<LimitGrant[]> {
    return Promise.resolve(requests.map((request) => this.one(request)));
  }

  release(places: readonly { key: string; minute: Date }[]): Promise<void> {
    for (const { key, minute } of places) this.add(key, minute, -1);
    return Promise.resolve();
  }

  count(key: string, minute: Date): number {
    return this.taken.get(`${key}@${minute.toISOString()}`) ?? 0;
  }

  private add(key: string, minute: Date, by: number): void {
    this.taken.set(`${key}@${minute.toISOString()}`, this.count(key, minute) + by);
  }

  private one({ key, at, max, mode }: LimitRequest): LimitGrant {
    for (let minute = at; ; minute = new Date(minute.getTime() + 60_000)) {
      if (this.count(key, minute) < max) {
        this.add(key, minute, 1);
        return { granted: true, minute };
      }
      if (mode === 'fail') return { granted: false, retryAfterMs: 30_000 };
    }
  }
}

export class MemoryRecipientLookup implements RecipientLookup {
  readonly having: Set<string>;
  /** By user. */
  readonly locales = new Map<string, string>();
  /** How often locales were asked for. */
  localeLooks = 0;

  constructor(having: Iterable<string> = []) {
    this.having = new Set(having);
  }

  localesOf(_serviceName: string, userIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    this.localeLooks += 1;
    return Promise.resolve(new Map([...this.locales].filter(([userId]) => userIds.includes(userId))));
  }

  withTarget(wanted: Parameters<RecipientLookup['withTarget']>[0]): Promise<ReadonlySet<string>> {
    const keys = wanted.map(({ serviceName, channel, userId }) => recipientKey(serviceName, channel, userId));
    return Promise.resolve(new Set(keys.filter((key) => this.having.has(key))));
  }
}

export class RecordingAnnouncer implements Announcer {
  readonly announcements: Announcement[] = [];

  /** What each call is told; null leaves it open. */
  confirms: boolean | null = true;
  readonly open: Told[] = [];

  announce(announcements: readonly Announcement[], told?: Told): void {
    this.announcements.push(...announcements);
    if (told === undefined) return;
    if (this.confirms === null) this.open.push(told);
    else void told(this.confirms);
  }
}

interface BulkRecord extends NewBulk {
  status: 'accepting' | 'running';
  accepted: number;
  refusals: readonly BulkRefusal[];
  isTold: boolean;
}

export class MemoryBulkStore implements BulkStore {
  readonly records = new Map<string, BulkRecord>();
  /** Another request is accepting whatever is asked for again. */
  busy = false;

  begin(bulk: NewBulk): ReturnType<BulkStore['begin']> {
    for (const record of this.records.values())
      if (record.idempotency !== null && record.idempotency.scope === bulk.idempotency?.scope) {
        const standing = this.busy ? 'in_use' : record.status === 'running' ? 'finished' : 'taken_over';
        return Promise.resolve({
          kind: 'duplicate',
          id: record.id,
          fingerprint: record.idempotency.fingerprint,
          standing,
        });
      }
    this.records.set(bulk.id, { ...bulk, status: 'accepting', accepted: 0, refusals: [], isTold: false });
    return Promise.resolve({ kind: 'begun' });
  }

  run(id: string, accepted: number, refusals: readonly BulkRefusal[]): Promise<void> {
    const record = this.records.get(id);
    if (record !== undefined) this.records.set(id, { ...record, status: 'running', accepted, refusals });
    return Promise.resolve();
  }

  told(id: string): Promise<void> {
    const record = this.records.get(id);
    if (record !== undefined) this.records.set(id, { ...record, isTold: true });
    return Promise.resolve();
  }

  forget(id: string): Promise<void> {
    this.records.delete(id);
    return Promise.resolve();
  }

  pause(): Promise<void> {
    return Promise.resolve();
  }
}

/** One template, `dose`, whose body is `Take {{dose}}`. */
export class MemoryTemplates implements TemplateRenderer {
  prefix = 'Take';

  render({
    name,
    variables,
    locale,
    version,
  }: Parameters<TemplateRenderer['render']>[0]): ReturnType<TemplateRenderer['render']> {
    const { dose } = variables;
    const missing = name !== 'dose' ? '/template' : typeof dose !== 'string' ? '/variables/dose' : null;
    if (missing !== null)
      return Promise.reject(
        new ValidationFailed([{ in: 'body', field: missing, code: 'required', message: 'is required' }]),
      );
    return Promise.resolve({
      title: 'Dose',
      body: `${this.prefix} ${String(dose)}`,
      html: null,
      data: { rx: '1', by: 'template' },
      version: version ?? 3,
      locale: locale ?? 'default',
    });
  }
}
