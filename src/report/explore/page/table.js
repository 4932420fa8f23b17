
// A table of any number of rows, of which only those in sight are elements of the page.

// Rows beyond the edge that are made as well, so that scrolling shows no gaps.
const BEYOND = 12;

class Table {
  // `opened` is told the number of a row that was clicked or entered, `sorted` that the order was changed.
  constructor(place, caption, columns, opened, sorted) {
    Object.assign(this, { place, columns, opened, sorted });
    this.order = new Uint32Array(0);
    this.shown = new Map();
    this.current = 0;
    this.printed = 0;
    this.open = -1;
    this.sort = { column: columns[0], isDown: false };
    this.above = make("tr", { class: "space", "aria-hidden": "true" }, make("td", { colspan: columns.length }));
    this.below = this.above.cloneNode(true);
    this.body = make("tbody", {}, this.above, this.below);
    this.heads = columns.map((column) => this.head(column));
    this.cols = columns.map((column) => {
      const col = make("col");
      col.style.width = `${column.width}ch`;
      return col;
    });
    // Columns without a rank are as important as they come first.
    this.ranked = columns.map((column, k) => [column.rank ?? k, k]).sort((a, b) => a[0] - b[0]).map(([, k]) => k);
    this.isWide = false;
    this.there = new Set(columns.keys());
    this.table = make(
      "table", {}, make("caption", { class: "unseen" }, caption), make("colgroup", {}, ...this.cols),
      make("thead", {}, make("tr", { "aria-rowindex": 1 }, ...this.heads)), this.body,
    );
    place.replaceChildren(this.table);
    place.tabIndex = 0;
    place.setAttribute("role", "region");
    place.setAttribute("aria-label", caption);
    place.addEventListener("scroll", () => this.draw());
    place.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest("tr[data-at]");
      if (row) this.enter(Number(row.dataset.at));
    });
    new ResizeObserver(() => this.fit() || this.draw()).observe(place);
    this.fit();
  }

  // Shows all columns, whatever room there is, or only the most important ones again.
  widen(isWide) {
    this.isWide = isWide;
    this.fit();
  }

  // Hides the columns for which there is no room, the least important first; whether that changed any.
  fit() {
    const digits = this.place.clientWidth / this.digit();
    const isAll = this.isWide || this.printed > 0 || digits === 0;
    const there = new Set();
    let sum = 0;
    for (const k of this.ranked) {
      // The first two say what the row is of and what of it; others follow as long as all before them have room.
      if (!isAll && there.size > 1 && sum + this.columns[k].width > digits) break;
      there.add(k);
      sum += this.columns[k].width;
    }
    this.table.style.width = `${sum}ch`;
    if (there.size === this.there.size) return false;
    this.there = there;
    // More would be columns of their own, and take the width that is left.
    for (const space of [this.above, this.below]) space.firstChild.colSpan = there.size;
    this.heads.forEach((head, k) => (head.hidden = this.cols[k].hidden = !there.has(k)));
    this.clear();
    this.draw();
    return true;
  }

  // The width of a digit here, pixels.
  digit() {
    const probe = make("span", { class: "probe" });
    this.place.append(probe);
    const { width } = probe.getBoundingClientRect();
    probe.remove();
    return width / 100 || 8;
  }

  head(column) {
    const button = make("button", { type: "button", title: column.title, onclick: () => this.sortBy(column) }, column.head);
    return make("th", { scope: "col", "aria-sort": "none", class: column.isText ? "text" : undefined }, button);
  }

  sortBy(column) {
    const isDown = this.sort.column === column && !this.sort.isDown;
    this.sort = { column, isDown };
    this.sorted();
  }

  // Shows these rows in the order of the sorted column.
  show(found) {
    this.order = sortRows(found, this.sort.column, this.sort.isDown);
    this.heads.forEach((head, i) => {
      const isSorted = this.columns[i] === this.sort.column;
      head.setAttribute("aria-sort", !isSorted ? "none" : this.sort.isDown ? "descending" : "ascending");
    });
    this.table.setAttribute("aria-rowcount", this.order.length + 1);
    this.current = 0;
    this.clear();
    this.place.scrollTop = 0;
    this.draw();
  }

  clear() {
    const hadFocus = this.body.contains(document.activeElement);
    for (const row of this.shown.values()) row.remove();
    this.shown.clear();
    if (hadFocus) this.place.focus({ preventScroll: true });
  }

  get height() {
    return (this.measured ||= this.shown.values().next().value?.getBoundingClientRect().height || 0) || 30;
  }

  // Makes the first n rows, for the printer, or with 0 those in sight again.
  print(n) {
    this.printed = n;
    this.fit();
    this.draw();
  }

  // Makes the rows in sight and removes the others.
  draw() {
    const n = this.printed;
    const visible = Math.ceil(this.place.clientHeight / this.height);
    const top = Math.floor(this.place.scrollTop / this.height);
    const from = n ? 0 : Math.max(0, top - BEYOND);
    const to = n ? Math.min(n, this.order.length) : Math.min(this.order.length, top + visible + BEYOND);
    // First of all, so that the table never becomes shorter than what was scrolled.
    this.above.firstChild.style.height = `${from * this.height}px`;
    this.below.firstChild.style.height = `${n ? 0 : (this.order.length - to) * this.height}px`;
    this.above.hidden = from === 0;
    this.below.hidden = to === this.order.length || n > 0;
    let isLost = false;
    for (const [at, row] of this.shown) {
      if (at < from || at >= to) {
        isLost ||= row === document.activeElement;
        row.remove();
        this.shown.delete(at);
      }
    }
    let before = this.above;
    for (let at = from; at < to; at++) {
      if (!this.shown.has(at)) {
        const row = this.row(at);
        before.after(row);
        this.shown.set(at, row);
      }
      before = this.shown.get(at);
    }
    if (isLost) this.place.focus({ preventScroll: true });
  }

  row(at) {
    const i = this.order[at];
    const cells = this.columns.map((column, k) => {
      const text = column.text(i);
      const attributes = { class: column.isText ? "text" : undefined, hidden: !this.there.has(k), title: column.isText && text.length > column.width - 3 ? text : undefined };
      return k === 0 ? make("th", { scope: "row", ...attributes }, text) : make("td", attributes, text);
    });
    const isOpen = i === this.open;
    return make("tr", { "data-at": at, "aria-rowindex": at + 2, tabindex: at === this.current ? 0 : -1, "aria-current": isOpen ? "true" : undefined }, ...cells);
  }

  // Marks the row of this number as the one that is looked at.
  mark(i) {
    this.open = i;
    for (const [at, row] of this.shown) {
      if (this.order[at] === i) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }

  focus(at) {
    this.shown.get(this.current)?.setAttribute("tabindex", -1);
    this.current = Math.max(0, Math.min(this.order.length - 1, at));
    const head = this.table.tHead.getBoundingClientRect().height;
    const [top, view] = [this.current * this.height, this.place.clientHeight - head];
    if (top < this.place.scrollTop) this.place.scrollTop = top;
    if (top + this.height > this.place.scrollTop + view) this.place.scrollTop = top + this.height - view;
    this.draw();
    const row = this.shown.get(this.current);
    row?.setAttribute("tabindex", 0);
    row?.focus({ preventScroll: true });
  }

  enter(at) {
    if (at >= this.order.length) return;
    this.focus(at);
    this.opened(this.order[at]);
  }

  key(event) {
    if (event.target.closest("thead") || event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(this.place.clientHeight / this.height) - 2);
    const isOnRow = this.body.contains(document.activeElement);
    const steps = { ArrowDown: isOnRow ? 1 : 0, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) this.focus(this.current + steps[event.key]);
    else if (event.key === "Enter" || event.key === " ") this.enter(this.current);
    else return;
    event.preventDefault();
  }
}
