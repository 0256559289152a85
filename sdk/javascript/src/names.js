// Names of one thing in the two spellings that it has: `book_table` in the contract, `bookTable` in JavaScript.

/**
 * A name as the contract spells it.
 *
 * @param {string} name
 */
export function snakeCase(name) {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .toLowerCase();
}

/**
 * A name as JavaScript spells it.
 *
 * @param {string} name
 */
export function camelCase(name) {
  return name.replace(/([a-z0-9])_([a-z0-9])/gi, (_, before, after) => before + after.toUpperCase());
}

/**
 * The name that was probably meant, if one of them is close enough.
 *
 * @param {string} name
 * @param {Iterable<string>} names
 * @returns {string | undefined}
 */
export function nearest(name, names) {
  const wanted = snakeCase(name);
  let best;
  let fewest = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of names) {
    const edits = distance(wanted, snakeCase(candidate));
    if (edits < fewest) [best, fewest] = [candidate, edits];
  }
  return best;
}

/**
 * How many letters have to be added, taken away or changed to make one text the other.
 *
 * @param {string} one
 * @param {string} other
 */
function distance(one, other) {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let line = 1; line <= one.length; line++) {
    const next = [line];
    for (let column = 1; column <= other.length; column++) {
      const changed = row[column - 1] + (one[line - 1] === other[column - 1] ? 0 : 1);
      next.push(Math.min(changed, row[column] + 1, next[column - 1] + 1));
    }
    row = next;
  }
  return row[other.length];
}
