// What both pages share: questions to the service with the token, and what is shown while and when they are answered.

const TOKEN = "agent-memory-token";

/** How long an answer may take, in milliseconds. */
const PATIENCE = 30_000;

/** How long to wait before asking again after a failure that may pass, in milliseconds: each time longer. */
const PAUSES = [2_000, 4_000, 8_000, 15_000, 30_000];

const number = new Intl.NumberFormat("en");
const shortDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const share = new Intl.NumberFormat("en", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const formatNumber = (value) => number.format(value);
export const formatShare = (value) => share.format(value);

/** `2026-11-20` as `20 Nov`. */
export const formatDay = (day) => shortDay.format(new Date(`${day}T00:00:00Z`));

/** `2026-11-20T10:00:00Z` as `2026-11-20 10:00`. */
export const formatHour = (time) => time.slice(0, 16).replace("T", " ");

/** `2026-11-20T10:00:00Z` as `20 Nov, 10:00`. */
export const formatShortHour = (time) => `${formatDay(time.slice(0, 10))}, ${time.slice(11, 16)}`;

/** Whether a text is a day, such as `2026-11-20`. */
export function isDay(text) {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/** `1 conversation`, `2 conversations`. */
export const count = (value, noun) => `${formatNumber(value)} ${noun}${value === 1 ? "" : "s"}`;

/** Every day from the first to the last of some, as `YYYY-MM-DD`. */
export function daysBetween(first, last) {
  const days = [];
  const end = Date.parse(`${last}T00:00:00Z`);
  for (let time = Date.parse(`${first}T00:00:00Z`); time <= end; time += 86_400_000) {
    days.push(new Date(time).toISOString().slice(0, 10));
  }
  return days;
}

/** An element with attributes and children. Texts become text, never markup. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const byId = (id) => document.getElementById(id);

/** Says something to those who listen to the page instead of looking at it. */
export function announce(message) {
  byId("announcements").textContent = message;
}

/** Why there is no answer. */
export class Failure extends Error {
  constructor({ status = 0, title, detail, errors = [], retryAfter = 0 }) {
    super(title);
    Object.assign(this, { status, title, detail, errors, retryAfter });
  }

  /** Whether it may pass by itself. */
  get mayPass() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** Asks the service. What is empty in a query is left out. */
export async function ask(path, { query = {}, accept = "application/json", signal } = {}) {
  const url = new URL(`../v1/${path}`, import.meta.url);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) url.searchParams.set(name, value);
  }
  const headers = { Accept: accept };
  const token = readToken();
  if (token) headers.Authorization = `Bearer ${token}`;
  const limit = AbortSignal.timeout(PATIENCE);
  let response;
  let body;
  try {
    response = await fetch(url, {
      headers,
      cache: "no-store",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    body = response.ok && accept === "text/csv" ? await response.blob() : await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Failure({
      title: "The service cannot be reached",
      detail: limit.aborted
        ? "It has not answered in time. It may have too much to do, or the network may be slow."
        : "Check that it runs, and that your computer is connected to it.",
    });
  }
  if (!response.ok) throw problem(response, body);
  if (accept === "text/csv") return { body, headers: response.headers };
  try {
    return { body: JSON.parse(body), headers: response.headers };
  } catch {
    throw new Failure({
      status: 502,
      title: "The answer cannot be read",
      detail: "Something between this page and the service has answered in its place.",
    });
  }
}

function problem(response, text) {
  let found = {};
  try {
    found = JSON.parse(text) ?? {};
  } catch {
    // Something between here and the service may answer in another form.
  }
  return new Failure({
    status: response.status,
    title: found.title ?? `The service answered ${response.status}`,
    detail: found.detail ?? "There is no further explanation.",
    errors: Array.isArray(found.errors) ? found.errors : [],
    retryAfter: Number(response.headers.get("Retry-After")) || 0,
  });
}

function readToken() {
  try {
    return sessionStorage.getItem(TOKEN) ?? "";
  } catch {
    return keptToken;
  }
}

// Where there is no storage, a token lasts as long as the page.
let keptToken = "";

function writeToken(token) {
  keptToken = token;
  try {
    if (token) sessionStorage.setItem(TOKEN, token);
    else sessionStorage.removeItem(TOKEN);
  } catch {
    // As above.
  }
}

/** A page that loads what it shows, and says so when it cannot. */
export class Page {
  #load;
  #keeps;
  #loading = null;
  #timer = 0;
  #attempts = 0;
  #hasContent = false;

  /**
   * @param load loads and shows everything; gives what to announce, or nothing
   * @param keeps whether what was shown before is still worth seeing while the service is away
   */
  constructor(load, { keeps = false } = {}) {
    this.#load = load;
    this.#keeps = keeps;
    byId("forget").addEventListener("click", () => {
      writeToken("");
      location.reload();
    });
  }

  /** Loads everything, instead of what is being loaded. */
  async refresh() {
    clearTimeout(this.#timer);
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    this.#showBusy(true);
    try {
      const message = await this.#load(loading.signal);
      if (loading.signal.aborted) return;
      this.#showContent();
      if (message) announce(message);
    } catch (error) {
      if (loading.signal.aborted) return;
      this.#hasContent &&= this.#keeps && error instanceof Failure && error.mayPass;
      // What else was asked for is of no use any more.
      loading.abort();
      this.#showFailure(error, { again: () => this.refresh() });
    } finally {
      if (this.#loading === loading) this.#showBusy(false);
    }
  }

  /** Does something beside loading, such as a download, and says so when it fails. */
  async attempt(task) {
    try {
      await task();
      this.#hideFailure();
    } catch (error) {
      this.#showFailure(error, { again: () => this.attempt(task), isOnce: true });
    }
  }

  #showBusy(isBusy) {
    byId("content").setAttribute("aria-busy", String(isBusy));
    byId("loading").hidden = !isBusy || this.#hasContent || !byId("problem").hidden;
    document.body.classList.toggle("is-loading", isBusy);
  }

  #showContent() {
    this.#attempts = 0;
    this.#hasContent = true;
    this.#hideFailure();
    byId("content").hidden = false;
    byId("forget").hidden = !readToken();
  }

  #hideFailure() {
    const box = byId("problem");
    const hadFocus = box.contains(document.activeElement);
    box.hidden = true;
    box.replaceChildren();
    if (hadFocus) byId("main").focus();
  }

  #showFailure(error, { again, isOnce = false }) {
    if (!(error instanceof Failure)) {
      console.error(error);
      error = new Failure({
        status: 400,
        title: "This page has a fault",
        detail: "Load it again; please report it if that does not help.",
      });
    }
    byId("content").hidden = !isOnce && !this.#hasContent;
    const needsToken = error.status === 401;
    // Who has given no token has made no mistake: what is wrong with the request is of no use to them.
    const isQuestion = needsToken && !readToken();
    if (needsToken) writeToken("");
    byId("forget").hidden = !readToken();
    const retries = error.mayPass && !isOnce;
    this.#render(error, { again, needsToken, isQuestion, retries });
    if (retries) {
      const pause = PAUSES[Math.min(this.#attempts, PAUSES.length - 1)];
      this.#attempts += 1;
      this.#timer = setTimeout(again, Math.max(pause, error.retryAfter * 1_000));
    }
  }

  #render({ status, title, detail, errors }, { again, needsToken, isQuestion, retries }) {
    const box = byId("problem");
    // The same failure again is neither drawn nor read out again.
    const content = JSON.stringify([status, title, detail, errors, retries]);
    if (!box.hidden && box.dataset.content === content && !needsToken) return;
    const heldFocus = box.contains(document.activeElement);
    box.dataset.content = content;
    const actions = element("p", { class: "actions" });
    if (!needsToken) actions.append(button("Try again", again));
    if (status === 403) actions.append(button("Use another token", () => this.#askForToken(box, again)));
    box.classList.toggle("is-question", isQuestion);
    box.replaceChildren(
      element("h2", {}, title),
      ...(isQuestion ? [] : [element("p", {}, ...withCode(sentence(detail)))]),
      ...(errors.length
        ? [element("ul", {}, ...errors.map((it) => element("li", {}, ...withCode(`${it.path}: ${it.detail}`))))]
        : []),
      ...(retries ? [element("p", { class: "hint" }, "This page tries again by itself.")] : []),
      ...(actions.childElementCount ? [actions] : []),
    );
    box.hidden = false;
    if (needsToken) this.#askForToken(box, again);
    else if (heldFocus) box.querySelector("button")?.focus();
  }

  #askForToken(box, again) {
    box.querySelector(".actions")?.remove();
    const input = element("input", {
      id: "token",
      type: "password",
      autocomplete: "off",
      spellcheck: "false",
      required: true,
      "aria-describedby": "token-hint",
    });
    const form = element(
      "form",
      { class: "token", novalidate: true },
      element("label", { for: "token" }, "Token"),
      element("div", { class: "token-row" }, input, element("button", { class: "primary" }, "Use token")),
      element(
        "p",
        { id: "token-hint", class: "hint" },
        "One that may view, as made by ",
        element("code", {}, "agent-memory token"),
        ". It is kept until this tab is closed.",
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const token = input.value.trim();
      // Nothing else can be sent in a header.
      if (!/^[\x21-\x7e]+$/.test(token)) {
        input.setAttribute("aria-invalid", "true");
        byId("token-hint").textContent = "This is no token: one has letters, digits and signs, without spaces.";
        input.focus();
        return;
      }
      writeToken(token);
      box.dataset.content = "";
      again();
    });
    box.append(form);
    input.focus();
  }
}

function button(text, action) {
  const made = element("button", { type: "button" }, text);
  made.addEventListener("click", action);
  return made;
}

/** A detail as a sentence: problem documents begin in lower case and end without a full stop. */
function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/** A text in which what stands in backticks is code. */
function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? element("code", {}, part) : part));
}
