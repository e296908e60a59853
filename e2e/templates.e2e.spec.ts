import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { EXCHANGES, ROUTING_KEYS } from '#contracts/topology';
import { hearServices } from '#testing/hear';
import { type Answer, type House, startHouse, until } from '#testing/house';

const DOSE = { type: 'object', required: ['dose'], properties: { dose: { type: 'string' } } };

/** What people write once, used by every process. */
describe('templates', () => {
  let house: House;
  let connection: ChannelModel;
  let channel: Channel;
  let user: string;
  const accepted: Record<string, unknown>[] = [];
  const invalidated: unknown[] = [];
  let waiting: (() => void)[] = [];

  beforeAll(async () => {
    user = decodeURIComponent(new URL(process.env['RABBITMQ_URI'] ?? '').username);
    house = await startHouse({ gateways: 2, env: { AMQP_USERS: `${user}=diabetes:notifications:send` } });
    connection = await connect(house.vhost.uri);
    channel = await connection.createChannel();
    const queue = await hearServices(channel, ({ content, properties }) => {
      const body = JSON.parse(content.toString()) as Record<string, unknown>;
      if (properties.type === 'carillon.invalidate') invalidated.push(body['key']);
      else if (properties.type === 'notification.accepted') accepted.push(body);
      for (const look of waiting.splice(0)) look();
    });
    await channel.bindQueue(queue, EXCHANGES.servicesByKey, ROUTING_KEYS.invalidate);
  }, 120_000);
  afterAll(async () => {
    await connection.close();
    await house.stop();
  }, 60_000);

  const heard = async <T>(found: () => T | undefined): Promise<T> => {
    for (;;) {
      const one = found();
      if (one !== undefined) return one;
      await new Promise<void>((resolve) => (waiting = [...waiting, resolve]));
    }
  };
  const write = async (over: Record<string, unknown>): Promise<string> => {
    const body = { serviceName: 'diabetes', name: 'dose', channel: 'email', variables: DOSE, ...over };
    const answer = await house.call('POST', '/api/templates', { body });
    expect(answer).toMatchObject({ status: 201, body: { status: 'draft' } });
    return String(answer.body['id']);
  };
  const publish = (id: string, name = 'dose'): Promise<Answer> =>
    house.call('POST', `/api/templates/${name}/versions/${id}/publish`);
  const content = (body: string): Record<string, unknown> => ({ content: { title: 'Insulin', body } });
  const send = (over: Record<string, unknown> = {}, gateway = 0): Promise<Answer> =>
    house.call('POST', '/api/notifications', {
      gateway,
      body: {
        serviceName: 'diabetes',
        userId: `t-${Math.random()}`,
        channel: 'email',
        to: 'ada@example.org',
        template: { name: 'dose' },
        variables: { dose: '8 units' },
        ...over,
      },
    });
  /** Asks the other gateway until it answers so: what it has cached would be good for an hour. */
  const usedThere = async (body: string): Promise<void> => {
    while ((await send({}, 1)).body['body'] !== body);
  };

  it('are published on one gateway, and used on the other', async () => {
    expect(await send({}, 1)).toMatchObject({
      status: 422,
      body: { errors: [{ field: '/template', code: 'unknown_template' }] },
    });
    const first = await write(content('Time for {{dose}}'));
    await publish(first);
    await usedThere('Time for 8 units');
    const second = await write(content('Take {{dose}}'));
    await publish(second);
    await usedThere('Take 8 units');
    await publish(first);
    await usedThere('Time for 8 units');
    const named = { template: { name: 'dose', version: 2 } };
    expect((await send(named, 1)).body['body']).toBe('Take 8 units');
    expect((await send(named, 1)).body['body']).toBe('Take 8 units');
    const change = { body: { content: { body: 'x' } } };
    expect(await house.call('PUT', `/api/templates/dose/versions/${first}`, change)).toMatchObject({ status: 409 });
    const { body } = await house.call('GET', '/api/templates/dose', { gateway: 1 });
    expect(body['data']).toMatchObject([{ version: 2 }, { version: 1, content: { body: 'Time for {{dose}}' } }]);
    const metrics = await (await fetch(`${house.gateways[1]?.url}/metrics`)).text();
    expect(metrics).toMatch(/carillon_template_cache_total\{[^}]*result="hit"[^}]*\} [1-9]/);
  });

  it('arrive as they were accepted, in the nearest locale', async () => {
    const mjml = `<mjml><mj-body><mj-section><mj-column><mj-text>Prenez {{dose}}</mj-text></mj-column></mj-section></mj-body></mjml>`;
    await publish(await write({ locale: 'fr', content: { title: 'Insuline : {{dose}}', mjml } }));
    const answer = await send({ locale: 'fr-CI', variables: { dose: '<8>' } });
    expect(answer).toMatchObject({ status: 202, body: { title: 'Insuline : <8>', body: 'Prenez <8>' } });
    await until(house, String(answer.body['id']), ({ status }) => status === 'sent');
    const seen = `${house.sandbox.url}/received`;
    const { data } = (await (await fetch(`${seen}?notificationId=${String(answer.body['id'])}`)).json()) as {
      data: { sequence: number }[];
    };
    const mail = await (await fetch(`${seen}/${data[0]?.sequence ?? 0}`)).text();
    expect(mail).toContain('Insuline : <8>');
    expect(mail).toContain('Prenez &lt;8&gt;');
    expect((await send({ locale: 'de' })).body['body']).toBe('Time for 8 units');
  });

  it('speak the language of the recipient, and are named by what was made from them', async () => {
    await house.call('PUT', '/api/services/diabetes/recipients/t-fr', { body: { locale: 'fr-CI' } });
    const own = await send({ userId: 't-fr' });
    expect(own.body).toMatchObject({ body: 'Prenez 8 units', template: { name: 'dose', version: 1, locale: 'fr' } });
    const shown = await house.call('GET', `/api/notifications/${String(own.body['id'])}`);
    expect(shown.body['template']).toEqual(own.body['template']);
    const named = await send({ userId: 't-fr', locale: 'en' });
    expect(named.body).toMatchObject({ body: 'Time for 8 units', template: { version: 1, locale: 'default' } });
  });

  it('name the variable that is missing', async () => {
    expect(await send({ variables: {} })).toMatchObject({
      status: 422,
      body: { code: 'validation_failed', errors: [{ in: 'body', field: '/variables/dose', code: 'required' }] },
    });
  });

  it('are previewed without sending, and sent as a test', async () => {
    await write({ serviceName: 'wellness', name: 'draft', ...content('Draft {{dose}}') });
    const asked = { serviceName: 'wellness', channel: 'email', version: 1, variables: { dose: 'one' } };
    expect(await house.call('POST', '/api/templates/draft/preview', { body: asked })).toMatchObject({
      status: 200,
      body: { title: 'Insulin', body: 'Draft one', html: null, version: 1, locale: 'default' },
    });
    expect((await house.call('GET', '/api/notifications?serviceName=wellness')).body['data']).toEqual([]);
    const sent = await house.call('POST', '/api/templates/draft/test-send', {
      body: { ...asked, to: 'ada@example.org' },
    });
    expect(sent).toMatchObject({ status: 202, body: { body: 'Draft one' } });
    await until(house, String(sent.body['id']), ({ status }) => status === 'sent');
  });

  it('take variables of each recipient of a bulk', async () => {
    const recipients = Array.from({ length: 20 }, (_, index) => ({
      to: `b-${index}@example.org`,
      reference: `b-${index}`,
      ...(index === 7 ? {} : { variables: { dose: `${index} units` } }),
    }));
    const answer = await house.call('POST', '/api/notifications/bulk', {
      body: { serviceName: 'diabetes', content: { channel: 'email', template: { name: 'dose' } }, recipients },
    });
    expect(answer).toMatchObject({
      status: 202,
      body: {
        counts: { total: 20, accepted: 19, refused: 1 },
        refused: [{ index: 7, errors: [{ field: '/recipients/7/variables/dose' }] }],
      },
    });
    const list = await house.call('GET', `/api/notifications?bulkId=${String(answer.body['id'])}&reference=b-3`);
    const [item] = list.body['data'] as { id: string }[];
    const shown = await house.call('GET', `/api/notifications/${item?.id}`);
    expect(shown.body['body']).toBe('Time for 3 units');
  });

  it('serve AMQP, too', async () => {
    channel.publish(
      EXCHANGES.api,
      ROUTING_KEYS.send,
      Buffer.from(
        JSON.stringify({
          serviceName: 'diabetes',
          channel: 'email',
          to: 'ada@example.org',
          template: { name: 'dose' },
          variables: { dose: '4 units' },
        }),
      ),
      { contentType: 'application/json', userId: user, messageId: 'template-1', type: 'notification.send' },
    );
    const { notificationId } = await heard(() => accepted.find(({ messageId }) => messageId === 'template-1'));
    const { body } = await house.call('GET', `/api/notifications/${String(notificationId)}`);
    expect(body['body']).toBe('Time for 4 units');
  });

  it('are forgotten everywhere by name, by tag, or all', async () => {
    invalidated.length = 0;
    for (const body of [{ name: 'dose' }, { tag: 'notifications' }, {}])
      expect((await house.call('POST', '/api/templates/invalidate', { body })).status).toBe(204);
    await heard(() => (invalidated.length >= 3 ? true : undefined));
    expect(invalidated).toEqual(['template.dose', 'notifications', null]);
  });
});
