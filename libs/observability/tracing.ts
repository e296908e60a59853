import { setTimeout as pause } from 'node:timers/promises';
import type * as OtelApi from '@opentelemetry/api';
import type { Attributes, SpanContext, Tracer } from '@opentelemetry/api';
import { z } from 'zod';
import type { Logger } from './logging.js';

const SHARE = { error: 'must be a number from 0 to 1' };

export const tracingSettings = z.object({
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .optional()
    .meta({
      description:
        'base URL of a collector that takes traces by OTLP over HTTP (JSON); no spans without it. OTEL_EXPORTER_OTLP_HEADERS may add headers',
      example: 'http://127.0.0.1:4318',
    }),
  OTEL_SERVICE_NAME: z
    .string()
    .optional()
    .meta({ description: 'service that spans are of; the name of the app unless said otherwise' }),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number(SHARE).min(0, SHARE).max(1, SHARE).default(1).meta({
    description: 'share of the traces begun here that are recorded, 0 to 1; those of callers are as they say',
  }),
});
export type TracingSettings = z.output<typeof tracingSettings>;

/** Strings, numbers and booleans; never contents or addresses. */
export type SpanFacts = Attributes;

export interface Span {
  readonly traceparent: string;
  /** @param failure a code, for what did not succeed */
  end(facts: SpanFacts, failure?: string): void;
}

/** What `@opentelemetry/api` calls so: `server` answers a caller, `consumer` works off what was queued. */
export type SpanKind = 'server' | 'consumer';

export interface Tracing {
  /** @param parent W3C traceparent; null for the beginning of a trace */
  start(name: string, kind: SpanKind, parent: string | null, facts: SpanFacts): Span;
  /** Exports what is in hand, for as long as a stopping process may wait. */
  close(): Promise<void>;
}

/** Milliseconds from a span's end until it is exported, at most. */
const EXPORT_EVERY_MS = 1_000;
const MAX_WAITING = 16_384;
/** Milliseconds. */
const CLOSE_WITHIN_MS = 3_000;
const MAX_PROBLEM_LENGTH = 500;

const contextOf = (traceparent: string): SpanContext => ({
  traceId: traceparent.slice(3, 35),
  spanId: traceparent.slice(36, 52),
  traceFlags: Number.parseInt(traceparent.slice(53), 16),
  isRemote: true,
});

const traceparentOf = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;

class OtelTracing implements Tracing {
  constructor(
    private readonly api: typeof OtelApi,
    private readonly tracer: Tracer,
    private readonly shutdown: () => Promise<void>,
    private readonly onProblem: (problem: string) => void,
  ) {}

  start(name: string, kind: SpanKind, parent: string | null, facts: SpanFacts): Span {
    const { ROOT_CONTEXT, SpanKind: kinds, SpanStatusCode, trace } = this.api;
    const within = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, contextOf(parent));
    const options = { kind: kind === 'server' ? kinds.SERVER : kinds.CONSUMER, attributes: facts };
    const span = this.tracer.startSpan(name, options, within);
    return {
      traceparent: traceparentOf(span.spanContext()),
      end: (more, failure) => {
        span.setAttributes(more);
        if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
        span.end();
      },
    };
  }

  async close(): Promise<void> {
    await Promise.race([
      this.shutdown().catch((error: unknown) => this.onProblem(String(error))),
      pause(CLOSE_WITHIN_MS, undefined, { ref: false }),
    ]);
  }
}

export interface TracingParts {
  app: string;
  version: string;
  settings: TracingSettings;
  log: Pick<Logger, 'warn'>;
}

/** Null where no collector is configured: then nothing of OpenTelemetry's SDK is loaded. */
export const openTracing = async ({ app, version, settings, log }: TracingParts): Promise<Tracing | null> => {
  const endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return null;
  const [api, sdk, { resourceFromAttributes }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  const tell = (problem: string): void =>
    log.warn({ problem: problem.slice(0, MAX_PROBLEM_LENGTH) }, 'traces are not exported as they should be');
  const ignore = (): void => undefined;
  api.diag.setLogger(
    { error: tell, warn: tell, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: api.DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({
      'service.name': settings.OTEL_SERVICE_NAME ?? app,
      'service.version': version,
      'service.instance.id': `${app}-${process.pid}`,
    }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(settings.OTEL_TRACES_SAMPLER_ARG) }),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` }),
        scheduledDelayMillis: EXPORT_EVERY_MS,
        maxQueueSize: MAX_WAITING,
      }),
    ],
  });
  return new OtelTracing(api, provider.getTracer('carillon', version), () => provider.shutdown(), tell);
};
