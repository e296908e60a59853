import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { kubectlArguments, look } from './cluster-look.mjs';

/** Behind scripts/monitor.sh, which says how to use it. */

const { ENVIRONMENT, CARILLON_ALERT_WEBHOOK } = process.env;
const number = (name, otherwise) => Number(process.env[name] || otherwise);
const SECONDS = number('CARILLON_MONITOR_SECONDS', 10);
const QUEUE_SECONDS = number('CARILLON_MONITOR_QUEUE_SECONDS', 3600);
const ERROR_RATE = number('CARILLON_MONITOR_ERROR_RATE', 0.05);
/** Over so long --once watches what only grows. */
const ONCE_MS = 3_000;
/** A restart is news for so long. */
const RESTART_MS = 10 * 60_000;
/** Fewer make no rate. */
const LEAST_SETTLED = 20;

const EXIT_PROBLEMS = 1;
const EXIT_BLIND = 3;

const problemsOf = (now, before, at) => {
  const problems = [];
  const tell = (code, where, detail) => problems.push({ code, where, detail });
  for (const { name, ready, wanted } of now.deployments)
    if (ready < wanted) tell('not_ready', name, `${ready} of ${wanted} replicas are ready`);
  for (const { name, waiting, phase, lastRestart, restarts } of now.pods) {
    if (waiting === 'CrashLoopBackOff') tell('crash_loop', name, `${restarts} restarts`);
    else if (lastRestart !== null && at - Date.parse(lastRestart) < RESTART_MS)
      tell('restarted', name, `at ${lastRestart}, ${restarts} restarts`);
    if (phase === 'Failed') tell('pod_failed', name, 'see its logs');
  }
  for (const { name, current, most } of now.autoscalers)
    if (current >= most) tell('at_limit', name, `all ${most} replicas that are allowed run`);
  for (const { name, ready, consumers, isWork, isOld } of now.queues ?? []) {
    if (isWork && ready > 0 && consumers === 0) tell('no_consumer', name, `${ready} messages, and nobody takes them`);
    if (isWork && isOld) tell('old_queue', name, `not empty for ${QUEUE_SECONDS} s`);
  }
  if (now.counts !== null && before?.counts) {
    const { settled, failed, rate } = rateOf(now, before);
    const grown = now.counts.deadLetters - before.counts.deadLetters;
    if (grown > 0) tell('dead_letters_grow', 'dispatcher', `${grown} more`);
    if (settled >= LEAST_SETTLED && rate > ERROR_RATE)
      tell('error_rate', 'dispatcher', `${failed} of ${settled} failed`);
  }
  return problems;
};

/** Between two looks. A pod that went away took its counts with it: what would be less than nothing is nothing. */
const rateOf = (now, before) => {
  const since = (name) => Math.max(0, (now.counts?.[name] ?? 0) - (before?.counts?.[name] ?? 0));
  const [settled, failed] = [since('settled'), since('failed')];
  return { settled, failed, rate: settled === 0 ? null : failed / settled };
};

let before = null;
const report = async () => {
  const at = Date.now();
  const now = await look({ queueSeconds: QUEUE_SECONDS });
  const problems = problemsOf(now, before, at);
  const { rate } = rateOf(now, before);
  before = now;
  return {
    environment: ENVIRONMENT,
    at: new Date(at).toISOString(),
    healthy: problems.length === 0,
    problems,
    ...now,
    errorRate: rate,
  };
};

const table = (title, rows) => {
  if (rows.length === 0) return '';
  const lines = [Object.keys(rows[0]), ...rows.map((row) => Object.values(row).map((value) => String(value ?? '-')))];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return `${title}\n${lines.map((line) => `  ${line.map((text, column) => text.padEnd(widths[column])).join('  ')}`.trimEnd()).join('\n')}\n`;
};

const forPeople = (seen) =>
  [
    `=== ${seen.environment} at ${seen.at}: ${seen.healthy ? 'healthy' : `${seen.problems.length} problems`}\n`,
    table('problems', seen.problems),
    table('deployments', seen.deployments),
    table('pods', seen.pods),
    table('autoscalers', seen.autoscalers),
    table('disruption budgets', seen.disruptionBudgets),
    table(
      'queues that are in use',
      (seen.queues ?? []).filter(({ ready, unacknowledged }) => ready + unacknowledged > 0),
    ),
    `dead letters waiting: ${seen.deadLettersWaiting ?? '-'}, error rate: ${seen.errorRate ?? '-'}\n`,
    ...seen.notSeen.map((what) => `not seen: ${what}\n`),
  ].join('');

let told = '';
/** Tells the webhook what is wrong, whenever that has changed. */
const alert = async ({ environment, at, healthy, problems }) => {
  const key = JSON.stringify(problems.map(({ code, where }) => [code, where]));
  if (!CARILLON_ALERT_WEBHOOK || key === told || (told === '' && healthy)) return;
  told = key;
  try {
    const response = await fetch(CARILLON_ALERT_WEBHOOK, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ environment, at, healthy, problems }),
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
  } catch (error) {
    told = '';
    console.error(`the alert could not be delivered: ${error.cause?.message ?? error.message}`);
  }
};

/** Logs of all pods, as they come; started again when the pods are others. */
let following = { pods: '', child: null };
const follow = ({ pods }) => {
  const names = pods
    .map(({ name }) => name)
    .toSorted()
    .join();
  if (names === following.pods) return;
  following.child?.kill();
  const args = ['logs', '--follow', '--selector', 'app.kubernetes.io/part-of=carillon', '--prefix', '--tail'];
  const child = spawn(
    'kubectl',
    [...kubectlArguments, ...args, following.pods === '' ? '5' : '0', '--max-log-requests=60'],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  following = { pods: names, child };
};

const once = process.argv.includes('--once');
const json = process.argv.includes('--json');
process.on('exit', () => following.child?.kill());
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

const seenOrNull = async () => {
  try {
    return await report();
  } catch (error) {
    console.error(`error: the cluster cannot be seen: ${error.message}`);
    return null;
  }
};

if (once) {
  await seenOrNull();
  await pause(ONCE_MS);
}
for (;;) {
  const seen = await seenOrNull();
  if (seen !== null) {
    console.log(json ? JSON.stringify(seen) : forPeople(seen));
    await alert(seen);
  }
  if (once) process.exit(seen === null ? EXIT_BLIND : seen.healthy ? 0 : EXIT_PROBLEMS);
  if (!json && seen !== null) follow(seen);
  await pause(SECONDS * 1000);
}
