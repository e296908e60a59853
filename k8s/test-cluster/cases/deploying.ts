import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { type Bench, type Case, namespaceOf, REGISTRY } from '../bench.js';

const APPS = ['dispatcher', 'notification-api', 'scheduler'];
const STAGE = namespaceOf('stage');
const EXIT_BUSY = 75;

const imagesOf = (version: string): string[] => APPS.map((app) => `${REGISTRY}/carillon/${app}:${version}`);

const images = async (bench: Bench): Promise<string[]> =>
  Object.values(await bench.running('stage'))
    .map(({ image }) => image)
    .toSorted();

/** Each app at this version, all its replicas ready, on one and the same ConfigMap. @returns its name */
const expectRunning = async (bench: Bench, version: string): Promise<string> => {
  const running = await bench.running('stage');
  deepEqual(
    Object.values(running)
      .map(({ image }) => image)
      .toSorted(),
    imagesOf(version),
  );
  for (const [app, { ready }] of Object.entries(running)) ok(ready >= 1, `${app} has no replica that is ready`);
  const [settings = '', ...others] = new Set(Object.values(running).map((one) => one.settings));
  deepEqual(others, []);
  return settings;
};

interface ReplicaSets {
  items: { metadata: { uid: string; labels: Record<string, string> }; status: { readyReplicas?: number } }[];
}

/** Ids of the ReplicaSets whose pods serve. */
const serving = async (bench: Bench): Promise<string[]> => {
  const { items } = await bench.json<ReplicaSets>(['--namespace', STAGE, 'get', 'replicasets']);
  return items
    .filter(({ status }) => (status.readyReplicas ?? 0) > 0)
    .map(({ metadata }) => metadata.uid)
    .toSorted();
};

const holderOf = async (bench: Bench): Promise<string> =>
  (
    await bench.attempt([
      '--namespace',
      STAGE,
      'get',
      'lease',
      'carillon-deploy',
      '--output',
      'jsonpath={.spec.holderIdentity}',
    ])
  ).out;

const setHolder = (bench: Bench, holder: string, renewTime: string): Promise<string> =>
  bench.kubectl([
    ...['--namespace', STAGE, 'patch', 'lease', 'carillon-deploy', '--type', 'merge'],
    ...['--patch', JSON.stringify({ spec: { holderIdentity: holder, renewTime } })],
  ]);

const withoutSecrets: Case = {
  name: 'deploy.sh: without its Secrets it fails, names them, and leaves no workload',
  async run(bench) {
    const ended = await bench.deploy('stage', '1.0.0');
    equal(ended.status, 1, ended.said);
    match(
      ended.err,
      /carillon-stage lacks:\n {2}Secret carillon-servers\n.*\n {2}Secret carillon-notification-api\n {2}Secret carillon-dispatcher\n/,
    );
    deepEqual(await bench.running('stage'), {});
    equal(await holderOf(bench), '');
  },
};

const refusals: Case = {
  name: 'deploy.sh: what is wrong is said before anything is changed',
  async run(bench) {
    const refused = async (args: string[], env: Record<string, string>, status: number, why: RegExp): Promise<void> => {
      const ended = await bench.script('deploy.sh', args, env).ended;
      equal(ended.status, status, ended.said);
      match(ended.err, why);
    };
    await refused(['test', '1.0.0'], {}, 2, /there is no environment "test"; there are: dev stage prod/);
    await refused(['stage'], {}, 2, /which environment, and which version\?/);
    await refused(['stage', '1.0.0'], { CARILLON_REGISTRY: '' }, 1, /CARILLON_REGISTRY is not set/);
    await refused(['stage', '1.0.0'], { CARILLON_CONTEXT: '' }, 1, /CARILLON_CONTEXT is not set/);
    await refused(['stage', '1.0.0'], { CARILLON_CONTEXT: 'mars' }, 1, /no context "mars"/);
    await refused(['stage', 'one two'], {}, 1, /"one two" is no version/);
    await refused(
      ['stage', '1.0.0'],
      { KUBECONFIG: bench.control.strangersKubeconfig },
      1,
      /you may not create deployments\.apps/,
    );
    await refused(
      ['stage', '1.0.0'],
      { KUBECONFIG: bench.unreachable() },
      1,
      /the API server of context test-cluster does not answer/,
    );
    deepEqual(await bench.running('stage'), {});
  },
};

const firstInstall: Case = {
  name: 'deploy.sh: first install',
  async run(bench) {
    await bench.giveSecrets('stage');
    const dry = await bench.deploy('stage', '1.0.0', '--dry-run');
    equal(dry.status, 0, dry.said);
    match(dry.out, /\+kind: Deployment/);
    deepEqual(await bench.running('stage'), {});
    const ended = await bench.deploy('stage', '1.0.0');
    equal(ended.status, 0, ended.said);
    const settings = await expectRunning(bench, '1.0.0');
    deepEqual(await bench.settingsOf('stage'), [`configmap/${settings}`]);
    // The answers of the real apps, through the Services.
    for (const app of APPS) {
      match(ended.out, new RegExp(`^${app}/health: \\{"status":"ok"`, 'm'));
      match(ended.out, new RegExp(`^${app}/health/ready: \\{"status":"ok"`, 'm'));
    }
    const job = await bench.kubectl([
      '--namespace',
      STAGE,
      'get',
      'job',
      '--selector',
      'app.kubernetes.io/version=1.0.0',
      '--output',
      'jsonpath={.items[*].status.succeeded}',
    ]);
    equal(job, '1');
  },
};

const again: Case = {
  name: 'deploy.sh: the same version again changes nothing that serves',
  async run(bench) {
    const before = await serving(bench);
    const ended = await bench.deploy('stage', '1.0.0');
    equal(ended.status, 0, ended.said);
    deepEqual(await serving(bench), before);
  },
};

const upgrade: Case = {
  name: 'deploy.sh: an upgrade brings the new version and its settings; --dry-run has shown them',
  async run(bench) {
    const before = await expectRunning(bench, '1.0.0');
    bench.set('stage', 'USER_LIMIT_PER_MINUTE', '20');
    const dry = await bench.deploy('stage', '1.1.0', '--dry-run');
    equal(dry.status, 0, dry.said);
    match(dry.out, /^-.*image: .*notification-api:1\.0\.0$/m);
    match(dry.out, /^\+.*image: .*notification-api:1\.1\.0$/m);
    match(dry.out, /^\+.*USER_LIMIT_PER_MINUTE: "20"$/m);
    deepEqual(await images(bench), imagesOf('1.0.0'));
    const ended = await bench.deploy('stage', '1.1.0');
    equal(ended.status, 0, ended.said);
    notEqual(await expectRunning(bench, '1.1.0'), before);
  },
};

const neverReady: Case = {
  name: 'deploy.sh: a version that never becomes ready is rolled back, with its settings, and what served goes on serving',
  async run(bench) {
    const [settings, before, all] = [
      await expectRunning(bench, '1.1.0'),
      await serving(bench),
      await bench.settingsOf('stage'),
    ];
    bench.log('Configuration is invalid: this is the last line of a simulated pod');
    bench.set('stage', 'USER_LIMIT_PER_MINUTE', '30');
    const ended = await bench.deployInVain('stage', '2.0.0-never-ready');
    equal(ended.status, 1, ended.said);
    match(ended.err, /the rollout of 2\.0\.0-never-ready does not end/);
    match(ended.err, /--- last events\n(.*\n)*?.*Started/);
    match(ended.err, /--- last lines of .*\n(.*\n)*?.*this is the last line of a simulated pod/);
    match(ended.err, /1\.1\.0 runs again, with its settings; 2\.0\.0-never-ready does not/);
    equal(await expectRunning(bench, '1.1.0'), settings);
    deepEqual(await serving(bench), before);
    deepEqual(await bench.settingsOf('stage'), all);
    equal(await holderOf(bench), '');
  },
};

const jobFails: Case = {
  name: 'deploy.sh: where the Job fails nothing is rolled out',
  async run(bench) {
    const [settings, before] = [await expectRunning(bench, '1.1.0'), await serving(bench)];
    const ended = await bench.deploy('stage', '2.0.1-job-fails');
    equal(ended.status, 1, ended.said);
    match(ended.err, /the Job prepare-2-0-1-job-fails-[0-9a-f]{8} has failed/);
    match(ended.err, /1\.1\.0 runs again/);
    equal(await expectRunning(bench, '1.1.0'), settings);
    deepEqual(await serving(bench), before);
    deepEqual(
      await bench.kubectl([
        ...['--namespace', STAGE, 'get', 'jobs', '--selector', 'app.kubernetes.io/version=2.0.1-job-fails'],
        ...['--output', 'name'],
      ]),
      '',
    );
  },
};

const unhealthy: Case = {
  name: 'deploy.sh: a version that is ready and does not answer its health checks is rolled back',
  async run(bench) {
    await expectRunning(bench, '1.1.0');
    // Its Services lead to a port on which nobody listens, and those of 1.1.0 come back with it.
    const file = 'k8s/base/notification-api.yaml';
    const text = bench.read(file);
    bench.writeInCheckout(file, text.replace('targetPort: http', 'targetPort: 9'));
    try {
      const ended = await bench.script('deploy.sh', ['stage', '2.0.2'], { CARILLON_HEALTH_TRIES: '3' }).ended;
      equal(ended.status, 1, ended.said);
      match(ended.err, /notification-api does not answer \/health/);
      match(ended.err, /1\.1\.0 runs again/);
    } finally {
      bench.writeInCheckout(file, text);
    }
    await expectRunning(bench, '1.1.0');
    const port = [
      '--namespace',
      STAGE,
      'get',
      'service',
      'notification-api',
      '--output',
      'jsonpath={.spec.ports[0].targetPort}',
    ];
    equal(await bench.kubectl(port), 'http');
  },
};

const twoAtOnce: Case = {
  name: 'deploy.sh: of two at once one is refused; one that is cancelled puts back what ran before',
  async run(bench) {
    const first = bench.script('deploy.sh', ['stage', '2.0.3-never-ready']);
    await bench.until('the first one has the lease', async () => (await holderOf(bench)) !== '');
    for (const [script, ...args] of [
      ['deploy.sh', 'stage', '1.2.0'],
      ['rollback.sh', 'stage'],
    ] as const) {
      const refused = await bench.script(script, args).ended;
      equal(refused.status, EXIT_BUSY, refused.said);
      match(refused.err, /stage is being changed by .*Nothing was changed/);
    }
    await bench.until('the first one rolls out', async () =>
      (await images(bench)).some((image) => image.includes('2.0.3')),
    );
    first.cancel();
    const cancelled = await first.ended;
    equal(cancelled.status, 143, cancelled.said);
    match(cancelled.err, /1\.1\.0 runs again/);
    await expectRunning(bench, '1.1.0');
    equal(await holderOf(bench), '');
  },
};

const abandonedLease: Case = {
  name: 'deploy.sh: a lease whose holder is gone is taken over',
  async run(bench) {
    await setHolder(bench, 'somebody@gone', '2020-01-01T00:00:00.000000Z');
    const ended = await bench.deploy('stage', '1.2.0');
    equal(ended.status, 0, ended.said);
    match(ended.err, /somebody@gone left without a word/);
    await expectRunning(bench, '1.2.0');
  },
};

const lostLease: Case = {
  name: 'deploy.sh: who has lost the lease changes nothing more',
  async run(bench) {
    const first = bench.script('deploy.sh', ['stage', '2.0.4-never-ready']);
    await bench.until('it rolls out', async () => (await images(bench)).some((image) => image.includes('2.0.4')));
    await setHolder(bench, 'somebody@else', new Date().toISOString().replace('Z', '000Z'));
    const ended = await first.ended;
    equal(ended.status, 3, ended.said);
    match(ended.err, /lost the lease/);
    ok(
      (await images(bench)).some((image) => image.includes('2.0.4')),
      'it was put back by one who had no say any more',
    );
    await setHolder(bench, '', new Date().toISOString().replace('Z', '000Z'));
    const repaired = await bench.deploy('stage', '1.2.0');
    equal(repaired.status, 0, repaired.said);
  },
};

const firstInstallFails: Case = {
  name: 'deploy.sh: a first install that fails takes its workloads away, and keeps the Secrets',
  async run(bench) {
    await bench.giveSecrets('prod');
    const ended = await bench.deployInVain('prod', '1.0.0-never-ready');
    equal(ended.status, 1, ended.said);
    match(ended.err, /nothing ran here before/);
    deepEqual(await bench.running('prod'), {});
    match(
      await bench.kubectl(['--namespace', namespaceOf('prod'), 'get', 'secrets', '--output', 'name']),
      /carillon-servers/,
    );
  },
};

const rollback: Case = {
  name: 'rollback.sh: brings back the version before, or the one that is named, settings included',
  async run(bench) {
    const limit = async (): Promise<string> => {
      const settings = await expectRunning(bench, (await images(bench))[0]?.split(':').at(-1) ?? '');
      return bench.kubectl([
        '--namespace',
        STAGE,
        'get',
        'configmap',
        settings,
        '--output',
        'jsonpath={.data.USER_LIMIT_PER_MINUTE}',
      ]);
    };
    equal(await limit(), '30');
    const one = await bench.script('rollback.sh', ['stage']).ended;
    equal(one.status, 0, one.said);
    await expectRunning(bench, '1.1.0');
    equal(await limit(), '20');
    const named = await bench.script('rollback.sh', ['stage', '1.0.0']).ended;
    equal(named.status, 0, named.said);
    await expectRunning(bench, '1.0.0');
    equal(await limit(), '10');
    const unknown = await bench.script('rollback.sh', ['stage', '9.9.9']).ended;
    equal(unknown.status, 1);
    match(unknown.err, /there is no release of 9\.9\.9/);
  },
};

const status: Case = {
  name: 'status.sh: what runs, what ran, and what /health says, also where the API server may not reach pods',
  async run(bench) {
    for (const way of ['proxy', 'port-forward']) {
      const ended = await bench.script('status.sh', ['stage'], { CARILLON_ASK_BY: way }).ended;
      equal(ended.status, 0, ended.said);
      match(ended.out, /^notification-api +\d+ +2 +.*notification-api:1\.0\.0 +carillon-settings-/m);
      match(ended.out, /^release-\d{6} +1\.1\.0 /m);
      match(ended.out, /^dispatcher\/health\/ready: \{"status":"ok"/m);
    }
  },
};

export const deploying: Case[] = [
  withoutSecrets,
  refusals,
  firstInstall,
  again,
  upgrade,
  neverReady,
  jobFails,
  unhealthy,
  twoAtOnce,
  abandonedLease,
  lostLease,
  firstInstallFails,
  rollback,
  status,
];
