// A browser with the dashboard in it, watched: what it logs, what it asks for, and what it is answered.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

import { chromium } from "playwright-core";

const TOKEN = "agent-memory-token";
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What the browser logs when an answer is an error: expected where a test brings about one. */
const FAILED_ANSWER = /^Failed to load resource/;

export class Browser {
  #browser;
  #service;
  #token;
  #screenshots;

  static async start({ service, token, screenshots, executable }) {
    const started = new Browser();
    // In a container there is often no other sandbox to be had, and only the service's own pages are opened.
    started.#browser = await chromium.launch({ executablePath: executable, args: ["--no-sandbox"] });
    started.#service = service;
    started.#token = token;
    started.#screenshots = screenshots;
    return started;
  }

  stop() {
    return this.#browser.close();
  }

  /** A new window, with the token unless told otherwise, on no page yet. */
  async window({ hasToken = true, ...options } = {}) {
    const context = await this.#browser.newContext({
      viewport: { width: 1280, height: 900 },
      locale: "en-GB",
      ...options,
    });
    if (hasToken) {
      await context.addInitScript(([key, token]) => sessionStorage.setItem(key, token), [TOKEN, this.#token]);
    }
    return new Window(context, await context.newPage(), this.#service, this.#screenshots);
  }
}

export class Window {
  #logged = [];
  #answers = [];

  constructor(context, page, service, screenshots) {
    this.context = context;
    this.page = page;
    this.service = service;
    this.screenshots = screenshots;
    this.requests = [];
    page.setDefaultTimeout(20_000);
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.#logged.push(message.text());
    });
    page.on("pageerror", (error) => this.#logged.push(String(error.stack ?? error)));
    page.on("request", (request) => this.requests.push(request.url()));
    page.on("response", (response) => this.#answers.push(response.text().catch(() => "")));
  }

  /** Opens a page of the dashboard, and waits for what it has to show. */
  async open(where = "") {
    await this.page.goto(`${this.service}/dashboard/${where}`);
    await this.settled();
  }

  /** Waits until the page shows what it was asked for, or says why not. */
  async settled() {
    await this.page.waitForFunction(() => {
      const content = document.getElementById("content");
      const problem = document.getElementById("problem");
      return content.getAttribute("aria-busy") === "false" && !(content.hidden && problem.hidden);
    });
  }

  /** The text of an element, as it is seen. */
  text(selector) {
    return this.page.locator(selector).innerText();
  }

  /** The rows of a chart's table, which is the chart in numbers. */
  numbers(figure) {
    return this.page
      .locator(`#${figure} tbody tr`)
      .evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
  }

  /** The rows of the table of conversations: times in full, and nothing for what is not recorded. */
  rows() {
    return this.page.locator("#rows tr").evaluateAll((rows) =>
      rows.map((row) =>
        [...row.cells].map((cell) => {
          if (cell.querySelector(".absent")) return "";
          return cell.querySelector("time")?.dateTime ?? cell.textContent;
        }),
      ),
    );
  }

  /** Answers a part of the API in the service's place. */
  async answer(route, { status = 200, body, kind, headers = {} }) {
    const contentType = kind ?? (status < 400 ? "application/json" : "application/problem+json");
    await this.page.route(`**/v1/${route}`, (it) =>
      it.fulfill({ status, contentType, headers, body: typeof body === "string" ? body : JSON.stringify(body) }),
    );
  }

  screenshot(name) {
    return this.page.screenshot({ path: path.join(this.screenshots, `${name}.png`), fullPage: true });
  }

  /** What axe-core finds that is serious or critical. */
  async faults() {
    // Not by a script element: the page's policy forbids those, and the policy is to hold.
    await this.page.evaluate(axe);
    const { violations } = await this.page.evaluate(() =>
      globalThis.axe.run(document, { resultTypes: ["violations"] }),
    );
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, help, nodes }) =>
        nodes.map((node) => `${id}: ${help}: ${node.target.join(" ")}: ${node.failureSummary}`),
      );
  }

  /** Closes the window, and tells what was wrong while it was open. */
  async close({ failsOnPurpose = false, secrets = [] } = {}) {
    const wrong = this.#logged
      .filter((text) => !(failsOnPurpose && FAILED_ANSWER.test(text)))
      .map((text) => `logged: ${text}`);
    const own = new URL(this.service).origin;
    for (const url of this.requests) {
      if (!url.startsWith(own) && !url.startsWith("blob:")) wrong.push(`asked elsewhere: ${url}`);
    }
    const shown = [await this.page.content(), this.page.url(), ...this.requests, ...(await Promise.all(this.#answers))];
    for (const [index, secret] of secrets.entries()) {
      if (shown.some((text) => text.includes(secret))) wrong.push(`shown or fetched: secret ${index}`);
    }
    await this.context.close();
    return wrong;
  }
}
