// Memory health: how much is held, how long still, and how commits go.

import { ChartPanel } from "./charts.js";
import { Page, announce, ask, byId, count, daysBetween, formatDay, formatNumber, formatShortHour } from "./page.js";

/** How often the figures are asked for again, in milliseconds. */
const EVERY = 10_000;

const FIGURES = ["identifiers", "fields", "interactions", "counted_conversations", "sessions"];

const expiring = new ChartPanel("expiring", { kind: "bar" });
const commits = new ChartPanel("commits", { kind: "bar", x: "Minutes ago" });

let timer = 0;
let isPaused = false;
let wasShown = false;

const page = new Page(
  async (signal) => {
    const { body: health } = await ask("memory/health", { signal });
    show(health);
    schedule();
    if (wasShown) return null;
    wasShown = true;
    return `${count(health.identifiers, "identifier")}, ${count(health.fields, "field")}. The figures are renewed every 10 seconds.`;
  },
  { keeps: true },
);

function show(health) {
  for (const name of FIGURES) set(`figure-${name}`, formatNumber(health[name]));
  set("figure-last_sweep", health.last_sweep ? formatShortHour(health.last_sweep) : "Not yet");
  set("age", health.age_seconds === 0 ? "just now" : `${count(health.age_seconds, "second")} ago`);
  byId("nothing-held").hidden = health.fields > 0 || health.interactions > 0;
  showExpiring(health.expiring);
  showCommits(health.commits);
}

function showExpiring(found) {
  const known = new Map(found.map(({ day, fields }) => [day, fields]));
  const names = found.length > 0 ? daysBetween(found[0].day, found.at(-1).day) : [];
  const most = found.reduce((a, b) => (b.fields > a.fields ? b : a), { fields: 0 });
  expiring.show({
    labels: names.map(formatDay),
    series: [{ name: "Fields that expire", values: names.map((day) => known.get(day) ?? 0), colour: "series" }],
    summary:
      found.length > 0
        ? `From ${formatDay(names[0])} to ${formatDay(names.at(-1))}; most on ${formatDay(most.day)}: ${formatNumber(most.fields)}.`
        : "",
    columns: ["Day (UTC)", "Fields"],
    rows: found.map(({ day, fields }) => [day, formatNumber(fields)]),
    nothing: "No field is held, so none expires.",
  });
}

function showCommits({ total, failed, by_minute: minutes, p50_micros: p50, p99_micros: p99 }) {
  set("figure-commits", formatNumber(total));
  set("figure-failed", formatNumber(failed));
  byId("figure-failed").classList.toggle("is-bad", failed > 0);
  set("figure-p50", total > 0 ? duration(p50) : "–");
  set("figure-p99", total > 0 ? duration(p99) : "–");
  const ago = minutes.map((_, index) => minutes.length - 1 - index);
  const sum = minutes.reduce((a, b) => a + b, 0);
  commits.show({
    labels: ago.map((minute) => (minute === 0 ? "now" : String(minute))),
    series: [{ name: "Commits", values: minutes, colour: "series" }],
    summary: `${count(sum, "commit")} in the last hour; at most ${formatNumber(Math.max(0, ...minutes))} in one minute.`,
    columns: ["Minutes ago", "Commits"],
    rows: sum > 0 ? ago.map((minute, index) => [String(minute), formatNumber(minutes[index])]).reverse() : [],
    nothing: "No commit in the last hour.",
  });
}

/** Changes a text only if it is another, so that nothing flickers and no selection is lost. */
function set(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

/** Microseconds, in the unit that reads best. */
function duration(micros) {
  if (micros < 1_000) return `${micros} µs`;
  const [value, unit] = micros < 1_000_000 ? [micros / 1_000, "ms"] : [micros / 1_000_000, "s"];
  return `${value < 10 ? value.toFixed(1) : formatNumber(Math.round(value))} ${unit}`;
}

function schedule() {
  clearTimeout(timer);
  // What nobody looks at is not asked for.
  if (!isPaused && !document.hidden) timer = setTimeout(() => page.refresh(), EVERY);
}

byId("pause").addEventListener("click", ({ currentTarget }) => {
  isPaused = !isPaused;
  currentTarget.setAttribute("aria-pressed", String(isPaused));
  announce(isPaused ? "The figures stay as they are." : "The figures are renewed every 10 seconds.");
  if (isPaused) clearTimeout(timer);
  else page.refresh();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else if (!isPaused) page.refresh();
});

page.refresh();
