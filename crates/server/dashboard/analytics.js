// Repeat callers: how many come back, why, and after how long.

import { ChartPanel } from "./charts.js";
import {
  Page,
  announce,
  ask,
  byId,
  count,
  daysBetween,
  element,
  formatDay,
  formatHour,
  formatNumber,
  formatShare,
  isDay,
} from "./page.js";

/** How many rows stand on a page of the table. */
const ROWS = 50;

/** How many categories have a bar of their own, and how many stand in the table beside the chart. */
const BARS = 8;
const CATEGORIES = 200;

/** No conversation is older. While a year is being typed, it is. */
const EARLIEST = "2000-01-01";

/** Over how many days the smoothed share goes. */
const WEEK = 7;

const CHOICES = ["account", "project", "environment", "channel"];
const DATES = ["from", "to"];
const METRICS = [
  "REPEAT_CALLER_CONV_ID",
  "REPEAT_CALLER_DATETIME",
  "REPEAT_CALLER_QA",
  "REPEAT_CALLER_HANDOFF_REASON",
  "REPEAT_CALLER_HANDOFF_TO",
];
const NONE_RECORDED = "None recorded";

const charts = {
  share: new ChartPanel("share", {
    kind: "line",
    format: formatShare,
    formatMark: (value) => `${Math.round(value * 1_000) / 10}%`,
  }),
  byDay: new ChartPanel("by-day", { kind: "bar", isStacked: true }),
  outcomes: new ChartPanel("outcomes", { kind: "bar", isHorizontal: true }),
  reasons: new ChartPanel("reasons", { kind: "bar", isHorizontal: true }),
  destinations: new ChartPanel("destinations", { kind: "bar", isHorizontal: true }),
  daysSince: new ChartPanel("days-since", { kind: "bar", x: "Days since the first contact" }),
};

let filters = readFilters();
let offset = 0;

const page = new Page(async (signal) => {
  const [figures, rows] = await Promise.all([ask("analytics", { query: filters, signal }), askForRows(signal)]);
  showFilters(figures.body.filters);
  showFigures(figures.body);
  showRows(rows);
  const { conversations, repeat_conversations: returning } = figures.body;
  return `${count(conversations, "conversation")}, ${formatNumber(returning)} of returning callers. ${byId("row-range").textContent}`;
});

async function askForRows(signal) {
  const asked = () => ask("analytics/rows", { query: { ...filters, limit: ROWS, offset }, signal });
  let { body: rows, headers } = await asked();
  const total = Number(headers.get("X-Total-Count") ?? rows.length);
  if (rows.length === 0 && total > 0) {
    // Rows have expired since the last page was counted.
    offset = Math.floor((total - 1) / ROWS) * ROWS;
    ({ body: rows } = await asked());
  }
  return { rows, total };
}

// Filters: the address has them, so that a view can be shared.

function readFilters() {
  const query = new URLSearchParams(location.search);
  const found = {};
  for (const name of CHOICES) if (query.has(name)) found[name] = query.get(name);
  for (const name of DATES) if (isDay(query.get(name) ?? "")) found[name] = query.get(name);
  return found;
}

function changeFilters(changed) {
  filters = changed;
  offset = 0;
  const query = new URLSearchParams(filters).toString();
  history.pushState(null, "", query ? `?${query}` : location.pathname);
  page.refresh();
}

function showFilters(known) {
  for (const name of CHOICES) {
    const values = [...new Set([...(known[name] ?? []), ...(name in filters ? [filters[name]] : [])])].sort();
    const select = byId(name);
    // An empty value is one too: a conversation may have no channel. So each has a sign in front, and "all" has none.
    const wanted = ["", ...values.map((value) => `=${value}`)];
    if (wanted.join("\n") !== [...select.options].map((option) => option.value).join("\n")) {
      select.replaceChildren(
        ...wanted.map((value) => element("option", { value }, value === "" ? "All" : value.slice(1) || "None")),
      );
    }
    select.value = name in filters ? `=${filters[name]}` : "";
  }
  // One account is nothing to choose from.
  byId("account").closest(".field").hidden = byId("account").options.length <= 2 && !("account" in filters);
  for (const name of DATES) {
    // Someone may be typing there.
    const value = filters[name] ?? "";
    if (byId(name).value !== value) byId(name).value = value;
  }
  byId("from").max = filters.to ?? "";
  byId("to").min = filters.from ?? "";
  byId("clear").hidden = Object.keys(filters).length === 0;
}

for (const name of CHOICES) {
  byId(name).addEventListener("change", ({ target }) => {
    const { [name]: _, ...others } = filters;
    changeFilters(target.value === "" ? others : { ...others, [name]: target.value.slice(1) });
  });
}
for (const name of DATES) {
  byId(name).addEventListener("change", ({ target }) => {
    if (target.value !== "" && target.value < EARLIEST) return;
    const { [name]: _, ...others } = filters;
    changeFilters(target.value === "" ? others : { ...others, [name]: target.value });
  });
}
byId("filters").addEventListener("submit", (event) => event.preventDefault());
for (const id of ["clear", "show-all"]) {
  byId(id).addEventListener("click", () => {
    byId("project").focus();
    changeFilters({});
  });
}
window.addEventListener("popstate", () => {
  filters = readFilters();
  offset = 0;
  page.refresh();
});

// Figures and charts.

function showFigures(figures) {
  const { conversations, repeat_conversations: returning, by_day: days, days_since_first: since } = figures;
  const isFiltered = Object.keys(filters).length > 0;
  byId("none-yet").hidden = conversations > 0 || isFiltered;
  byId("none-found").hidden = conversations > 0 || !isFiltered;
  byId("reversed").hidden = !(filters.from > filters.to);
  byId("figures").hidden = conversations === 0;
  if (conversations === 0) return;
  byId("figure-conversations").textContent = formatNumber(conversations);
  byId("figure-returning").textContent = formatNumber(returning);
  byId("figure-share").textContent = formatShare(returning / conversations);
  byId("figure-median").textContent = median(since);
  showDays(days);
  const nothing = "Nobody has come back yet.";
  showCategories(charts.outcomes, figures.first_outcomes, "Outcome", nothing);
  showCategories(charts.reasons, figures.handoff_reasons, "Reason", nothing);
  showCategories(charts.destinations, figures.handoff_destinations, "Destination", nothing);
  showDaysSince(since, nothing);
}

function showDays(found) {
  const known = new Map(found.map((day) => [day.day, day]));
  const none = { conversations: 0, repeat_conversations: 0 };
  const names = daysBetween(found[0].day, found.at(-1).day);
  const days = names.map((day) => known.get(day) ?? none);
  const labels = names.map(formatDay);
  const all = days.map((day) => day.conversations);
  const returning = days.map((day) => day.repeat_conversations);
  const shares = days.map((day) => (day.conversations ? day.repeat_conversations / day.conversations : null));
  const smoothed = days.map((_, index) => {
    const first = Math.max(0, index - WEEK + 1);
    const [of, among] = [returning, all].map((counts) =>
      counts.slice(first, index + 1).reduce((sum, it) => sum + it, 0),
    );
    return among ? of / among : null;
  });
  const shown = (value) => (value === null ? "–" : formatShare(value));
  const isLong = days.length > WEEK;
  const daily = { name: "Each day", values: shares, colour: isLong ? "series-soft" : "series", isThin: isLong };
  const range = days.length === 1 ? `On ${labels[0]}.` : `From ${labels[0]} to ${labels.at(-1)}.`;
  const most = Math.max(...shares.filter((value) => value !== null));
  charts.share.show({
    labels,
    series: isLong ? [{ name: `${WEEK} days up to it`, values: smoothed, colour: "series" }, daily] : [daily],
    summary: `${range} At most ${formatShare(most)} on one day.`,
    columns: isLong ? ["Day (UTC)", "Share", `Share of ${WEEK} days`] : ["Day (UTC)", "Share"],
    rows: names.map((day, index) => [day, shown(shares[index]), ...(isLong ? [shown(smoothed[index])] : [])]),
  });
  charts.byDay.show({
    labels,
    series: [
      { name: "Returning", values: returning, colour: "series" },
      { name: "First contact", values: all.map((value, index) => value - returning[index]), colour: "series-soft" },
    ],
    summary: `${range} At most ${count(Math.max(...all), "conversation")} on one day.`,
    columns: ["Day (UTC)", "Conversations", "Returning"],
    rows: names.map((day, index) => [day, formatNumber(all[index]), formatNumber(returning[index])]),
  });
}

function showCategories(chart, counts, noun, nothing) {
  const total = counts.reduce((sum, it) => sum + it.conversations, 0);
  const bars = withOthers(counts, BARS);
  chart.show({
    labels: bars.map((bar) => bar.name),
    series: [
      {
        name: "Returning conversations",
        values: bars.map((bar) => bar.conversations),
        colour: bars.map((bar) => (bar.isNamed ? "series" : "series-soft")),
      },
    ],
    summary:
      counts.length > 0
        ? `Most often: ${bars[0].name}, ${formatNumber(bars[0].conversations)} of ${formatNumber(total)}.`
        : "",
    columns: [noun, "Returning", "Share"],
    rows: withOthers(counts, CATEGORIES).map((it) => [
      it.name,
      formatNumber(it.conversations),
      formatShare(it.conversations / total),
    ]),
    nothing,
  });
}

/** The first of some counts, and the others in one. */
function withOthers(counts, most) {
  const named = ({ value, conversations }) => ({ name: value || NONE_RECORDED, isNamed: value !== "", conversations });
  if (counts.length <= most) return counts.map(named);
  const others = counts.slice(most - 1);
  const conversations = others.reduce((sum, it) => sum + it.conversations, 0);
  return [
    ...counts.slice(0, most - 1).map(named),
    { name: `${formatNumber(others.length)} others`, isNamed: false, conversations },
  ];
}

function showDaysSince(counts, nothing) {
  const known = new Map(counts.map(({ value, conversations }) => [Number(value), conversations]));
  const last = Math.max(0, ...known.keys());
  const days = Array.from({ length: last + 1 }, (_, day) => day);
  charts.daysSince.show({
    labels: days.map(String),
    series: [{ name: "Returning conversations", values: days.map((day) => known.get(day) ?? 0), colour: "series" }],
    summary: counts.length > 0 ? `Half of them within ${median(counts)}.` : "",
    columns: ["Days", "Returning"],
    rows: [...known]
      .sort(([a], [b]) => a - b)
      .map(([day, conversations]) => [String(day), formatNumber(conversations)]),
    nothing,
  });
}

/** Within how many days half of the conversations came. */
function median(counts) {
  const half = counts.reduce((sum, it) => sum + it.conversations, 0) / 2;
  let sum = 0;
  for (const { value, conversations } of counts) {
    sum += conversations;
    if (sum >= half) return value === "0" ? "1 day" : count(Number(value) + 1, "day");
  }
  return "–";
}

// The table of returning conversations.

function showRows({ rows, total }) {
  const withAccounts = !byId("account").closest(".field").hidden;
  byId("account-column").hidden = !withAccounts;
  byId("own-columns").setAttribute("colspan", withAccounts ? "6" : "5");
  byId("rows").replaceChildren(
    ...rows.map((row) => {
      const own = [...(withAccounts ? ["account"] : []), "project", "environment", "channel"];
      return element(
        "tr",
        {},
        element("td", {}, time(row.began)),
        element("th", { scope: "row", class: "id" }, row.conversation),
        ...own.map((name) => element("td", {}, row[name] || absent())),
        ...METRICS.map((name) => {
          if (!row[name]) return element("td", {}, absent());
          if (name === "REPEAT_CALLER_DATETIME") return element("td", {}, time(row[name]));
          return element("td", { class: name === "REPEAT_CALLER_CONV_ID" ? "id" : null }, row[name]);
        }),
      );
    }),
  );
  const isEmpty = total === 0;
  byId("no-rows").hidden = !isEmpty;
  byId("row-table").hidden = isEmpty;
  byId("row-pages").hidden = isEmpty;
  byId("csv").hidden = isEmpty;
  byId("row-range").textContent = isEmpty
    ? ""
    : `Rows ${formatNumber(offset + 1)} to ${formatNumber(offset + rows.length)} of ${formatNumber(total)}`;
  // A button that cannot be used stays where the focus is.
  byId("previous").setAttribute("aria-disabled", String(offset === 0));
  byId("next").setAttribute("aria-disabled", String(offset + rows.length >= total));
}

const time = (text) => element("time", { datetime: text }, formatHour(text));
const absent = () =>
  element(
    "span",
    { class: "absent" },
    element("span", { "aria-hidden": "true" }, "–"),
    element("span", { class: "heard" }, "none"),
  );

function turn(id, by) {
  byId(id).addEventListener("click", ({ currentTarget }) => {
    if (currentTarget.getAttribute("aria-disabled") === "true") return;
    offset = Math.max(0, offset + by);
    byId("row-table").scrollTop = 0;
    page.refresh();
  });
}
turn("previous", -ROWS);
turn("next", ROWS);

byId("csv").addEventListener("click", async () => {
  const button = byId("csv");
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  await page.attempt(async () => {
    const { body } = await ask("analytics/rows", { query: filters, accept: "text/csv" });
    const address = URL.createObjectURL(body);
    element("a", { href: address, download: "repeat-callers.csv" }).click();
    // The browser has to read it first.
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    announce("The table is downloaded as CSV.");
  });
  button.setAttribute("aria-disabled", "false");
});

page.refresh();
