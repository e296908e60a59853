import { Bulks } from '#acceptance/bulks';
import type { CountryOf } from '#acceptance/countries';
import { Door } from '#acceptance/door';
import { Groups } from '#acceptance/groups';
import { Intake } from '#acceptance/intake';
import { recipientKey } from '#acceptance/ports';
import type { LimitSettings } from '#acceptance/limits';
import type { Caller } from '#domain/caller';
import { MongoBulkStore } from '#persistence/bulks/bulk-store';
import { MongoUserLimits } from '#persistence/limits/user-limits';
import { MongoAcceptStore } from '#persistence/notifications/accept-store';
import { MongoGroupStore } from '#persistence/notifications/group-store';
import { MongoRecipientTargets } from '#persistence/recipients/recipient-targets';
import type { ChannelLimits } from '#domain/limits';
import type { Renderer } from '#templates/renderer';
import { type Base, newId } from './base.js';
import { tracedBulks, tracedDoor, tracedGroups } from './traced.js';

export interface Acceptance {
  door: Pick<Door, 'accept'>;
  bulks: Pick<Bulks, 'accept'>;
  groups: Pick<Groups, 'accept'>;
  limits: MongoUserLimits;
  recipients: MongoRecipientTargets;
  intake: (callerOf: (userId: string) => Caller | null) => Intake;
}

/** The one door, with its stores. */
export const composeAcceptance = (
  base: Base,
  settings: LimitSettings,
  countryOf: CountryOf,
  templates: Renderer,
  channelLimits: ChannelLimits,
): Acceptance => {
  const { databases, metrics } = base;
  const limits = new MongoUserLimits(databases);
  const recipients = new MongoRecipientTargets(databases, recipientKey);
  const store = new MongoAcceptStore(databases, (err) =>
    base.log.error({ err }, 'the database did not take what was to be accepted'),
  );
  const untraced = new Door({
    store,
    limits,
    channelLimits,
    recipients,
    templates,
    announcer: base.outbox,
    settings,
    countryOf,
    newId,
    now: base.now,
    onBatch: (size) => metrics.batches.observe({ batch: 'accept' }, size),
    onAccepted: ({ channel, lane }) => metrics.accepted.inc({ channel, lane }),
  });
  const door = tracedDoor(untraced, base.tracing);
  const bulks = tracedBulks(new Bulks({ door: untraced, bulks: new MongoBulkStore(databases), newId }), base.tracing);
  const groups = tracedGroups(
    new Groups({ door: untraced, store, members: new MongoGroupStore(databases), newId }),
    base.tracing,
  );
  return { door, bulks, groups, limits, recipients, intake: (callerOf) => new Intake({ door, bulks, callerOf }) };
};
