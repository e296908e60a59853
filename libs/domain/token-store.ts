/** What a store knows of an access token, and whether the caller is to renew it. */
export interface StoredToken {
  /** As it was put there; null when there is none, or it has ended. */
  sealed: string | null;
  /** Milliseconds until it ends, by the store's clock; 0 when there is none. */
  leftMs: number;
  /** Not null for the one caller that is to renew it. */
  lease: string | null;
}

/** Access tokens of providers, shared by all processes. Holds them only sealed. */
export interface TokenStore {
  /**
   * Looks up a token. One that has `renewBeforeMs` or less to live is to be renewed, by exactly one caller at a time:
   * until it puts the new one, gives up, or `leaseMs` are over.
   */
  take(name: string, due: { renewBeforeMs: number; leaseMs: number }): Promise<StoredToken>;
  /** Keeps a new one for `lifeMs`, and ends the lease; nothing happens when the lease is over. */
  put(name: string, lease: string, token: { sealed: string; lifeMs: number }): Promise<void>;
  /** Ends the lease without a new one. */
  giveUp(name: string, lease: string): Promise<void>;
  /** Forgets this token; one that was put after it stays. */
  invalidate(name: string, sealed: string): Promise<void>;
}
