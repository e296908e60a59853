import { Controller, Inject } from '@nestjs/common';
import { OPERATIONS } from '#contracts/http/operations';
import { CreateNotification, type NotificationBody } from '#contracts/http/notification';
import type { Preview, TemplateBody, TemplateItem } from '#contracts/http/templates';
import { NotFound } from '#domain/errors';
import type { Page } from '#paging/cursor';
import { acceptedView } from '#queries/views';
import { tagOf } from '#templates/renderer';
import { previewView, templateItem, templateView } from '#templates/views';
import type { CallOf } from '../http/call.js';
import { Handles } from '../http/handles.js';
import { type ApiParts, PARTS } from '../tokens.js';

@Controller()
export class TemplatesController {
  constructor(@Inject(PARTS) private readonly parts: Pick<ApiParts, 'templates' | 'door'>) {}

  @Handles(OPERATIONS.createTemplate)
  async create(call: CallOf<typeof OPERATIONS.createTemplate>): Promise<TemplateBody> {
    const template = await this.parts.templates.create(call.caller, call.body);
    call.about(template.id);
    return templateView(template);
  }

  @Handles(OPERATIONS.listTemplates)
  async list({ caller, query }: CallOf<typeof OPERATIONS.listTemplates>): Promise<Page<TemplateItem>> {
    const { data, page } = await this.parts.templates.list(caller, query);
    return { data: data.map(templateItem), page };
  }

  @Handles(OPERATIONS.getTemplate)
  async show({ caller, params, query }: CallOf<typeof OPERATIONS.getTemplate>): Promise<Page<TemplateBody>> {
    const { data, page } = await this.parts.templates.list(caller, { ...query, name: params.name });
    if (data.length === 0 && query.cursor === undefined) throw new NotFound('template');
    return { data: data.map(templateView), page };
  }

  @Handles(OPERATIONS.putTemplate)
  async put({ caller, params, body }: CallOf<typeof OPERATIONS.putTemplate>): Promise<TemplateBody> {
    return templateView(await this.parts.templates.update(caller, params.name, params.id, body));
  }

  @Handles(OPERATIONS.publishTemplate)
  async publish(call: CallOf<typeof OPERATIONS.publishTemplate>): Promise<TemplateBody> {
    call.about(call.params.id);
    return templateView(await this.parts.templates.publish(call.caller, call.params.name, call.params.id));
  }

  @Handles(OPERATIONS.deleteTemplate)
  delete({ caller, params }: CallOf<typeof OPERATIONS.deleteTemplate>): Promise<void> {
    return this.parts.templates.deleteDraft(caller, params.name, params.id);
  }

  @Handles(OPERATIONS.previewTemplate)
  async preview({ caller, params, body }: CallOf<typeof OPERATIONS.previewTemplate>): Promise<Preview> {
    return previewView(await this.parts.templates.preview(caller, params.name, body));
  }

  @Handles(OPERATIONS.testSendTemplate)
  async testSend(call: CallOf<typeof OPERATIONS.testSendTemplate>): Promise<NotificationBody> {
    const { userId, to, ...asked } = call.body;
    const made = await this.parts.templates.preview(call.caller, call.params.name, asked);
    const { serviceName, channel, title, body, html, data, name, version, locale } = made;
    const { notification } = await this.parts.door.accept(call.caller, {
      input: CreateNotification.parse({ serviceName, channel, userId, to, title, body, html, data }),
      raw: call.raw,
      // Kept with the answer, as for every call that is not itself the record.
      idempotencyKey: null,
      traceparent: call.traceparent,
      defaultOnLimit: 'fail',
      madeFrom: { name, version, locale },
    });
    call.about(notification.id, call.traceparent ?? notification.traceparent);
    return acceptedView(notification);
  }

  @Handles(OPERATIONS.invalidateTemplates)
  invalidate({ body }: CallOf<typeof OPERATIONS.invalidateTemplates>): Promise<void> {
    const tag = body.name === undefined ? (body.tag ?? null) : tagOf(body.name);
    this.parts.templates.invalidate(tag);
    return Promise.resolve();
  }
}
