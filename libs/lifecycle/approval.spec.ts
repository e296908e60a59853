import { beforeEach, describe, expect, it } from '@jest/globals';
import type { State } from '#contracts/vocabulary';
import { atOnce } from '#domain/change';
import { ApproverIsAuthor, DomainError, NoTarget, RateLimited, ValidationFailed } from '#domain/errors';
import type { Notification } from '#domain/notification';
import { ActionsHouse } from '#testing/actions-house';
import { callerOf } from '#testing/callers';

const NOW = new Date('2026-11-21T08:00:30.000Z');
const MINUTE = new Date('2026-11-21T08:00:00.000Z');
const NEXT_MINUTE = new Date('2026-11-21T08:01:00.000Z');

let h = new ActionsHouse(NOW);
beforeEach(() => {
  h = new ActionsHouse(NOW);
});

const approve = (id: string): Promise<Notification> => h.actions.approve(callerOf(), id, { note: 'fine' });

describe('approve', () => {
  it('makes it due at once', async () => {
    const after = await approve(h.addDraft().id);
    expect(after).toMatchObject({ approvedAt: NOW, waiting: null, nextAttemptAt: atOnce(NOW) });
    expect(after.history.at(-1)).toEqual({ from: 'draft', to: 'approved', at: NOW, actor: 'key:1', reason: 'fine' });
    expect(h.announcer.announcements[0]).toMatchObject({
      wake: 'now',
      status: { previous: 'pending' },
      deadLetter: false,
    });
  });

  it('leaves it to the scheduler while its sendAt is ahead', async () => {
    const sendAt = new Date(NOW.getTime() + 3_600_000);
    h.placesNeeded = ({ dueAt }) => [{ key: 'k', at: dueAt ?? MINUTE, max: 1, mode: 'wait' }];
    const after = await approve(h.addDraft({ sendAt }).id);
    expect(after).toMatchObject({ waiting: { reason: 'scheduled', until: sendAt }, nextAttemptAt: sendAt });
    expect(h.announcer.announcements[0]?.wake).toBe('later');
    expect(h.limits.count('k', sendAt)).toBe(1);
  });

  it('sends at once what was to be sent before it was approved', async () => {
    expect(await approve(h.addDraft({ sendAt: MINUTE }).id)).toMatchObject({ waiting: null });
  });

  it('takes a place in the minute, of the approved notification', async () => {
    let state: State | undefined;
    h.placesNeeded = (notification) => {
      state = notification.state;
      return [{ key: 'k', at: MINUTE, max: 1, mode: 'fail' }];
    };
    await approve(h.addDraft().id);
    expect(state).toBe('approved');
    expect(h.limits.count('k', MINUTE)).toBe(1);
  });

  it('holds back what comes later in its group, and takes no place', async () => {
    h.placesNeeded = () => [{ key: 'full', at: MINUTE, max: 0, mode: 'fail' }];
    const group = { mode: 'fallback', position: 1, fallbackAfterSeconds: null, skipped: [] } as const;
    const after = await approve(h.addDraft({ groupId: 'a'.repeat(24), group: { ...group, skipped: [] } }).id);
    expect(after).toMatchObject({ approvedAt: NOW, waiting: { reason: 'fallback', until: null }, nextAttemptAt: null });
    expect(h.announcer.announcements[0]?.wake).toBe('none');
  });

  it('is refused over the limit, and keeps no place', async () => {
    h.placesNeeded = () => [
      { key: 'free', at: MINUTE, max: 1, mode: 'fail' },
      { key: 'full', at: MINUTE, max: 0, mode: 'fail' },
    ];
    const { id } = h.addDraft();
    const error: unknown = await approve(id).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(RateLimited);
    expect(error).toMatchObject({ scope: 'user', retryAfterSeconds: 30 });
    expect(h.limits.count('free', MINUTE)).toBe(0);
    expect(h.store.get(id).state).toBe('draft');
  });

  it('waits for the next free minute where it may', async () => {
    h.limits.taken.set(`k@${MINUTE.toISOString()}`, 1);
    h.placesNeeded = () => [{ key: 'k', at: MINUTE, max: 1, mode: 'wait' }];
    const after = await approve(h.addDraft().id);
    expect(after).toMatchObject({ waiting: { reason: 'rate_limit', until: NEXT_MINUTE }, nextAttemptAt: NEXT_MINUTE });
    expect(h.announcer.announcements[0]?.wake).toBe('later');
  });

  it('needs a recipient with a target', async () => {
    await expect(approve(h.addDraft({ userId: 'p-2' }).id)).rejects.toBeInstanceOf(NoTarget);
    await expect(approve(h.addDraft({ userId: null }).id)).rejects.toBeInstanceOf(NoTarget);
    expect(await approve(h.addDraft({ userId: null, to: ['a@example.org'] }).id)).toMatchObject({ state: 'approved' });
  });

  it('needs content and targets that the channel takes, and names each that is wrong', async () => {
    const { id } = h.addDraft({ body: ' ', title: null, to: ['a@example.org', 'nobody'] });
    const error: unknown = await approve(id).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ValidationFailed);
    expect((error as ValidationFailed).errors.map(({ field }) => field)).toEqual(['/body', '/title', '/to/1']);
  });

  it('is refused once it has expired', async () => {
    await expect(approve(h.addDraft({ expiresAt: NOW }).id)).rejects.toMatchObject({
      state: 'draft',
      allowed: ['reject', 'cancel'],
    });
  });
});

describe('a guard', () => {
  const guardOf = async (acted: Promise<unknown>): Promise<unknown> => {
    const error: unknown = await acted.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DomainError);
    return (error as DomainError).guard;
  };
  const past = new Date(NOW.getTime() - 1);

  it('is named by the refusal', async () => {
    expect(await guardOf(approve(h.add({ state: 'sent' }).id))).toBe('state');
    expect(await guardOf(approve(h.addDraft({ expiresAt: past }).id))).toBe('time');
    expect(await guardOf(approve(h.addDraft({ body: ' ' }).id))).toBe('content');
    expect(await guardOf(approve(h.addDraft({ userId: 'p-9' }).id))).toBe('recipient');
    h.placesNeeded = () => [{ key: 'full', at: MINUTE, max: 0, mode: 'fail' }];
    expect(await guardOf(approve(h.addDraft().id))).toBe('limit');
    const retry = (over: Partial<Notification>): Promise<unknown> =>
      h.actions.retry(callerOf(), h.add({ state: 'failed', ...over }).id, {});
    expect(await guardOf(retry({ round: 6 }))).toBe('retries');
    expect(await guardOf(retry({ expiresAt: past }))).toBe('time');
    const uncertain = h.add({ state: 'uncertain', expiresAt: past });
    expect(await guardOf(h.actions.resolve(callerOf(), uncertain.id, { outcome: 'retry' }))).toBe('time');
  });

  it('keeps authors from approving, where others have to', async () => {
    h.byOthers.add('diabetes');
    const { id } = h.addDraft({ owner: 'desk' });
    const author = callerOf({ actor: 'key:another-of-theirs', owner: 'desk' });
    const asked = h.actions.approve(author, id, {});
    await expect(asked).rejects.toThrow(ApproverIsAuthor);
    expect(await guardOf(asked)).toBe('author');
    expect((await h.actions.reject(author, h.addDraft({ owner: 'desk' }).id, { reason: 'no' })).state).toBe('rejected');
    const approved = await h.actions.approve(callerOf({ actor: 'key:2', owner: 'doctors' }), id, {});
    expect(approved.history.at(-1)).toMatchObject({ to: 'approved', actor: 'key:2' });
    // What is in effect already is no decision any more.
    expect((await h.actions.approve(author, id, {})).state).toBe('approved');
  });

  it('lets authors approve elsewhere', async () => {
    h.byOthers.add('wellness');
    expect((await approve(h.addDraft({ owner: callerOf().owner }).id)).state).toBe('approved');
  });
});

describe('many at once', () => {
  it('are approved each by itself, in order', async () => {
    const [good, late] = [h.addDraft(), h.addDraft({ expiresAt: NOW })];
    const results = await h.actions.approveMany(callerOf(), [late.id, 'f'.repeat(24), good.id], { note: 'fine' });
    expect(results).toMatchObject([
      { id: late.id, error: { code: 'invalid_transition', guard: 'time' } },
      { id: 'f'.repeat(24), error: { code: 'not_found', guard: null } },
      { id: good.id, notification: { state: 'approved', version: 2 } },
    ]);
    expect(h.store.get(good.id).history.at(-1)?.reason).toBe('fine');
  });

  it('do not hide what nobody expected', async () => {
    h.store.find = () => Promise.reject(new TypeError('a fault of ours'));
    await expect(h.actions.approveMany(callerOf(), [h.addDraft().id], {})).rejects.toThrow(TypeError);
  });
});
