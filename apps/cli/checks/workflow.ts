import { OPERATIONS } from '#contracts/http/operations';
import { checks, expect, pathOf, refused } from './check.js';

const DAY_MS = 86_400_000;
/** What no retry can help. */
const BAD_REQUEST = 400;

/** All transitions that people make, and those that follow. */
export const WORKFLOW = checks(
  {
    name: 'a draft waits, is approved, and is then sent',
    run: async (ground) => {
      const { id, state, waiting } = await ground.send({ draft: true });
      expect(state === 'draft' && waiting?.reason === 'approval', `it is ${state}`);
      expect((await ground.sandbox.arrivals(id)) === 0, 'it was sent before it was approved');
      await ground.api.call(OPERATIONS.approveNotification, { params: { id }, body: {} });
      const path = pathOf(await ground.until(id, 'sent'));
      expect(path === 'draft approved sending sent', `it went ${path}`);
      return path.replaceAll(' ', ' -> ');
    },
  },
  {
    name: 'a rejected draft stays rejected',
    run: async (ground) => {
      const { id } = await ground.send({ draft: true });
      const { state } = await ground.api.call(OPERATIONS.rejectNotification, {
        params: { id },
        body: { reason: 'a check' },
      });
      expect(state === 'rejected', `it is ${state}`);
      const { problem } = await refused(
        'invalid_transition',
        ground.api.call(OPERATIONS.approveNotification, { params: { id }, body: {} }),
      );
      expect(problem.state === 'rejected', `the refusal says ${problem.state ?? 'nothing'}`);
      return 'draft -> rejected; approval refused';
    },
  },
  {
    name: 'what waits for its time can be cancelled',
    run: async (ground) => {
      const { id } = await ground.send({ sendAt: new Date(Date.now() + DAY_MS).toISOString() });
      const { state } = await ground.api.call(OPERATIONS.cancelNotification, { params: { id }, body: {} });
      expect(state === 'cancelled', `it is ${state}`);
      return 'approved -> cancelled';
    },
  },
  {
    name: 'what failed can be sent again',
    run: async (ground) => {
      const name = ground.fresh();
      return ground.sandbox.during([{ status: BAD_REQUEST, count: 1, match: name }], async () => {
        const { id } = await ground.send({ name });
        await ground.until(id, 'failed');
        await ground.api.call(OPERATIONS.retryNotification, { params: { id }, body: {} });
        const path = pathOf(await ground.until(id, 'sent'));
        expect(path === 'approved sending failed approved sending sent', `it went ${path}`);
        return path.replaceAll(' ', ' -> ');
      });
    },
  },
  {
    name: 'what was sent is not sent again',
    run: async (ground) => {
      const { id } = await ground.send();
      await ground.until(id, 'sent');
      await refused('invalid_transition', ground.api.call(OPERATIONS.retryNotification, { params: { id }, body: {} }));
      return 'retry refused';
    },
  },
);
