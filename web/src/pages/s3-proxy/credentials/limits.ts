import type { Schemas } from '../../../api/client';
import { size } from '../../../lib/size';
import { readCount, readSize, sizeText } from '../../backends/quota';

type Quota = Schemas['Quota'];
type CredentialLimits = Schemas['CredentialLimits'];

/** What is typed of a key's own limits; empty texts are none. */
export interface LimitsChoice {
  ceiling: string;
  ceilingObjects: string;
  allowance: string;
  per: 'day' | 'total';
}

export const noLimits: LimitsChoice = { ceiling: '', ceilingObjects: '', allowance: '', per: 'day' };

export type LimitFaults = Partial<Record<'ceiling' | 'ceilingObjects' | 'allowance', string>>;

/** The limits as they are typed. */
export function limitsChoice(quota: Quota): LimitsChoice {
  return {
    ceiling: sizeText(quota.ceiling_bytes), ceilingObjects: quota.ceiling_objects?.toString() ?? '',
    allowance: sizeText(quota.allowance_bytes), per: quota.allowance_per ?? 'day',
  };
}

/** Reads what was typed; limits are undefined where the key is to inherit its buckets' quotas. */
export function readLimits(choice: LimitsChoice): { limits: CredentialLimits | undefined } | { faults: LimitFaults } {
  const ceiling = readSize(choice.ceiling), ceilingObjects = readCount(choice.ceilingObjects), allowance = readSize(choice.allowance);
  if ('fault' in ceiling || 'fault' in ceilingObjects || 'fault' in allowance) {
    return { faults: {
      ...('fault' in ceiling && { ceiling: ceiling.fault }), ...('fault' in ceilingObjects && { ceilingObjects: ceilingObjects.fault }),
      ...('fault' in allowance && { allowance: allowance.fault }),
    } };
  }
  const limits: CredentialLimits = {
    ...(ceiling.bytes !== undefined && { ceiling_bytes: ceiling.bytes }),
    ...(ceilingObjects.count !== undefined && { ceiling_objects: ceilingObjects.count }),
    ...(allowance.bytes !== undefined && { allowance_bytes: allowance.bytes, allowance_per: choice.per }),
  };
  return { limits: Object.keys(limits).length > 0 ? limits : undefined };
}

/** The limits of a choice that can be read. */
export function limitsOf(choice: LimitsChoice): CredentialLimits | undefined {
  const read = readLimits(choice);
  return 'limits' in read ? read.limits : undefined;
}

export interface LimitUse {
  name: string;
  text: string;
  percent: number;
  full: boolean;
}

/** How near a key is to the limit that it is nearest to. */
export interface TightestUse {
  used: string;
  cap: string;
  /** Whose limit it is. */
  whose: string;
  percent: number;
  state: 'ok' | 'near' | 'full';
  /** What that means for writes; empty while there is room. */
  note: string;
}

/** The limit a key is nearest to, of its own and its buckets'; undefined where nothing bounds what it writes. */
export function tightestUse({ tightest, allowance_per: per }: Quota): TightestUse | undefined {
  if (!tightest) {
    return undefined;
  }
  const { of, bucket = '', unit, used, cap, soft } = tightest;
  const amount = (n: number) => (unit === 'bytes' ? size(n) : `${n.toLocaleString('en')} objects`);
  const percent = cap === 0 ? 100 : Math.min(100, Math.round((used / cap) * 100));
  const over = soft ? used > cap : used >= cap;
  const whose = { bucket, ceiling: `its ceiling in ${bucket}`, allowance: per === 'day' ? 'its allowance today' : 'its allowance' }[of];
  return {
    used: amount(used), cap: amount(cap), whose, percent,
    state: over && !soft ? 'full' : over || percent >= 80 ? 'near' : 'ok',
    note: over ? (soft ? 'over the soft cap' : 'used up') : '',
  };
}

/** How near a key is to each of its limits. */
export function limitUses(quota: Quota): LimitUse[] {
  const bar = (name: string, used: number | undefined, limit: number | undefined, text: (n: number) => string): LimitUse[] =>
    limit === undefined ? [] : [{
      name, text: `${text(used ?? 0)} of ${text(limit)}`, full: (used ?? 0) >= limit,
      percent: limit === 0 ? 100 : Math.min(100, Math.round(((used ?? 0) / limit) * 100)),
    }];
  const objects = (n: number) => `${n.toLocaleString('en')} objects`;
  return [
    ...bar('Its fullest bucket, up to its ceiling', quota.fullest_bytes, quota.ceiling_bytes, size),
    ...bar('Objects in its fullest bucket, up to its ceiling', quota.fullest_objects, quota.ceiling_objects, objects),
    ...bar(quota.allowance_per === 'day' ? 'Written today (UTC), of its allowance' : 'Written, of its allowance', quota.allowance_used_bytes, quota.allowance_bytes, size),
  ];
}
