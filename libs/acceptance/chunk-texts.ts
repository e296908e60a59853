import { setImmediate as breathe } from 'node:timers/promises';
import type { CreateNotification } from '#contracts/http/notification';
import { ValidationFailed } from '#domain/errors';
import type { Door } from './door.js';

/** Characters of all texts that templates make of one chunk: it is held in memory as a whole. */
const MAX_CHARACTERS = 32 * 1024 * 1024;
/** After so many milliseconds of rendering, others get their turn. */
const TURN_MS = 10;

/** Renders the items of one chunk of a bulk, so that neither memory nor those who wait suffer. */
export class ChunkTexts {
  private characters = 0;
  private turnBegan = performance.now();

  constructor(private readonly door: Pick<Door, 'withTexts'>) {}

  /** @throws ValidationFailed, Unavailable */
  async of(input: CreateNotification): Promise<CreateNotification> {
    if (performance.now() - this.turnBegan > TURN_MS) {
      await breathe();
      this.turnBegan = performance.now();
    }
    const made = await this.door.withTexts(input.serviceName ?? '', input);
    this.characters += (made.title?.length ?? 0) + (made.body?.length ?? 0) + (made.html?.length ?? 0);
    if (this.characters <= MAX_CHARACTERS) return made;
    throw new ValidationFailed([
      { in: 'body', field: '/template', code: 'too_long', message: 'makes too much text: send fewer in one bulk' },
    ]);
  }
}
