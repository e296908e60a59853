import type { Preview, TemplateBody, TemplateItem } from '#contracts/http/templates';
import type { Template } from './ports.js';
import type { Previewed } from './templates.js';

export const templateItem = (template: Template): TemplateItem => ({
  id: template.id,
  serviceName: template.serviceName,
  name: template.name,
  channel: template.channel,
  locale: template.locale,
  version: template.version,
  status: template.status,
  createdAt: template.createdAt.toISOString(),
  updatedAt: template.updatedAt.toISOString(),
  publishedAt: template.publishedAt?.toISOString() ?? null,
  liveAt: template.liveAt?.toISOString() ?? null,
  updatedBy: template.updatedBy,
});

/** The content as it was given, without what was made from it. */
export const templateView = (template: Template): TemplateBody => {
  const { title, body, html, mjml, data } = template.content;
  return {
    ...templateItem(template),
    content: { title, body, html: mjml === null ? html : null, mjml, data },
    variables: template.variables,
  };
};

export const previewView = ({ name, channel, locale, version, title, body, html, data }: Previewed): Preview => ({
  name,
  channel,
  locale,
  version,
  title,
  body,
  html,
  data,
});
