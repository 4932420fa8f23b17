// The explorer of a simulated plate: everything that a user does with it.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { check, column, heading, numbers, pixels, visit } from "./checks.mjs";
import { report as index } from "./report.mjs";

// Stars of the plate, and of each of its two spectrographs.
const N = 60;
const N_OF_EACH = 30;

export async function plate(browser, report) {
  await index(browser, report);
  const { page, heard } = await visit(browser, report, "index.html");
  await check("the page of figures leads to the stars", async () => {
    await page.getByRole("link", { name: "All stars and exposures" }).click();
    await page.waitForSelector("#stars tbody tr[data-at]");
    assert.equal(await page.locator("#count").textContent(), `${N} stars`);
  });
  await table(page);
  await curve(page);
  await keys(page);
  await exposures(page);
  await check("a star's address opens it", async () => {
    const url = page.url();
    assert.match(url, /#J/);
    await page.reload();
    await page.waitForSelector("#curve canvas");
    assert.equal(url.split("#")[1], encodeURIComponent(await page.locator("#star-name").textContent()));
  });
  await check("no console message, and no request outside the folder", () => heard.nothingWrong());
  await page.context().close();
  await looks(browser, report);
}

async function table(page) {
  await check("a heading sorts up, then down, and says so; what is missing comes last", async () => {
    // So high that every row is in sight.
    await page.setViewportSize({ width: 1400, height: 2600 });
    const head = heading(page, "#stars", "period, d");
    for (const [order, sign] of [["ascending", 1], ["descending", -1]]) {
      await head.click();
      assert.equal(await head.locator("..").getAttribute("aria-sort"), order);
      assert.equal(await page.locator(`#stars th[aria-sort=${order}]`).count(), 1);
      const found = numbers(await column(page, "#stars", "period, d"));
      assert.equal(found.length, N);
      assert.ok(found.some(Number.isNaN));
      const sorted = found.toSorted((a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.isNaN(a) - Number.isNaN(b) : sign * (a - b)));
      assert.deepEqual(found, sorted);
      assert.ok(new Set(found).size > 4);
    }
    await page.setViewportSize({ width: 1400, height: 1000 });
  });
  await check("verdicts are filtered, and the numbers of all add up", async () => {
    let sum = 0;
    for (const verdict of ["not judged", "constant", "undecided", "variable"]) {
      await page.locator("#verdict").selectOption({ label: verdict });
      const found = await column(page, "#stars", "verdict");
      assert.ok(found.every((text) => text === verdict), `${verdict}: ${found}`);
      const n = Number((await page.locator("#count").textContent()).split(" ")[0]);
      assert.equal(await page.locator("#count").textContent(), `${n} of ${N} stars`);
      if (verdict === "constant" || verdict === "variable") assert.ok(n > 3, verdict);
      sum += n;
    }
    assert.equal(sum, N);
    await page.locator("#verdict").selectOption("");
  });
  await check("flags are filtered", async () => {
    await page.locator("#flag").selectOption({ label: "double_lined" });
    const found = await column(page, "#stars", "flags");
    assert.ok(found.length > 0 && found.every((text) => text.includes("double_lined")), found.join("; "));
    await page.locator("#flag").selectOption("");
  });
  await check("the search finds a star by a part of its name", async () => {
    const name = (await column(page, "#stars", "star"))[7];
    await page.locator("#search").fill(name.slice(3, 12).toLowerCase());
    assert.deepEqual(await column(page, "#stars", "star"), [name]);
    await page.locator("#search").fill("nobody");
    assert.equal(await page.locator("#count").textContent(), `0 of ${N} stars`);
    await page.locator("#search").fill("");
    assert.equal(await page.locator("#count").textContent(), `${N} stars`);
  });
  await check("the search finds a star by the number of its observation", async () => {
    const { name, obsid } = await page.evaluate(async () => {
      const { index, stars } = relrvPage;
      const [first] = await loadCurve(index, 11);
      return { name: stars.name[11], obsid: first.obsid };
    });
    assert.ok(!name.includes(obsid), "else the name would be found");
    await page.locator("#search").fill(obsid);
    await page.locator("#count", { hasText: `1 of ${N} stars` }).waitFor();
    assert.deepEqual(await column(page, "#stars", "star"), [name]);
    // A number that is none, and one that no number of JavaScript's holds.
    for (const nobody of [`${obsid}7`, "9007199254740993"]) {
      await page.locator("#search").fill(nobody);
      await page.waitForTimeout(200);
      assert.equal(await page.locator("#count").textContent(), `0 of ${N} stars`);
    }
    await page.locator("#search").fill("");
    return `${obsid} is of ${name}`;
  });
  await check("columns for which there is no room are hidden, and a box shows them", async () => {
    const state = () =>
      page.locator("#stars").evaluate((place) => ({
        heads: [...place.querySelectorAll("thead th")].filter((head) => !head.hidden).map((head) => head.textContent.replaceAll("\u00ad", "")),
        cells: [...place.querySelector("tr[data-at]").children].filter((cell) => !cell.hidden).length,
        tooWide: place.scrollWidth - place.clientWidth,
      }));
    const some = await state();
    assert.ok(some.tooWide <= 0, `${some.tooWide} pixels too wide`);
    for (const head of ["star", "verdict", "exposures", "p red", "p blue", "scatter red, km/s", "scatter blue, km/s", "period, d"]) {
      assert.ok(some.heads.includes(head), `${head} is hidden; there are ${some.heads.join("; ")}`);
    }
    assert.equal(some.cells, some.heads.length);
    await page.locator("#every").check();
    const all = await state();
    assert.ok(all.heads.length === 15 && all.cells === 15 && all.tooWide > 0, JSON.stringify(all));
    await page.locator("#every").uncheck();
    assert.deepEqual(await state(), some);
    return some.heads.join("; ");
  });
}

async function curve(page) {
  await check("error bars are drawn to their ends", async () => {
    await page.locator("#verdict").selectOption({ label: "constant" });
    await page.locator("#stars tbody tr[data-at='0']").click();
    await page.waitForSelector("#curve canvas");
    const { seen, all } = await bars(page);
    assert.ok(all > 5 && seen > 0.8 * all, `${seen} of ${all} bars`);
    return `${seen} of ${all} that are longer than their points`;
  });
  await check("a click shows the curve of both arms, with bars, and the same numbers", async () => {
    await page.locator("#verdict").selectOption({ label: "variable" });
    await heading(page, "#stars", "p red").click();
    const row = page.locator("#stars tbody tr[data-at='0']");
    const name = await row.locator("th").textContent();
    await row.click();
    await page.waitForFunction((name) => document.getElementById("star-name").textContent === name, name);
    await page.waitForTimeout(300);
    assert.equal(await row.getAttribute("aria-current"), "true");
    assert.equal(await page.locator("#star-name").textContent(), await row.locator("th").textContent());
    const rows = await page.locator("#velocities tr").count();
    assert.equal(rows, Number(await row.locator("td").nth(1).textContent()));
    // Points of five nights, even where one arm lies over the other.
    for (const arm of ["red", "blue"]) {
      const n = await pixels(page, "#curve", arm);
      assert.ok(n > 80, `${n} pixels are ${arm}`);
    }
  });
  await check("the pointer reads exposure, value and error", async () => {
    const place = await placeOfPoint(page, 0);
    await page.mouse.move(place.x, place.y);
    const says = await page.locator("#curve-says").textContent();
    assert.match(says, /^(red|blue) \u2212?\d+\.\d{3} \u00b1 \d+\.\d{3} km\/s; \d{4}-\d\d-\d\d \d\d:\d\d UTC, BJD 24\d{5}\.\d{5}; exposure \d+, plate .+, spectrograph \d+, fibre \d+/);
    const [value] = says.match(/\d+\.\d{3} \u00b1 \d+\.\d{3}/);
    assert.ok((await page.locator("#velocities").textContent()).includes(value), value);
  });
  await check("beside the point stand exposure, date, value, error and what its flags say", async () => {
    const flagged = await page.evaluate(() => {
      const { figure } = relrvPage.starPanel;
      const n = figure.points.findIndex((point) => point.says.includes("flags: "));
      return { n: Math.max(0, n), names: n < 0 ? [] : figure.points[n].says.split("flags: ")[1].split(", ") };
    });
    const place = await placeOfPoint(page, flagged.n);
    await page.mouse.move(place.x, place.y);
    const tip = page.locator("#curve .tip");
    await tip.waitFor();
    const lines = await tip.locator("div").allTextContents();
    assert.match(lines[0], /^(red|blue) \u2212?\d+\.\d{3} \u00b1 \d+\.\d{3} km\/s$/);
    assert.match(lines[1], /^exposure \d{8}, \d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
    assert.ok((await page.locator("#curve-says").textContent()).startsWith(`${lines[0]};`));
    for (const [k, name] of flagged.names.entries()) assert.match(lines[2 + k], new RegExp(`^${name.replaceAll("_", " ")}: .{5}`));
    assert.equal(lines.length, 2 + Math.max(1, flagged.names.length));
    // It is within the figure, and hides nothing when the pointer is elsewhere.
    const [inner, outer] = [await tip.boundingBox(), await page.locator("#curve").boundingBox()];
    assert.ok(inner.x >= outer.x && inner.x + inner.width <= outer.x + outer.width + 1, JSON.stringify({ inner, outer }));
    if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/stars-tip.png` });
    await page.mouse.move(outer.x + outer.width / 2, outer.y - 40);
    await tip.waitFor({ state: "hidden" });
    return lines.join(" | ");
  });
  await check("a drag zooms, and a double click shows all again", async () => {
    const all = await ticks(page);
    const box = await page.locator("#curve .u-over").boundingBox();
    await page.mouse.move(box.x + box.width * 0.3, box.y + box.height * 0.2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.8, { steps: 5 });
    await page.mouse.up();
    await page.waitForTimeout(100);
    const zoomed = await ticks(page);
    assert.ok(zoomed.x < 0.5 * all.x && zoomed.y < 0.8 * all.y, JSON.stringify({ all, zoomed }));
    await page.mouse.dblclick(box.x + box.width / 2, box.y + box.height / 2);
    await page.waitForTimeout(100);
    assert.deepEqual(await ticks(page), all);
  });
  await check("a period folds the curve", async () => {
    await heading(page, "#stars", "period, d").click();
    await page.locator("#stars tbody tr[data-at='0']").click();
    await page.waitForTimeout(200);
    await page.locator("#fold").check();
    const { x } = await ticks(page);
    assert.ok(x > 0.5 && x < 1.2, String(x));
    await page.locator("#fold").uncheck();
  });
  await page.locator("#verdict").selectOption("");
}

// How many of the bars that are longer than their points are drawn as far as they should be: there is ink between a bar's middle and its end.
const bars = (page) =>
  page.evaluate(() => {
    const { u, points } = relrvPage.starPanel.figure;
    const { canvas } = u.ctx;
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const at = (x, y) => copy.getImageData(Math.round(x), Math.round(y), 1, 1).data;
    const isColoured = ([r, g, b]) => Math.max(r, g, b) - Math.min(r, g, b) > 60;
    const long = points.filter((p) => u.valToPos(p.y, "y", true) - u.valToPos(p.y + p.err, "y", true) > 8);
    const seen = long.filter((p) => {
      const [x, y] = [u.valToPos(p.x, "x", true), u.valToPos(p.y + 0.8 * p.err, "y", true)];
      return [-1, 0, 1].some((dx) => isColoured(at(x + dx, y)));
    });
    return { seen: seen.length, all: long.length };
  });

// The ranges of the axes.
const ticks = (page) =>
  page.evaluate(() => {
    const { x, y } = relrvPage.starPanel.figure.u.scales;
    return { x: x.max - x.min, y: y.max - y.min };
  });

// Where on the screen a point of the curve lies.
async function placeOfPoint(page, n) {
  const at = await page.evaluate((n) => {
    const { u, points } = relrvPage.starPanel.figure;
    return { x: u.valToPos(points[n].x, "x"), y: u.valToPos(points[n].y, "y") };
  }, n);
  const box = await page.locator("#curve .u-over").boundingBox();
  return { x: box.x + at.x, y: box.y + at.y };
}

async function keys(page) {
  await check("keys alone do it all", async () => {
    await page.locator("#search").focus();
    for (let i = 0; i < 4; i++) await page.keyboard.press("Tab");
    // Search, verdict, flag, the table, its headings: the focus is in the table's region now.
    assert.ok(await page.evaluate(() => document.activeElement.closest("#stars") !== null), "Tab leads into the table");
    await page.locator("#stars").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    const at = () => page.evaluate(() => document.activeElement.dataset?.at);
    assert.equal(await at(), "1");
    await page.keyboard.press("End");
    assert.equal(await at(), String(N - 1));
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowDown");
    const name = await page.evaluate(() => document.activeElement.querySelector("th").textContent);
    await page.keyboard.press("Enter");
    await page.waitForFunction((name) => document.getElementById("star-name").textContent === name, name);
    await page.waitForTimeout(200);
    await page.locator("#curve").focus();
    await page.keyboard.press("ArrowRight");
    const first = await page.locator("#curve-says").textContent();
    await page.keyboard.press("ArrowRight");
    const second = await page.locator("#curve-says").textContent();
    assert.match(first, /km\/s/);
    assert.notEqual(first, second);
    const all = await ticks(page);
    await page.keyboard.press("+");
    await page.waitForTimeout(100);
    assert.ok((await ticks(page)).x < 0.6 * all.x);
    await page.keyboard.press("0");
    await page.waitForTimeout(100);
    assert.deepEqual(await ticks(page), all);
  });
  await check("what is shown has names for those who hear it", async () => {
    const named = await page.evaluate(() => ({
      status: document.getElementById("count").getAttribute("role"),
      unlabelled: [...document.querySelectorAll("input, select, button")].filter((e) => !e.labels?.length && !e.textContent.trim()).length,
      figure: document.getElementById("curve").getAttribute("aria-label"),
      rows: document.querySelector("#stars table").getAttribute("aria-rowcount"),
    }));
    assert.deepEqual({ ...named, figure: /^Velocities of J/.test(named.figure) }, { status: "status", unlabelled: 0, figure: true, rows: String(N + 1) });
  });
}

async function exposures(page) {
  await check("an exposure shows its residuals, and lists its stars", async () => {
    await page.locator("input[value=exposures]").check();
    await page.waitForSelector("#exposures tbody tr[data-at]");
    assert.match(await page.locator("#count").textContent(), /^\d+ exposures$/);
    const zp = (await column(page, "#exposures", "zero point red, km/s"))[2];
    await page.locator("#exposures tbody tr[data-at='2']").click();
    await page.waitForSelector("#slit canvas");
    assert.ok((await page.locator("#exposure-says").textContent()).includes(`red: zero point ${zp} \u00b1`));
    assert.ok((await pixels(page, "#slit", "red")) > 500);
    await page.locator("#its-stars").click();
    assert.equal(await page.locator("#count").textContent(), `${N_OF_EACH} of ${N} stars, of one exposure`);
    await page.locator("#all-stars").click();
    assert.equal(await page.locator("#count").textContent(), `${N} stars`);
  });
  await check("a velocity of an exposure leads to its star", async () => {
    await page.locator("input[value=exposures]").check();
    await page.locator("#exposures tbody tr[data-at='2']").click();
    await page.waitForSelector("#slit canvas");
    await page.locator("#slit").focus();
    await page.keyboard.press("ArrowRight");
    const says = await page.locator("#slit-says").textContent();
    await page.keyboard.press("Enter");
    await page.waitForSelector("#star-panel:not([hidden])");
    assert.ok(says.startsWith(await page.locator("#star-name").textContent()), says);
    await page.locator("input[value=stars]").check();
  });
}

async function looks(browser, report) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [390, 800, 1400, 2560]) {
      await check(`${width} pixels, ${colorScheme}: nothing is wider than the page, and text can be read`, async () => {
        const { page, heard } = await visit(browser, report, "stars.html", { viewport: { width, height: 900 }, colorScheme });
        await page.locator("#stars tbody tr[data-at='3']").click();
        await page.waitForSelector("#curve canvas");
        const found = await page.evaluate(() => {
          const rgb = (text) => text.match(/[\d.]+/g).slice(0, 3).map((v) => v / 255);
          const light = (c) => rgb(c).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const paper = light(getComputedStyle(document.documentElement).backgroundColor);
          const contrast = (element) => {
            const ink = light(getComputedStyle(element).color);
            return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
          };
          const texts = ["h1", "a", ".note", "#count", "#star-verdict", ".legend .red", ".legend .blue"];
          return {
            overflow: document.documentElement.scrollWidth - innerWidth,
            unused: document.getElementById("stars").clientWidth - [...document.querySelector("#stars tr[data-at]").children].reduce((sum, cell) => sum + cell.getBoundingClientRect().width, 0),
            table: document.getElementById("stars").scrollWidth - document.getElementById("stars").clientWidth,
            contrast: Math.min(...texts.map((text) => contrast(document.querySelector(text)))),
            isDark: paper < 0.2,
          };
        });
        assert.ok(found.overflow <= 0, `${found.overflow} pixels too wide`);
        assert.ok(found.unused <= 1, `${found.unused} pixels beside the table are empty`);
        assert.ok(found.table <= 0, `the table is ${found.table} pixels too wide`);
        assert.ok(found.contrast >= 4.5, `contrast ${found.contrast}`);
        assert.equal(found.isDark, colorScheme === "dark");
        heard.nothingWrong();
        if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/stars-${colorScheme}-${width}.png`, fullPage: width < 1200 });
        await page.context().close();
      });
    }
  }
  await check("on paper the chosen stars and the curve are there", async () => {
    const { page } = await visit(browser, report, "stars.html", { colorScheme: "dark" });
    await page.locator("#stars tbody tr[data-at='3']").click();
    await page.waitForSelector("#curve canvas");
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    await page.waitForTimeout(200);
    assert.equal(await page.locator("#stars tbody tr[data-at]").count(), N);
    assert.equal(await page.evaluate(() => colour("paper")), "#fff");
    assert.ok((await pixels(page, "#curve", "red")) > 300);
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    await page.waitForTimeout(200);
    assert.ok((await page.locator("#stars tbody tr[data-at]").count()) < N);
    assert.equal(await page.evaluate(() => colour("paper")), "#15181c");
    const pdf = await page.pdf();
    assert.ok(pdf.length > 20000);
    if (process.env.PICTURES) writeFileSync(`${process.env.PICTURES}/stars.pdf`, pdf);
    await page.context().close();
  });
}
