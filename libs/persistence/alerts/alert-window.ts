import { randomUUID } from 'node:crypto';
import type { AlertWindow } from '#lifecycle/ports';
import type { Databases } from '../databases.js';
import { againIfRaced } from '../errors.js';
import { increment, later, NOW } from '../expressions.js';
import { alertWindows } from './schema.js';

export class MongoAlertWindow implements AlertWindow {
  constructor(private readonly databases: Databases) {}

  async first(group: string, windowMs: number): Promise<boolean> {
    const token = randomUUID();
    const isOver = { $lte: [{ $ifNull: ['$until', new Date(0)] }, NOW] };
    const window = await this.databases.inControl(alertWindows, (collection) =>
      againIfRaced(() =>
        collection.findOneAndUpdate(
          { _id: group },
          [
            {
              $set: {
                token: { $cond: [isOver, { $literal: token }, '$token'] },
                until: { $cond: [isOver, later(NOW, windowMs), '$until'] },
                suppressed: { $cond: [isOver, 0, increment('$suppressed')] },
              },
            },
          ],
          { upsert: true, returnDocument: 'after' },
        ),
      ),
    );
    return window?.token === token;
  }
}
