// What it returns holds itself.

export function javascriptRecurses() {
  const shelf = {};
  shelf.shelf = shelf;
  return shelf;
}
