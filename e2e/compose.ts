import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import { parseSettings } from '#config/settings';
import { apiParts } from '#composition/api';
import { baseSettings } from '#composition/base';
import { dispatcherParts } from '#composition/dispatcher';
import { schedulerParts } from '#composition/scheduler';
import { inboxSettings } from '#inbox/settings';
import { ROOT } from '#testing/processes';
import { dispatcherSettings } from '../apps/dispatcher/settings.js';
import { apiSettings } from '../apps/notification-api/settings.js';
import { sandboxSettings } from '../apps/sandbox/settings.js';
import { schedulerSettings } from '../apps/scheduler/settings.js';

/** `compose.yaml` as an engine would understand it. */

export interface ComposeService {
  image?: string;
  build?: { target?: string };
  command?: string[];
  environment?: Record<string, string>;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  profiles?: string[];
  ports?: string[];
  volumes?: string[];
  networks?: string[];
}

export interface ComposeFile {
  services: Record<string, ComposeService>;
  volumes: Record<string, unknown>;
  networks: Record<string, unknown>;
}

/** `${NAME}`, `${NAME:-default}`, `${NAME-default}` and `$$`: what our file uses of Compose's interpolation. */
const interpolated = (text: string, variables: Readonly<Record<string, string>>): string =>
  text.replace(
    /\$(?:\$|\{([A-Z0-9_]+)(?:(:?-)([^}]*))?\})/g,
    (whole, name: string | undefined, operator: string | undefined, fallback = '') => {
      if (name === undefined) return '$';
      const value = variables[name];
      if (value === undefined || (operator === ':-' && value === '')) {
        if (operator === undefined) throw new Error(`${whole} has no default, and is not set`);
        return String(fallback);
      }
      return value;
    },
  );

/** In every text, and after YAML has been read: as Compose does. */
const interpolatedIn = (value: unknown, variables: Readonly<Record<string, string>>): unknown => {
  if (typeof value === 'string') return interpolated(value, variables);
  if (Array.isArray(value)) return value.map((one: unknown) => interpolatedIn(one, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, interpolatedIn(one, variables)]));
};

/** @param variables of the caller's environment and `.env` */
export const readCompose = (variables: Readonly<Record<string, string>> = {}): ComposeFile =>
  interpolatedIn(parse(readFileSync(join(ROOT, 'compose.yaml'), 'utf8'), { merge: true }), variables) as ComposeFile;

/** Service -> what it parses its environment with; `indexes` and `api-key` are commands of apps. */
export const SCHEMAS: Readonly<Record<string, readonly z.ZodObject[]>> = {
  'notification-api': [baseSettings, apiParts, apiSettings, inboxSettings],
  dispatcher: [baseSettings, dispatcherParts, dispatcherSettings],
  scheduler: [baseSettings, schedulerParts, schedulerSettings],
  indexes: [baseSettings],
  'api-key': [baseSettings],
  sandbox: [sandboxSettings],
};

/** Read by Node and its libraries, not by us. */
const NOT_OURS = ['NODE_ENV'];

/** What an app would complain of, and variables that it does not read: typing errors. */
export const complaintsOf = (service: string, environment: Readonly<Record<string, string>>): string[] => {
  const schemas = SCHEMAS[service] ?? [];
  const wrong = schemas.flatMap((schema) => {
    try {
      parseSettings(schema, environment);
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  });
  const known = new Set([...NOT_OURS, ...schemas.flatMap(({ shape }) => Object.keys(shape))]);
  const unknown = Object.keys(environment).filter((name) => !known.has(name));
  return [...wrong, ...unknown.map((name) => `${name} is read by nobody`)];
};

/** Names of metrics in expressions of PromQL, without what Prometheus adds to a histogram's. */
export const metricsIn = (expressions: string): string[] => {
  const names = expressions.match(/\b(?:carillon|nodejs|process|rabbitmq)_[a-z0-9_]+/g) ?? [];
  return [...new Set(names.map((name) => name.replace(/_(?:bucket|sum|count)$/, '')))].sort();
};

interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[];
}

export const OBSERVABILITY = join(ROOT, 'docker', 'observability');

/** Every expression of the alert rules and the dashboard. */
export const expressions = (): { of: string; expr: string }[] => {
  const { groups } = parse(readFileSync(join(OBSERVABILITY, 'alerts.yml'), 'utf8')) as {
    groups: { rules: { alert: string; expr: string }[] }[];
  };
  const dashboard = JSON.parse(
    readFileSync(join(OBSERVABILITY, 'grafana', 'dashboards', 'carillon.json'), 'utf8'),
  ) as Dashboard;
  return [
    ...groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => ({ of: alert, expr }))),
    ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ of: title, expr }))),
  ];
};
