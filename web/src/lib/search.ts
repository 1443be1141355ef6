/** The search parameters of an address: text by name. */
export type Search = Readonly<Record<string, string>>;

/** Reads `?a=b` plainly: values are text, the last of a name counts. */
export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

/** Writes search parameters; what is empty is left out. */
export function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (typeof value === 'string' && value !== '') {
      params.set(name, value);
    }
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

/** Makes a route's validateSearch that keeps the named parameters. */
export function searchOf<Name extends string>(...names: Name[]): (input: Record<string, unknown>) => Partial<Record<Name, string>> {
  return (input) => {
    const kept: Partial<Record<Name, string>> = {};
    for (const name of names) {
      const value = input[name];
      if (typeof value === 'string' && value !== '') {
        kept[name] = value;
      }
    }
    return kept;
  };
}
