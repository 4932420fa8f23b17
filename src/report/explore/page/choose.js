
// Which rows are shown, and in which order.

// Lower-case text of each row that a search looks through, made when it is asked for first.
function searched(rows, textOf) {
  rows.searched ??= [];
  for (let i = rows.searched.length; i < rows.n; i++) rows.searched.push(textOf(i).toLowerCase());
  return rows.searched;
}

// The words of a text that may be numbers of observations.
const numbersIn = (text) => text.split(/\s+/).filter((word) => /^\d{1,19}$/.test(word));

// The numbers of the rows in which every word of a text is found, and that pass the tests. A word is found as well in the rows that `byWord` has
// for it.
function chosen(rows, textOf, text, tests, byWord = new Map()) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const texts = words.length > 0 ? searched(rows, textOf) : [];
  const found = [];
  for (let i = 0; i < rows.n; i++) {
    if (tests.every((test) => test(i)) && words.every((word) => texts[i].includes(word) || byWord.get(word)?.has(i))) found.push(i);
  }
  return Uint32Array.from(found);
}

// Puts rows in the order of a column; what has no value comes last, whichever way it goes.
function sortRows(found, column, isDown) {
  const sign = isDown ? -1 : 1;
  const value = column.sortBy;
  found.sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (typeof x === "string") return sign * (x < y ? -1 : x > y ? 1 : 0) || a - b;
    const [hasX, hasY] = [x === x, y === y];
    if (hasX && hasY) return sign * (x - y) || a - b;
    return hasY - hasX || a - b;
  });
  return found;
}
