import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { QUEUES } from '#contracts/topology';
import { type Bench, type Case, namespaceOf, PORTS } from '../bench.js';
import type { Ended } from '../commands.js';

interface Seen {
  healthy: boolean;
  problems: { code: string; where: string; detail: string }[];
  deployments: { name: string; wanted: number; ready: number }[];
  pods: { name: string; app: string | null; cpu: string | null }[];
  autoscalers: { name: string; least: number; most: number }[];
  disruptionBudgets: { name: string; mayGo: number }[];
  queues: { name: string; ready: number; consumers: number }[] | null;
  deadLettersWaiting: number | null;
  errorRate: number | null;
  notSeen: string[];
}

/** Of the virtual host that the real apps use. */
const managementUri = (bench: Bench): string => {
  const uri = new URL(process.env['RABBITMQ_MANAGEMENT_URI'] ?? '');
  uri.pathname = new URL(bench.house.env['RABBITMQ_URI'] ?? '').pathname;
  return uri.href;
};

const monitor = (bench: Bench, env: Record<string, string> = {}): Promise<Ended> =>
  bench.script('monitor.sh', ['stage', '--once', '--json'], { RABBITMQ_MANAGEMENT_URI: managementUri(bench), ...env })
    .ended;

const seenBy = async (bench: Bench, status: number, env?: Record<string, string>): Promise<Seen> => {
  const ended = await monitor(bench, env);
  equal(ended.status, status, ended.said);
  return JSON.parse(ended.out) as Seen;
};

const healthy: Case = {
  name: 'monitor.sh --once --json: a healthy system, and in plain words what cannot be seen',
  async run(bench) {
    const seen = await seenBy(bench, 0);
    deepEqual(seen.problems, []);
    deepEqual(
      seen.deployments.map(({ name, wanted, ready }) => [name, wanted, ready]),
      [
        ['dispatcher', 2, 2],
        ['notification-api', 2, 2],
        ['scheduler', 2, 2],
      ],
    );
    deepEqual(
      seen.autoscalers.map(({ name, least, most }) => [name, least, most]),
      [
        ['dispatcher', 2, 10],
        ['notification-api', 2, 10],
      ],
    );
    deepEqual(
      seen.disruptionBudgets.map(({ mayGo }) => mayGo),
      [1, 1, 1],
    );
    const intake = seen.queues?.find(({ name }) => name === QUEUES.intakeSend);
    ok((intake?.consumers ?? 0) >= 1, 'the real dispatcher consumes');
    equal(seen.deadLettersWaiting, 0);
    // This cluster has no metrics API.
    equal(seen.notSeen.length, 1);
    match(seen.notSeen[0] ?? '', /^CPU and memory \(metrics API\): /);
    equal(seen.pods[0]?.cpu, null);
  },
};

const withoutManagement: Case = {
  name: 'monitor.sh: without RabbitMQ management it says so and goes on; without a cluster it ends with 3',
  async run(bench) {
    const unset = await seenBy(bench, 0, { RABBITMQ_MANAGEMENT_URI: '' });
    equal(unset.queues, null);
    ok(unset.notSeen.includes('queues: RABBITMQ_MANAGEMENT_URI is not set'));
    const refused = new URL(managementUri(bench));
    refused.password = 'wrong-password';
    const closed = await seenBy(bench, 0, { RABBITMQ_MANAGEMENT_URI: refused.href });
    ok(closed.notSeen.includes('queues (RabbitMQ management): it answered 401'));
    ok(!JSON.stringify(closed).includes('wrong-password'));
    const blind = await monitor(bench, { KUBECONFIG: bench.unreachable() });
    equal(blind.status, 3, blind.said);
  },
};

/** As the kubelet writes it of a container that ends again and again. */
const crashing = {
  status: {
    conditions: [{ type: 'Ready', status: 'False' }],
    containerStatuses: [
      {
        name: 'scheduler',
        image: 'scheduler',
        imageID: '',
        ready: false,
        restartCount: 7,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 78, finishedAt: new Date().toISOString() } },
      },
    ],
  },
};

const broken: Case = {
  name: 'monitor.sh --once --json: a pod that crashes, a queue that only fills, and the webhook is told',
  async run(bench) {
    const told: unknown[] = [];
    const webhook = createServer((request, response) => {
      void text(request).then((body) => {
        told.push(JSON.parse(body));
        response.end();
      });
    }).listen(0, '127.0.0.1');
    await once(webhook, 'listening');
    const { items } = await bench.json<{ items: { metadata: { name: string } }[] }>([
      ...['--namespace', namespaceOf('stage'), 'get', 'pods', '--selector', 'app.kubernetes.io/name=scheduler'],
    ]);
    const pod = items[0]?.metadata.name ?? '';
    const patch = ['patch', 'pod', pod, '--subresource', 'status', '--patch', JSON.stringify(crashing)];
    await bench.kubectl(['--namespace', namespaceOf('stage'), ...patch]);
    await bench.dispatcher.stop();
    try {
      const notification = { serviceName: 'test', channel: 'email', to: ['ada@example.org'], title: 'a', body: 'b' };
      equal(await bench.call('/api/notifications', notification), 202);
      const env = {
        CARILLON_MONITOR_QUEUE_SECONDS: '10',
        CARILLON_ALERT_WEBHOOK: `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/`,
      };
      const codes = (seen: Seen): string[] => [...new Set(seen.problems.map(({ code }) => code))].toSorted();
      const wanted = ['crash_loop', 'no_consumer', 'not_ready', 'old_queue'];
      let seen: Seen | undefined;
      await bench.until('every problem is seen', async () => {
        seen = await seenBy(bench, 1, env);
        return wanted.every((code) => codes(seen as Seen).includes(code));
      });
      deepEqual(codes(seen as Seen), wanted);
      equal(seen?.healthy, false);
      deepEqual((told.at(-1) as Seen).problems, seen?.problems);
    } finally {
      webhook.close();
      bench.dispatcher = await bench.house.start('dispatcher', 'dispatcher', PORTS.dispatcher);
      await bench.kubectl(['--namespace', namespaceOf('stage'), 'delete', 'pod', pod]);
    }
  },
};

export const monitoring: Case[] = [healthy, withoutManagement, broken];
