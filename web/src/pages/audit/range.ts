const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Ranges that end now. Their values stay as they are in the address, so that a link means the time of who opens it. */
export const presets = [
  { value: '15m', label: 'Last 15 minutes' },
  { value: '1h', label: 'Last hour' },
  { value: '24h', label: 'Last 24 hours' },
  { value: '7d', label: 'Last 7 days' },
] as const;

/** Reads a time of the address for the API: how long ago ("15m", "24h", "7d"), or a moment, which stays as it is. */
export function momentOf(text: string, now: Date): string {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined) {
    return text;
  }
  return new Date(now.getTime() - Number(amount) * (seconds[unit] ?? 0) * 1000).toISOString();
}

/** Says a range in words. */
export function rangeLabel(since: string | undefined, until: string | undefined): string {
  if (until === undefined) {
    const preset = presets.find(({ value }) => value === since);
    return preset?.label ?? (since === undefined ? 'Any time' : `Since ${spoken(since)}`);
  }
  return since === undefined ? `Until ${spoken(until)}` : `${spoken(since)} to ${spoken(until)}`;
}

function spoken(time: string): string {
  const moment = new Date(time);
  if (/^\d+[smhd]$/.test(time)) {
    return `${time} ago`;
  }
  return Number.isNaN(moment.getTime()) ? time : fieldValue(moment).replace('T', ' ');
}

/** A moment as an input of type datetime-local has it: by the reader's clock, to the second. */
export function fieldValue(moment: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const date = [String(moment.getFullYear()).padStart(4, '0'), two(moment.getMonth() + 1), two(moment.getDate())].join('-');
  return `${date}T${[moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(two).join(':')}`;
}

/** The value of an input of type datetime-local as a moment of the address; undefined where it is empty. */
export function fromField(text: string): string | undefined {
  const moment = new Date(text);
  return Number.isNaN(moment.getTime()) ? undefined : moment.toISOString().replace('.000Z', 'Z');
}
