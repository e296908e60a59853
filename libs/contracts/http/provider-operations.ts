import { z } from 'zod';
import { ChannelLimitPath, LimitBody, LimitList, PutLimit } from './limits.js';
import { created } from './operation.js';
import { DisableProvider, ProviderBody, ProviderList, ProviderPath } from './providers.js';

const LIMITS = ['limits:manage'] as const;
const PROVIDERS = ['providers:manage'] as const;
const limit = { status: 200, body: LimitBody, description: 'The limit as it is in force now.' } as const;
const provider = { status: 200, body: ProviderBody, description: 'The provider as it stands now.' } as const;
const done = { status: 204, description: 'Done: the default is in force again.' } as const;

/** The part of the table of operations that is about providers and limits. */
export const PROVIDER_OPERATIONS = {
  listProviders: {
    tag: 'providers',
    method: 'GET',
    path: '/api/providers',
    summary: 'Show every provider: health, order, and what came of the last calls, as each dispatcher sees it',
    scopes: ['providers:read', 'providers:manage'],
    answer: { status: 200, body: ProviderList, description: 'All of them.' },
    problems: [],
  },
  disableProvider: {
    tag: 'providers',
    method: 'POST',
    path: '/api/providers/:channel/:name/disable',
    summary: 'Take a provider out of service: the next one sends; where there is none, notifications wait',
    scopes: PROVIDERS,
    params: ProviderPath,
    body: DisableProvider,
    bodyOptional: true,
    answer: provider,
    problems: ['not_found', ...created],
  },
  enableProvider: {
    tag: 'providers',
    method: 'POST',
    path: '/api/providers/:channel/:name/enable',
    summary: 'Put a provider back into service',
    scopes: PROVIDERS,
    params: ProviderPath,
    body: z.strictObject({}).meta({ id: 'EnableProvider', examples: [{}] }),
    bodyOptional: true,
    answer: provider,
    problems: ['not_found', ...created],
  },
  listLimits: {
    tag: 'limits',
    method: 'GET',
    path: '/api/limits',
    summary: 'Show every limit in force, defaults included',
    scopes: ['limits:read', 'limits:manage'],
    answer: { status: 200, body: LimitList, description: 'All of them.' },
    problems: [],
  },
  putChannelLimit: {
    tag: 'limits',
    method: 'PUT',
    path: '/api/limits/services/:serviceName/:channel',
    summary: 'Set how much a service may send by a channel',
    scopes: LIMITS,
    params: ChannelLimitPath,
    body: PutLimit,
    answer: limit,
    problems: ['not_found', 'validation_failed'],
  },
  deleteChannelLimit: {
    tag: 'limits',
    method: 'DELETE',
    path: '/api/limits/services/:serviceName/:channel',
    summary: 'Go back to the default',
    scopes: LIMITS,
    params: ChannelLimitPath,
    answer: done,
    problems: ['not_found'],
  },
  putProviderLimit: {
    tag: 'limits',
    method: 'PUT',
    path: '/api/limits/providers/:channel/:name',
    summary: 'Set how much may be sent by a provider, for all services together',
    scopes: LIMITS,
    params: ProviderPath,
    body: PutLimit,
    answer: limit,
    problems: ['not_found', 'validation_failed'],
  },
  deleteProviderLimit: {
    tag: 'limits',
    method: 'DELETE',
    path: '/api/limits/providers/:channel/:name',
    summary: 'Go back to the default',
    scopes: LIMITS,
    params: ProviderPath,
    answer: done,
    problems: ['not_found'],
  },
} as const;
