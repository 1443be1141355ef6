// Takes pictures of the dashboard, of a quickstart of the real binary:
//   npm run screenshots                  every scene, at 1280 and 390 px, light and dark
//   npm run screenshots -- create        those whose name contains "create"
//   npm run screenshots -- --docs        those of the documentation, into docs/images
// All others go to web/screenshots. Chromium is Debian's.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

import { documented, scenes, seed } from './scenes.mjs';
import { startServer } from './server.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const docs = process.argv.includes('--docs');
const wanted = process.argv.slice(2).filter((part) => part !== '--docs');
const out = here(docs ? '../../docs/images' : '../screenshots');
mkdirSync(out, { recursive: true });

const server = await startServer(here('../../bin/keystile'));
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
let faults = 0;
try {
  const seeded = await seed(server, { odd: !docs });
  for (const width of [1280, 390]) {
    for (const colorScheme of ['light', 'dark']) {
      // Each account is a person with a browser.
      for (const who of ['admin', 'maria', 'auditor']) {
        await shoot(width, colorScheme, who, seeded);
      }
    }
  }
} finally {
  await browser.close();
  await server.stop();
}
process.exitCode = faults > 0 ? 1 : 0;

async function shoot(width, colorScheme, who, seeded) {
  const wantedHere = scenes.filter((scene) => (scene.as ?? 'admin') === who && isWanted(scene, width, colorScheme));
  if (wantedHere.length === 0) {
    return;
  }
  const context = await browser.newContext({ viewport: { width, height: width > 600 ? 800 : 844 }, colorScheme, baseURL: server.ready.dashboard_url });
  const page = await context.newPage();
  page.on('pageerror', (error) => fault(`${page.url()}: ${error.message}`));
  page.on('console', (message) => {
    // A refusal that the scene asks for is told by the browser too.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      fault(`${page.url()}: ${message.text()}`);
    }
  });
  for (const scene of wantedHere) {
    if (!scene.stranger) {
      await signIn(page, seeded.people[who] ?? server.ready);
    }
    await page.goto(typeof scene.path === 'function' ? scene.path(seeded) : scene.path);
    await page.waitForLoadState('networkidle');
    await scene.act?.(page, seeded, width);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) {
      fault(`${scene.name} at ${width}: ${wide} px too wide`);
    }
    await page.screenshot({ path: `${out}/${scene.name}-${width}-${colorScheme}.png` });
    await scene.leave?.(page, seeded);
  }
  await context.close();
}

function isWanted({ name }, width, colorScheme) {
  if (docs) {
    return documented.includes(`${name}-${width}-${colorScheme}`);
  }
  return wanted.length === 0 || wanted.some((part) => name.includes(part));
}

async function signIn(page, { username, password }) {
  const cookies = await page.context().cookies();
  if (cookies.some(({ name }) => name === 'keystile_session')) {
    return;
  }
  await page.goto('/');
  await page.getByLabel('User name').fill(username);
  await page.locator('input[name=password]').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/admin**');
}

function fault(text) {
  faults++;
  console.error(text);
}
