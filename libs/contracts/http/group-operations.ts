import { z } from 'zod';
import { CreateGroup, GroupBody } from './groups.js';
import { created } from './operation.js';
import { Id } from './primitives.js';

/** The part of the table of operations that is about groups. */
export const GROUP_OPERATIONS = {
  createGroup: {
    tag: 'groups',
    method: 'POST',
    path: '/api/groups',
    summary: 'Send to one recipient by several channels, or by the first that arrives',
    scopes: ['notifications:send'],
    body: CreateGroup,
    answer: { status: 202, body: GroupBody, description: 'Durable, all of it; it will be delivered.' },
    problems: [...created, 'no_target', 'payload_too_large', 'unsupported_media_type'],
  },
  getGroup: {
    tag: 'groups',
    method: 'GET',
    path: '/api/groups/:id',
    summary: 'Show all notifications of a group',
    scopes: ['notifications:read'],
    params: z.strictObject({ id: Id }),
    answer: { status: 200, body: GroupBody, description: 'The group as it stands now.' },
    problems: ['not_found'],
  },
} as const;
