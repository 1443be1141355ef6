import { expect, test } from 'vitest';

import { exampleRules, readRules, rulesText } from './cors';

test('rules go to S3’s JSON and back', () => {
  const rules = [{ id: 'a', allowed_origins: ['*'], allowed_methods: ['GET'], max_age_seconds: 5 }];
  expect(readRules(rulesText(rules))).toEqual({ rules });
  expect(readRules(exampleRules)).toHaveProperty('rules');
});

test('a bare list is taken too', () => {
  expect(readRules('[{"AllowedOrigins":["*"],"AllowedMethods":["GET"]}]')).toEqual({ rules: [{ allowed_origins: ['*'], allowed_methods: ['GET'] }] });
});

test.each([
  ['{', 'This is not JSON'],
  ['{}', 'An object with a list of CORSRules is needed'],
  ['null', 'An object with a list of CORSRules is needed'],
  ['[1]', 'Rule 1 is not an object'],
  ['[{"AllowedOrigin":["*"]}]', 'Rule 1 has an unknown field AllowedOrigin'],
])('%s is not taken', (text, fault) => {
  expect(readRules(text)).toEqual({ fault });
});
