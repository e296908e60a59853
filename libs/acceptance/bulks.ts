import { Semaphore } from '#batching/semaphore';
import type { CreateBulk } from '#contracts/http/bulk';
import type { Channel } from '#contracts/vocabulary';
import type { Caller } from '#domain/caller';
import { IdempotencyKeyInUse, IdempotencyKeyReused, ValidationFailed } from '#domain/errors';
import { itemId } from '#domain/item-ids';
import { Telling } from '#domain/telling';
import { countOf, errorsOf, type Item, itemsOf, notificationsEach, pathOf } from './bulk-items.js';
import type { Candidate } from './candidate.js';
import { ChunkTexts } from './chunk-texts.js';
import { type Door, requireSend, serviceOf } from './door.js';
import { fingerprint, idempotencyScope } from './fingerprint.js';
import type { BulkRefusal, BulkStore } from './ports.js';
import { wantsLocale } from './locales.js';
import { placedInGroup } from './per-channel.js';
import { needsTexts } from './texts.js';
import { verdictOf } from './together.js';

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
}

/** Documents in one write. */
const CHUNK = 1000;
/** While one is written, the places of others are taken, and their items checked. */
const CHUNKS_AT_ONCE = 3;
/** How long one request may take to accept a bulk before a repetition takes it over, in milliseconds. */
const ACCEPTING_LEASE_MS = 60_000;

/** What an item makes: one candidate, or those of its group. */
interface Taken {
  item: Item;
  candidates: Candidate[];
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
    const print = fingerprint(command.raw);
    const begun = await this.parts.bulks.begin(
      {
        id: bulkId,
        serviceName,
        tenantId: command.input.content?.tenantId ?? null,
        actor: caller.actor,
        owner: caller.owner,
        total: countOf(command.input),
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
      return await this.admitAll(caller, command, id, serviceName);
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
  ): Promise<AcceptedBulk> {
    const refusals: BulkRefusal[] = [];
    let accepted = 0;
    const size = Math.floor(CHUNK / notificationsEach(command.input));
    const places = new Semaphore(CHUNKS_AT_ONCE);
    const telling = new Telling(async (all) => (all ? this.parts.bulks.told(bulkId) : undefined));
    let interrupted = false;
    const admit = async (from: number): Promise<void> => {
      if (interrupted) return;
      const items = itemsOf(command.input, serviceName, from, from + size);
      const chunk = await this.taken(caller, command, bulkId, serviceName, items, refusals);
      const verdicts = await this.parts.door.admit(
        chunk.flatMap(({ candidates }) => candidates),
        () => telling.part(),
      );
      let at = 0;
      chunk.forEach(({ item, candidates }) => {
        const verdict = verdictOf(verdicts.slice(at, (at += candidates.length)));
        if ('value' in verdict) accepted += 1;
        else
          refusals.push({
            index: item.index,
            reference: item.reference,
            errors: errorsOf(verdict.error, pathOf(command.input, item.index)),
          });
      });
    };
    const chunks = Array.from({ length: Math.ceil(countOf(command.input) / size) }, (_, chunk) =>
      places.run(() =>
        admit(chunk * size).catch((error: unknown) => {
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
    await telling.end();
    return { bulkId, serviceName, replayed: false };
  }

  private async taken(
    caller: Caller,
    command: BulkCommand,
    bulkId: string,
    serviceName: string,
    items: readonly Item[],
    refusals: BulkRefusal[],
  ): Promise<Taken[]> {
    const taken: Taken[] = [];
    const texts = new ChunkTexts(this.parts.door);
    await localise(this.parts.door, serviceName, items);
    for (const item of items) {
      const { index, reference, parsed } = item;
      try {
        if ('errors' in parsed) refusals.push({ index, reference, errors: parsed.errors });
        else {
          if (parsed.inputs.some(needsTexts)) await render(parsed, texts, command.input);
          taken.push({ item, candidates: this.candidates(caller, command, bulkId, index, parsed) });
        }
      } catch (error) {
        refusals.push({ index, reference, errors: errorsOf(error, pathOf(command.input, index)) });
      }
    }
    return taken;
  }

  private candidates(
    caller: Caller,
    { input: bulk, traceparent }: BulkCommand,
    bulkId: string,
    index: number,
    { inputs, plan }: Asked,
  ): Candidate[] {
    const { door } = this.parts;
    const groupId = plan === null ? null : itemId(bulkId, index, 'group');
    return inputs.map((input) => {
      const notificationId = itemId(bulkId, index, plan === null ? undefined : input.channel);
      try {
        const candidate = door.candidate(
          caller,
          { input, raw: null, idempotencyKey: null, traceparent, defaultOnLimit: 'wait' },
          { id: bulkId, index, notificationId },
        );
        if (plan === null) return candidate;
        return { ...candidate, notification: { ...candidate.notification, groupId }, plan };
      } catch (error) {
        throw placed(error, bulk, input.channel);
      }
    });
  }
}

type Asked = Exclude<Item['parsed'], { errors: unknown }>;

/** Looks for the locales of all recipients of a chunk at once. @throws Unavailable */
const localise = async (
  door: Pick<Door, 'withLocales'>,
  serviceName: string,
  items: readonly Item[],
): Promise<void> => {
  const asked = items.flatMap(({ parsed }) => ('errors' in parsed ? [] : [parsed]));
  const inputs = asked.flatMap((one) => one.inputs);
  if (!inputs.some(wantsLocale)) return;
  const localised = await door.withLocales(serviceName, inputs);
  let at = 0;
  for (const one of asked) one.inputs = localised.slice(at, (at += one.inputs.length));
};

/** Gives each input the texts of its template. @throws ValidationFailed, Unavailable */
const render = async ({ inputs }: Asked, texts: ChunkTexts, bulk: CreateBulk): Promise<void> => {
  for (const [at, input] of inputs.entries())
    if (needsTexts(input))
      inputs[at] = await texts.of(input).catch((error: unknown) => {
        throw placed(error, bulk, input.channel);
      });
};

/** Where several channels are asked, a refusal names the one. */
const placed = (error: unknown, { content }: CreateBulk, channel: Channel): unknown =>
  content?.channels !== undefined && error instanceof ValidationFailed
    ? new ValidationFailed(placedInGroup(content, channel, error.errors))
    : error;
