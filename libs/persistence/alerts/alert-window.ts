import { randomUUID } from 'node:crypto';
import type { AlertWindow } from '#lifecycle/ports';
import type { Databases } from '../databases.js';
import { increment, later, NOW } from '../expressions.js';
import { upsert } from '../upsert.js';
import { alertWindows } from './schema.js';

export class MongoAlertWindow implements AlertWindow {
  constructor(private readonly databases: Databases) {}

  async first(group: string, windowMs: number): Promise<boolean> {
    const token = randomUUID();
    const isOver = { $lte: ['$until', NOW] };
    const window = await this.databases.inControl(alertWindows, (collection) =>
      upsert(collection, { _id: group, token: '', until: new Date(0), suppressed: 0 }, [
        {
          $set: {
            token: { $cond: [isOver, { $literal: token }, '$token'] },
            until: { $cond: [isOver, later(NOW, windowMs), '$until'] },
            suppressed: { $cond: [isOver, 0, increment('$suppressed')] },
          },
        },
      ]),
    );
    return window.token === token;
  }
}
