import type { IncomingHttpHeaders } from 'node:http';
import { parseJson } from '../http.js';

/** A message, as far as the sandbox looks, of chat.postMessage or of an incoming webhook. */
export interface SlackMessage {
  channel: string | null;
  text: string | null;
  blocks: readonly Json[];
  metadata: Json;
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const asObject = (value: unknown): Json => (isObject(value) ? value : {});
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const asText = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** Slack takes both; in a form what is not text is JSON. Undefined where it is neither. */
export const readBody = (headers: Readonly<Record<string, unknown>>, raw: Buffer): Json | undefined => {
  const type = String((headers as IncomingHttpHeaders)['content-type']);
  if (!type.startsWith('application/x-www-form-urlencoded')) {
    const body = parseJson(raw);
    return isObject(body) ? body : undefined;
  }
  const form: Record<string, unknown> = Object.fromEntries(new URLSearchParams(raw.toString()));
  for (const name of ['blocks', 'metadata', 'attachments']) {
    if (name in form) form[name] = parseJson(Buffer.from(String(form[name]))) ?? form[name];
  }
  return form;
};

/** The message, or, as a string, Slack's word for why it refuses it. */
export const readMessage = (body: Json | undefined): SlackMessage | string => {
  if (body === undefined) return 'invalid_payload';
  const { blocks = [], metadata = {} } = body;
  if (!Array.isArray(blocks) || !blocks.every(isObject)) return 'invalid_blocks_format';
  if (!isObject(metadata)) return 'invalid_metadata_format';
  const text = asText(body['text']);
  if (text === null && blocks.length === 0) return 'no_text';
  if (text !== null && text.length > 40_000) return 'msg_too_long';
  if (blocks.length > 50 || !blocks.every(isBlock)) return 'invalid_blocks';
  return { channel: asText(body['channel']), text, blocks, metadata };
};

const textOf = (object: unknown): string | null => asText(asObject(object)['text']);

const isTextWithin = (object: unknown, most: number, types: readonly string[]): boolean => {
  const text = textOf(object);
  return text !== null && text.length <= most && types.includes(String(asObject(object)['type']));
};

/** The limits of those blocks that Carillon makes. https://docs.slack.dev/reference/block-kit/blocks */
const isBlock = (block: Json): boolean => {
  const anyText = ['plain_text', 'mrkdwn'];
  switch (block['type']) {
    case 'header':
      return isTextWithin(block['text'], 150, ['plain_text']);
    case 'section': {
      const fields = asList(block['fields']);
      if (block['text'] === undefined && fields.length === 0) return false;
      if (block['text'] !== undefined && !isTextWithin(block['text'], 3_000, anyText)) return false;
      return fields.length <= 10 && fields.every((field) => isTextWithin(field, 2_000, anyText));
    }
    case 'actions':
      return asList(block['elements']).every((element) => {
        const { text, url = '' } = asObject(element);
        return isTextWithin(text, 75, ['plain_text']) && typeof url === 'string' && url.length <= 3_000;
      });
    default:
      return typeof block['type'] === 'string';
  }
};

/** What Carillon says of itself in a message. */
export const idsOf = ({ metadata }: SlackMessage): { deliveryId: string | null; notificationId: string | null } => {
  const payload = asObject(metadata['event_payload']);
  return { deliveryId: asText(payload['deliveryId']), notificationId: asText(payload['notificationId']) };
};

/** The text of the header, and of the first section or of what stands for blocks. */
export const summaryOf = ({ blocks, text }: SlackMessage): { title: string | null; text: string } => {
  const first = (type: string): string | null => textOf(blocks.find((block) => block['type'] === type)?.['text']);
  return { title: first('header'), text: first('section') ?? text ?? '' };
};
