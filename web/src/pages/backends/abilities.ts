import type { Schemas } from '../../api/client';
import type { Tone } from '../../components/StatusBadge';

type Backend = Schemas['Backend'];

const words: Record<Schemas['Ability']['verdict'], { status: string; tone: Tone }> = {
  yes: { status: 'proven', tone: 'good' },
  no: { status: 'no', tone: 'quiet' },
  unknown: { status: 'unknown', tone: 'warn' },
};

/** What a probe found, as a word. That cut uploads are stored is not a matter of taste. */
export function provenOf({ name, verdict }: Pick<Schemas['Ability'], 'name' | 'verdict'>): { status: string; tone: Tone } {
  if (name === 'stores_only_whole' && verdict === 'no') {
    return { status: 'no', tone: 'bad' };
  }
  return words[verdict];
}

/** Whether the backend was seen to store what arrived of an upload that was cut off. */
export function losesCutUploads({ abilities }: Pick<Backend, 'abilities'>): boolean {
  return abilities.some(({ name, verdict }) => name === 'stores_only_whole' && verdict === 'no');
}
