// It keeps in its module, in the global object and in a prototype how often it was called.

let calls = 0;

export function javascriptKeepsInAModule() {
  calls += 1;
  globalThis.calls = (globalThis.calls ?? 0) + 1;
  Object.prototype.calls_of_all = (Object.prototype.calls_of_all ?? 0) + 1;
  return [calls, globalThis.calls, Object.prototype.calls_of_all];
}
