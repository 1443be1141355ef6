// Chromium, and what a test has to know of what happened in it.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';

import { chromium } from 'playwright-core';

export const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const hasChromium = () => existsSync(executablePath);

const args = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
  // What no test looks at, and each browser would pay for.
  '--in-process-gpu', '--disable-extensions', '--disable-default-apps', '--disable-features=Translate,OptimizationHints,MediaRouter',
];
// Every wait in a page is bounded by it.
const timeout = 30_000;

/** Starts a browser with a fresh profile; it ends when `after` runs. */
export async function startBrowser(after) {
  const browser = await chromium.launch({ executablePath, args });
  after(() => browser.close());
  return browser;
}

/** Starts a browser whose profile is kept in a directory, to be looked at afterwards, as is the body of each response. */
export async function startWithProfile(after, dir, options = {}) {
  const context = await chromium.launchPersistentContext(dir, { executablePath, args, ...options });
  after(() => context.close());
  return watch(context, true);
}

/**
 * Opens a context of its own, for one test: other cookies, other storage. What
 * moves in a page is waited for, so that nothing moves unless it is asked for.
 */
export async function openContext(t, browser, options = {}) {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  t.after(() => context.close());
  return watch(context);
}

// By context: the requests of its pages that have no answer yet.
const underWay = new WeakMap();

/** Whether a page waits for no answer. */
export const isQuiet = (page) => underWay.get(page.context()).size === 0;

const sessions = new Map();

/**
 * Opens a context that is signed in. Contexts of one account share a session,
 * so a test that ends sessions signs in by the page instead.
 */
export async function openSignedIn(t, browser, server, { name = server.username, password = server.password, ...options } = {}) {
  const opened = await openContext(t, browser, options);
  const who = `${server.url} ${name}`;
  if (!sessions.has(who)) {
    const answer = await opened.context.request.post(`${server.url}/api/session`, { headers: { Origin: server.url }, data: { username: name, password } });
    assert.equal(answer.status(), 200, await answer.text());
    sessions.set(who, await opened.context.cookies());
  }
  await opened.context.addCookies(sessions.get(who));
  return { ...opened, page: await opened.newPage() };
}

/**
 * Records what a context's pages do: responses, dialogs, violations of the content
 * security policy, errors. The responses' bodies are kept only where they are
 * asked for: to copy the dashboard at each visit costs more than to visit it.
 */
async function watch(context, bodies = false) {
  context.setDefaultTimeout(timeout);
  const seen = { responses: [], dialogs: [], violations: [], errors: [] };
  context.on('dialog', (dialog) => {
    // Leaving a page with a secret asks first: that one a test answers itself.
    if (dialog.type() !== 'beforeunload') {
      seen.dialogs.push(`${dialog.type()}: ${dialog.message()}`);
    }
    if (context.onDialog) {
      void context.onDialog(dialog);
    } else {
      void dialog.accept().catch(() => undefined);
    }
  });
  context.on('weberror', (error) => seen.errors.push(String(error.error())));
  context.on('response', (response) => seen.responses.push(recorded(response, bodies)));
  const pending = new Set();
  underWay.set(context, pending);
  context.on('request', (request) => pending.add(request));
  for (const end of ['requestfinished', 'requestfailed']) {
    context.on(end, (request) => pending.delete(request));
  }
  await context.exposeBinding('keystileViolation', (_, text) => { seen.violations.push(text); });
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => {
      globalThis.keystileViolation(`${e.violatedDirective} blocked ${e.blockedURI} on ${e.documentURI}: ${e.sample}`);
    });
  });
  return { context, seen, newPage: () => context.newPage() };
}

function recorded(response, bodies) {
  const request = response.request();
  return {
    method: request.method(), url: response.url(), status: response.status(), headers: response.headers(), sent: request.postData() ?? '',
    // A page that was left takes its bodies with it.
    ...(bodies ? { body: response.body().then((body) => body.toString('latin1'), () => undefined) } : {}),
  };
}

/** Asserts that no script ran that is not ours, and none of ours failed. */
export function assertQuiet(seen) {
  assert.deepEqual({ dialogs: seen.dialogs, violations: seen.violations, errors: seen.errors }, { dialogs: [], violations: [], errors: [] });
}

/** Waits until a condition holds, or fails with what it was about. */
export async function until(what, holds, within = timeout) {
  const end = Date.now() + within;
  for (;;) {
    if (await holds()) {
      return;
    }
    assert.ok(Date.now() < end, `not within ${within} ms: ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}
