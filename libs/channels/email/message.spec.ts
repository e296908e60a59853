import { describe, expect, it } from '@jest/globals';
import { simpleParser, type ParsedMail } from 'mailparser';
import type { SendRequest } from '#domain/sender';
import { sendRequest } from '../conformance.js';
import { composeMessage, messageId, type Sender } from './message.js';

const now = new Date('2026-11-21T08:00:07.000Z');
const plainSender: Sender = { name: null, address: 'no-reply@example.org', messageIdDomain: 'mail.example.org' };

const compose = (over: Partial<SendRequest> = {}, sender = plainSender): string =>
  composeMessage(sendRequest({ target: 'ada@example.org', ...over }), sender, now).toString('latin1');
const parse = (over: Partial<SendRequest> = {}, sender = plainSender): Promise<ParsedMail> =>
  simpleParser(Buffer.from(compose(over, sender), 'latin1'));

const LONG_LINE = 'word '.repeat(300).trim();

describe('an e-mail', () => {
  it('has the headers it needs', async () => {
    const mail = await parse();
    expect(mail.from?.value).toEqual([{ address: 'no-reply@example.org', name: '' }]);
    expect(mail.to).toMatchObject({ text: 'ada@example.org' });
    expect(mail.subject).toBe('Insulin');
    expect(mail.messageId).toBe('<66f1c0de9a1b2c3d4e5f6071-1@mail.example.org>');
    expect(mail.date).toEqual(now);
    expect(mail.headers.get('x-carillon-notification')).toBe('66f1c0de9a1b2c3d4e5f6071');
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
    expect(compose()).toContain('\r\nDate: Sat, 21 Nov 2026 08:00:07 +0000\r\n');
  });

  it('has the same id at every attempt', () => {
    expect(messageId('d-1', plainSender)).toBe('<d-1@mail.example.org>');
    expect(compose({ attempt: 1 })).toBe(compose({ attempt: 2 }));
  });

  it.each([
    'Insulin',
    'Liều insulin: 8 giờ',
    'Rappel ☎ – '.repeat(15).trim(),
    'x'.repeat(255),
    'word '.repeat(50).trim(),
    'no =?utf-8?Q?encoded?= word',
    '"quoted", <bracketed> & (commented)',
    '日本語の件名'.repeat(20),
    '👩‍⚕️'.repeat(20),
  ])('keeps the subject %s', async (title) => {
    const raw = compose({ title });
    expect((await parse({ title })).subject).toBe(title);
    for (const line of raw.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
  });

  it.each([
    'Time for your 8:00 dose',
    'Two\nlines',
    'Windows\r\nlines\rand old ones',
    '.\r\n.leading dots\r\n..',
    'From the start\nFrom here',
    'Đã đến giờ tiêm – 8:00',
    'tab\tand trailing space \nand more ',
    'a=b =3D =C3=A9',
    LONG_LINE,
    'x'.repeat(2000),
    '--=_carillon_guess--\r\n',
    '\n\nblank lines around\n\n',
  ])('keeps the text %j', async (body) => {
    const raw = compose({ body });
    const [head = ''] = raw.split('\r\n\r\n');
    expect(head).not.toMatch(/[^\r]\n/);
    for (const line of raw.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
    expect(raw).toMatch(/^\p{ASCII}*$/u);
    const { text = '' } = await parse({ body });
    expect(text.trimEnd()).toBe(body.replace(/\r\n?/g, '\n').trimEnd());
  });

  it('has text and HTML where there is HTML', async () => {
    const html = `<p>Đến giờ <b>tiêm</b></p>\n${'<br>'.repeat(100)}`;
    const mail = await parse({ html, body: 'Đến giờ tiêm' });
    expect(mail.headers.get('content-type')).toMatchObject({ value: 'multipart/alternative' });
    expect(mail.text?.trim()).toBe('Đến giờ tiêm');
    expect(mail.html).toBe(html);
  });

  it.each([
    ['Carillon', 'Carillon'],
    ['Clinic, "North" <x>', 'Clinic, "North" <x>'],
    ['Phòng khám', 'Phòng khám'],
  ])('is from %s', async (name, expected) => {
    const { from } = await parse({}, { ...plainSender, name });
    expect(from?.value).toEqual([{ address: 'no-reply@example.org', name: expected }]);
  });
});
