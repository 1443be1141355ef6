import { expect, test } from 'vitest';

import { losesCutUploads, provenOf } from './abilities';

const ability = (name: string, verdict: 'yes' | 'no' | 'unknown') => ({ name, verdict, title: name, means: '' });

test('only a yes is shown as proven', () => {
  expect(provenOf(ability('checks_digest', 'yes')).status).toBe('proven');
  expect(provenOf(ability('checks_digest', 'no')).status).toBe('no');
  expect(provenOf(ability('checks_digest', 'unknown')).tone).toBe('warn');
});

test('a backend that stores cut uploads is told of aloud, one that was not probed is not', () => {
  expect(provenOf(ability('stores_only_whole', 'no')).tone).toBe('bad');
  expect(losesCutUploads({ abilities: [ability('checks_digest', 'no'), ability('stores_only_whole', 'no')] })).toBe(true);
  expect(losesCutUploads({ abilities: [ability('checks_digest', 'no'), ability('stores_only_whole', 'unknown')] })).toBe(false);
});
