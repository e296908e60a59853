import { OPERATIONS } from '#contracts/http/operations';
import { ApiProblem } from '../api.js';
import { Failed } from '../exit.js';
import { checks, expect, type Ground } from './check.js';

/** More than any sensible limit of one user and minute. */
const AT_MOST = 1_000;

/** Sends to one user until that is refused; answers how many were accepted. */
const untilLimited = async (ground: Ground, name: string): Promise<{ accepted: number; refusal: ApiProblem }> => {
  for (let accepted = 0; accepted < AT_MOST; accepted += 1)
    try {
      await ground.send({ name });
    } catch (error) {
      if (error instanceof ApiProblem && error.problem.code === 'rate_limited') return { accepted, refusal: error };
      throw error;
    }
  throw new Failed(`${AT_MOST} notifications to one user were accepted: nothing limits them`);
};

/** The limit of each user and minute. */
export const RATE_LIMITER = checks(
  {
    name: 'one user is limited, and the caller told when to come again; others are not',
    run: async (ground) => {
      const { accepted, refusal } = await untilLimited(ground, ground.fresh());
      expect(accepted > 0, 'even the first was refused');
      expect(refusal.problem.scope === 'user', `the limit of the ${refusal.problem.scope ?? 'API'} struck first`);
      expect(refusal.retryAfter !== null, 'the refusal has no Retry-After');
      await ground.send();
      return `${accepted} accepted, then 429 with Retry-After ${refusal.retryAfter} s`;
    },
  },
  {
    name: 'with onLimit wait, what is over is parked instead',
    run: async (ground) => {
      const name = ground.fresh();
      await untilLimited(ground, name);
      const { id, state, waiting } = await ground.send({ name, onLimit: 'wait' });
      await ground.api.call(OPERATIONS.cancelNotification, { params: { id }, body: {} });
      expect(state === 'approved' && waiting?.reason === 'rate_limit', `it is ${state}, and waits for nothing`);
      return `waits until ${waiting?.until ?? 'later'}`;
    },
  },
);
