import type { Announcer, ClaimedItems, ClaimOutbox, Job, OwedClaim } from './ports.js';
import { tell } from './tell.js';

export interface ClaimRelayParts {
  claims: ClaimOutbox;
  items: ClaimedItems;
  announcer: Announcer;
}

/** Claims that are looked at in one run. */
const LIMIT = 50;

/**
 * Publishes what was sent under a claim and may not have been told: its dispatcher died, or the broker was away. Which
 * of them were told is not known, so that all are told once more; what became something else since told that itself.
 */
export class ClaimRelay implements Job {
  constructor(private readonly parts: ClaimRelayParts) {}

  async run(): Promise<number> {
    let told = 0;
    for (const claim of await this.parts.claims.owed(LIMIT)) told += await this.relay(claim);
    return told;
  }

  private async relay(claim: OwedClaim): Promise<number> {
    const { claims, items, announcer } = this.parts;
    const found = await items.claimedUnder(claim);
    // Its dispatcher may still settle these; where it is gone, they are taken from it soon.
    const isOpen = found.some(({ state }) => state === 'sending');
    const sent = isOpen ? [] : found.filter(({ state }) => state === 'sent');
    const allConfirmed = await tell(
      announcer,
      sent.map((notification) => ({ notification, wake: 'none', status: { previous: 'pending' }, deadLetter: false })),
    );
    if (isOpen || !allConfirmed) await claims.leaveToRelay(claim.token);
    else await claims.told([claim.token]);
    return sent.length;
  }
}
