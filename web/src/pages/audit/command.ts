import { type AuditSearch, filterNames } from './filters';

/** The command that lists the same events. */
export function auditCommand(search: AuditSearch): string {
  const flags = filterNames.flatMap((name) => {
    const value = search[name];
    if (value === undefined) {
      return [];
    }
    const flag = name === 'q' ? '--text' : `--${name.replaceAll('_', '-')}`;
    return [value.startsWith('-') ? `${flag}=${quoted(value)}` : `${flag} ${quoted(value)}`];
  });
  return ['keystile audit list', ...flags].join(' ');
}

/** Quotes a word for a POSIX shell where it needs that. */
function quoted(word: string): string {
  return /^[\w.,:@%+=/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
