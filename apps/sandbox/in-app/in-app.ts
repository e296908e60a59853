import { z } from 'zod';
import { INBOX_COOKIE } from '#contracts/http/inbox';
import { ServiceName, UserId } from '#contracts/http/primitives';
import { answer, answerJson, type Exchange, parseJson, readBody, Refusal } from '../http.js';
import type { Provider } from '../provider.js';
import type { SandboxSettings } from '../settings.js';
import { INBOX_PAGE } from './page.js';

const sessionBody = z.strictObject({ serviceName: ServiceName, userId: UserId });
const tokenBody = z.object({ token: z.string(), expiresAt: z.string() });

/**
 * The inbox is Carillon's own: nothing arrives here, and a fault strikes nothing. Here is what stands before it in life:
 * a page, and the backend of a service that asks for its user's token.
 */
export const inApp: Provider = {
  faultRules: {
    stages: ['send'],
    usualStage: () => 'send',
    problem: () => null,
  },

  start: ({ settings }) =>
    Promise.resolve({
      routes: [
        {
          method: 'GET',
          path: '/inbox',
          handle: ({ response }) => answer(response, 200, 'text/html; charset=utf-8', INBOX_PAGE),
        },
        { method: 'POST', path: '/inbox/session', handle: (exchange) => begin(exchange, settings) },
      ],
      port: null,
      certificate: null,
      close: () => Promise.resolve(),
    }),

  describe: () => Promise.resolve({ title: null, text: '', content: null }),
};

/** As a service's backend does when its user has logged in: the token goes into a cookie that no script can read. */
const begin = async ({ request, response }: Exchange, settings: SandboxSettings): Promise<void> => {
  const asked = sessionBody.safeParse(parseJson(await readBody(request)));
  if (!asked.success) throw new Refusal(400, 'body is {serviceName, userId}');
  const { SANDBOX_API_URL: api, SANDBOX_API_KEY: key } = settings;
  if (key === undefined)
    throw new Refusal(501, `set SANDBOX_API_KEY to a key of ${api} with the scope inbox:tokens, and start again`);
  const made = await fetch(`${api}/api/inbox/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(asked.data),
  }).catch(() => null);
  if (made === null) throw new Refusal(502, `${api} does not answer`);
  const text = await made.text();
  if (made.status !== 201)
    throw new Refusal(502, `${api} answered ${made.status}`, { answer: parseJson(Buffer.from(text)) });
  const { token, expiresAt } = tokenBody.parse(JSON.parse(text));
  // Cookies know no ports: the API on this host gets it too.
  const cookie = `${INBOX_COOKIE}=${token}; Path=/api/inbox; HttpOnly; SameSite=Lax; Expires=${new Date(expiresAt).toUTCString()}`;
  answerJson(response, 201, { api, expiresAt }, { 'set-cookie': cookie });
};
