import { setTimeout as pause } from 'node:timers/promises';
import { OPERATIONS } from '#contracts/http/operations';
import { ApiProblem } from '../api.js';
import { checks, expect, type Ground } from './check.js';

const AT_ONCE = 10;
const MANY = 50;
const SECOND_MS = 1_000;

const times = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

/** As a caller does it: while another one is at it, it comes again. */
const sendWithKey = async (ground: Ground, name: string, key: string): Promise<string> => {
  for (;;)
    try {
      return (await ground.send({ name }, key)).id;
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.problem.code !== 'idempotency_key_in_use') throw error;
      await pause((error.retryAfter ?? 1) * SECOND_MS);
    }
};

/** What several do at once happens once. */
export const LOCK = checks(
  {
    name: `${AT_ONCE} requests at once with one Idempotency-Key make one notification`,
    run: async (ground) => {
      const [name, key] = [ground.fresh(), ground.fresh()];
      const ids = new Set(await times(AT_ONCE, () => sendWithKey(ground, name, key)));
      expect(ids.size === 1, `they made ${ids.size}`);
      return `one id`;
    },
  },
  {
    name: `${AT_ONCE} approvals at once are one`,
    run: async (ground) => {
      const { id } = await ground.send({ draft: true });
      await times(AT_ONCE, () =>
        ground.api.call(OPERATIONS.approveNotification, { params: { id }, body: {} }).catch((error: unknown) => {
          // Whoever comes when it has gone on is told so.
          const code = error instanceof ApiProblem ? error.problem.code : null;
          if (code !== 'invalid_transition' && code !== 'conflict') throw error;
        }),
      );
      const { history } = await ground.until(id, 'sent');
      const approvals = history.filter(({ to }) => to === 'approved').length;
      expect(approvals === 1, `its history has ${approvals} approvals`);
      return 'one in its history';
    },
  },
  {
    name: `each of ${MANY} is taken by one dispatcher, and arrives once`,
    run: async (ground) => {
      const sent = await times(MANY, () => ground.send());
      for (const { id } of sent) {
        const { history } = await ground.until(id, 'sent');
        const claims = history.filter(({ to }) => to === 'sending').length;
        const arrivals = await ground.sandbox.arrivals(id);
        expect(
          claims === 1 && arrivals === 1,
          `notification ${id} was taken ${claims} times, and arrived ${arrivals} times`,
        );
      }
      return `${MANY} of ${MANY}`;
    },
  },
);
