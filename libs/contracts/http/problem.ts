import { z } from 'zod';
import { GUARDS, STATES } from '../vocabulary.js';

export const ProblemBody = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    instance: z.string(),
    requestId: z.string(),
    errors: z
      .array(
        z.object({
          in: z.enum(['body', 'query', 'path', 'header']),
          field: z.string(),
          code: z.string(),
          message: z.string(),
        }),
      )
      .optional(),
    state: z.enum(STATES).optional(),
    allowed: z.array(z.string()).optional(),
    guard: z.enum(GUARDS).optional().meta({ description: 'Of an action: what did not let it through.' }),
    scope: z.enum(['key', 'user', 'channel']).optional(),
  })
  .meta({
    id: 'Problem',
    examples: [
      {
        type: '/problems/validation-failed',
        title: 'Some fields are invalid',
        status: 422,
        code: 'validation_failed',
        detail: '1 field is invalid',
        instance: '/api/notifications',
        requestId: '9f2c01',
        errors: [{ in: 'body', field: '/to/0', code: 'invalid_email', message: 'must be an e-mail address' }],
      },
    ],
  });
export type ProblemBody = z.output<typeof ProblemBody>;
