// It swallows every exception, and would swallow the one that ends it.

export function javascriptSwallowsTheStop() {
  for (;;) {
    try {
      for (;;);
    } catch {
    } finally {
      continue;
    }
  }
}
