import type { KnownBlock } from '@slack/web-api';
import { slackContent } from '#domain/channels/slack';
import type { SendRequest } from '#domain/sender';

/** What both ways to post take alike. */
export interface SlackMessage {
  /** Shown where blocks are not: in notifications, and by screen readers. */
  text: string;
  blocks: KnownBlock[];
  metadata: { event_type: string; event_payload: { notificationId: string; deliveryId: string } };
}

/** Verbatim: what looks like a channel or a mention stays text, so that nobody is called by somebody else's words. */
const mrkdwn = (text: string) => ({ type: 'mrkdwn', text, verbatim: true }) as const;

/**
 * One message in Block Kit, the same at every attempt. Slack has no id that a sender may choose; the delivery id goes
 * with the message as metadata, which apps of the workspace can read.
 * https://docs.slack.dev/reference/block-kit https://docs.slack.dev/messaging/message-metadata
 */
export const slackMessage = (request: SendRequest): SlackMessage => {
  const { header, body, fields, link } = slackContent(request);
  const blocks: KnownBlock[] = [{ type: 'section', text: mrkdwn(body) }];
  if (header !== null) blocks.unshift({ type: 'header', text: { type: 'plain_text', text: header, emoji: false } });
  if (fields.length > 0) blocks.push({ type: 'section', fields: fields.map(mrkdwn) });
  if (link !== null) {
    const text = { type: 'plain_text', text: link.text, emoji: false } as const;
    blocks.push({ type: 'actions', elements: [{ type: 'button', action_id: 'link', text, url: link.url }] });
  }
  const { notificationId, deliveryId } = request;
  return {
    text: header === null ? body : `${slackContent({ title: null, body: header, data: {} }).body}\n${body}`,
    blocks,
    metadata: { event_type: 'carillon_notification', event_payload: { notificationId, deliveryId } },
  };
};
