import type { Notification } from '#domain/notification';
import type { Databases } from '../databases.js';
import { objectIdOf } from '../schema.js';
import { fromDocument } from './document.js';
import { notifications } from './schema.js';

/** Looks in all these services' databases at once. */
export const findOne = async (
  databases: Databases,
  id: string,
  services: Iterable<string>,
): Promise<Notification | null> => {
  const _id = objectIdOf(id);
  if (_id === null) return null;
  const found = await Promise.all(
    databases
      .known(services)
      .map((service) => databases.inService(service, notifications, (collection) => collection.findOne({ _id }))),
  );
  const document = found.find((one) => one !== null);
  return document == null ? null : fromDocument(document);
};
