/** What is chosen of an expiry: a preset such as "24h", or one of these words. */
export interface Expiry {
  /** "never", "date", "keep" (while editing), or a span that the API takes. */
  choice: string;
  /** With "date": as a datetime-local field has it, in the reader's zone. */
  date: string;
}

export const presets: readonly { value: string; label: string }[] = [
  { value: '24h', label: '24 hours' },
  { value: '7d', label: '7 days' },
  { value: '30d', label: '30 days' },
  { value: '90d', label: '90 days' },
  { value: '365d', label: '1 year' },
];

/** The part of a request that says it. A date that is not filled in is a fault of the field. */
export function expiryBody(expiry: Expiry): { expires_in?: string; expires_at?: string | null } {
  switch (expiry.choice) {
    case 'keep':
      return {};
    case 'never':
      return { expires_at: null };
    case 'date':
      return { expires_at: new Date(expiry.date).toISOString() };
    default:
      return { expires_in: expiry.choice };
  }
}

/** Says what keeps an expiry from being sent; undefined: nothing. */
export function expiryFault(expiry: Expiry, now: Date): string | undefined {
  if (expiry.choice !== 'date') {
    return undefined;
  }
  const at = new Date(expiry.date).getTime();
  if (Number.isNaN(at)) {
    return 'Choose a date and time';
  }
  return at <= now.getTime() ? 'The expiry must lie in the future' : undefined;
}
