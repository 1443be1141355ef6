import { Fragment } from 'react';

/** A path that breaks after a slash, where it must. */
export function Path({ text }: { text: string }) {
  return text.split(/(?<=\/)/).map((part, place) => <Fragment key={place}>{place > 0 && <wbr />}{part}</Fragment>);
}
