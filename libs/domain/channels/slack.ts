import { htmlRefused, type ChannelRules, type Content, type FieldProblem } from './rules.js';

/**
 * Slack, by a bot (chat.postMessage) or by an incoming webhook. A target is the id of a conversation or a person
 * (`C…`, `G…`, `D…`, `U…`, `W…`), the name of a channel (`#reminders`), or `webhook:` and the name under which the
 * service's webhook is configured. A webhook's URL is a secret and no target.
 */

const ID = /^[CGDUW][A-Z0-9]{6,30}$/;
/** Letters of any script, digits, hyphens and underscores. https://slack.com/help/articles/360017938993 */
const NAME = /^#[\p{L}\p{M}\p{N}_-]{1,80}$/u;
const WEBHOOK = /^webhook:([a-z0-9][a-z0-9_-]{0,63})$/;

/** https://docs.slack.dev/reference/block-kit/blocks */
export const MAX_SLACK_TITLE = 150;
export const MAX_SLACK_BODY = 3_000;
export const MAX_SLACK_FIELDS = 10;
const MAX_FIELD = 2_000;
const MAX_LINK_TEXT = 75;
const MAX_LINK_URL = 3_000;
const LINK_TEXT = 'Open';

export interface SlackLink {
  text: string;
  url: string;
}

/** What a message consists of. All but `header` and `link`, which Slack takes as plain text, is mrkdwn. */
export interface SlackContent {
  header: string | null;
  body: string;
  fields: readonly string[];
  link: SlackLink | null;
}

/** Without these three nobody is mentioned and no link hides its address. https://docs.slack.dev/messaging/formatting-message-text#escaping */
const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

const fieldOf = (value: unknown): string | null => {
  if (!isObject(value) || !isText(value['title']) || !isText(value['value'])) return null;
  const text = `*${escape(value['title'])}*\n${escape(value['value'])}`;
  return text.length <= MAX_FIELD ? text : null;
};

const linkOf = (value: unknown): SlackLink | null => {
  if (!isObject(value)) return null;
  const { url, text = LINK_TEXT } = value;
  if (!isText(text) || text.length > MAX_LINK_TEXT || typeof url !== 'string' || url.length > MAX_LINK_URL) return null;
  return /^https?:\/\/[^\s\p{Cc}]+$/iu.test(url) && URL.canParse(url) ? { text, url } : null;
};

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Of `data`, only `fields` and `link` are shown; what is wrong in them is left out. */
export const slackContent = ({ title, body, data }: Pick<Content, 'title' | 'body' | 'data'>): SlackContent => ({
  header: isText(title) ? title : null,
  body: escape(body),
  fields: listed(data['fields'])
    .map(fieldOf)
    .filter((field) => field !== null),
  link: linkOf(data['link']),
});

/** The name of the webhook that a target names; null where it names none. */
export const webhookName = (target: string): string | null => WEBHOOK.exec(target)?.[1] ?? null;

/** Whether a target may name a webhook so. */
export const isWebhookName = (name: string): boolean => WEBHOOK.test(`webhook:${name}`);

const problem = (path: readonly string[], code: string, message: string): FieldProblem => ({ path, code, message });

const checkTexts = ({ title, body, data }: Content): FieldProblem[] => {
  const problems: FieldProblem[] = [];
  if (title !== null && title.length > MAX_SLACK_TITLE) {
    problems.push(problem(['title'], 'title_too_long', `must have at most ${MAX_SLACK_TITLE} characters for Slack`));
  }
  if (!isText(body)) problems.push(problem(['body'], 'body_required', 'must not be blank'));
  if (slackContent({ title, body, data }).body.length > MAX_SLACK_BODY) {
    problems.push(
      problem(
        ['body'],
        'body_too_long',
        `must have at most ${MAX_SLACK_BODY} characters for Slack, where & counts as 5, < and > as 4`,
      ),
    );
  }
  return problems;
};

const checkFields = (fields: unknown): FieldProblem[] => {
  if (fields === undefined) return [];
  if (!Array.isArray(fields) || fields.length > MAX_SLACK_FIELDS) {
    const message = `must be a list of at most ${MAX_SLACK_FIELDS} fields {"title", "value"}`;
    return [problem(['data', 'fields'], 'invalid_fields', message)];
  }
  return fields.flatMap((field, index) =>
    fieldOf(field) === null
      ? [
          problem(
            ['data', 'fields', String(index)],
            'invalid_fields',
            `must be {"title", "value"}, neither of them blank, with at most ${MAX_FIELD} characters together`,
          ),
        ]
      : [],
  );
};

const checkLink = (link: unknown): FieldProblem[] =>
  link === undefined || linkOf(link) !== null
    ? []
    : [
        problem(
          ['data', 'link'],
          'invalid_link',
          `must be {"url", "text"}: an http or https URL, and up to ${MAX_LINK_TEXT} characters for its button`,
        ),
      ];

export const slackRules: ChannelRules = {
  channel: 'slack',

  checkTarget: (target) =>
    ID.test(target) || NAME.test(target) || WEBHOOK.test(target)
      ? null
      : problem(
          [],
          'invalid_slack_target',
          'must be the id of a Slack conversation or person, #channel, or webhook: and the name of a configured webhook, never its URL',
        ),

  // Slack's channels have lower-case names, whatever people write.
  normaliseTarget: (target) => (NAME.test(target) ? target.normalize('NFC').toLowerCase() : target),

  maskTarget: (target) => {
    if (ID.test(target)) return `${target.slice(0, 1)}…${target.slice(-3)}`;
    const shown = /^(?:#|webhook:)/.exec(target)?.[0] ?? '';
    const name = target.slice(shown.length);
    return `${shown}${shown !== '' && name.length > 3 ? name.slice(0, 1) : ''}…`;
  },

  checkContent: (content) => [
    ...htmlRefused(content),
    ...checkTexts(content),
    ...checkFields(content.data['fields']),
    ...checkLink(content.data['link']),
  ],
};
