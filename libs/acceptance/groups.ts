import type { CreateGroup } from '#contracts/http/groups';
import type { FieldError } from '#contracts/problems';
import type { Caller } from '#domain/caller';
import { IdempotencyKeyReused, Unavailable, ValidationFailed } from '#domain/errors';
import type { GroupPlan } from '#domain/groups';
import type { Notification } from '#domain/notification';
import type { Candidate } from './candidate.js';
import { type Door, requireSend, serviceOf } from './door.js';
import { fingerprint, idempotencyScope } from './fingerprint.js';
import { perChannel, placedInGroup } from './per-channel.js';
import type { AcceptStore, GroupMembers } from './ports.js';
import { needsTexts } from './texts.js';

export interface GroupCommand {
  input: CreateGroup;
  raw: unknown;
  idempotencyKey: string | null;
  traceparent: string | null;
}

export interface AcceptedGroup {
  groupId: string;
  /** In the order of the channels. */
  notifications: Notification[];
  replayed: boolean;
}

export interface GroupsParts {
  door: Pick<Door, 'candidate' | 'acceptTogether' | 'withTexts' | 'withLocales'>;
  store: Pick<AcceptStore, 'findByIdempotency'>;
  members: GroupMembers;
  newId: () => string;
}

/** Accepts one notification for each of several channels, through the same door: all of them or none. */
export class Groups {
  constructor(private readonly parts: GroupsParts) {}

  /** Durable when it resolves. @throws what `Door.accept` throws; what is refused names its channel */
  async accept(caller: Caller, command: GroupCommand): Promise<AcceptedGroup> {
    requireSend(caller);
    const serviceName = serviceOf(caller, command.input.serviceName);
    const record = recordOf(caller, serviceName, command);
    try {
      const candidates = await this.candidates(caller, serviceName, command, record);
      const accepted = await this.parts.door.acceptTogether(candidates);
      const [first] = accepted;
      if (first === undefined) throw new Unavailable('the database');
      if (first.replayed) return await this.made(first.notification);
      return {
        groupId: first.notification.groupId ?? '',
        notifications: accepted.map(({ notification }) => notification),
        replayed: false,
      };
    } catch (error) {
      const earlier = error instanceof ValidationFailed ? await this.earlier(serviceName, record) : null;
      if (earlier === null) throw error;
      return earlier;
    }
  }

  private async candidates(
    caller: Caller,
    serviceName: string,
    { input, traceparent }: GroupCommand,
    idempotency: Candidate['idempotency'],
  ): Promise<Candidate[]> {
    const groupId = this.parts.newId();
    const { mode, fallbackAfterSeconds = null } = input;
    const plan: GroupPlan = { mode, fallbackAfterSeconds, skipped: [] };
    const candidates: Candidate[] = [];
    const errors: FieldError[] = [];
    const inputs = perChannel(input).map((one) => ({ ...one, serviceName }));
    for (const asked of await this.parts.door.withLocales(serviceName, inputs)) {
      try {
        const { notification, onLimit } = this.parts.door.candidate(caller, {
          input: needsTexts(asked) ? await this.parts.door.withTexts(serviceName, asked) : asked,
          raw: null,
          idempotencyKey: null,
          traceparent,
          defaultOnLimit: 'fail',
        });
        candidates.push({ notification: { ...notification, groupId }, onLimit, idempotency, plan });
      } catch (error) {
        if (!(error instanceof ValidationFailed)) throw error;
        errors.push(...placedInGroup(input, asked.channel, error.errors));
      }
    }
    if (errors.length > 0) throw new ValidationFailed(errors);
    return candidates;
  }

  /** What the idempotency key made before its template changed. @throws IdempotencyKeyReused */
  private async earlier(serviceName: string, record: Candidate['idempotency']): Promise<AcceptedGroup | null> {
    if (record === null) return null;
    const [existing] = await this.parts.store.findByIdempotency([{ serviceName, scope: record.scope }]);
    if (existing == null) return null;
    if (existing.fingerprint !== record.fingerprint) throw new IdempotencyKeyReused();
    return this.made(existing.notification);
  }

  private async made({ serviceName, groupId }: Notification): Promise<AcceptedGroup> {
    const notifications = await this.parts.members.ofGroup(serviceName, groupId ?? '');
    return { groupId: groupId ?? '', notifications, replayed: true };
  }
}

const recordOf = (
  caller: Caller,
  serviceName: string,
  { idempotencyKey, raw }: GroupCommand,
): Candidate['idempotency'] =>
  idempotencyKey === null
    ? null
    : {
        scope: idempotencyScope(caller.owner, serviceName, 'createGroup', idempotencyKey),
        fingerprint: fingerprint(raw),
      };
