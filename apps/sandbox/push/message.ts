/** A message as `POST /v1/projects/<p>/messages:send` takes it, as far as the sandbox looks. */
export interface FcmMessage {
  token?: string;
  topic?: string;
  condition?: string;
  notification?: { title?: string; body?: string };
  data?: Record<string, string>;
}

/** The limit of FCM for notification and data together, in bytes. */
const MAX_PAYLOAD = 4_096;
const RESERVED = /^(?:from|message_type|collapse_key|google\..*|gcm\..*)$/;

/** The message, or, as a string, why FCM would answer INVALID_ARGUMENT. */
export const readMessage = (body: unknown, size: number): FcmMessage | string => {
  if (!isObject(body) || !isObject(body['message'])) return 'Request must have a message.';
  const message = body['message'];
  const targets = [message['token'], message['topic'], message['condition']].filter((target) => target !== undefined);
  if (targets.length !== 1 || typeof targets[0] !== 'string' || targets[0] === '') {
    return 'Exactly one of token, topic or condition is required';
  }
  const data = message['data'] ?? {};
  if (!isObject(data)) return 'Invalid value at message.data';
  for (const key in data) {
    if (typeof data[key] !== 'string') return `Invalid value at message.data[${key}] (TYPE_STRING)`;
    if (RESERVED.test(key)) return `Invalid data payload key: ${key}`;
  }
  // A payload cannot be larger than the request it came in.
  if (size > MAX_PAYLOAD && payloadSize(message, data) > MAX_PAYLOAD) return 'Android message is too big';
  return message;
};

export const targetOf = (message: FcmMessage): string => message.token ?? message.topic ?? message.condition ?? '';

const payloadSize = (message: Record<string, unknown>, data: Record<string, unknown>): number => {
  const texts = [
    ...Object.keys(data),
    ...Object.values(data),
    ...Object.values(isObject(message['notification']) ? message['notification'] : {}),
  ];
  return texts.reduce((sum: number, text) => sum + (typeof text === 'string' ? Buffer.byteLength(text) : 0), 0);
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
