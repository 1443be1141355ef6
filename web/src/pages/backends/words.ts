import type { Schemas } from '../../api/client';
import type { Tone } from '../../components/StatusBadge';
import { capital } from '../../lib/text';

type Backend = Schemas['Backend'];
type TestReport = Schemas['TestReport'];

export const kinds: Record<Backend['kind'], string> = { s3: 'S3', 'ceph-rgw': 'Ceph RGW', embedded: 'Embedded' };

const oddKeys = 'keys with “.”, “..” or empty segments, such as a//b,';

/** Whether a backend keeps keys byte by byte, in a word or two and with what follows. */
export function keysKept({ kind, keeps_keys }: Pick<Backend, 'kind' | 'keeps_keys'>): { status: string; tone: Tone; means: string } {
  if (keeps_keys) {
    return { status: 'proven', tone: 'good', means: 'It stores every key byte by byte, so every key passes. A proof holds for 7 days.' };
  }
  if (kind === 'embedded') {
    return { status: 'normalises', tone: 'quiet', means: `It rewrites paths, so ${oddKeys} are refused. All others pass.` };
  }
  return {
    status: 'not proven', tone: 'warn',
    means: `It may rewrite keys, which would lead around a prefix. Until a test proves otherwise, ${oddKeys} are refused. All others pass.`,
  };
}

export interface StepLine {
  name: string;
  asks: string;
  outcome: { status: string; tone: Tone };
  message: string;
  /** A command at the storage that mends it; empty: none is known. */
  mend: string;
}

/** What the key of a Ceph's Admin Ops API needs. */
export const capsCommand = "radosgw-admin caps add --uid=UID --caps='buckets=*;metadata=read;users=*'";

const asks: readonly (readonly [name: string, question: string])[] = [
  ['reach', 'It answers at its endpoint'],
  ['sign', 'It accepts the access key'],
  ['list', 'It lists its buckets'],
  ['clock', 'Its clock agrees'],
  ['admin', 'Its Admin Ops API accepts its key, which has the capabilities'],
  ['keys', 'It keeps keys as they are'],
  ['abilities', 'What it can be trusted with is known'],
];

const asksOf = (kind: Backend['kind']) => asks.filter(([name]) => name !== 'admin' || kind === 'ceph-rgw');

/** All steps of a test: those that were tried, then those that were not. */
export function stepLines(report: TestReport, kind: Backend['kind']): StepLine[] {
  return asksOf(kind).map(([name, question]) => {
    const step = report.steps.find((one) => one.name === name);
    return { name, asks: question, outcome: outcomeOf(step, report), message: capital(step?.message ?? ''), mend: step?.mend ?? '' };
  });
}

function outcomeOf(step: Schemas['TestStep'] | undefined, report: TestReport): StepLine['outcome'] {
  if (!step) {
    return { status: 'not tried', tone: 'quiet' };
  }
  if (!step.ok) {
    return { status: 'failed', tone: 'bad' };
  }
  return step.name === 'keys' && !report.keeps_keys ? { status: 'not proven', tone: 'warn' } : { status: 'passed', tone: 'good' };
}

/** The lines of a test while it runs. */
export const asking = (kind: Backend['kind']): StepLine[] => asksOf(kind).map(([name, question]) => (
  { name, asks: question, outcome: { status: 'asking', tone: 'quiet' }, message: '', mend: '' }
));
