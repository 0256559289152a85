// Answers in the service's place: states that a service with conversations in it does not get into.

export const NO_CONVERSATIONS = {
  conversations: 0,
  repeat_conversations: 0,
  by_day: [],
  first_outcomes: [],
  handoff_reasons: [],
  handoff_destinations: [],
  days_since_first: [],
  filters: {},
};

export const problem = (status, title, detail) => ({ type: "urn:agent-memory:problem:canned", title, status, detail });

export const health = (figures) => ({
  identifiers: 0,
  fields: 0,
  interactions: 0,
  counted_conversations: 0,
  sessions: 0,
  expiring: [],
  last_sweep: null,
  age_seconds: 0,
  commits: { total: 0, failed: 0, by_minute: Array(60).fill(0), p50_micros: 0, p99_micros: 0 },
  ...figures,
});

/** The ids of the conversations that `rows` tells of. */
export const ids = (total) => Array.from({ length: total }, (_, index) => `conversation-${index}`);

/** Answers questions for rows: so many there are, of which a page is asked for. */
export async function rows(page, total, metrics = {}) {
  const all = ids(total).map((conversation) => ({
    conversation,
    account: "account",
    project: "project",
    environment: "live",
    channel: "",
    began: "2026-01-02T10:00:00Z",
    REPEAT_CALLER_CONV_ID: "first",
    REPEAT_CALLER_DATETIME: "2026-01-01T10:00:00Z",
    ...metrics,
  }));
  await page.route("**/v1/analytics/rows*", (route) => {
    const query = new URL(route.request().url()).searchParams;
    const [offset, limit] = ["offset", "limit"].map((name) => Number(query.get(name)));
    return route.fulfill({ json: all.slice(offset, offset + limit), headers: { "X-Total-Count": String(total) } });
  });
}

/** The records of a CSV text (RFC 4180). */
export function parseCsv(text) {
  const records = [];
  let record = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    if (record.length > 1 || record[0] !== "") records.push(record);
    record = [];
  }
  return records;
}
