import type { Schemas } from '../../api/client';
import { size } from '../../lib/size';

export type BucketQuota = Schemas['BucketQuota'];

const factors: Record<string, number> = {
  '': 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40,
};

/** Reads a size such as "10GiB" or "1048576" in bytes; undefined for none, or what keeps it from being read. */
export function readSize(text: string): { bytes: number | undefined } | { fault: string } {
  if (text.trim() === '') {
    return { bytes: undefined };
  }
  const [, number = '', unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = factors[unit.toLowerCase()];
  if (number === '' || factor === undefined) {
    return { fault: 'A number of bytes, or one with KiB, MiB, GiB or TiB' };
  }
  const bytes = Math.floor(Number(number) * factor);
  return Number.isSafeInteger(bytes) ? { bytes } : { fault: 'This is too large' };
}

/** Reads a number of objects; undefined for none. */
export function readCount(text: string): { count: number | undefined } | { fault: string } {
  if (text.trim() === '') {
    return { count: undefined };
  }
  const count = Number(text);
  return /^\s*\d+\s*$/.test(text) && Number.isSafeInteger(count) ? { count } : { fault: 'A whole number' };
}

/** Writes a size so that readSize finds the same again. */
export function sizeText(bytes: number | undefined): string {
  if (bytes === undefined) {
    return '';
  }
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB']) {
    const factor = factors[unit.toLowerCase()] ?? 1;
    if (bytes > 0 && bytes % factor === 0) {
      return `${bytes / factor} ${unit}`;
    }
  }
  return String(bytes);
}

/** All that counts against the caps. */
export function counted({ usage }: BucketQuota): { bytes: number; objects: number } {
  return {
    bytes: usage.used_bytes + usage.reserved_bytes + usage.unknown_bytes,
    objects: usage.used_objects + usage.reserved_objects + usage.unknown_objects,
  };
}

export interface Fill {
  /** Of the tightest cap, in percent; undefined where there is none. */
  percent: number | undefined;
  state: 'ok' | 'soft' | 'full';
  text: string;
}

/** How full a bucket is, by its tightest cap. */
export function fillOf(quota: BucketQuota): Fill {
  const now = counted(quota);
  const caps = [
    { used: now.bytes, hard: quota.hard_bytes, soft: quota.soft_bytes, text: (n: number) => size(n) },
    { used: now.objects, hard: quota.hard_objects, soft: quota.soft_objects, text: (n: number) => `${n.toLocaleString('en')} objects` },
  ].flatMap(({ used, hard, soft, text }) => {
    const cap = hard ?? soft;
    return cap === undefined ? [] : [{
      share: cap === 0 ? 1 : used / cap, full: hard !== undefined && used >= hard, soft: soft !== undefined && used > soft, text: `${text(used)} of ${text(cap)}`,
    }];
  }).sort((a, b) => b.share - a.share);
  const [tightest] = caps;
  if (!tightest) {
    return { percent: undefined, state: 'ok', text: size(now.bytes) };
  }
  const state = caps.some((one) => one.full) ? 'full' : caps.some((one) => one.soft) ? 'soft' : 'ok';
  return { percent: Math.min(100, Math.round(tightest.share * 100)), state, text: tightest.text };
}
