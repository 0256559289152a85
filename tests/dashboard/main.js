// Drives the dashboard of a running service with a real browser.
//
//     node main.js --service http://127.0.0.1:8080 --token TOKEN --expected expected.json --screenshots folder
//
// The token may view everything. `expected.json` says what has to be on the pages:
//
//     {
//       "views": [{
//         "filters": {"project": "orders", "from": "2026-11-01"},
//         "figures": {"conversations": "3", "returning": "1", "share": "33.3%", "median": "2 days"},
//         "charts": {"outcomes": [["resolved", "1", "100.0%"]]},
//         "rows": [{"conversation": "c-2", "REPEAT_CALLER_CONV_ID": "c-1"}]
//       }],
//       "memory": {"identifiers": "2", "fields": "3"},
//       "secrets": ["+442079460000"]
//     }
//
// The first view has no filters; one of the others at least has rows. `figures`, `charts` and `memory` are by the ids of
// the elements, and need not be complete; `rows` are all rows, in any order, by the columns of the CSV. `secrets` are
// texts that neither a page nor an answer may have.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { after, test } from "node:test";
import { parseArgs } from "node:util";

import { Browser } from "./browser.js";
import * as canned from "./canned.js";

const { values: options } = parseArgs({
  options: {
    service: { type: "string" },
    token: { type: "string" },
    expected: { type: "string" },
    screenshots: { type: "string" },
    browser: { type: "string", default: "/usr/bin/chromium" },
  },
});
for (const name of ["service", "token", "expected", "screenshots"]) {
  if (!options[name]) throw new Error(`say --${name}: see the top of main.js`);
}
const { token } = options;
const service = options.service.replace(/\/+$/, "");
const { views, memory, secrets } = JSON.parse(await readFile(options.expected, "utf8"));
const [whole, ...filtered] = views;
assert.deepEqual(whole.filters, {}, "the first view has no filters");
assert.ok(filtered.length > 0, "a view with filters is expected too");
assert.ok(secrets.length > 0, "there are secrets to look for");

await mkdir(options.screenshots, { recursive: true });
const browser = await Browser.start({ service, token, screenshots: options.screenshots, executable: options.browser });
after(() => browser.stop());

/** The columns of the table as it stands on the page. */
const COLUMNS = [
  "began",
  "conversation",
  "account",
  "project",
  "environment",
  "channel",
  "REPEAT_CALLER_CONV_ID",
  "REPEAT_CALLER_DATETIME",
  "REPEAT_CALLER_QA",
  "REPEAT_CALLER_HANDOFF_REASON",
  "REPEAT_CALLER_HANDOFF_TO",
];
const PAGES = { analytics: "", memory: "memory" };

/** A test in a window of its own, in which nothing may go wrong that is not named. */
function dashboard(name, options, body) {
  if (typeof options === "function") [options, body] = [{}, options];
  const { failsOnPurpose, ...window } = options;
  return test(name, async () => {
    const opened = await browser.window(window);
    let wrong;
    try {
      await body(opened, opened.page);
    } finally {
      wrong = await opened.close({ failsOnPurpose, secrets });
    }
    assert.deepEqual(wrong, []);
  });
}

/** Lets a page's time go on only as a test says. */
async function stopTime(page) {
  const now = Date.now();
  await page.clock.install({ time: now });
  await page.clock.pauseAt(now + 1_000);
}

const query = (filters) => {
  const text = new URLSearchParams(filters).toString();
  return text ? `?${text}` : "";
};

/** Checks everything that a view has to show. */
async function shows(window, view) {
  for (const [id, expected] of Object.entries(view.figures)) {
    assert.equal(await window.text(`#figure-${id}`), expected, `figure ${id} of ${JSON.stringify(view.filters)}`);
  }
  for (const [id, expected] of Object.entries(view.charts)) {
    assert.deepEqual(await window.numbers(id), expected, `chart ${id} of ${JSON.stringify(view.filters)}`);
  }
}

/** Whether there are several accounts. Only then does the page tell them apart. */
const hasAccounts = (page) => page.locator("#account").isVisible();

/** Every row of the table, page by page. */
async function allRows(window) {
  const found = [];
  const several = await hasAccounts(window.page);
  const columns = COLUMNS.filter((name) => several || name !== "account");
  for (;;) {
    found.push(...(await window.rows()).map((cells) => named(columns, cells)));
    const next = window.page.locator("#next");
    if (!(await next.isVisible()) || (await next.getAttribute("aria-disabled")) === "true") break;
    await next.click();
    await window.settled();
  }
  return found;
}

/** Whether rows are the expected ones, in what was expected of each. */
function areRows(found, expected) {
  const byId = (a, b) => (a.conversation < b.conversation ? -1 : 1);
  const sorted = [...expected].sort(byId);
  const alike = [...found]
    .sort(byId)
    .map((row, index) => Object.fromEntries(Object.keys(sorted[index] ?? {}).map((name) => [name, row[name]])));
  assert.deepEqual(alike, sorted);
  const began = found.map((row) => row.began);
  assert.deepEqual(began, [...began].sort().reverse(), "the latest stand first");
}

const named = (columns, cells) => Object.fromEntries(columns.map((name, index) => [name, cells[index]]));

for (const view of views) {
  dashboard(`the numbers of ${query(view.filters) || "everything"}`, async (window) => {
    await window.open(query(view.filters));
    await shows(window, view);
    areRows(await allRows(window), view.rows);
  });
}

dashboard("filters are chosen on the page, kept in its address, and taken back", async (window, page) => {
  for (const view of filtered) {
    await window.open();
    for (const [name, value] of Object.entries(view.filters)) {
      if (name === "from" || name === "to") await page.locator(`#${name}`).fill(value);
      else await page.locator(`#${name}`).selectOption(`=${value}`);
      await window.settled();
    }
    assert.deepEqual(Object.fromEntries(new URL(page.url()).searchParams), view.filters);
    await shows(window, view);
    await page.reload();
    await window.settled();
    await shows(window, view);
    await page.locator("#clear").click();
    await window.settled();
    assert.equal(new URL(page.url()).search, "");
    await shows(window, whole);
    await page.goBack();
    await window.settled();
    await shows(window, view);
  }
});

dashboard("the table is downloaded as CSV, as it is filtered", async (window, page) => {
  for (const view of views.filter(({ rows }) => rows.length > 0)) {
    await window.open(query(view.filters));
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#csv").click()]);
    assert.equal(download.suggestedFilename(), "repeat-callers.csv");
    const [columns, ...lines] = canned.parseCsv(await readFile(await download.path(), "utf8"));
    assert.deepEqual([...columns].sort(), [...COLUMNS].sort());
    areRows(
      lines.map((cells) => named(columns, cells)),
      view.rows,
    );
  }
});

dashboard("the table asks for a page at a time", async (window, page) => {
  await canned.rows(page, 120);
  await window.open();
  assert.equal(await window.text("#row-range"), "Rows 1 to 50 of 120");
  assert.equal(await page.locator("#previous").getAttribute("aria-disabled"), "true");
  const found = (await allRows(window)).map((row) => row.conversation);
  assert.deepEqual(found, canned.ids(120));
  assert.equal(await window.text("#row-range"), "Rows 101 to 120 of 120");
  assert.equal(await page.evaluate(() => document.activeElement.id), "next", "the focus stays");
  await page.locator("#previous").click();
  await window.settled();
  assert.equal(await window.text("#row-range"), "Rows 51 to 100 of 120");
  const asked = window.requests.filter((url) => url.includes("/v1/analytics/rows"));
  assert.ok(asked.every((url) => new URL(url).searchParams.get("limit") === "50"));
});

dashboard("memory health shows the numbers, and renews them in place", async (window, page) => {
  await stopTime(page);
  await window.open("memory");
  for (const [id, expected] of Object.entries(memory)) {
    assert.equal(await window.text(`#figure-${id}`), expected, `figure ${id}`);
  }
  const asked = () => window.requests.filter((url) => url.includes("/v1/memory/health")).length;
  assert.equal(asked(), 1);
  await page.evaluate(() => {
    globalThis.before = [...document.querySelectorAll("canvas, dd")];
  });
  await window.answer("memory/health", { body: canned.health({ fields: 4321 }) });
  await page.clock.runFor(10_000);
  await page.waitForFunction(() => document.getElementById("figure-fields").textContent === "4,321");
  assert.ok(
    await page.evaluate(() => globalThis.before.every((element) => element.isConnected)),
    "nothing is built anew",
  );
  await page.locator("#pause").click();
  const then = asked();
  await page.clock.runFor(60_000);
  assert.equal(asked(), then, "nothing is asked for during a pause");
  await page.locator("#pause").click();
  await window.settled();
  assert.ok(asked() > then);
});

dashboard(
  "a token is asked for, and stays out of the address",
  { hasToken: false, failsOnPurpose: true },
  async (window, page) => {
    await window.open();
    assert.equal(await window.text("#problem h2"), "A valid token is needed");
    assert.equal(await page.evaluate(() => document.activeElement.id), "token");
    assert.ok(await page.locator("#content").isHidden());
    assert.deepEqual(await window.faults(), []);
    await window.screenshot("token");
    await page.keyboard.type("not the token");
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("#token").getAttribute("aria-invalid"), "true");
    await page.locator("#token").fill("wrong");
    await Promise.all([page.waitForResponse((response) => response.status() === 401), page.keyboard.press("Enter")]);
    await window.settled();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0, "a token that is not valid is not kept");
    await page.locator("#token").fill(token);
    await page.keyboard.press("Enter");
    await page.locator("#content").waitFor();
    await shows(window, whole);
    await page.locator(".top a", { hasText: "Memory health" }).click();
    await page.locator("#content").waitFor();
    assert.ok(window.requests.every((url) => !url.includes(token)));
    assert.ok(!(await page.content()).includes(token));
    await page.locator("#forget").click();
    await page.locator("#token").waitFor();
  },
);

dashboard(
  "a token that does not allow it can be changed for another",
  { failsOnPurpose: true },
  async (window, page) => {
    await window.answer("memory/health", {
      status: 403,
      body: canned.problem(403, "The token does not allow this", "use another"),
    });
    await window.open("memory");
    assert.equal(await window.text("#problem h2"), "The token does not allow this");
    assert.match(await window.text("#problem"), /Use another\./);
    await page.unrouteAll();
    await page.getByRole("button", { name: "Use another token" }).click();
    await page.locator("#token").fill(token);
    await page.keyboard.press("Enter");
    await page.locator("#content").waitFor();
    assert.ok(await page.locator("#problem").isHidden());
  },
);

for (const [name, where] of Object.entries(PAGES)) {
  dashboard(`${name}: what goes wrong is said, and passes`, { failsOnPurpose: true }, async (window, page) => {
    await page.clock.install();
    await window.answer("**", {
      status: 503,
      body: canned.problem(503, "The store cannot be used", "nothing was changed: try again"),
      headers: { "Retry-After": "1" },
    });
    await window.open(where);
    assert.equal(await window.text("#problem h2"), "The store cannot be used");
    assert.match(await window.text("#problem"), /Nothing was changed: try again\./);
    assert.deepEqual(await window.faults(), []);
    await window.screenshot(`${name}-problem`);
    await page.unrouteAll();
    await page.clock.runFor(30_000);
    await page.locator("#content").waitFor();
    assert.ok(await page.locator("#problem").isHidden());

    await page.route("**/v1/**", (route) => route.abort("connectionrefused"));
    await page.reload();
    await window.settled();
    assert.equal(await window.text("#problem h2"), "The service cannot be reached");
    // The page has tried again by then, and will not before the button is pressed.
    await page.clock.pauseAt(Date.now() + 3_600_000);
    await window.settled();
    assert.equal(await window.text("#problem h2"), "The service cannot be reached");
    await page.unrouteAll();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator("#content").waitFor();
    assert.ok(await page.locator("#problem").isHidden());

    await window.answer("**", { status: 502, body: "<h1>Bad gateway</h1>", kind: "text/html" });
    await page.reload();
    await window.settled();
    assert.equal(await window.text("#problem h2"), "The service answered 502");
  });
}

dashboard(
  "memory health keeps its figures while the service is away",
  { failsOnPurpose: true },
  async (window, page) => {
    await page.clock.install();
    await window.open("memory");
    await page.route("**/v1/**", (route) => route.abort("connectionrefused"));
    await page.clock.runFor(10_000);
    await page.locator("#problem").waitFor();
    assert.ok(await page.locator("#figure-fields").isVisible());
    await page.unrouteAll();
    await page.clock.runFor(30_000);
    await page.locator("#problem").waitFor({ state: "hidden" });
  },
);

dashboard("a download that fails leaves the page as it is", { failsOnPurpose: true }, async (window, page) => {
  await window.open();
  await window.answer("analytics/rows*", {
    status: 500,
    body: canned.problem(500, "The service has failed", "please report this"),
  });
  await page.locator("#csv").click();
  await page.locator("#problem").waitFor();
  assert.equal(await window.text("#problem h2"), "The service has failed");
  await shows(window, whole);
});

dashboard("nothing to see is said, with what to do", async (window, page) => {
  await window.open("?project=no-such-project");
  assert.equal(await window.text("#none-found h2"), "No conversations match");
  assert.ok(await page.locator("#figures").isHidden());
  assert.deepEqual(await window.faults(), []);
  await page.locator("#show-all").click();
  await window.settled();
  await shows(window, whole);
  await window.open("?from=2026-02-02&to=2026-01-01");
  assert.match(await window.text("#none-found"), /The first day is after the last/);
  await window.open("?from=yesterday");
  await shows(window, whole);

  await canned.rows(page, 0);
  await window.answer("analytics", { body: canned.NO_CONVERSATIONS });
  await window.answer("memory/health", { body: canned.health({}) });
  await window.open();
  assert.equal(await window.text("#none-yet h2"), "No conversations yet");
  assert.deepEqual(await window.faults(), []);
  await window.screenshot("analytics-empty");
  await window.open("memory");
  assert.match(await window.text("#nothing-held"), /Nothing is remembered yet/);
  assert.match(await window.text("#commits"), /No commit in the last hour/);
  assert.deepEqual(await window.faults(), []);
  await window.screenshot("memory-empty");
});

dashboard("texts are texts, whatever they hold", async (window, page) => {
  const text = "<img src=x onerror=alert(1)>";
  const counts = [{ value: text, conversations: 1 }];
  await canned.rows(page, 1, { REPEAT_CALLER_QA: text });
  await window.answer("analytics", {
    body: {
      ...canned.NO_CONVERSATIONS,
      conversations: 2,
      repeat_conversations: 1,
      by_day: [{ day: "2026-01-01", conversations: 2, repeat_conversations: 1 }],
      first_outcomes: counts,
      days_since_first: [{ value: "0", conversations: 1 }],
      filters: { project: [text] },
    },
  });
  await window.open();
  assert.deepEqual(await window.numbers("outcomes"), [[text, "1", "100.0%"]]);
  assert.ok((await window.rows())[0].includes(text));
  assert.equal(await page.locator("img[src=x]").count(), 0);
});

for (const [name, where] of Object.entries(PAGES)) {
  for (const theme of ["light", "dark"]) {
    for (const [size, viewport] of Object.entries({
      wide: { width: 1280, height: 900 },
      narrow: { width: 320, height: 640 },
    })) {
      dashboard(`${name}, ${theme}, ${size}: for everyone`, { colorScheme: theme, viewport }, async (window, page) => {
        await window.open(where);
        assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), theme);
        assert.equal(
          await page.evaluate(() => document.documentElement.scrollWidth),
          viewport.width,
          "nothing sticks out",
        );
        await window.screenshot(`${name}-${theme}-${size}`);
        for (const summary of await page.locator("summary:visible").all()) await summary.click();
        assert.deepEqual(await window.faults(), []);
      });
    }
  }
}

dashboard("a theme that was chosen stays, on both pages", { colorScheme: "light" }, async (window, page) => {
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  const ground = () => page.evaluate(() => getComputedStyle(document.body.parentElement).backgroundColor);
  await window.open();
  const light = await ground();
  const painted = () => page.locator("#by-day canvas").evaluate((canvas) => canvas.toDataURL());
  const lightChart = await painted();
  await page.locator("#theme").click();
  assert.equal(await theme(), "dark");
  assert.equal(await page.locator("#theme").getAttribute("aria-pressed"), "true");
  assert.notEqual(await ground(), light);
  assert.notEqual(await painted(), lightChart, "charts take the theme's colours");
  await window.open("memory");
  assert.equal(await theme(), "dark");
  await page.locator("#theme").click();
  await page.emulateMedia({ colorScheme: "dark" });
  assert.equal(await theme(), "light", "what was chosen is stronger than the system");
});

dashboard("everything can be reached and used with the keyboard", async (window, page) => {
  await canned.rows(page, 120);
  await window.open();
  const focused = () =>
    page.evaluate(() => {
      const { activeElement: it } = document;
      const { outlineStyle } = getComputedStyle(it);
      return { is: it.id || it.textContent.trim() || it.getAttribute("aria-label"), isSeen: outlineStyle !== "none" };
    });
  const order = [];
  for (;;) {
    await page.keyboard.press("Tab");
    const { is, isSeen } = await focused();
    assert.ok(isSeen, `the focus is seen on ${is}`);
    if (order.at(-1) !== is) order.push(is);
    if (is === "next") break;
    assert.ok(order.length < 60, "the focus arrives at the end");
  }
  const wanted = [
    "Skip to the content",
    "Repeat callers",
    "Memory health",
    "forget",
    "theme",
    ...((await hasAccounts(page)) ? ["account"] : []),
    "project",
    "environment",
    "channel",
    "from",
    "to",
    "Show the numbers",
    "csv",
    "row-table",
    "previous",
    "next",
  ];
  assert.deepEqual(order, wanted);
  await page.keyboard.press("Enter");
  await window.settled();
  assert.equal(await window.text("#row-range"), "Rows 51 to 100 of 120");

  // The eleventh of November is the same however a day is written.
  const before = await page.evaluate(() => history.length);
  await page.locator("#from").focus();
  await page.keyboard.type("11112026");
  await window.settled();
  assert.equal(new URL(page.url()).search, "?from=2026-11-11");
  assert.equal(await page.evaluate(() => history.length), before + 1, "half a year is no filter");
  await page.locator("#clear").press("Enter");
  await window.settled();

  await page.locator("#share summary").focus();
  await page.keyboard.press("Enter");
  assert.ok(await page.locator("#share table").isVisible());

  await page.reload();
  await window.settled();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
});
