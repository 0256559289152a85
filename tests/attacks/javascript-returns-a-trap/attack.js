// What it returns loops while the SDK writes it as JSON.

export function javascriptReturnsATrap() {
  return { toJSON: () => { for (;;); } };
}
