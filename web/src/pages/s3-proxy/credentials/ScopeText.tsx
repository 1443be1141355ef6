import { Fragment } from 'react';

import { Path } from '../../../components/Path';
import { aliasSentence, type Grant, scopeSentence, type Segment } from '../../../lib/scope';
import { sentenceList } from '../../../lib/text';
import classes from './Scope.module.css';

/** What a key may do, in one sentence. */
export function ScopeSentence({ grants }: { grants: readonly Grant[] }) {
  return <Segments all={scopeSentence(grants)} />;
}

/** What an alias shows to the client. */
export function AliasSentence({ grant }: { grant: Grant }) {
  return <Segments all={aliasSentence(grant)} />;
}

function Segments({ all }: { all: readonly Segment[] }) {
  return all.map((segment, i) => {
    // Segments have no identity but their place.
    switch (segment.as) {
      case 'code':
        return <code key={i} className={classes.name}><Path text={segment.text} /></code>;
      case 'strong':
        return <strong key={i}>{segment.text}</strong>;
      default:
        return <Fragment key={i}>{segment.text}</Fragment>;
    }
  });
}

const shown = 2;

/** The first grants of a scope, short. */
export function ScopeSummary({ grants }: { grants: readonly Grant[] }) {
  const rest = grants.length - shown;
  return (
    <ul className={classes.summary}>
      {grants.slice(0, shown).map((grant) => (
        <li key={`${grant.backend}/${grant.bucket}/${grant.prefix ?? ''} ${grant.alias ?? ''}`}>
          <code className={classes.name}><Path text={`${grant.backend}/${grant.bucket}${grant.prefix ? `/${grant.prefix}` : ''}`} /></code>{' '}
          <span className={classes.verbs}>{sentenceList(grant.permissions)}</span>
        </li>
      ))}
      {rest > 0 && <li className={classes.verbs}>and {rest} more</li>}
    </ul>
  );
}
