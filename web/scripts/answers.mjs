// Answers that a new server does not give: none, an error, and those of a server
// that has run for a day. Only pictures are made of them.

const leave = (page) => page.unrouteAll({ behavior: 'ignoreErrors' });

/** A scene of a page that waits for its answer. */
export function hang(name, path, address) {
  const act = async (page) => {
    await page.route(path, () => {});
    await page.goto(address);
    await page.locator('.mantine-Skeleton-root').first().waitFor();
  };
  return { name, path: '/', act, leave };
}

/** A scene of a page whose answer is an error. */
export function fail(name, path, address) {
  const id = '0198c5a0-0000-7000-8000-000000000001';
  const answer = {
    status: 503, headers: { 'X-Request-Id': id }, contentType: 'application/json',
    body: JSON.stringify({ error: { code: 'unavailable', message: 'something this depends on did not answer' }, request_id: id }),
  };
  const act = async (page) => {
    await page.route(path, (route) => route.fulfill(answer));
    await page.goto(address);
    await page.getByRole('alert').first().waitFor();
  };
  return { name, path: '/', act, leave };
}

/** A scene of a page as it is after a day of use. */
export function answerLikeADay(address, then) {
  const act = async (page) => {
    await page.route(/\/api\/overview/, change(dayOfTraffic));
    await page.route(/\/api\/backends\/[^/]+\/health/, change(dayOfHealth));
    await page.goto(address);
    await page.waitForLoadState('networkidle');
    await then?.(page);
  };
  return { act, leave };
}

const change = (how) => async (route) => {
  const response = await route.fetch();
  await route.fulfill({ response, json: how(await response.json()) });
};

function dayOfTraffic(overview) {
  const hours = overview.hours.map((hour, i) => {
    const night = Math.cos(((new Date(hour.hour).getHours() - 14) / 12) * Math.PI);
    const requests = Math.round(2600 + 2100 * night + 300 * Math.sin(i * 2.3));
    const writes = Math.round(requests * 0.31);
    const errors = i === 9 ? 214 : i % 7 === 0 ? 3 : 0;
    return {
      ...hour, requests, writes, reads: requests - writes, errors, refusals: Math.round(requests * (i === 16 ? 0.2 : 0.012)),
      bytes_in: writes * 181_000, bytes_out: (requests - writes) * 422_000,
    };
  });
  const sum = (name) => hours.reduce((total, hour) => total + hour[name], 0);
  const totals = Object.fromEntries(Object.keys(overview.totals).map((name) => [name, sum(name)]));
  const busiest = overview.busiest.map((one, i) => {
    const share = 0.6 / (i + 1);
    return Object.assign({}, one, Object.fromEntries(Object.entries(totals).map(([name, n]) => [name, Math.round(n * share)])));
  });
  return { ...overview, hours, totals, busiest, backends: overview.backends.map((one) => ({ ...one, uptime_24h: one.healthy ? 0.9938 : 0.41 })) };
}

const minute = 60_000;

function dayOfHealth(list) {
  const now = Date.now();
  const items = [];
  for (let at = now - 24 * 60 * minute; at < now; at += 5 * minute) {
    const ago = Math.round((now - at) / minute);
    if (ago > 700 && ago < 760) {
      continue;
    }
    const healthy = !(ago > 295 && ago < 330);
    items.push({ at: new Date(at).toISOString(), healthy, latency_ms: healthy ? 1.4 + (ago % 35) / 10 : 0, message: healthy ? '' : 'connection refused' });
  }
  return { ...list, items };
}
