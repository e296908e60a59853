import { deepEqual, equal, match } from 'node:assert/strict';
import { type Bench, type Case, ENVIRONMENTS, namespaceOf } from '../bench.js';

interface Pods {
  items: { metadata: { name: string; labels: Record<string, string> }; status: { phase: string } }[];
}

const podsOf = async (bench: Bench, namespace: string, app: string): Promise<string[]> => {
  const { items } = await bench.json<Pods>([
    ...['--namespace', namespace, 'get', 'pods', '--selector', `app.kubernetes.io/name=${app}`],
  ]);
  return items.filter(({ status }) => status.phase === 'Running').map(({ metadata }) => metadata.name);
};

/** A pod that asks for more than `restricted` allows. */
const escalating = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'escalating' },
  spec: { containers: [{ name: 'escalating', image: 'busybox', securityContext: { allowPrivilegeEscalation: true } }] },
};

const autoscalers: Case = {
  name: 'the autoscalers are accepted with their targets, and keep two replicas where nothing is measured',
  async run(bench) {
    interface Autoscalers {
      items: {
        metadata: { name: string };
        spec: {
          minReplicas: number;
          maxReplicas: number;
          metrics: { resource: { target: { averageUtilization: number } } }[];
        };
      }[];
    }
    const { items } = await bench.json<Autoscalers>([
      '--namespace',
      namespaceOf('stage'),
      'get',
      'horizontalpodautoscalers',
    ]);
    deepEqual(
      items.map(({ metadata, spec }) => [
        metadata.name,
        spec.minReplicas,
        spec.maxReplicas,
        ...spec.metrics.map(({ resource }) => resource.target.averageUtilization),
      ]),
      [
        ['dispatcher', 2, 10, 65],
        ['notification-api', 2, 10, 65],
      ],
    );
    for (const app of ['notification-api', 'dispatcher', 'scheduler'])
      await bench.until(`${app} has two replicas`, async () => (await bench.running('stage'))[app]?.ready === 2);
  },
};

const disruption: Case = {
  name: 'the disruption budget lets one replica go, and not the last one',
  async run(bench) {
    const namespace = namespaceOf('stage');
    const evict = (pod: string): ReturnType<Bench['attempt']> =>
      bench.attempt(
        ['create', '--raw', `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`, '--filename', '-'],
        JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace } }),
      );
    // Nobody replaces what is evicted while this one scales to what is there.
    await bench.kubectl(['--namespace', namespace, 'delete', 'horizontalpodautoscaler', 'notification-api']);
    const [one = '', other = ''] = await podsOf(bench, namespace, 'notification-api');
    await bench.kubectl(['--namespace', namespace, 'cordon', 'node-1', 'node-2']);
    try {
      const first = await evict(one);
      equal(first.status, 0, first.said);
      match((await evict(other)).err, /Cannot evict pod as it would violate the pod's disruption budget/);
      deepEqual(await podsOf(bench, namespace, 'notification-api'), [other]);
    } finally {
      await bench.kubectl(['--namespace', namespace, 'uncordon', 'node-1', 'node-2']);
    }
    const again = await bench.deploy('stage', '1.0.0');
    equal(again.status, 0, again.said);
  },
};

const security: Case = {
  name: 'restricted Pod Security admits every pod, those of dev too, and refuses others',
  async run(bench) {
    // What provides volumes in a real cluster.
    for (const name of ['one', 'two'])
      await bench.kubectl(
        ['apply', '--filename', '-'],
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'PersistentVolume',
          metadata: { name },
          spec: { capacity: { storage: '5Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/nowhere' } },
        }),
      );
    const ended = await bench.deploy('dev', '1.0.0');
    equal(ended.status, 0, ended.said);
    const apps = ['mongodb', 'rabbitmq', 'sandbox', 'notification-api', 'dispatcher', 'scheduler'];
    for (const app of apps)
      await bench.until(`a pod of ${app} runs`, async () => (await podsOf(bench, namespaceOf('dev'), app)).length > 0);
    for (const environment of ENVIRONMENTS) {
      const refused = await bench.attempt(
        ['--namespace', namespaceOf(environment), 'create', '--filename', '-'],
        JSON.stringify(escalating),
      );
      match(refused.err, /violates PodSecurity "restricted:latest"/);
    }
  },
};

const quotas: Case = {
  name: 'a quota on the namespace holds: every pod says what it needs, and a rollout that does not fit is rolled back',
  async run(bench) {
    const namespace = namespaceOf('stage');
    const quota = (pods: number): string =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'room' },
        spec: { hard: { pods, 'requests.cpu': 4, 'requests.memory': '4Gi', 'limits.cpu': 8, 'limits.memory': '8Gi' } },
      });
    await bench.kubectl(['--namespace', namespace, 'apply', '--filename', '-'], quota(12));
    try {
      const fits = await bench.deploy('stage', '1.3.0');
      equal(fits.status, 0, fits.said);
      await bench.until('only the pods that serve are left', async () => {
        const { items } = await bench.json<Pods>(['--namespace', namespace, 'get', 'pods']);
        return items.filter(({ status }) => status.phase === 'Running').length === 6;
      });
      await bench.kubectl(['--namespace', namespace, 'apply', '--filename', '-'], quota(6));
      const full = await bench.deployInVain('stage', '1.4.0');
      equal(full.status, 1, full.said);
      match(full.err, /exceeded quota: room/);
      match(full.err, /1\.3\.0 runs again/);
    } finally {
      await bench.kubectl(['--namespace', namespace, 'delete', 'resourcequota', 'room']);
    }
  },
};

export const running: Case[] = [autoscalers, disruption, security, quotas];
