import { Command, Option } from 'nest-commander';
import type { NotificationBody } from '#contracts/http/notification';
import { OPERATIONS } from '#contracts/http/operations';
import type { Api } from '../api.js';
import { ApiCommand } from '../command.js';
import { NOTIFICATIONS, RECIPIENTS, templatesOf, type Then } from '../fixtures.js';
import { notificationTable } from '../notifications.js';
import { pushTemplate } from '../templates.js';
import type { Report } from '../terminal.js';

interface FixturesOptions {
  service?: string;
}

@Command({
  name: 'fixtures',
  description: 'make example data: recipients, a template, notifications; twice makes it once',
})
export class Fixtures extends ApiCommand<FixturesOptions> {
  @Option({ flags: '--service <name>', description: 'test unless said otherwise' })
  service(name: string): string {
    return name;
  }

  protected async ask(api: Api, _args: string[], { service = 'test' }: FixturesOptions): Promise<Report> {
    for (const { userId, profile, device } of RECIPIENTS) {
      const params = { serviceName: service, userId };
      await api.call(OPERATIONS.putRecipient, { params, body: profile });
      if (device !== null)
        await api.call(OPERATIONS.createDevice, { params, body: { token: device, platform: 'android' } });
    }
    const templates = templatesOf(service);
    for (const template of templates) await pushTemplate(api, template, true);
    const notifications: NotificationBody[] = [];
    for (const { key, then, input } of NOTIFICATIONS) {
      const made = await api.call(OPERATIONS.createNotification, {
        body: { ...input, serviceName: service, reference: `fixture-${key}` },
        idempotencyKey: `fixture-${key}`,
      });
      notifications.push(await brought(api, made, then));
    }
    return {
      value: { serviceName: service, recipients: RECIPIENTS.map(({ userId }) => userId), notifications },
      lines: [
        `${RECIPIENTS.length} recipients, ${templates.length} templates, ${notifications.length} notifications`,
        ...notificationTable(this.parts.terminal, notifications),
      ],
    };
  }
}

/** Where it is to stand; done again, nothing changes. */
const brought = (api: Api, { id }: NotificationBody, then: Then): Promise<NotificationBody> => {
  const params = { id };
  switch (then) {
    case 'cancelNotification':
      return api.call(OPERATIONS.cancelNotification, { params, body: {} });
    case 'rejectNotification':
      return api.call(OPERATIONS.rejectNotification, { params, body: { reason: 'an example' } });
    case null:
      return api.call(OPERATIONS.getNotification, { params });
  }
};
