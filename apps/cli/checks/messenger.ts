import { setTimeout as pause } from 'node:timers/promises';
import { OPERATIONS } from '#contracts/http/operations';
import { Failed } from '../exit.js';
import { checks, expect } from './check.js';

const BAD_REQUEST = 400;
const UNAVAILABLE = 503;
const FAILURES = 2;
const TRIES = 100;
const PAUSE_MS = 200;

/** What RabbitMQ and the dispatchers do behind the caller's back. */
export const MESSENGER = checks(
  {
    name: 'the caller is answered first, and the notification is sent behind its back',
    run: async (ground) => {
      const { id, status } = await ground.send();
      expect(status === 'pending', `the answer says ${status}`);
      await ground.until(id, 'sent');
      const arrivals = await ground.sandbox.arrivals(id);
      expect(arrivals === 1, `it arrived ${arrivals} times`);
      return 'pending, then sent, arrived once';
    },
  },
  {
    name: 'a receiver that is down is tried again, later each time',
    run: async (ground) => {
      const name = ground.fresh();
      return ground.sandbox.during([{ status: UNAVAILABLE, count: FAILURES, match: name }], async () => {
        const { id } = await ground.send({ name });
        const { deliveries } = await ground.until(id, 'sent');
        const times = (deliveries[0]?.attempts ?? []).map(({ at }) => Date.parse(at));
        const gaps = times.slice(1).map((at, index) => at - (times[index] ?? at));
        expect(gaps.length === FAILURES, `it took ${times.length} attempts`);
        const [first = 0, second = 0] = gaps;
        expect(second > first && first > 0, `the attempts lie ${gaps.join(' and ')} ms apart`);
        return `3 attempts, ${gaps.map((ms) => `${(ms / 1000).toFixed(1)} s`).join(' and ')} apart`;
      });
    },
  },
  {
    name: 'what cannot be sent becomes a dead letter',
    run: async (ground) => {
      const name = ground.fresh();
      return ground.sandbox.during([{ status: BAD_REQUEST, count: 1, match: name }], async () => {
        const { id, createdAt, serviceName } = await ground.send({ name });
        await ground.until(id, 'failed');
        // It is kept by a dispatcher that hears of the failure.
        for (let tries = 0; tries < TRIES; tries += 1) {
          const { data } = await ground.api.call(OPERATIONS.listDeadLetters, {
            query: { serviceName, channel: 'webhook', createdFrom: createdAt, limit: '100' },
          });
          const found = data.find(({ notificationId }) => notificationId === id);
          if (found !== undefined) return `dead letter ${found.id}, class ${found.class}`;
          await pause(PAUSE_MS);
        }
        throw new Failed(`notification ${id} failed, but no dead letter was kept`);
      });
    },
  },
);
