import type { Channel } from '#contracts/vocabulary';

/** One thing wrong with a notification. The message is for the person who sent it, and never repeats a value. */
export interface FieldProblem {
  /** Where in the notification: `['title']`, `['data', 'from']`. Empty for a target: the caller knows where that stood. */
  path: readonly string[];
  code: string;
  message: string;
}

/** What a notification says, as far as a channel has rules about it. */
export interface Content {
  title: string | null;
  body: string;
  html: string | null;
  data: Readonly<Record<string, unknown>>;
}

/** The pure rules of one channel: which targets and contents it takes, and how a target is written and shown. */
export interface ChannelRules {
  readonly channel: Channel;
  /**
   * Null when this can be a target.
   * @param country of what is written as people do at home: ISO 3166-1, two letters. Matters to phone numbers only.
   */
  checkTarget(target: string, country?: string): FieldProblem | null;
  /** The one spelling of a target that passed `checkTarget` with the same country: equal targets become equal strings. */
  normaliseTarget(target: string, country?: string): string;
  /** What may be shown to people and written to logs. */
  maskTarget(target: string): string;
  /** Everything that is wrong, so that the caller hears of it at once. */
  checkContent(content: Content): FieldProblem[];
}

/** For channels that carry no HTML. */
export const htmlRefused = ({ html }: Content): FieldProblem[] =>
  html === null ? [] : [{ path: ['html'], code: 'html_not_supported', message: 'is for the channel email only' }];
