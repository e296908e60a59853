import { createHash } from 'node:crypto';
import type { Intake, IntakeResult } from '#acceptance/intake';
import { ValidationFailed } from '#domain/errors';
import type { Replayer } from '#lifecycle/ports';

const notReplayable = (message: string): ValidationFailed =>
  new ValidationFailed([{ in: 'body', field: '', code: 'not_replayable', message }]);

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw notReplayable('the message is not JSON: it can only be dropped, and sent again by its producer');
  }
};

/** Refused messages go through the same door again, as the user who sent them. */
export const composeReplayer = (intake: Intake): Replayer => ({
  async replay({ type, messageId, userId, payload }) {
    if (type !== null && type !== 'notification.send' && type !== 'notification.bulk')
      throw notReplayable('only messages of intake can be replayed');
    const message = {
      payload: parse(Buffer.from(payload, 'base64').toString('utf8')),
      messageId: messageId ?? `replay:${createHash('sha256').update(payload).digest('hex')}`,
      userId,
      traceparent: null,
    };
    const result: IntakeResult = type === 'notification.bulk' ? await intake.bulk(message) : await intake.send(message);
    if (result.kind === 'refused') throw new ValidationFailed(result.errors);
  },
});
