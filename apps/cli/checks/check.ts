import { randomBytes } from 'node:crypto';
import type { CreateNotificationInput, NotificationBody } from '#contracts/http/notification';
import { OPERATIONS } from '#contracts/http/operations';
import type { ProblemCode } from '#contracts/problems';
import { type Api, ApiProblem } from '../api.js';
import { Failed } from '../exit.js';
import { untilSeen } from '../notifications.js';
import type { Sandbox } from '../sandbox.js';

/** The only service that checks use. */
export const SERVICE = 'test';
const WAIT_SECONDS = 60;

/** One thing that holds in an installation that works. Rejects when it does not; may answer a remark. */
export interface Check {
  name: string;
  run: (ground: Ground) => Promise<string | undefined>;
}

/** Checks of one component. */
export const checks = (...all: Check[]): readonly Check[] => all;

/** What checks work with. All that they send goes to webhooks of the sandbox. */
export class Ground {
  constructor(
    readonly api: Api,
    readonly sandbox: Sandbox,
  ) {}

  /** A name that nothing else has. */
  fresh(): string {
    return `check-${randomBytes(6).toString('hex')}`;
  }

  send(
    over: Partial<CreateNotificationInput> & { name?: string } = {},
    idempotencyKey?: string,
  ): Promise<NotificationBody> {
    const { name = this.fresh(), ...rest } = over;
    return this.api.call(OPERATIONS.createNotification, {
      body: {
        serviceName: SERVICE,
        userId: name,
        channel: 'webhook',
        to: this.sandbox.target(name),
        title: 'Carillon check',
        ...(rest.template === undefined ? { body: 'A check of this installation. Nothing has to be done.' } : {}),
        ...rest,
      },
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    });
  }

  /** Waits for a state. @throws Failed with the state it stayed in */
  async until(id: string, state: NotificationBody['state']): Promise<NotificationBody> {
    const shown = await untilSeen(this.api, id, WAIT_SECONDS, (one) => one.state === state || one.final);
    if (shown.state === state) return shown;
    const why = shown.lastError === null ? '' : `: ${shown.lastError.message}`;
    throw new Failed(`notification ${id} is ${shown.state} and not ${state}${why}`);
  }
}

/** @throws Failed */
export const expect = (holds: boolean, otherwise: string): void => {
  if (!holds) throw new Failed(otherwise);
};

/** Expects a refusal, and no other. @throws Failed */
export const refused = async (code: ProblemCode, call: Promise<unknown>): Promise<ApiProblem> => {
  try {
    await call;
  } catch (error) {
    if (error instanceof ApiProblem && error.problem.code === code) return error;
    throw error;
  }
  throw new Failed(`the API should have refused this with ${code}`);
};

/** The states that a notification went through. */
export const pathOf = ({ history }: NotificationBody): string => history.map(({ to }) => to).join(' ');
