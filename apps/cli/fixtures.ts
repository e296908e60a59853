import type { CreateNotificationInput } from '#contracts/http/notification';
import type { PutRecipient } from '#contracts/http/recipients';
import { CreateTemplate } from '#contracts/http/templates';

/**
 * Example data. What is sent at all goes to example.org, which nobody owns, and into inboxes here; by SMS and push there
 * are only drafts and what was cancelled.
 */

type Recipient = { userId: string; profile: Partial<PutRecipient>; device: string | null };

export const RECIPIENTS: readonly Recipient[] = [
  {
    userId: 'fixture-ada',
    profile: { email: 'ada@example.org', phone: '+2250707123456', locale: 'fr-CI', timezone: 'Africa/Abidjan' },
    device: 'fixture-device-of-ada-0123456789',
  },
  { userId: 'fixture-bo', profile: { email: 'bo@example.org', locale: 'en', timezone: 'Europe/Paris' }, device: null },
];

const WELCOME = { type: 'object', required: ['name'], properties: { name: { type: 'string' } } };
const welcome = (serviceName: string, locale: string, title: string, body: string): CreateTemplate =>
  CreateTemplate.parse({
    serviceName,
    name: 'welcome',
    channel: 'email',
    locale,
    content: { title, body },
    variables: WELCOME,
  });

export const templatesOf = (serviceName: string): CreateTemplate[] => [
  welcome(serviceName, 'default', 'Welcome', 'Welcome, {{name}}. Your reminders come from here.'),
  welcome(serviceName, 'fr', 'Bienvenue', 'Bienvenue, {{name}}. Vos rappels viennent d’ici.'),
];

/** What is done with a fixture once it is there. */
export type Then = 'cancelNotification' | 'rejectNotification' | null;

const ada = { userId: 'fixture-ada' };
const bo = { userId: 'fixture-bo' };
const insulin = { type: 'reminder', title: 'Insulin', body: 'Time for your 8:00 dose' } as const;

export const NOTIFICATIONS: readonly { key: string; then: Then; input: CreateNotificationInput }[] = [
  { key: 'sent', then: null, input: { ...bo, ...insulin, channel: 'email' } },
  {
    key: 'template',
    then: null,
    input: { ...ada, channel: 'email', template: { name: 'welcome' }, locale: 'fr-CI', variables: { name: 'Ada' } },
  },
  { key: 'inbox', then: null, input: { ...ada, ...insulin, channel: 'in-app' } },
  {
    key: 'alert',
    then: null,
    input: { ...bo, channel: 'in-app', type: 'alert', title: 'Low sugar', body: 'Eat something' },
  },
  { key: 'draft-sms', then: null, input: { ...ada, ...insulin, channel: 'sms', draft: true } },
  { key: 'draft-email', then: null, input: { ...bo, ...insulin, channel: 'email', draft: true } },
  { key: 'rejected', then: 'rejectNotification', input: { ...ada, ...insulin, channel: 'push', draft: true } },
  { key: 'cancelled', then: 'cancelNotification', input: { ...ada, ...insulin, channel: 'push', draft: true } },
];
