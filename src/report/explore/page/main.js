
// The page: two tables, what is chosen of them, and the panel of what was opened.

class Page {
  constructor(index) {
    this.index = index;
    this.within = null;
    // The stars of observations that were searched for.
    this.ofObsid = new Map();
    for (const [number, verdict] of index.verdicts.entries()) byId("verdict").append(make("option", { value: number }, verdict));
    for (const [bit, name, meaning] of index.flags) {
      if (!["reference", "not_measured"].includes(name)) byId("flag").append(make("option", { value: bit, title: meaning }, name));
    }
    byId("choice").addEventListener("submit", (event) => event.preventDefault());
    byId("choice").addEventListener("input", (event) => (event.target.name === "view" ? this.change() : event.target.id === "every" ? this.widen() : this.choose()));
    byId("all-stars").addEventListener("click", () => this.list(null));
    byId("its-stars").addEventListener("click", () => this.list(this.exposures.groups[this.exposures.group[this.exposurePanel.shown]]));
    addEventListener("hashchange", () => this.openNamed());
    addEventListener("beforeprint", () => this.print(true));
    addEventListener("afterprint", () => this.print(false));
  }

  get view() {
    return byId("choice").elements.view.value;
  }

  table() {
    return this.view === "stars" ? this.starTable : this.exposureTable;
  }

  // The printer gets the rows that are chosen, as far as that makes sense on paper, and dark figures on white.
  print(isPrinted) {
    document.documentElement.toggleAttribute("data-printed", isPrinted);
    this.table()?.print(isPrinted ? 300 : 0);
    this.starPanel?.figure.plot();
    this.exposurePanel?.figure.plot();
  }

  async start() {
    const { index } = this;
    await loadStars(index, (stars) => {
      if (!this.stars) this.begin(stars);
      if (stars.n === index.stars || stars.n <= 10000) this.choose();
    });
    this.choose();
    this.openNamed();
  }

  begin(stars) {
    const { index } = this;
    this.stars = stars;
    this.starTable = new Table(byId("stars"), "Stars", starColumns(index, stars), (i) => this.openStar(i), () => this.choose());
    this.starPanel = new StarPanel(index, stars);
    this.exposurePanel = new ExposurePanel(index, stars, (star) => this.openStar(star));
  }

  // Fills the table of stars or of exposures with what is chosen, and says how many there are.
  choose() {
    const text = byId("search").value;
    if (this.view === "stars") {
      const { stars } = this;
      const [verdict, flag] = [byId("verdict").value, Number(byId("flag").value)];
      const tests = [];
      if (verdict !== "") tests.push((i) => stars.verdict[i] === Number(verdict));
      if (flag) tests.push((i) => stars.flags[i] & flag);
      if (this.within) tests.push((i) => this.within.has(i));
      this.starTable.show(chosen(stars, (i) => `${stars.name[i]} ${stars.other[i]}`, text, tests, this.ofObsid));
      this.guard(this.lookUp(numbersIn(text)));
      this.say(this.starTable.order.length, this.index.stars, "star");
    } else if (this.exposures) {
      const all = this.exposures;
      this.exposureTable.show(chosen(all, (i) => `${dateOfMinute(all.lmjm[i])} ${all.plate[i]} ${all.spid[i]} ${all.lmjm[i]}`, text, []));
      this.say(this.exposureTable.order.length, all.n, "exposure");
    }
  }

  // Looks for the stars of these observations, and lists them if they are still asked for.
  async lookUp(numbers) {
    const unknown = numbers.filter((number) => !this.ofObsid.has(number));
    if (unknown.length === 0) return;
    for (const number of unknown) this.ofObsid.set(number, await starsOfObsid(this.index, number));
    const isWanted = numbersIn(byId("search").value).some((number) => unknown.includes(number));
    if (isWanted && this.view === "stars" && unknown.some((number) => this.ofObsid.get(number).size > 0)) this.choose();
  }

  // Shows all columns, or those for which there is room.
  widen() {
    for (const table of [this.starTable, this.exposureTable]) table?.widen(byId("every").checked);
  }

  say(shown, all, what) {
    const some = shown === all ? counted(all, what) : `${whole(shown)} of ${counted(all, what)}`;
    byId("count").textContent = this.within && what === "star" ? `${some}, of one exposure` : some;
  }

  async change() {
    const isStars = this.view === "stars";
    byId("stars").hidden = !isStars;
    byId("exposures").hidden = isStars;
    byId("search").placeholder = isStars ? "name or obsid" : "plate or date";
    for (const element of document.querySelectorAll(".of-stars")) element.hidden = !isStars;
    byId("all-stars").hidden = !isStars || !this.within;
    if (!isStars && !this.exposures) {
      byId("count").textContent = "Loading\u2026";
      this.exposures = await loadExposures(this.index);
      this.exposureTable = new Table(
        byId("exposures"), "Exposures and their zero points", exposureColumns(this.exposures), (i) => this.openExposure(i), () => this.choose(),
      );
      this.widen();
    }
    this.choose();
  }

  // Lists these stars alone, or all again.
  list(found) {
    this.within = found && new Set(found);
    byId("search").value = byId("verdict").value = byId("flag").value = "";
    byId("choice").elements.view.value = "stars";
    this.change();
  }

  async openStar(i) {
    byId("nothing").hidden = byId("exposure-panel").hidden = true;
    this.exposurePanel.shown = -1;
    this.starTable.mark(i);
    history.replaceState(null, "", `#${encodeURIComponent(this.stars.name[i])}`);
    await this.guard(this.starPanel.show(i));
    reveal(byId("star-panel"));
  }

  async openExposure(i) {
    byId("nothing").hidden = byId("star-panel").hidden = true;
    this.starPanel.star = -1;
    this.exposureTable.mark(i);
    await this.guard(this.exposurePanel.show(this.exposures, i));
    reveal(byId("exposure-panel"));
  }

  // The star that the page's address names.
  openNamed() {
    let name = location.hash.slice(1);
    try {
      name = decodeURIComponent(name);
    } catch {
      return;
    }
    const i = name ? this.stars.name.indexOf(name) : -1;
    if (i >= 0 && i !== this.starPanel.star) this.openStar(i);
  }

  async guard(work) {
    try {
      await work;
    } catch (error) {
      tellProblem(error);
    }
  }
}

// Where the panel is below the table, what was opened is brought into sight.
function reveal(panel) {
  const { top } = panel.getBoundingClientRect();
  if (top > innerHeight * 0.7 || top < 0) panel.scrollIntoView({ block: "start" });
}

function tellProblem(error) {
  byId("problem").textContent = `${error.message}. Is the folder explore beside this page, as the report wrote it?`;
  byId("problem").hidden = false;
}

load("index")
  .then((index) => (window.relrvPage = new Page(index)).start())
  .catch(tellProblem);
