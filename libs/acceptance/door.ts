import type { CreateNotification } from '#contracts/http/notification';
import { BESIDE_FROM, GroupCommit, type Settled } from '#batching/group-commit';
import type { NewNotification } from '#domain/accepted';
import type { Announcement } from '#domain/announcement';
import type { Caller } from '#domain/caller';
import {
  type DomainError,
  IdempotencyKeyReused,
  InsufficientScope,
  NoTarget,
  RateLimited,
  ServiceNotAllowed,
  Unavailable,
  ValidationFailed,
} from '#domain/errors';
import type { ChannelLimits, LimitGrant, UserLimits } from '#domain/limits';
import type { Notification } from '#domain/notification';
import type { Accepted, Candidate } from './candidate.js';
import { placeInChannels } from './channel-places.js';
import type { CountryOf } from './countries.js';
import { type AcceptCommand, draftNotification, moveTo, type Origin } from './command.js';
import { fingerprint, idempotencyScope } from './fingerprint.js';
import { withLocales } from './locales.js';
import { limitRequests, type LimitSettings } from './limits.js';
import {
  type AcceptStore,
  type Announcer,
  recipientKey,
  type RecipientLookup,
  type TemplateRenderer,
  type Told,
} from './ports.js';
import { needsTexts, withTexts } from './texts.js';
import { announcementOf, laterWake, ownOutbox } from './owed.js';
import { formGroups, verdictOf, withdrawn } from './together.js';

export type { AcceptCommand } from './command.js';

export interface DoorParts {
  store: AcceptStore;
  limits: UserLimits;
  channelLimits: ChannelLimits;
  recipients: RecipientLookup;
  templates: TemplateRenderer;
  announcer: Announcer;
  settings: LimitSettings;
  countryOf: CountryOf;
  newId: () => string;
  now: () => Date;
  onBatch?: (size: number) => void;
  onAccepted?: (notification: Notification) => void;
}

/** Under load, how long a batch waits for callers that are about to come back: half of what writing one takes. */
const GATHER_MS = 3;

/** Refusals by what the first request with the same key may have taken a moment before. */
const REFUSED_UNSEEN: ReadonlySet<unknown> = new Set([RateLimited]);

type Verdict = Settled<Accepted>;
const refused = (error: DomainError): Verdict => ({ error });

/** The one service that a caller means. */
export const serviceOf = (caller: Caller, named: string | undefined): string => {
  if (named !== undefined) {
    if (!caller.services.has(named)) throw new ServiceNotAllowed();
    return named;
  }
  const [only, ...others] = caller.services;
  if (only !== undefined && others.length === 0) return only;
  throw new ValidationFailed([
    { in: 'body', field: '/serviceName', code: 'required', message: 'is required: this key may use several services' },
  ]);
};

export const requireSend = (caller: Caller): void => {
  if (!caller.scopes.has('notifications:send')) throw new InsufficientScope(['notifications:send']);
};

/**
 * The one door for everything that is accepted: HTTP, AMQP, bulk and replays. Requests in flight at the same time are
 * looked up, limited and written together; an error of one is told to its own caller.
 */
export class Door {
  private readonly group: GroupCommit<Candidate, Accepted>;
  private readonly together: GroupCommit<readonly Candidate[], Accepted[]>;

  constructor(private readonly parts: DoorParts) {
    this.group = new GroupCommit((candidates) => this.admit(candidates), {
      maxBatch: 500,
      maxInFlight: 2,
      besideFrom: BESIDE_FROM,
      gatherMs: GATHER_MS,
      even: true,
      ...(parts.onBatch === undefined ? {} : { onBatch: parts.onBatch }),
    });
    this.together = new GroupCommit((groups) => this.admitGroups(groups), { maxBatch: 100, maxInFlight: 2 });
  }

  /**
   * Durable when it resolves.
   * @throws ValidationFailed, ServiceNotAllowed, InsufficientScope, NoTarget, RateLimited, IdempotencyKeyReused, Unavailable
   */
  async accept(caller: Caller, command: AcceptCommand): Promise<Accepted> {
    if (!needsTexts(command.input)) return this.group.add(this.candidate(caller, command));
    requireSend(caller);
    const serviceName = serviceOf(caller, command.input.serviceName);
    let candidate: Candidate;
    try {
      const [localised = command.input] = await this.withLocales(serviceName, [command.input]);
      const input = await this.withTexts(serviceName, localised);
      candidate = this.candidate(caller, { ...command, input });
    } catch (error) {
      const replayed = error instanceof ValidationFailed ? await this.earlier(caller, serviceName, command) : null;
      if (replayed === null) throw error;
      return replayed;
    }
    return this.group.add(candidate);
  }

  /**
   * All of them or none: those that were accepted (a fallback leaves out channels without target) or, where the key was
   * used before, what it made. @throws what `accept` throws of any of them
   */
  acceptTogether(candidates: readonly Candidate[]): Promise<Accepted[]> {
    return this.together.add(candidates);
  }

  private async admitGroups(groups: readonly (readonly Candidate[])[]): Promise<Settled<Accepted[]>[]> {
    const verdicts = await this.admit(groups.flat());
    let from = 0;
    return groups.map(({ length }) => verdictOf(verdicts.slice(from, (from += length))));
  }

  /** What the idempotency key made before its template changed. @throws IdempotencyKeyReused */
  private async earlier(caller: Caller, serviceName: string, command: AcceptCommand): Promise<Accepted | null> {
    if (command.idempotencyKey === null) return null;
    const scope = idempotencyScope(caller.owner, serviceName, 'createNotification', command.idempotencyKey);
    const [existing] = await this.parts.store.findByIdempotency([{ serviceName, scope }]);
    if (existing == null) return null;
    if (existing.fingerprint !== fingerprint(command.raw)) throw new IdempotencyKeyReused();
    return { notification: existing.notification, replayed: true };
  }

  /** With the locales of their recipients, where a template's is not named. @throws Unavailable */
  withLocales(serviceName: string, inputs: readonly CreateNotification[]): Promise<CreateNotification[]> {
    return withLocales(this.parts.recipients, serviceName, inputs);
  }

  /** With the texts of its template, if it names one. @throws ValidationFailed, Unavailable */
  withTexts(serviceName: string, input: CreateNotification): Promise<CreateNotification> {
    return withTexts(this.parts.templates, serviceName, input);
  }

  /** Everything that can be checked without a store. Throws what `accept` would. */
  candidate(
    caller: Caller,
    command: AcceptCommand,
    bulk: (Origin['bulk'] & { notificationId: string }) | null = null,
  ): Candidate {
    requireSend(caller);
    const serviceName = serviceOf(caller, command.input.serviceName);
    const origin: Origin = {
      id: bulk?.notificationId ?? this.parts.newId(),
      serviceName,
      actor: caller.actor,
      owner: caller.owner,
      bulk,
      country: this.parts.countryOf(serviceName),
    };
    return {
      notification: draftNotification(command, origin, this.parts.now()),
      onLimit: command.input.onLimit ?? null,
      idempotency:
        command.idempotencyKey === null
          ? null
          : {
              scope: idempotencyScope(caller.owner, serviceName, 'createNotification', command.idempotencyKey),
              fingerprint: fingerprint(command.raw),
            },
    };
  }

  /**
   * One verdict each, in order.
   * @param toldOf where something else than its own document remembers what each one owes to the broker: asked when that
   *   is announced for who is to hear of it
   */
  async admit(given: readonly Candidate[], toldOf?: () => Told): Promise<Verdict[]> {
    let candidates = given;
    const verdicts = new Array<Verdict | undefined>(candidates.length).fill(undefined);
    const open = (): number[] => given.flatMap((_, index) => (verdicts[index] === undefined ? [index] : []));
    try {
      // First of all: a replay takes no place, not even for a moment.
      await this.answerReplays(candidates, verdicts);
      await this.refuseWithoutTarget(candidates, open(), verdicts);
      candidates = formGroups(candidates, verdicts);
      const { placed, places } = await this.takePlaces(candidates, open(), verdicts);
      await this.giveBack(withdrawn(candidates, placed, verdicts), placed, places);
      await this.insert(candidates, placed, places, verdicts, toldOf);
      // Who was refused while the first request with its key was under way, in this batch.
      await this.answerReplays(candidates, verdicts, REFUSED_UNSEEN);
    } catch (error) {
      for (const index of open())
        verdicts[index] = { error: error instanceof Error ? error : new Error(String(error)) };
    }
    return verdicts.map((verdict) => verdict ?? refused(new Unavailable('the database')));
  }

  async drained(): Promise<void> {
    await Promise.all([this.group.drained(), this.together.drained()]);
  }

  private replay(existing: { notification: Notification; fingerprint: string }, candidate: Candidate): Verdict {
    return existing.fingerprint === candidate.idempotency?.fingerprint
      ? { value: { notification: existing.notification, replayed: true } }
      : refused(new IdempotencyKeyReused());
  }

  /** @param among only those that were refused by one of these; else those that have no verdict */
  private async answerReplays(
    candidates: readonly Candidate[],
    verdicts: (Verdict | undefined)[],
    among: ReadonlySet<unknown> | null = null,
  ): Promise<void> {
    const isAsked = (verdict: Verdict | undefined): boolean =>
      among === null
        ? verdict === undefined
        : verdict !== undefined && 'error' in verdict && among.has(verdict.error.constructor);
    const keyed = candidates.flatMap((candidate, index) =>
      candidate.idempotency === null || !isAsked(verdicts[index])
        ? []
        : [{ index, candidate, scope: candidate.idempotency.scope }],
    );
    if (keyed.length === 0) return;
    const found = await this.parts.store.findByIdempotency(
      keyed.map(({ candidate, scope }) => ({ serviceName: candidate.notification.serviceName, scope })),
    );
    keyed.forEach(({ index, candidate }, at) => {
      const existing = found[at];
      if (existing != null) verdicts[index] = this.replay(existing, candidate);
    });
  }

  private async refuseWithoutTarget(
    candidates: readonly Candidate[],
    open: readonly number[],
    verdicts: (Verdict | undefined)[],
  ): Promise<void> {
    const wanting = open.flatMap((index) => {
      const notification = candidates[index]?.notification;
      return notification === undefined || notification.to !== null || notification.userId === null
        ? []
        : [
            {
              index,
              serviceName: notification.serviceName,
              channel: notification.channel,
              userId: notification.userId,
            },
          ];
    });
    if (wanting.length === 0) return;
    const having = await this.parts.recipients.withTarget(wanting);
    for (const { index, serviceName, channel, userId } of wanting)
      if (!having.has(recipientKey(serviceName, channel, userId))) verdicts[index] = refused(new NoTarget(channel));
  }

  /** Reserves the places that each one needs; who does not get all of its places gives back what it got. */
  private async takePlaces(
    candidates: readonly Candidate[],
    open: readonly number[],
    verdicts: (Verdict | undefined)[],
  ): Promise<{ placed: Map<number, Notification>; places: Map<number, { key: string; minute: Date }[]> }> {
    const now = this.parts.now();
    const wanted = open.flatMap((index) => {
      const notification = candidates[index]?.notification;
      return notification === undefined
        ? []
        : [{ index, notification, requests: limitRequests(notification, now, this.parts.settings) }];
    });
    const requests = wanted.flatMap((want) => want.requests);
    const grants = requests.length === 0 ? [] : await this.parts.limits.reserve(requests);
    const placed = new Map<number, Notification>();
    const places = new Map<number, { key: string; minute: Date }[]>();
    const givenBack: { key: string; minute: Date }[] = [];
    let at = 0;
    for (const { index, notification, requests: mine } of wanted) {
      const granted: LimitGrant[] = grants.slice(at, at + mine.length);
      at += mine.length;
      const got = mine.flatMap(({ key }, n) => {
        const grant = granted[n];
        return grant?.granted === true ? [{ key, minute: grant.minute }] : [];
      });
      if (got.length < mine.length) {
        givenBack.push(...got);
        const waits = granted.map((grant) => (grant.granted ? 0 : grant.retryAfterMs));
        verdicts[index] = refused(new RateLimited('user', Math.max(1, Math.ceil(Math.max(0, ...waits) / 1000))));
        continue;
      }
      const asked = mine[0]?.at;
      const latest = got.reduce<Date | null>((max, { minute }) => (max === null || minute > max ? minute : max), null);
      placed.set(
        index,
        latest !== null && asked !== undefined && latest > asked ? moveTo(notification, latest) : notification,
      );
      places.set(index, got);
    }
    const refusals = await placeInChannels(
      this.parts.channelLimits,
      placed,
      (index) => candidates[index]?.onLimit ?? null,
      this.parts.now,
    );
    for (const [index, refusal] of refusals) {
      verdicts[index] = refused(refusal);
      givenBack.push(...(places.get(index) ?? []));
    }
    if (givenBack.length > 0) await this.parts.limits.release(givenBack);
    return { placed, places };
  }

  private async giveBack(
    indexes: readonly number[],
    placed: Map<number, Notification>,
    places: ReadonlyMap<number, { key: string; minute: Date }[]>,
  ): Promise<void> {
    const taken = indexes.flatMap((index) => places.get(index) ?? []);
    for (const index of indexes) placed.delete(index);
    if (taken.length > 0) await this.parts.limits.release(taken);
  }

  private async insert(
    candidates: readonly Candidate[],
    placed: ReadonlyMap<number, Notification>,
    places: ReadonlyMap<number, { key: string; minute: Date }[]>,
    verdicts: (Verdict | undefined)[],
    toldOf: (() => Told) | undefined,
  ): Promise<void> {
    const outboxOf = toldOf === undefined ? ownOutbox : laterWake;
    const indexes = [...placed.keys()];
    if (indexes.length === 0) return;
    const batch: NewNotification[] = indexes.flatMap((index) => {
      const notification = placed.get(index);
      const candidate = candidates[index];
      return notification === undefined || candidate === undefined
        ? []
        : [{ notification, idempotency: recordOn(notification, candidate), outbox: outboxOf(notification) }];
    });
    const results = await this.parts.store.insertAccepted(batch);
    const announcements: Announcement[] = [];
    const givenBack: { key: string; minute: Date }[] = [];
    indexes.forEach((index, at) => {
      const result = results[at];
      const written = batch[at]?.notification;
      const candidate = candidates[index];
      if (written === undefined || candidate === undefined) return;
      if (result?.kind === 'inserted') {
        verdicts[index] = { value: { notification: written, replayed: false } };
        announcements.push(announcementOf(written));
        this.parts.onAccepted?.(written);
        return;
      }
      givenBack.push(...(places.get(index) ?? []));
      verdicts[index] =
        result?.kind === 'duplicate'
          ? this.replay({ notification: result.existing, fingerprint: result.fingerprint }, candidate)
          : refused(new Unavailable('the database'));
    });
    if (announcements.length > 0) this.parts.announcer.announce(announcements, toldOf?.());
    // A place that is not given back is wasted for a minute; no answer waits for it.
    if (givenBack.length > 0) await this.parts.limits.release(givenBack).catch(() => undefined);
  }
}

/** Of a group the first one is the record. */
const recordOn = ({ group }: Notification, { idempotency }: Candidate): Candidate['idempotency'] =>
  group !== null && group.position > 0 ? null : idempotency;
