import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What can be seen of an environment: by kubectl, by the apps' own metrics, and by RabbitMQ's management. */

const run = promisify(execFile);
const { NAMESPACE, CONTEXT, RABBITMQ_MANAGEMENT_URI } = process.env;
const LIMIT_MS = 15_000;
const PORTS = { 'notification-api': 8009, dispatcher: 8010, scheduler: 8011 };
/** Where messages wait for somebody to take them; wait queues are meant to be waited in. */
const WORK_QUEUE = /^notifications\.(intake|deliver|reports|failed)/;
const DEAD_LETTERS = 'notifications.failed';

export const kubectlArguments = ['--context', CONTEXT, '--namespace', NAMESPACE];

const kubectl = async (...args) => {
  const { stdout } = await run('kubectl', [...kubectlArguments, '--request-timeout', '10s', ...args], {
    timeout: LIMIT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
};

const list = async (kind) => JSON.parse(await kubectl('get', kind, '--output', 'json')).items;

/** The last line of what a command complained of. */
const reasonOf = (error) =>
  String(error.stderr || error.cause?.message || error.message)
    .trim()
    .split('\n')
    .at(-1);

const podOf = ({ metadata, status }) => {
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const ends = containers.map(({ lastState }) => lastState?.terminated?.finishedAt ?? '').toSorted();
  return {
    name: metadata.name,
    app: metadata.labels?.['app.kubernetes.io/name'] ?? null,
    phase: status.phase,
    ready: (status.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    restarts: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    lastRestart: ends.at(-1) || null,
    waiting: containers.map(({ state }) => state?.waiting?.reason).find((reason) => reason !== undefined) ?? null,
    cpu: null,
    memory: null,
  };
};

const cluster = async () => {
  const [deployments, pods, autoscalers, budgets] = await Promise.all(
    ['deployments', 'pods', 'horizontalpodautoscalers', 'poddisruptionbudgets'].map(list),
  );
  return {
    deployments: deployments.map(({ metadata, spec, status }) => ({
      name: metadata.name,
      image: spec.template.spec.containers[0].image,
      wanted: spec.replicas,
      ready: status.readyReplicas ?? 0,
    })),
    pods: pods.map(podOf),
    autoscalers: autoscalers.map(({ metadata, spec, status }) => ({
      name: metadata.name,
      least: spec.minReplicas,
      most: spec.maxReplicas,
      current: status.currentReplicas ?? 0,
      wanted: status.desiredReplicas ?? 0,
    })),
    disruptionBudgets: budgets.map(({ metadata, status }) => ({
      name: metadata.name,
      healthy: status?.currentHealthy ?? 0,
      mayGo: status?.disruptionsAllowed ?? 0,
    })),
  };
};

/** CPU and memory, as the metrics API has them, into the pods. */
const addUsage = async (pods) => {
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${NAMESPACE}/pods`;
  const { items } = JSON.parse(await kubectl('get', '--raw', path));
  const usage = new Map(items.map(({ metadata, containers }) => [metadata.name, containers.at(-1)?.usage]));
  for (const pod of pods) Object.assign(pod, usage.get(pod.name));
};

/** Sums of the counters that end in `_total`, by name and by the label that tells good from bad. */
const counters = async (pods) => {
  const sums = { settled: 0, failed: 0, deadLetters: 0 };
  const asked = pods.filter(({ app, ready }) => app in PORTS && ready);
  const texts = await Promise.all(
    asked.map(({ name, app }) =>
      kubectl('get', '--raw', `/api/v1/namespaces/${NAMESPACE}/pods/http:${name}:${PORTS[app]}/proxy/metrics`),
    ),
  );
  for (const line of texts.join('\n').split('\n')) {
    const [, name, labels, value] =
      /^(carillon_settled_total|carillon_dead_letters_total)\{(.*)\} (\S+)$/.exec(line) ?? [];
    if (name === 'carillon_dead_letters_total') sums.deadLetters += Number(value);
    const [, state] = /(?:^|,)state="(sent|failed)"/.exec(labels ?? '') ?? [];
    if (state !== undefined) sums.settled += Number(value);
    if (state === 'failed') sums.failed += Number(value);
  }
  return sums;
};

/** @param seconds for how long a queue must not have been empty to count as old */
const queues = async (seconds) => {
  const uri = new URL(RABBITMQ_MANAGEMENT_URI);
  const vhost = uri.pathname.slice(1) === '' ? '%2F' : uri.pathname.slice(1);
  const step = seconds > 600 ? 60 : 5; // as finely as RabbitMQ remembers: https://www.rabbitmq.com/docs/management
  const url = new URL(`/api/queues/${vhost}?lengths_age=${seconds}&lengths_incr=${step}`, uri.origin);
  const credentials = `${decodeURIComponent(uri.username)}:${decodeURIComponent(uri.password)}`;
  const response = await fetch(url, {
    headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  if (!response.ok) throw new Error(`it answered ${response.status}`);
  const found = await response.json();
  return found.map(({ name, messages_ready, messages_unacknowledged, consumers, messages_details }) => {
    const samples = messages_details?.samples ?? [];
    return {
      name,
      ready: messages_ready ?? 0,
      unacknowledged: messages_unacknowledged ?? 0,
      consumers: consumers ?? 0,
      isWork: WORK_QUEUE.test(name),
      // Its length at every moment that RabbitMQ remembers: never empty means that something waits since before them.
      isOld: samples.length >= Math.floor(seconds / step) && samples.every(({ sample }) => sample > 0),
    };
  });
};

/**
 * One look. What cannot be seen is null, and says why in `notSeen`.
 * @throws Error when the cluster itself does not answer
 */
export const look = async ({ queueSeconds }) => {
  const notSeen = [];
  const orNull = async (what, work) => {
    try {
      return await work();
    } catch (error) {
      notSeen.push(`${what}: ${reasonOf(error)}`);
      return null;
    }
  };
  const seen = await cluster().catch((error) => {
    throw new Error(reasonOf(error), { cause: error });
  });
  await orNull('CPU and memory (metrics API)', () => addUsage(seen.pods));
  const counts = await orNull('error rate (metrics of the pods)', () => counters(seen.pods));
  const queuesSeen =
    RABBITMQ_MANAGEMENT_URI === undefined || RABBITMQ_MANAGEMENT_URI === ''
      ? (notSeen.push('queues: RABBITMQ_MANAGEMENT_URI is not set'), null)
      : await orNull('queues (RabbitMQ management)', () => queues(queueSeconds));
  return {
    ...seen,
    queues: queuesSeen,
    deadLettersWaiting: queuesSeen?.find(({ name }) => name === DEAD_LETTERS)?.ready ?? null,
    counts,
    notSeen,
  };
};
