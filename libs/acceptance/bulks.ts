import type { z } from 'zod';
import { Semaphore } from '#batching/semaphore';
import type { CreateBulk } from '#contracts/http/bulk';
import { BulkNotification, BulkRecipient } from '#contracts/http/bulk';
import type { CreateNotification } from '#contracts/http/notification';
import type { FieldError } from '#contracts/problems';
import type { Caller } from '#domain/caller';
import { DomainError, IdempotencyKeyInUse, IdempotencyKeyReused, ValidationFailed } from '#domain/errors';
import { fieldErrors } from './field-errors.js';
import { ChunkTexts } from './chunk-texts.js';
import { type Candidate, type Door, requireSend, serviceOf } from './door.js';
import { fingerprint, idempotencyScope } from './fingerprint.js';
import type { BulkRefusal, BulkStore } from './ports.js';
import { needsTexts } from './texts.js';

export interface BulkCommand {
  input: CreateBulk;
  raw: unknown;
  idempotencyKey: string | null;
  traceparent: string | null;
}

export interface AcceptedBulk {
  bulkId: string;
  serviceName: string;
  replayed: boolean;
}

export interface BulksParts {
  door: Door;
  bulks: BulkStore;
  newId: () => string;
  /** Id of an item, derived from bulk and index, so that a repeated chunk inserts only what is missing. */
  itemId: (bulkId: string, index: number) => string;
}

/** Documents in one write. */
const CHUNK = 1000;
/** While one is written, the places of the next are taken. */
const CHUNKS_AT_ONCE = 2;
/** How long one request may take to accept a bulk before a repetition takes it over, in milliseconds. */
const ACCEPTING_LEASE_MS = 60_000;

interface Item {
  index: number;
  reference: string | null;
  parsed: { input: CreateNotification } | { errors: FieldError[] };
}

/** Accepts many at once, through the same door: checked one by one, written in chunks, answered when all are durable. */
export class Bulks {
  constructor(private readonly parts: BulksParts) {}

  /**
   * @param bulkId given by callers that may repeat themselves (AMQP), so that a repetition finds what it began
   * @throws ValidationFailed when no item is acceptable, and what `Door.accept` throws of the whole
   */
  async accept(caller: Caller, command: BulkCommand, bulkId: string = this.parts.newId()): Promise<AcceptedBulk> {
    requireSend(caller);
    const serviceName = serviceOf(caller, command.input.serviceName);
    const items = itemsOf(command.input, serviceName);
    const print = fingerprint(command.raw);
    const begun = await this.parts.bulks.begin(
      {
        id: bulkId,
        serviceName,
        tenantId: command.input.content?.tenantId ?? null,
        actor: caller.actor,
        owner: caller.owner,
        total: items.length,
        idempotency:
          command.idempotencyKey === null
            ? null
            : {
                scope: idempotencyScope(caller.owner, serviceName, 'createBulk', command.idempotencyKey),
                fingerprint: print,
              },
      },
      ACCEPTING_LEASE_MS,
    );
    if (begun.kind === 'duplicate') {
      if (begun.fingerprint !== print) throw new IdempotencyKeyReused();
      if (begun.standing === 'finished') return { bulkId: begun.id, serviceName, replayed: true };
      if (begun.standing === 'in_use') throw new IdempotencyKeyInUse();
    }
    const id = begun.kind === 'duplicate' ? begun.id : bulkId;
    try {
      return await this.admitAll(caller, command, id, serviceName, items);
    } catch (error) {
      // Refused as a whole, it never was. Interrupted, what is written stays, and a repetition goes on from there.
      if (error instanceof ValidationFailed) await this.parts.bulks.forget(id);
      else await this.parts.bulks.pause(id);
      throw error;
    }
  }

  private async admitAll(
    caller: Caller,
    command: BulkCommand,
    bulkId: string,
    serviceName: string,
    items: readonly Item[],
  ): Promise<AcceptedBulk> {
    const refusals: BulkRefusal[] = [];
    let accepted = 0;
    const places = new Semaphore(CHUNKS_AT_ONCE);
    let interrupted = false;
    const admit = async (from: number): Promise<void> => {
      if (interrupted) return;
      const chunk = await this.candidates(caller, command, bulkId, items.slice(from, from + CHUNK), refusals);
      const verdicts = await this.parts.door.admit(chunk.map(({ candidate }) => candidate));
      verdicts.forEach((verdict, at) => {
        const item = chunk[at]?.item;
        if (item === undefined) return;
        if ('value' in verdict) accepted += 1;
        else
          refusals.push({
            index: item.index,
            reference: item.reference,
            errors: errorsOf(verdict.error, pathOf(command.input, item.index)),
          });
      });
    };
    const chunks = Array.from({ length: Math.ceil(items.length / CHUNK) }, (_, chunk) =>
      places.run(() =>
        admit(chunk * CHUNK).catch((error: unknown) => {
          interrupted = true;
          throw error;
        }),
      ),
    );
    // None is under way any more when the bulk is given up.
    for (const result of await Promise.allSettled(chunks)) if (result.status === 'rejected') throw result.reason;
    refusals.sort((a, b) => a.index - b.index);
    if (accepted === 0) throw new ValidationFailed(refusals.slice(0, 100).flatMap((refusal) => refusal.errors));
    await this.parts.bulks.run(bulkId, accepted, refusals);
    return { bulkId, serviceName, replayed: false };
  }

  private async candidates(
    caller: Caller,
    command: BulkCommand,
    bulkId: string,
    items: readonly Item[],
    refusals: BulkRefusal[],
  ): Promise<{ item: Item; candidate: Candidate }[]> {
    const taken: { item: Item; candidate: Candidate }[] = [];
    const texts = new ChunkTexts(this.parts.door);
    for (const item of items) {
      const path = pathOf(command.input, item.index);
      if ('errors' in item.parsed) {
        refusals.push({ index: item.index, reference: item.reference, errors: item.parsed.errors });
        continue;
      }
      try {
        const input = needsTexts(item.parsed.input) ? await texts.of(item.parsed.input) : item.parsed.input;
        const candidate = this.parts.door.candidate(
          caller,
          {
            input,
            raw: null,
            idempotencyKey: null,
            traceparent: command.traceparent,
            defaultOnLimit: 'wait',
          },
          { id: bulkId, index: item.index, notificationId: this.parts.itemId(bulkId, item.index) },
        );
        taken.push({ item, candidate });
      } catch (error) {
        refusals.push({ index: item.index, reference: item.reference, errors: errorsOf(error, path) });
      }
    }
    return taken;
  }
}

const pathOf = (input: CreateBulk, index: number): string =>
  `/${input.notifications === undefined ? 'recipients' : 'notifications'}/${index}`;

/** What went wrong with one item, placed in the bulk's body. @throws what is no refusal of the item */
const errorsOf = (error: unknown, path: string): FieldError[] => {
  if (error instanceof ValidationFailed) return error.errors.map((one) => ({ ...one, field: `${path}${one.field}` }));
  if (error instanceof DomainError && error.code !== 'unavailable')
    return [{ in: 'body', field: path, code: error.code, message: error.message }];
  throw error;
};

const referenceOf = (item: Record<string, unknown>): string | null =>
  typeof item['reference'] === 'string' ? item['reference'].slice(0, 255) : null;

const parse = <T extends z.ZodType>(
  schema: T,
  value: unknown,
  path: string,
): { data: z.output<T> } | { errors: FieldError[] } => {
  const result = schema.safeParse(value);
  return result.success ? { data: result.data } : { errors: fieldErrors(result.error, value, path) };
};

const itemsOf = (input: CreateBulk, serviceName: string): Item[] => {
  const { content } = input;
  if (content !== undefined)
    return (input.recipients ?? []).map((recipient, index) => {
      const parsed = parse(BulkRecipient, recipient, `/recipients/${index}`);
      if ('errors' in parsed) return { index, reference: referenceOf(recipient), parsed };
      const { data, variables, ...rest } = parsed.data;
      const all = { ...content.variables, ...variables };
      const given = content.variables !== undefined || variables !== undefined;
      return {
        index,
        reference: referenceOf(recipient),
        parsed: {
          input: {
            ...content,
            ...rest,
            serviceName,
            data: { ...content.data, ...data },
            ...(given ? { variables: all } : {}),
          },
        },
      };
    });
  return (input.notifications ?? []).map((notification, index) => {
    const path = `/notifications/${index}`;
    const parsed = parse(BulkNotification, notification, path);
    if ('errors' in parsed) return { index, reference: referenceOf(notification), parsed };
    const named = parsed.data.serviceName;
    return {
      index,
      reference: referenceOf(notification),
      parsed:
        named !== undefined && named !== serviceName
          ? {
              errors: [
                {
                  in: 'body',
                  field: `${path}/serviceName`,
                  code: 'not_of_bulk',
                  message: "must be the bulk's own service, or left out",
                },
              ],
            }
          : { input: { ...parsed.data, serviceName } },
    };
  });
};
