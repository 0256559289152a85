// What the sandbox has and has not, by use.

import type { Conversation } from "agent-memory";

/** What is there beside the language. */
export function globals(_conv: Conversation) {
  const language = new Set(
    (
      "AggregateError Array ArrayBuffer AsyncDisposableStack BigInt BigInt64Array BigUint64Array Boolean DataView Date " +
      "DisposableStack Error EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity " +
      "Int16Array Int32Array Int8Array Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError " +
      "Reflect RegExp Set String SuppressedError Symbol SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array " +
      "Uint8ClampedArray WeakMap WeakRef WeakSet decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval " +
      "globalThis isFinite isNaN parseFloat parseInt undefined unescape"
    ).split(" "),
  );
  const names = Object.getOwnPropertyNames(globalThis);
  return {
    missing: [...language].filter((name) => !names.includes(name)),
    more: names.filter((name) => !language.has(name)).sort(),
  };
}

/** What works, with what comes of it. */
export async function whatWorks(_conv: Conversation) {
  const bytes = new TextEncoder().encode("brie");
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const stream = new ReadableStream({ start: (stream) => (stream.enqueue("brie"), stream.close()) });
  let ticks = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (++ticks < 3) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  return {
    text: new TextDecoder().decode(new TextEncoder().encode("käse €")),
    base64: btoa(atob("YnJpZQ==")),
    url: new URL("/shelf?cheese=brie", "https://shop.example").searchParams.get("cheese"),
    clone: structuredClone(new Map([["brie", new Set([1])]])).get("brie")!.size,
    digest: new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 8),
    hmac: new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes)).length,
    stream: (await stream.getReader().read()).value,
    ticks,
    microtask: await new Promise((resolve) => queueMicrotask(() => resolve("yes"))),
    evaluated: eval("1 + 1"),
    regexp: ["ab".match(/(?<=a)(?<b>b)/)!.groups!.b, /É/iu.test("é"), new RegExp("[[a-z]--b]", "v").test("b")],
    upper: "straße".toUpperCase(),
    compared: ["b", "a", "ä", "B"].sort((one, other) => one.localeCompare(other)).join(""),
    sets: [...new Set([1, 2]).union(new Set([3]))],
    iterator: [1, 2].values().map((one) => 2 * one).toArray(),
    local: new Date("2026-07-01T10:00:00").toISOString(),
    elsewhere: new Date("2026-07-01T10:00:00+02:00").toISOString(),
    date: new Date(0).toLocaleString(),
    number: (1234.5).toLocaleString(),
  };
}

/** What does not work, with what is thrown. */
export async function whatDoesNotWork(_conv: Conversation) {
  const attempts: Record<string, () => unknown> = {
    fetch: () => fetch("https://example.com"),
    timeZone: () => new Date(0).toLocaleString("en-GB", { timeZone: "Europe/London" }),
    language: () => (1234.5).toLocaleString("de"),
    order: () => "a".localeCompare("b", "de"),
    intl: () => new Intl.DateTimeFormat("de"),
    normalize: () => "é".normalize("NFD"),
    property: () => new RegExp("\\p{L}", "u"),
    encryption: () => crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]),
  };
  const thrown: Record<string, string> = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt();
    } catch (error) {
      thrown[name] = (error as Error).name;
    }
  }
  return thrown;
}
