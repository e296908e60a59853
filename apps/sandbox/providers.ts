import type { Channel } from '#contracts/vocabulary';
import { email } from './email/email.js';
import { inApp } from './in-app/in-app.js';
import type { Provider } from './provider.js';
import { push } from './push/push.js';
import { slack } from './slack/slack.js';
import { sms } from './sms/sms.js';
import { webhook } from './webhook/webhook.js';

/** Who plays which channel. */
export const PROVIDERS: Readonly<Record<Channel, Provider>> = { push, email, sms, webhook, slack, 'in-app': inApp };
