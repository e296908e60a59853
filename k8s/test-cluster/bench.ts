import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { House } from '#testing/house';
import { type AppProcess, ROOT } from '#testing/processes';
import { begin, type Ended, type Options, type Running } from './commands.js';
import { CONTEXT, type ControlPlane } from './control-plane.js';

export const ENVIRONMENTS = ['dev', 'stage', 'prod'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** One check of the cluster; they run in order, and a later one may build on what an earlier one left. */
export interface Case {
  name: string;
  run: (bench: Bench) => Promise<void>;
}

/** Of the real apps, as in k8s/base. */
export const PORTS = { 'notification-api': 8009, dispatcher: 8010, scheduler: 8011 } as const;

export const REGISTRY = 'registry.example.org/team';
/** How long a rollout may take that is not to end. */
const SHORT_S = '8';
const PATIENCE_MS = 60_000;

/** What the cases work with: the cluster, the scripts in a checkout of their own, and the real apps behind the pods. */
export class Bench {
  constructor(
    readonly control: ControlPlane,
    readonly binaries: string,
    /** A copy of what the scripts need, of which cases may change the settings. */
    readonly checkout: string,
    readonly house: House,
    /** Behind the pods of that name. */
    public dispatcher: AppProcess,
  ) {}

  static copyCheckout(folder: string): string {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const name of ['scripts', 'k8s']) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    return folder;
  }

  async kubectl(args: readonly string[], input?: string): Promise<string> {
    return (await this.tryKubectl(args, input)).out;
  }

  /** The same, and never throws. */
  async attempt(args: readonly string[], input?: string): Promise<Ended> {
    return this.attemptBinary('kubectl', args, input);
  }

  private async tryKubectl(args: readonly string[], input?: string): Promise<Ended> {
    const ended = await this.attempt(args, input);
    if (ended.status !== 0)
      throw new Error(`kubectl ${args.join(' ')} ended with ${String(ended.status)}: ${ended.said}`);
    return ended;
  }

  async json<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.kubectl([...args, '--output', 'json'])) as T;
  }

  /** One of the scripts, as a person or a pipeline runs it. */
  script(name: string, args: readonly string[], env: Record<string, string> = {}): Running {
    return begin(join(this.checkout, 'scripts', name), args, this.options(env));
  }

  deploy(environment: Environment, version: string, ...more: string[]): Promise<Ended> {
    return this.script('deploy.sh', [environment, version, ...more]).ended;
  }

  /** Of a version that is not to come up: with little patience. */
  deployInVain(environment: Environment, version: string): Promise<Ended> {
    return this.script('deploy.sh', [environment, version], { CARILLON_ROLLOUT_SECONDS: SHORT_S }).ended;
  }

  async rendered(environment: Environment): Promise<string> {
    const manifest = await this.kubectl(['kustomize', join(this.checkout, 'k8s', 'overlays', environment)]);
    // As deploy.sh does.
    return manifest.replace(/^( +(?:- )?image: carillon\/[a-z-]+)$/gm, '$1:1.0.0');
  }

  /** Changes a setting of an environment, in the checkout. */
  set(environment: Environment, name: string, value: string): void {
    const file = `k8s/overlays/${environment}/settings.env`;
    const others = this.read(file)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith(`${name}=`));
    this.writeInCheckout(file, [...others, `${name}=${value}`, ''].join('\n'));
  }

  /** The Secrets that an environment must have: of the servers that the real apps use. */
  async giveSecrets(environment: Environment): Promise<void> {
    const { MONGODB_URI = '', RABBITMQ_URI = '' } = this.house.env;
    const secret = (name: string, stringData: Record<string, string>): string =>
      JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData });
    await this.kubectl(
      ['--namespace', namespaceOf(environment), 'apply', '--filename', '-'],
      [
        secret('carillon-servers', { MONGODB_URI, RABBITMQ_URI }),
        secret('carillon-notification-api', { INBOX_TOKEN_SECRET: 'x'.repeat(32) }),
        secret('carillon-dispatcher', {}),
      ].join('\n'),
    );
  }

  /** Asks the real gateway, as a caller does. */
  async call(path: string, body: unknown): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${PORTS['notification-api']}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.house.key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await response.text();
    return response.status;
  }

  /** What kubectl logs shows of every pod. */
  log(line: string): void {
    writeFileSync(this.control.logsFile, `${line}\n`);
  }

  async running(environment: Environment): Promise<Record<string, RunningApp>> {
    const { items } = await this.json<{ items: DeploymentObject[] }>([
      ...['--namespace', namespaceOf(environment), 'get', 'deployments'],
    ]);
    return Object.fromEntries(
      items.map(({ metadata, spec: { template }, status }) => [
        metadata.name,
        {
          image: template.spec.containers[0]?.image ?? '',
          settings: template.spec.containers[0]?.envFrom?.[0]?.configMapRef?.name ?? '',
          ready: status.readyReplicas ?? 0,
        },
      ]),
    );
  }

  async settingsOf(environment: Environment): Promise<string[]> {
    const names = await this.kubectl([
      '--namespace',
      namespaceOf(environment),
      'get',
      'configmaps',
      '--output',
      'name',
    ]);
    return names.split('\n').filter((name) => name.startsWith('configmap/carillon-settings-'));
  }

  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!(await holds())) {
      if (performance.now() > end) throw new Error(`it never came to be that ${what}`);
      await delay(200);
    }
  }

  read(path: string): string {
    return readFileSync(join(this.checkout, path), 'utf8');
  }

  write(path: string, content: string): void {
    writeFileSync(path, content);
  }

  writeInCheckout(path: string, content: string): void {
    writeFileSync(join(this.checkout, path), content);
  }

  /** A kubeconfig of a server that is not there. @returns its path */
  unreachable(): string {
    const path = join(this.checkout, 'unreachable');
    writeFileSync(path, readFileSync(this.control.kubeconfig, 'utf8').replace(':6443', ':6444'));
    return path;
  }

  /** Into the checkout that is tested: lists that are made. */
  writeToSource(path: string, content: string): void {
    writeFileSync(join(ROOT, path), content);
  }

  /** A program that build.sh made. */
  attemptBinary(program: string, args: readonly string[], input?: string): Promise<Ended> {
    return begin(join(this.binaries, 'bin', program), args, this.options({}, input)).ended;
  }

  /** Of whoever works with this cluster. */
  environment(more: Record<string, string> = {}): Record<string, string> {
    return {
      ...(process.env as Record<string, string>),
      KUBECONFIG: this.control.kubeconfig,
      PATH: `${join(this.binaries, 'bin')}:${process.env['PATH'] ?? ''}`,
      CARILLON_REGISTRY: REGISTRY,
      CARILLON_CONTEXT: CONTEXT,
      CARILLON_ROLLOUT_SECONDS: '60',
      ...more,
    };
  }

  private options(env: Record<string, string>, input?: string): Options {
    return { env: this.environment(env), ...(input === undefined ? {} : { input }) };
  }
}

interface RunningApp {
  image: string;
  settings: string;
  ready: number;
}

interface DeploymentObject {
  metadata: { name: string };
  spec: { template: { spec: { containers: { image: string; envFrom?: { configMapRef?: { name: string } }[] }[] } } };
  status: { readyReplicas?: number };
}

export const namespaceOf = (environment: Environment): string => `carillon-${environment}`;
