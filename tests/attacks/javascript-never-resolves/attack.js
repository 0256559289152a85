// It waits for a promise that nobody keeps.

export function javascriptNeverResolves() {
  return new Promise(() => {});
}
