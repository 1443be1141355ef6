// Runs the browser tests: "node run.mjs [FILE…]". Without Chromium nothing runs,
// which is said, and is a failure where everything must run.
import { readdirSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';

import { executablePath, hasChromium } from './lib/browser.mjs';
import { report } from './lib/report.mjs';

const here = new URL('.', import.meta.url).pathname;

if (!hasChromium()) {
  const ci = Boolean(process.env.CI);
  console.log(`${ci ? 'FAILED' : 'SKIPPED, NOT TESTED'}: the dashboard in a browser; ${executablePath} is not there`);
  process.exit(ci ? 1 : 0);
}
// Of the SDK, that it will want a newer node one day.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const named = process.argv.slice(2);
const files = (named.length > 0 ? named : readdirSync(here).filter((name) => name.endsWith('.test.mjs'))).sort().map((name) => here + name);
const summary = report(process.stdout);
// Each file is a process with a browser and a server: two are what a small machine bears.
// Every wait in them is bounded; the limit of a file is for one that hangs elsewhere.
await finished(run({ files, concurrency: 2, timeout: 1_200_000 }).on('data', summary.event).on('end', () => {
  process.exitCode = summary.close() ? 0 : 1;
}));
