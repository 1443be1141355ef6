// What axe says of a page, in either theme, on a desk and a phone.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { assertQuiet } from './browser.mjs';
import { settled } from './pages.mjs';

const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/** What axe finds serious or critical, told so that it can be mended. */
async function findings(page, rules) {
  const { violations } = await page.evaluate((options) => globalThis.axe.run(document, options), { resultTypes: ['violations'], ...rules });
  return violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}\n${failureSummary}`));
}

// The themes differ in their colours only, and the widths in all. Three looks have
// both themes and both widths; a fourth would find what one of them has.
const colours = { runOnly: ['color-contrast', 'link-in-text-block'] };
const looks = [['light', 1280, 800, {}], ['dark', 1280, 800, colours], ['dark', 390, 844, {}]];

/** Looks at what a page shows in each theme and width; it follows both while it is open. */
export async function assertSound(page, seen) {
  // By the debugging protocol: the page's own policy lets nobody else in.
  await page.evaluate(axe);
  for (const [colorScheme, width, height, rules] of looks) {
    const look = `${colorScheme}, ${width} px`;
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await settled(page);
    assert.equal(await page.evaluate(() => document.documentElement.dataset.mantineColorScheme), colorScheme);
    const found = await findings(page, rules);
    assert.equal(found.length, 0, `${look}:\n${found.join('\n')}`);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(overflow, 0, `${look}: the page scrolls sideways`);
  }
  assertQuiet(seen);
}

export const options = { colorScheme: 'light', viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' };
