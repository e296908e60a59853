import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseSettings } from '#config/settings';
import { type Collector, startCollector } from '#testing/collector';
import { openTracing, type Tracing, tracingSettings } from './tracing.js';

const CALLER = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const UNSAMPLED = `${CALLER.slice(0, -1)}0`;

let collector: Collector;
let warnings: unknown[];
beforeEach(async () => {
  collector = await startCollector();
  warnings = [];
});
afterEach(() => collector.close());

const open = (environment: NodeJS.ProcessEnv): Promise<Tracing | null> =>
  openTracing({
    app: 'dispatcher',
    version: '1.2.3',
    settings: parseSettings(tracingSettings, environment),
    log: { warn: (fields: unknown) => void warnings.push(fields) },
  });

const opened = async (more: NodeJS.ProcessEnv = {}): Promise<Tracing> => {
  const tracing = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...more });
  if (tracing === null) throw new Error('is off');
  return tracing;
};

describe('traces', () => {
  it('are off unless there is a collector', async () => {
    expect(await open({})).toBeNull();
    expect(await open({ OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_SERVICE_NAME: 'x' })).toBeNull();
  });

  it('go on where the caller began', async () => {
    const tracing = await opened();
    const span = tracing.start('accept', 'server', CALLER, { 'carillon.channel': 'push' });
    span.end({ 'carillon.outcome': 'accepted' });
    tracing.start('deliver', 'consumer', span.traceparent, {}).end({ 'carillon.attempt': 2 }, 'provider_unavailable');
    await tracing.close();
    expect(collector.spans).toEqual([
      {
        service: 'dispatcher',
        name: 'accept',
        traceId: CALLER.slice(3, 35),
        spanId: span.traceparent.slice(36, 52),
        parentSpanId: CALLER.slice(36, 52),
        attributes: { 'carillon.channel': 'push', 'carillon.outcome': 'accepted' },
        failure: null,
      },
      expect.objectContaining({
        name: 'deliver',
        traceId: CALLER.slice(3, 35),
        parentSpanId: span.traceparent.slice(36, 52),
        attributes: { 'carillon.attempt': 2 },
        failure: 'provider_unavailable',
      }),
    ]);
  });

  it('begin where nobody began one, and are recorded as often as is asked for', async () => {
    const all = await opened({ OTEL_SERVICE_NAME: 'bells', OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/` });
    const recorded = all.start('accept', 'server', null, {});
    recorded.end({});
    await all.close();
    expect(recorded.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(collector.spans).toEqual([expect.objectContaining({ service: 'bells', parentSpanId: null })]);

    const none = await opened({ OTEL_TRACES_SAMPLER_ARG: '0' });
    const unrecorded = none.start('accept', 'server', null, {});
    unrecorded.end({});
    none.start('deliver', 'consumer', unrecorded.traceparent, {}).end({}, 'x');
    none.start('deliver', 'consumer', CALLER, {}).end({});
    await none.close();
    expect(unrecorded.traceparent).toMatch(/-00$/);
    expect(collector.spans.slice(1)).toEqual([expect.objectContaining({ traceId: CALLER.slice(3, 35) })]);
  });

  it('are not recorded where the caller does not record its own', async () => {
    const tracing = await opened();
    tracing.start('accept', 'server', UNSAMPLED, {}).end({});
    await tracing.close();
    expect(collector.spans).toEqual([]);
  });

  it('keep nobody from stopping when nobody takes them, and say so', async () => {
    const tracing = await opened({ OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/wrong` });
    tracing.start('accept', 'server', null, {}).end({});
    await tracing.close();
    expect(warnings).toEqual([{ problem: expect.stringContaining('Not Found') as unknown }]);
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' }, 'OTEL_EXPORTER_OTLP_ENDPOINT must be'],
    [{ OTEL_TRACES_SAMPLER_ARG: 'often' }, 'OTEL_TRACES_SAMPLER_ARG must be'],
    [{ OTEL_TRACES_SAMPLER_ARG: '1.5' }, 'OTEL_TRACES_SAMPLER_ARG must be'],
  ])('are not taken with wrong settings: %j', (environment, problem) => {
    expect(() => parseSettings(tracingSettings, environment)).toThrow(problem);
  });
});
