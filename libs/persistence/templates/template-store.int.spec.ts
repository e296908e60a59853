import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openTestDatabases, type TestDatabases } from '#testing/mongodb';
import { aTemplate, templateStoreSuite } from '#testing/template-store-suite';
import { templates } from './schema.js';
import { MongoTemplateStore } from './template-store.js';

describe('templates in MongoDB', () => {
  let test: TestDatabases;
  beforeAll(async () => {
    test = await openTestDatabases();
  });
  afterAll(() => test.drop());

  templateStoreSuite(async () => {
    await test.databases.inControl(templates, (collection) => collection.deleteMany({}));
    return new MongoTemplateStore(test.databases);
  });

  it('asks indexes alone', async () => {
    const store = new MongoTemplateStore(test.databases);
    const { id, createdAt, ...kind } = await store.insert(aTemplate());
    const indexes = async (work: () => Promise<unknown>): Promise<string[]> =>
      (await test.plansOf(work)).flatMap((plan) => plan.indexes);
    expect(await indexes(() => store.insert(aTemplate()))).toEqual(['version']);
    // Both serve; which one is taken depends on how many there are.
    expect((await indexes(() => store.page({ services: ['diabetes', 'test'] }, 2, { createdAt, id }))).join()).toMatch(
      /^(service|name)_newest$/,
    );
    expect(await indexes(() => store.page({ services: ['diabetes'], name: 'dose' }, 2, null))).toEqual(['name_newest']);
    expect(await indexes(() => store.lookUp(kind, 1))).toEqual(['version']);
    expect(await indexes(() => store.lookUp(kind, null))).toEqual(['live']);
    for (const work of [
      () => store.find(id),
      () => store.update(id, aTemplate()),
      () => store.publish(id, 'key:1'),
      () => store.deleteDraft(id),
    ])
      expect(await indexes(work)).toEqual(['_id_']);
  });
});
