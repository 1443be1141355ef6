/** Where the search field leads. */
export type Destination =
  | { kind: 'credential'; accessKeyId: string }
  | { kind: 'request'; requestId: string }
  | { kind: 'credentials'; q: string };

const accessKey = /^AKIA[A-Z0-9]{16}$/;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const s3RequestId = /^[0-9A-F]{16}$/;

/** Finds out what a text names. What is no id is looked for among the credentials. */
export function destination(text: string): Destination | undefined {
  const named = text.trim();
  if (named === '') {
    return undefined;
  }
  if (accessKey.test(named)) {
    return { kind: 'credential', accessKeyId: named };
  }
  if (uuid.test(named)) {
    return { kind: 'request', requestId: named.toLowerCase() };
  }
  if (s3RequestId.test(named)) {
    return { kind: 'request', requestId: named };
  }
  return { kind: 'credentials', q: named };
}
