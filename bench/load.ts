import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from './connection.js';

export interface Measured {
  perSecond: number;
  /** Of each request that counted, milliseconds. */
  latencies: number[];
}

const succeed = (status: number, body: Buffer): void => {
  if (status < 200 || status > 299) throw new Error(`a request was answered ${status}: ${body.toString()}`);
};

interface ClosedLoop {
  url: URL;
  connections: number;
  /** The next request as text; the same number never comes twice. */
  request: (number: number) => string;
}

/** So many connections, each with its next request as soon as it has an answer. What is answered in `warmUpSeconds` does not count. */
export const loadForSeconds = async (
  options: ClosedLoop & { seconds: number; warmUpSeconds: number },
): Promise<Measured> => {
  const from = performance.now() + options.warmUpSeconds * 1000;
  const to = from + options.seconds * 1000;
  const latencies: number[] = [];
  await closedLoop(
    options,
    () => performance.now() < to,
    (latency, at) => {
      if (at >= from && at < to) latencies.push(latency);
    },
  );
  return { perSecond: latencies.length / options.seconds, latencies };
};

/** The same for a number of requests. */
export const loadCount = async (options: ClosedLoop & { count: number }): Promise<Measured> => {
  let left = options.count;
  const latencies: number[] = [];
  const started = performance.now();
  await closedLoop(
    options,
    () => left-- > 0,
    (latency) => latencies.push(latency),
  );
  return { perSecond: (options.count / (performance.now() - started)) * 1000, latencies };
};

const closedLoop = async (
  { url, connections, request }: ClosedLoop,
  goesOn: () => boolean,
  onAnswer: (latency: number, at: number) => void,
): Promise<void> => {
  let number = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const connection = new Connection(url);
      try {
        while (goesOn()) {
          const text = request(number++);
          const started = performance.now();
          const { status, body } = await connection.send(text);
          succeed(status, body);
          const at = performance.now();
          onAnswer(at - started, at);
        }
      } finally {
        connection.close();
      }
    }),
  );
};

/** So many requests in each second, whatever the server does: on any free connection, else on a new one. */
export const openLoop = async (options: {
  url: URL;
  perSecond: number;
  seconds: number;
  request: (number: number) => string;
}): Promise<Measured> => {
  const { url, perSecond, seconds, request } = options;
  const total = perSecond * seconds;
  const free: Connection[] = [];
  const all: Connection[] = [];
  const latencies: number[] = [];
  const open = (): Connection => {
    const connection = new Connection(url);
    all.push(connection);
    return connection;
  };
  const one = async (number: number, dueAt: number): Promise<void> => {
    const connection = free.pop() ?? open();
    const { status, body } = await connection.send(request(number));
    succeed(status, body);
    // From when it was due: a late client must not hide a slow server.
    latencies.push(performance.now() - dueAt);
    free.push(connection);
  };
  const started = performance.now();
  const answers: Promise<void>[] = [];
  const failures: unknown[] = [];
  try {
    for (let number = 0; number < total && failures.length === 0;) {
      const due = Math.min(total, Math.floor(((performance.now() - started) / 1000) * perSecond) + 1);
      for (; number < due; number += 1)
        answers.push(one(number, started + (number / perSecond) * 1000).catch((error) => void failures.push(error)));
      await delay(1);
    }
    await Promise.all(answers);
    if (failures.length > 0) throw failures[0];
  } finally {
    for (const connection of all) connection.close();
  }
  return { perSecond: (total / (performance.now() - started)) * 1000, latencies };
};
