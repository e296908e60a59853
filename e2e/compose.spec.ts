import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import type { z } from 'zod';
import { ROOT } from '#testing/processes';
import { complaintsOf, expressions, OBSERVABILITY, readCompose, SCHEMAS } from './compose.js';

const file = readCompose();
const services = Object.entries(file.services);
const environmentOf = (service: string): Record<string, string> => file.services[service]?.environment ?? {};

describe('compose.yaml', () => {
  const schema = JSON.parse(readFileSync(join(ROOT, 'docker', 'schema', 'compose-spec.json'), 'utf8')) as object;
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);

  it('is what the Compose Specification says', () => {
    expect({ valid: validate(file), errors: validate.errors }).toEqual({ valid: true, errors: null });
  });

  it('would be found out if it were not', () => {
    const wrong = structuredClone(file) as unknown as { services: Record<string, Record<string, unknown>> };
    wrong.services['dispatcher'] = { ...wrong.services['dispatcher'], helthcheck: {} };
    expect(validate(wrong)).toBe(false);
  });

  it('knows the settings of each service that is ours', () => {
    const ours = services.filter(([, { build }]) => build !== undefined).map(([name]) => name);
    expect([...Object.keys(SCHEMAS), 'compiler'].sort()).toEqual(ours.sort());
  });

  it.each(Object.keys(SCHEMAS))('gives %s what it requires, and nothing that nobody reads', (service) => {
    expect(complaintsOf(service, environmentOf(service))).toEqual([]);
  });

  const required = Object.entries(SCHEMAS).flatMap(([service, schemas]) =>
    schemas.flatMap(({ shape }) =>
      Object.entries(shape as Record<string, z.ZodType>)
        .filter(([, variable]) => !variable.safeParse(undefined).success)
        .map(([name]) => ({ service, name })),
    ),
  );
  it.each(required)('would be found out if $service had no $name', ({ service, name }) => {
    const { [name]: removed, ...rest } = environmentOf(service);
    expect(removed).toBeDefined();
    expect(complaintsOf(service, rest)).toEqual([expect.stringContaining(`${name} is required`)]);
  });

  it('would be found out if a variable were misspelt', () => {
    const { FCM_PROJECT_ID, ...rest } = environmentOf('dispatcher');
    expect(complaintsOf('dispatcher', { ...rest, FCM_PROJEKT_ID: String(FCM_PROJECT_ID) })).toEqual([
      'FCM_PROJEKT_ID is read by nobody',
    ]);
  });

  it('lets .env have its own way, but not with the addresses of its own servers', () => {
    const { services: own } = readCompose({ EMAIL_FROM: 'me@example.org', MONGODB_URI: 'mongodb://elsewhere/' });
    expect(own['dispatcher']?.environment).toMatchObject({
      EMAIL_FROM: 'me@example.org',
      MONGODB_URI: 'mongodb://mongodb:27017/?replicaSet=carillon',
    });
  });

  it.each(services)('%s waits only for what can become so', (_, { depends_on: needs = {} }) => {
    for (const [other, { condition }] of Object.entries(needs)) {
      const awaited = file.services[other];
      expect(awaited).toBeDefined();
      if (condition === 'service_healthy') expect(awaited?.healthcheck).toBeDefined();
      else expect({ condition, awaited }).toMatchObject({ condition: 'service_completed_successfully', awaited: {} });
    }
  });

  it.each(services)('%s is reached from this machine alone, and uses volumes that are there', (_, service) => {
    expect(service.networks).toEqual(['carillon']);
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    for (const volume of service.volumes ?? []) {
      const [from = ''] = volume.split(':');
      expect(from.startsWith('.') ? existsSync(join(ROOT, from)) : from in file.volumes).toBe(true);
    }
  });

  it.each(services)('%s is built by a target of docker/Dockerfile, or comes with a version', (_, { build, image }) => {
    const dockerfile = readFileSync(join(ROOT, 'docker', 'Dockerfile'), 'utf8');
    if (build === undefined) expect(image).toMatch(/^docker\.io\/[^:]+:v?\d/);
    else expect(dockerfile).toContain(` AS ${build.target ?? '?'}\n`);
  });
});

describe('Prometheus', () => {
  const { scrape_configs: jobs } = parse(readFileSync(join(OBSERVABILITY, 'prometheus.yml'), 'utf8')) as {
    scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
  };

  it('asks services that are there, on the ports that they are given', () => {
    const targets = jobs.flatMap(({ static_configs: [first] }) => first?.targets ?? []);
    const portOf = (service: string, variable: string): string =>
      `${service}:${environmentOf(service)[variable] ?? ''}`;
    expect(targets).toEqual([
      portOf('notification-api', 'NOTIFICATION_API_PORT'),
      portOf('dispatcher', 'DISPATCHER_PORT'),
      portOf('scheduler', 'SCHEDULER_PORT'),
      'rabbitmq:15692',
    ]);
  });

  it('has jobs by the names that the alerts use', () => {
    const named = expressions().flatMap(({ expr }) => [...expr.matchAll(/job=~?"([^"]+)"/g)].map(([, names]) => names));
    const known = jobs.map(({ job_name: name }) => name);
    expect(named.length).toBeGreaterThan(0);
    for (const name of named.flatMap((names) => names?.split('|') ?? [])) expect(known).toContain(name);
  });
});
