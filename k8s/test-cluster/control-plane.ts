import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ROOT } from '#testing/processes';
import type { CleanUps } from '../../bench/program.js';
import { run } from './commands.js';

/**
 * A control plane on loopback: etcd, API server, controllers and scheduler are real, nodes and pods are kwok's. It has a
 * network of its own (see main.ts), so its ports are always the same, and pods may have addresses that are local here.
 */
export interface ControlPlane {
  /** Of a user who may do everything. */
  kubeconfig: string;
  /** Of a user who may do nothing. */
  strangersKubeconfig: string;
  /** What kubectl logs shows of every pod. */
  logsFile: string;
}

const API_SERVER = 'https://127.0.0.1:6443';
const ETCD = 'http://127.0.0.1:2379';
/** Addresses of pods: all of them are this machine's, so that whoever listens on all addresses answers as a pod. */
const PODS = '10.244.0.0/16';
const NODE_IP = '10.244.255.1';
const KUBELET_PORT = 10_247;
const READY_MS = 60_000;

export const CONTEXT = 'test-cluster';

const kubeconfigOf = (token: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': CONTEXT,
    contexts: [{ name: CONTEXT, context: { cluster: CONTEXT, user: CONTEXT } }],
    // Its certificate is its own, made a moment ago.
    clusters: [{ name: CONTEXT, cluster: { server: API_SERVER, 'insecure-skip-tls-verify': true } }],
    users: [{ name: CONTEXT, user: { token } }],
  });

const node = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name,
    labels: { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': name, 'kubernetes.io/os': 'linux' },
  },
  spec: { podCIDR: PODS },
  status: { allocatable: { cpu: '16', memory: '64Gi', pods: '110', 'ephemeral-storage': '100Gi' } },
});

/** @param binaries folder that build.sh made */
export const startControlPlane = async (
  binaries: string,
  folder: string,
  cleanUps: CleanUps,
): Promise<ControlPlane> => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  await run('ip', ['link', 'set', 'lo', 'up']);
  await run('ip', ['route', 'add', 'local', PODS, 'dev', 'lo']);

  const server = (name: string, program: string, args: readonly string[]): void => {
    const log = openSync(join(folder, `${name}.log`), 'a');
    const child: ChildProcess = spawn(program, args, { cwd: folder, stdio: ['ignore', log, log] });
    closeSync(log);
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.once('error', (error) => console.error(`${name} cannot be started:`, error.message));
    cleanUps.add(name, async () => {
      // Nothing of it is kept.
      if (child.pid === undefined) return;
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    });
  };
  const ours = (name: string): string => join(binaries, 'bin', name);

  const [token, strangersToken] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
  const kubeconfig = file('kubeconfig', kubeconfigOf(token));
  const strangersKubeconfig = file('strangers-kubeconfig', kubeconfigOf(strangersToken));
  const tokens = file('tokens.csv', `${token},admin,admin,system:masters\n${strangersToken},stranger,stranger\n`);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = file('service-accounts.key', privateKey.export({ type: 'pkcs1', format: 'pem' }).toString());
  const logsFile = file('pods.log', '');
  const kwokConfig = readFileSync(join(ROOT, 'k8s', 'test-cluster', 'kwok.yaml'), 'utf8');

  server('etcd', 'etcd', [
    ...['--data-dir', join(folder, 'etcd'), '--unsafe-no-fsync', '--log-level', 'warn'],
    ...['--listen-client-urls', ETCD, '--advertise-client-urls', ETCD],
    ...['--listen-peer-urls', 'http://127.0.0.1:2380'],
  ]);
  server('kube-apiserver', ours('kube-apiserver'), [
    `--etcd-servers=${ETCD}`,
    '--bind-address=127.0.0.1',
    `--advertise-address=${NODE_IP}`,
    '--secure-port=6443',
    `--cert-dir=${join(folder, 'certificates')}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    `--token-auth-file=${tokens}`,
    '--authorization-mode=RBAC',
    '--kubelet-preferred-address-types=InternalIP',
    // Debian's etcd (3.4) cannot stream lists, and clients are to be told at once.
    '--feature-gates=WatchList=false',
  ]);
  await untilReady(ours('kubectl'), kubeconfig);
  for (const [name, more] of [
    [
      'kube-controller-manager',
      [
        `--service-account-private-key-file=${key}`,
        '--use-service-account-credentials',
        '--horizontal-pod-autoscaler-sync-period=2s',
      ],
    ],
    ['kube-scheduler', []],
  ] as const)
    server(name, ours(name), [
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      '--leader-elect=false',
      ...more,
    ]);
  server('kwok', ours('kwok'), [
    `--kubeconfig=${kubeconfig}`,
    `--config=${file('kwok.yaml', kwokConfig.replace('LOGS_FILE', logsFile))}`,
    '--manage-all-nodes',
    `--cidr=${PODS}`,
    `--node-ip=${NODE_IP}`,
    `--node-port=${KUBELET_PORT}`,
    '--node-lease-duration-seconds=40',
    `--server-address=0.0.0.0:${KUBELET_PORT}`,
    `--tls-cert-file=${join(folder, 'certificates', 'apiserver.crt')}`,
    `--tls-private-key-file=${join(folder, 'certificates', 'apiserver.key')}`,
  ]);
  const kubectl = (args: readonly string[], input?: string): Promise<string> =>
    run(ours('kubectl'), ['--kubeconfig', kubeconfig, ...args], input);
  await kubectl(['create', '-f', '-'], ['node-1', 'node-2'].map((name) => JSON.stringify(node(name))).join('\n'));
  await kubectl(['wait', '--for=condition=Ready', 'node', '--all', '--timeout=60s']);
  return { kubeconfig, strangersKubeconfig, logsFile };
};

const untilReady = async (kubectl: string, kubeconfig: string): Promise<void> => {
  const end = performance.now() + READY_MS;
  for (;;) {
    try {
      await run(kubectl, ['--kubeconfig', kubeconfig, 'get', '--raw', '/readyz']);
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await delay(200);
  }
};
