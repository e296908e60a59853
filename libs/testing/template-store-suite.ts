import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Template, TemplateStore } from '#templates/ports';
import { anId } from './builders.js';

export const aTemplate = (over: Partial<Template> = {}): Omit<Template, 'version' | 'liveAt'> => ({
  id: anId(),
  serviceName: 'diabetes',
  name: 'dose',
  channel: 'push',
  locale: 'default',
  status: 'draft',
  content: { title: null, body: 'Now', html: null, mjml: null, text: null, data: { 'a.b': '{{x}}' } },
  variables: { type: 'object', $comment: 'risky' },
  createdAt: new Date('2026-11-21T08:00:00.000Z'),
  updatedAt: new Date('2026-11-21T08:00:00.000Z'),
  publishedAt: null,
  updatedBy: 'key:1',
  ...over,
});
const KIND = { serviceName: 'diabetes', name: 'dose', channel: 'push', locale: 'default' } as const;

/** What the use cases of templates rely on, of each implementation. `make` answers an empty store. */
export const templateStoreSuite = (make: () => Promise<TemplateStore> | TemplateStore): void => {
  let store: TemplateStore;
  beforeEach(async () => {
    store = await make();
  });

  describe('store of templates', () => {
    it('numbers the versions of each kind, also of those that are written at once', async () => {
      const first = aTemplate();
      expect(await store.insert(first)).toEqual({ ...first, version: 1, liveAt: null });
      expect(await store.find(first.id)).toEqual({ ...first, version: 1, liveAt: null });
      const more = await Promise.all(Array.from({ length: 4 }, () => store.insert(aTemplate())));
      expect(more.map(({ version }) => version).sort()).toEqual([2, 3, 4, 5]);
      expect((await store.insert(aTemplate({ locale: 'fr' }))).version).toBe(1);
      expect(await store.find(anId())).toBeNull();
      expect(await store.find('no id')).toBeNull();
    });

    it('has as live what was published last', async () => {
      const [one, two] = [await store.insert(aTemplate()), await store.insert(aTemplate())];
      expect(await store.lookUp(KIND, null)).toBeNull();
      const published = await store.publish(one.id, 'key:2');
      expect(published).toMatchObject({ status: 'published', updatedBy: 'key:2', publishedAt: expect.any(Date) });
      await store.publish(two.id, 'key:2');
      expect((await store.lookUp(KIND, null))?.id).toBe(two.id);
      const again = await store.publish(one.id, 'key:2');
      expect(again?.publishedAt).toEqual(published?.publishedAt);
      expect((await store.lookUp(KIND, null))?.id).toBe(one.id);
      expect((await store.lookUp(KIND, 2))?.id).toBe(two.id);
      expect(await store.lookUp(KIND, 3)).toBeNull();
      expect(await store.lookUp({ ...KIND, serviceName: 'test' }, 1)).toBeNull();
      expect(await store.publish(anId(), 'key:2')).toBeNull();
    });

    it('changes and deletes drafts alone', async () => {
      const { id } = await store.insert(aTemplate());
      const change = { ...aTemplate(), content: { ...aTemplate().content, body: 'Later' }, updatedBy: 'key:3' };
      expect(await store.update(id, change)).toMatchObject({ content: { body: 'Later' }, updatedBy: 'key:3' });
      await store.publish(id, 'key:1');
      expect(await store.update(id, aTemplate())).toBeNull();
      expect(await store.deleteDraft(id)).toBe(false);
      const draft = await store.insert(aTemplate());
      expect(await store.deleteDraft(draft.id)).toBe(true);
      expect(await store.find(draft.id)).toBeNull();
    });

    it('lists newest first, page by page', async () => {
      const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 21, 8, minute));
      const made: Template[] = [];
      for (const minute of [3, 1, 1, 2]) made.push(await store.insert(aTemplate({ createdAt: at(minute) })));
      await store.insert(aTemplate({ serviceName: 'test' }));
      const other = await store.insert(aTemplate({ name: 'other', channel: 'email', locale: 'fr' }));
      const all = [...made].sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1));
      const filter = { services: ['diabetes'], name: 'dose' };
      const first = await store.page(filter, 3, null);
      expect(first.map(({ id }) => id)).toEqual(all.slice(0, 3).map(({ id }) => id));
      expect((await store.page(filter, 3, first[2] ?? null)).map(({ id }) => id)).toEqual([all[3]?.id]);
      for (const one of [{ channel: 'email' }, { locale: 'fr' }, { name: 'other' }] as const)
        expect((await store.page({ services: ['diabetes'], ...one }, 9, null)).map(({ id }) => id)).toEqual([other.id]);
      expect(await store.page({ services: ['diabetes'], status: 'published' }, 9, null)).toEqual([]);
      expect(await store.page({ services: ['diabetes', 'test'] }, 9, null)).toHaveLength(6);
    });
  });
};
