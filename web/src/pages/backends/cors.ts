import type { Schemas } from '../../api/client';

export type CORSRule = NonNullable<Schemas['CORS']['rules']>[number];

// S3's names of a rule's fields, in the form of `aws s3api put-bucket-cors`.
const names = {
  ID: 'id', AllowedOrigins: 'allowed_origins', AllowedMethods: 'allowed_methods',
  AllowedHeaders: 'allowed_headers', ExposeHeaders: 'expose_headers', MaxAgeSeconds: 'max_age_seconds',
} as const;

export const exampleRules = rulesText([{
  allowed_origins: ['https://*.example.com'], allowed_methods: ['GET', 'PUT'], allowed_headers: ['*'], expose_headers: ['ETag'], max_age_seconds: 600,
}]);

/** Rules as S3's JSON has them. */
export function rulesText(rules: readonly CORSRule[]): string {
  const CORSRules = rules.map((rule) => Object.fromEntries(
    Object.entries(names).flatMap(([theirs, ours]) => (rule[ours] === undefined ? [] : [[theirs, rule[ours]]])),
  ));
  return JSON.stringify({ CORSRules }, null, 2);
}

/** The rules in S3's JSON, or what keeps it from being read. Whether they are valid is the server's to say. */
export function readRules(text: string): { rules: CORSRule[] } | { fault: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { fault: 'This is not JSON' };
  }
  const list: unknown = Array.isArray(parsed) ? parsed : isObject(parsed) ? parsed['CORSRules'] : undefined;
  if (!Array.isArray(list)) {
    return { fault: 'An object with a list of CORSRules is needed' };
  }
  const rules: CORSRule[] = [];
  for (const [i, item] of list.entries()) {
    if (!isObject(item)) {
      return { fault: `Rule ${i + 1} is not an object` };
    }
    const rule: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(item)) {
      if (!(name in names)) {
        return { fault: `Rule ${i + 1} has an unknown field ${name}` };
      }
      rule[names[name as keyof typeof names]] = value;
    }
    rules.push({ allowed_origins: [], allowed_methods: [], ...rule });
  }
  return { rules };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
