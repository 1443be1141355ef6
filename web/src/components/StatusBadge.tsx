import classes from './StatusBadge.module.css';

export type Tone = 'good' | 'warn' | 'bad' | 'quiet';

interface StatusBadgeProps {
  /** The word that is shown. */
  status: string;
  tone: Tone;
}

/** A status as a word and a colour. */
export function StatusBadge({ status, tone }: StatusBadgeProps) {
  return (
    <span className={classes.status} data-tone={tone}>
      {status}
    </span>
  );
}
