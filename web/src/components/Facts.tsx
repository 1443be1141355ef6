import type { ReactNode } from 'react';

import classes from './Facts.module.css';

interface FactsProps {
  /** Names with values; what is undefined is left out. */
  items: readonly (readonly [name: string, value: ReactNode])[];
}

/** Names and values of one thing. */
export function Facts({ items }: FactsProps) {
  return (
    <dl className={classes.facts}>
      {items.filter(([, value]) => value !== undefined && value !== null && value !== '').map(([name, value]) => (
        <div key={name} className={classes.fact}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
