import type { Told } from '#domain/announcement';
import { Telling } from '#domain/telling';
import type { ClaimDebts, OwingClaim } from './ports.js';

/** In a claim of fewer each owes for itself: a record of its own would cost more than it saves. */
const FROM = 8;
/** Claims of which all was told are forgotten together, after so long at the most, in milliseconds. */
const FORGET_AFTER_MS = 1_000;

/** A claim that owes for what is sent under it. */
export interface Owing {
  /** Whether that is written. Only then may a document be settled that owes nothing itself. */
  readonly written: Promise<boolean>;
  /** One more was settled that owes nothing itself; who announces it calls the answer. */
  part(): Told;
  /** All that was claimed is settled, or left. */
  end(): Promise<void>;
}

/**
 * Lets whole claims owe the broker what was sent under them: one small record for each claim is written while the
 * provider works, and removed when the broker knows; to mark and clear every document would be a write for each.
 */
export class OwingClaims {
  private told: string[] = [];
  private timer: NodeJS.Timeout | null = null;
  private forgetting: Promise<void> = Promise.resolve();

  constructor(private readonly debts: ClaimDebts) {}

  /** Null where each owes for itself. */
  begin(claim: OwingClaim): Owing | null {
    if (claim.ids.length < FROM) return null;
    const written = this.debts.owe(claim).then(
      () => true,
      () => false,
    );
    const telling = new Telling(async (allConfirmed) => {
      if (allConfirmed) this.forget(claim.token);
      else await this.debts.leaveToRelay(claim.token);
    });
    return { written, part: () => telling.part(), end: () => telling.end() };
  }

  /** Resolves when all that was told is forgotten, or was tried. */
  async drained(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.flush();
    await this.forgetting;
  }

  private forget(token: string): void {
    this.told.push(token);
    this.timer ??= setTimeout(() => this.flush(), FORGET_AFTER_MS);
  }

  private flush(): void {
    this.timer = null;
    const tokens = this.told.splice(0);
    if (tokens.length === 0) return;
    // What stays is told once more, which is harmless.
    this.forgetting = this.forgetting.then(() => this.debts.told(tokens)).catch(() => undefined);
  }
}
