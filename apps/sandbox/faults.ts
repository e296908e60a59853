import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/**
 * One fault as it is set by `PUT /faults/<channel>`.
 * - `status`: answers an error: `status` (HTTP or SMTP), or `errorCode` (of FCM, Orange, Twilio or Slack), with `retryAfter`
 *   in seconds
 * - `latency`: records, then answers as usual `latencyMs` later
 * - `hang`: never answers; recorded if `recorded`
 * - `reset`: resets the connection (RST), nothing recorded
 * - `drop`: records, then closes without an answer: the ambiguous case
 */
export const faultSchema = z
  .strictObject({
    kind: z.enum(['status', 'latency', 'hang', 'reset', 'drop']),
    status: z.int().min(300).max(599).optional(),
    errorCode: z.string().min(1).optional(),
    retryAfter: z.int().min(0).max(86_400).optional(),
    /** Waits before any kind but `hang`. */
    latencyMs: z.int().min(0).max(600_000).optional(),
    /** Of the requests that match and that no earlier fault of the list took: 0.1 is exactly every tenth. */
    share: z.number().min(0).max(1).default(1),
    /** Strikes so many times, then no more. */
    count: z.int().min(1).optional(),
    /** Only where token, address, or path contains this. */
    match: z.string().min(1).optional(),
    /** Only at this provider, where a channel has several. */
    provider: z.string().min(1).optional(),
    /** When, in the course of the protocol; each channel has a usual moment. */
    stage: z.string().optional(),
    recorded: z.boolean().default(false),
  })
  .refine((fault) => fault.kind !== 'latency' || fault.latencyMs !== undefined, {
    message: 'latency needs latencyMs',
    path: ['latencyMs'],
  })
  .refine((fault) => fault.kind !== 'status' || fault.status !== undefined || fault.errorCode !== undefined, {
    message: 'status needs a status or an errorCode',
    path: ['status'],
  });

export type Fault = z.output<typeof faultSchema>;

/** What faults mean to one channel. */
export interface FaultRules {
  stages: readonly string[];
  usualStage: (fault: Fault) => string;
  /** Why this fault makes no sense here, or null. */
  problem: (fault: Fault) => string | null;
}

export interface SetFault extends Fault {
  stage: string;
  /** Requests it was asked about. */
  seen: number;
  /** Requests it struck. */
  struck: number;
}

/** The faults set for one channel. */
export class FaultPlan {
  private faults: SetFault[] = [];

  constructor(private readonly rules: FaultRules) {}

  /** Replaces all. Returns what is wrong with the list, in which case nothing is changed; null when it is set. */
  set(faults: readonly Fault[]): string | null {
    const next = faults.map((fault) => ({
      ...fault,
      stage: fault.stage ?? this.rules.usualStage(fault),
      seen: 0,
      struck: 0,
    }));
    for (const [index, fault] of next.entries()) {
      const problem = this.rules.stages.includes(fault.stage)
        ? this.rules.problem(fault)
        : `stage is one of ${this.rules.stages.join(', ')}`;
      if (problem !== null) return `fault ${index}: ${problem}`;
    }
    this.faults = next;
    return null;
  }

  list(): readonly SetFault[] {
    return this.faults;
  }

  /** The first fault that strikes this request, or null. */
  strike(stage: string, target: string, provider?: string): Fault | null {
    for (const fault of this.faults) {
      if (fault.provider !== undefined && fault.provider !== provider) continue;
      if (fault.stage !== stage || (fault.match !== undefined && !target.includes(fault.match))) continue;
      if (fault.count !== undefined && fault.struck >= fault.count) continue;
      fault.seen++;
      // The tiny addend makes 0.1 * 10 reach 1 in spite of rounding.
      if (Math.floor(fault.seen * fault.share + 1e-9) > fault.struck) {
        fault.struck++;
        return fault;
      }
    }
    return null;
  }
}

/** What a protocol can do with one request; `play` decides which. */
export interface Moment {
  record: () => void;
  accept: () => void;
  refuse: (fault: Fault) => void;
  reset: () => void;
  close: () => void;
}

/** Lives through one request, with its fault if it has one. `closing` ends what waits or hangs. */
export const play = (fault: Fault | null, moment: Moment, closing: AbortSignal): void => {
  if (fault === null) {
    moment.record();
    moment.accept();
    return;
  }
  if (fault.kind === 'latency' || fault.kind === 'drop' || (fault.kind === 'hang' && fault.recorded)) moment.record();
  if (fault.kind === 'hang') closing.addEventListener('abort', () => moment.close(), { once: true });
  else if (fault.latencyMs === undefined) strikeNow(fault, moment);
  else {
    delay(fault.latencyMs, undefined, { signal: closing }).then(
      () => strikeNow(fault, moment),
      () => moment.close(),
    );
  }
};

const strikeNow = (fault: Fault, moment: Moment): void => {
  switch (fault.kind) {
    case 'status':
      return moment.refuse(fault);
    case 'reset':
      return moment.reset();
    case 'drop':
      return moment.close();
    default:
      return moment.accept();
  }
};
